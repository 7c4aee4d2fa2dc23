"""Pictures drawn in processes of their own, while the numbers of the next ones are computed."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from rdr_core.jobs.beside import stand_by
from rdr_core.safe_path import safe_path
from rdr_viz.pages.picture_page import Section

if TYPE_CHECKING:
    from rdr_viz.displays.base import Display


class Drawing:
    """Saves pictures, in processes of their own if there are several; a context.

    A step is a figure or a table: some pictures that are told of together.

    Args:
        bar: of steps; it is moved as they are done.
        processes: that draw. With 1 this one draws, at once; more are started as :mod:`multiprocessing` starts them,
            so a script that asks for them needs its usual ``if __name__ == "__main__"``.

    Example:
        >>> with tqdm(total=1, disable=True) as bar, Drawing(bar, processes=1) as drawing:
        ...     drawing.step([])
        ...     drawing.finish()
    """

    def __init__(self, bar: tqdm, processes: int) -> None:
        # Started anew: this process may have threads, of torch and of progress bars, that a fork would break.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(processes, context, initializer=stand_by) if processes > 1 else _Here()
        if processes > 1:  # their imports take seconds: at once, while the first numbers are computed
            with safe_path():  # it starts one for each
                for _ in range(processes):
                    self._pool.submit(_ready)
        self._bar = bar
        self._steps: list[list[Future]] = []

    def __enter__(self) -> Drawing:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._pool.shutdown(cancel_futures=kind is not None)

    def save(self, display: Display, stem: Path) -> Future[None]:
        """Write the picture's files, as :meth:`~rdr_viz.displays.base.Display.save` does."""
        return self._pool.submit(_save, display, stem)

    def section(self, display: Display, stem: Path) -> Future[Section]:
        """Write them, and make the picture's part of a page."""
        return self._pool.submit(_section, display, stem)

    def step(self, pictures: list[Future]) -> None:
        """These pictures are one step's; some others may be done."""
        self._steps.append(pictures)
        self._bar.update(self._done())

    def finish(self) -> None:
        """Wait for all of them.

        Raises:
            Exception: what stopped a picture.
        """
        for step in self._steps:
            for picture in step:
                picture.result()
            self._bar.update(1)
        self._steps = []

    def _done(self) -> int:
        before = len(self._steps)
        self._steps = [step for step in self._steps if not all(picture.done() for picture in step)]
        return before - len(self._steps)


class _Here(Executor):
    """This process, as an executor."""

    def submit(self, function: Callable, /, *args: object, **kwargs: object) -> Future:
        future: Future = Future()
        future.set_result(function(*args, **kwargs))
        return future


def _ready() -> None:
    import rdr_viz.papers.comparison  # noqa: F401


def _save(display: Display, stem: Path) -> None:
    display.save(stem)


def _section(display: Display, stem: Path) -> Section:
    return Section.from_display(stem.name, display, display.save(stem)["svg"].read_bytes())
