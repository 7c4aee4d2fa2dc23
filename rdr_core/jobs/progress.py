"""How far many tasks are, shown while they are done: by this process or by any other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

from rdr_core.jobs.notice import EVERY, Notice
from rdr_core.jobs.task import Task
from rdr_core.visible import bar_file, tell, watched

if TYPE_CHECKING:
    from tqdm import tqdm


@contextmanager
def shown(tasks: Sequence[Task], notice: Notice | None = None, *, bar: bool = True) -> Iterator[None]:
    """Inside, how far the tasks are is shown, read from disk.

    The time left is told by the pace since the start, as if all tasks were as long as those done.

    Args:
        tasks: all of them.
        notice: for others who look into the folder of runs; None (default) tells them nothing.
        bar: whether to draw one on stderr; without tqdm it is a line now and then.
    """
    over, shares = Event(), _shares(tasks)
    if notice is not None:
        notice.put(shares, None)
    thread = Thread(target=_show, args=(tasks, shares, notice, bar, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _show(tasks: Sequence[Task], shares: Sequence[float], notice: Notice | None, bar: bool, over: Event) -> None:
    started, before = time.monotonic(), sum(shares)
    watches: list[_Watch] = []
    if bar:
        # A terminal is to show it moving, a log file a line now and then.
        watches.append(_Watch(1.0 if watched() else 30.0, *_on_stderr(shares, before)))
    if notice is not None:
        watches.append(_Watch(EVERY, lambda shares, seconds: notice.put(shares, seconds_left(shares, before, seconds)),
                              notice.take_down))  # fmt: skip
    asked_to_end = False
    while not asked_to_end:
        asked_to_end = over.wait(min(watch.every for watch in watches))
        shares, now = _shares(tasks), time.monotonic()
        for watch in watches:
            if asked_to_end or now - watch.last >= watch.every:
                watch.last = now
                watch.tell(shares, now - started)
    for watch in watches:
        watch.end()


@dataclass
class _Watch:
    """Who is told how far it is: the shares, and the seconds since the start."""

    every: float
    tell: Callable[[Sequence[float], float], None]
    end: Callable[[], None]
    last: float = -math.inf


def _on_stderr(
    shares: Sequence[float], before: float
) -> tuple[Callable[[Sequence[float], float], None], Callable[[], None]]:
    """How a bar is told, or a line without tqdm, and how it ends."""
    bar = _bar(shares)
    if bar is None:
        return lambda shares, seconds: tell(progress_line(shares, before, seconds)), lambda: None

    def move(shares: Sequence[float], _: float) -> None:
        bar.n = sum(shares)
        bar.set_description_str(_count(shares))

    return move, bar.close


def seconds_left(shares: Sequence[float], before: float, seconds: float) -> float | None:
    """Until all tasks are done, at the pace so far; None before anything has moved.

    Args:
        shares: of each task, 0 to 1.
        before: their sum at the start.
        seconds: since then.

    Example:
        >>> seconds_left([1.0, 1.0, 0.5, 0.0], before=1.0, seconds=90), seconds_left([0.5], before=0.5, seconds=90)
        (90.0, None)
    """
    total = sum(shares)
    return seconds * (len(shares) - total) / (total - before) if total > before else None


def progress_line(shares: Sequence[float], before: float, seconds: float) -> str:
    """How far tasks are, in words.

    Args:
        shares, before, seconds: as of :func:`seconds_left`.

    Example:
        >>> progress_line([1.0, 1.0, 0.5, 0.0], before=1.0, seconds=90)
        '2 of 4 done, 62 % of the work, about 90 s left'
    """
    time_left = seconds_left(shares, before, seconds)
    left = "" if time_left is None else f", about {time_left:.0f} s left"
    return f"{_count(shares)}, {100 * sum(shares) / max(1, len(shares)):.0f} % of the work{left}"


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
