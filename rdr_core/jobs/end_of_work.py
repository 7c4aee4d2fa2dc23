"""How a command that does many tasks ends."""

from __future__ import annotations

import typer

from rdr_core.jobs.outcome import Outcome
from rdr_core.visible import say, tell


def end_of_work(outcome: Outcome, where: str, then: str) -> None:
    """Say what has become of many tasks, and end with the status that fits where not all is well.

    Args:
        outcome: of them.
        where: they are, as "in runs".
        then: what to do when all are there.
    """
    left = len(outcome.unfinished)
    say(f"{len(outcome.made_here)} made, {left} left, {where}. {'The same command continues.' if left else then}")
    if outcome.lost:
        tell(f"{outcome.lost} process(es) at work were killed; their runs go on where they were saved.")
    if outcome.busy:
        say(f"Another command is training {len(outcome.busy)} of those left.")
    for failure in outcome.failed:
        tell(f"{len(failure.tasks)} can't be made: {failure.sentence}")
    if outcome.stopped_by == "scheduler":
        tell("rdr: The scheduler is gone; what was saved is kept. Start it again, and the same command.")
    if outcome.failed or outcome.stopped_by == "scheduler":
        raise typer.Exit(2)
    if outcome.stopped_by == "interrupt":
        raise typer.Exit(130)
