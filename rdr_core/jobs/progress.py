"""How far many tasks are, shown while they are done: by this process or by any other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from rdr_core.jobs.task import Task
from rdr_core.visible import bar_file, tell, watched

if TYPE_CHECKING:
    from tqdm import tqdm


@contextmanager
def shown(tasks: Sequence[Task]) -> Iterator[None]:
    """Inside, a bar on stderr over all the tasks, read from disk; without tqdm a line now and then.

    The time left is told by the pace since the start, as if all tasks were as long as those done.
    """
    over = Event()
    thread = Thread(target=_show, args=(tasks, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _show(tasks: Sequence[Task], over: Event) -> None:
    # A terminal is to show it moving, a log file a line now and then.
    every = 1.0 if watched() else 30.0
    shares = _shares(tasks)
    started, before = time.monotonic(), sum(shares)
    bar = _bar(shares)
    asked_to_end = False
    while not asked_to_end:
        asked_to_end = over.wait(every)
        shares = _shares(tasks)
        if bar is None:
            tell(progress_line(shares, before, time.monotonic() - started))
        else:
            bar.n = sum(shares)
            bar.set_description_str(_count(shares))
    if bar is not None:
        bar.close()


def progress_line(shares: Sequence[float], before: float, seconds: float) -> str:
    """How far tasks are, in words.

    Args:
        shares: of each task, 0 to 1.
        before: their sum at the start.
        seconds: since then.

    Example:
        >>> progress_line([1.0, 1.0, 0.5, 0.0], before=1.0, seconds=90)
        '2 of 4 done, 62 % of the work, about 90 s left'
    """
    total = sum(shares)
    left = f", about {seconds * (len(shares) - total) / (total - before):.0f} s left" if total > before else ""
    return f"{_count(shares)}, {100 * total / max(1, len(shares)):.0f} % of the work{left}"


def _shares(tasks: Sequence[Task]) -> list[float]:
    return [task.share for task in tasks]


def _count(shares: Sequence[float]) -> str:
    return f"{sum(share == 1 for share in shares)} of {len(shares)} done"


def _bar(shares: Sequence[float]) -> tqdm | None:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    looks = "{desc} |{bar}| {percentage:.0f} % of the work, {elapsed} so far, {remaining} left"
    return tqdm(desc=_count(shares), total=len(shares), initial=sum(shares), bar_format=looks, dynamic_ncols=True,
                file=bar_file())  # fmt: skip
