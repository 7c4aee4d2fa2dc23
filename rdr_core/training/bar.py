"""How far a run is, on stderr: a bar where tqdm is installed, else a plain line now and then."""

from __future__ import annotations

import time
from typing import Any, Protocol

from rdr_core.visible import NAME, bar_file, tell, visible, watched

#: Seconds between plain lines, and between a bar's redrawings where no person watches.
EVERY = 10.0


class Progress(Protocol):
    """What training tells of itself; a context manager, of which tqdm's bar is one kind."""

    def __enter__(self) -> Progress: ...

    def __exit__(self, *raised: object) -> object: ...

    def update(self) -> object:
        """A step is done."""
        ...

    def set_postfix(self, values: dict[str, Any], refresh: bool) -> None:
        """What to show beside the count, from the next redrawing on."""
        ...


def progress_bar(title: str, *, total: int, done: int, shown: bool) -> Progress:
    """What shows a run's progress.

    Args:
        title: of the run.
        total: steps of the run.
        done: steps done before.
        shown: False shows nothing.
    """
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return Lines(title, total=total, done=done, shown=shown)
    return tqdm(
        total=total,
        initial=done,
        desc=visible(title, NAME),
        unit="step",
        disable=not shown,
        # A log file wants a line now and then, a person wants to see it move.
        mininterval=0.2 if watched() else EVERY,
        dynamic_ncols=True,
        file=bar_file(),
    )


class Lines:
    """Progress as plain lines, for machines that have nothing but torch.

    Args:
        title, total, done, shown: as for :func:`progress_bar`.
        every: seconds between lines.
    """

    def __init__(self, title: str, *, total: int, done: int, shown: bool, every: float = EVERY) -> None:
        self.title, self.total, self.done, self.shown, self.every = title, total, done, shown, every
        self.beside = ""
        self.before, self.started = done, time.monotonic()
        self.said = self.started

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *raised: object) -> None:
        if self.shown:
            self._say()

    def update(self) -> None:
        self.done += 1
        if self.shown and time.monotonic() - self.said >= self.every:
            self._say()

    def set_postfix(self, values: dict[str, Any], refresh: bool) -> None:
        self.beside = "".join(f", {name} {value}" for name, value in values.items())

    def _say(self) -> None:
        self.said = time.monotonic()
        rate = (self.done - self.before) / max(self.said - self.started, 1e-9)
        tell(f"{self.title}: step {self.done} of {self.total}, {rate:.1f} a second{self.beside}")
