"""What has become of many tasks: as workers tell it, and as who asked for them hears it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from rdr_core.jobs.task import Task

StoppedBy = Literal["budget", "interrupt", "scheduler"]


class Failure(NamedTuple):
    """Why tasks can't be done, in one sentence, and which."""

    sentence: str
    tasks: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What has become of the tasks, by name and in their order.

    Attributes:
        finished: done, whoever did it and when.
        made_here: of them, those that this call did.
        unfinished: neither done nor failed; the same call goes on with them.
        busy: of them, those that a process outside this call is at.
        failed: a sentence for each mistake, with the tasks that it concerns.
        lost: how often a process at work was killed, or broke down.
        stopped_by: why work is left: the budget was spent, Ctrl-C, or the scheduler was lost.
    """

    finished: tuple[str, ...]
    made_here: tuple[str, ...]
    unfinished: tuple[str, ...]
    busy: tuple[str, ...]
    failed: tuple[Failure, ...]
    lost: int
    stopped_by: StoppedBy | None


@dataclass
class News:
    """What was told of the tasks so far, by their index.

    Attributes:
        made: done here.
        found: done by others meanwhile, which the disk may not show yet.
        busy: left to a process outside this call.
        failed: by the sentence that says why.
        lost: processes at work that were killed.
        stopped_by: as of :class:`Outcome`.
    """

    made: set[int] = field(default_factory=set)
    found: set[int] = field(default_factory=set)
    busy: set[int] = field(default_factory=set)
    failed: dict[str, set[int]] = field(default_factory=dict)
    lost: int = 0
    stopped_by: StoppedBy | None = None

    @property
    def given_up(self) -> set[int]:
        """Tasks that can't be done."""
        return set().union(*self.failed.values())

    def fail(self, sentence: str, index: int, tasks: Sequence[Task], *, missing_data: bool) -> None:
        """A task can't be done; where data are missing, no other of its key can."""
        alike = {at for at, task in enumerate(tasks) if missing_data and task.key == tasks[index].key}
        self.failed.setdefault(sentence, set()).update(alike | {index})

    def outcome(self, tasks: Sequence[Task]) -> Outcome:
        """Of the tasks, the first ones of those that were told of; what others have done is read from disk."""
        done = {index for index, task in enumerate(tasks) if index in self.made | self.found or task.done}
        left = set(range(len(tasks))) - done - self.given_up
        failures = [(sentence, indices & set(range(len(tasks)))) for sentence, indices in self.failed.items()]

        def names(indices: set[int]) -> tuple[str, ...]:
            return tuple(tasks[index].name for index in sorted(indices))

        return Outcome(
            finished=names(done),
            made_here=names(self.made & done),
            unfinished=names(left),
            busy=names(self.busy & left),
            failed=tuple(Failure(sentence, names(indices)) for sentence, indices in failures if indices),
            lost=self.lost,
            stopped_by=self.stopped_by if left else None,
        )
