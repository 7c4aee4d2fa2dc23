"""What commands that do many tasks print of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rdr_core.jobs.outcome import Outcome
from rdr_core.jobs.sweep import State
from rdr_core.visible import say, tell


def end_of_work(outcome: Outcome, where: str, then: str) -> None:
    """Say what has become of many tasks, and end with the status that fits where not all is well.

    Args:
        outcome: of them.
        where: they are, as "in runs".
        then: what to do when all are there.
    """
    from typer import Exit

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
        raise Exit(2)
    if outcome.stopped_by == "interrupt":
        raise Exit(130)


def tell_states(states: Sequence[State]) -> None:
    """Say how far the runs of a sweep are: how many are finished, which are under way, and why some can't be made.

    Example:
        >>> tell_states([State("a", "finished", 1.0), State("b", "begun", 0.5), State("c", "waiting", 0.0)])
        3 runs: 1 finished, 1 begun, 1 waiting.
        b: 50 % done
    """
    counts = Counter(state.what for state in states)
    told = ", ".join(f"{counts[what]} {what}" for what in ("finished", "begun", "waiting", "failed") if counts[what])
    say(f"{len(states)} run{'s' * (len(states) != 1)}: {told or 'nothing to do'}.")
    for state in states:
        if state.what == "begun":
            say(f"{state.name}: {100 * state.share:.0f} % done")
        elif state.what == "failed":
            say(f"{state.name} failed: {state.why}")
