"""Where a method's weights begin: until then its run is that of the method without them, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from rdr_core.methods.deferred import first_epoch
from rdr_core.methods.grammar import MethodSpec, UsedPart, parse
from rdr_core.methods.presets import PRESETS

#: The parameters of RDR that its prototypes and raw ratios depend on; the others have a say in the weights alone.
PATH = ("momentum", "ridge", "count", "start", "unseen", "update")


class Fork(NamedTuple):
    """The point from which a run goes its own way.

    Attributes:
        trunk: the method without weights, whose run it is until then.
        epoch: epochs that are the trunk's; all of them where the method has no weights.
        weights: whether it has any.

    Example:
        >>> Fork("ce", 160, weights=True).epoch
        160
    """

    trunk: str
    epoch: int
    weights: bool


def fork_of(method: str, epochs: int) -> Fork | None:
    """Where a run of the method leaves the run without weights; None where it never is one.

    None too where the weights learn from the batches what a trunk does not keep for them: of RDR, settings whose
    prototypes or ratios are those of no preset, and class means of ratios from before the weights; difficulties.

    Args:
        method: by name, without a second stage.
        epochs: of the run.

    Raises:
        RdrError: no method's name.

    Example:
        >>> fork_of("inverse+drw", 200)
        Fork(trunk='ce', epoch=160, weights=True)
        >>> fork_of("rdr:preset=released+sam", 200).trunk, fork_of("inverse", 200)
        ('ce+sam', None)
    """
    spec = parse(method)
    weighting, schedule = spec.get("weighting"), spec.get("schedule")
    trunk = MethodSpec(tuple(u for u in spec.used if u not in (weighting, schedule))).name
    if weighting is None:
        return Fork(trunk, epochs, weights=False)
    starts = [0]
    if schedule and schedule.part.name == "drw":
        starts.append(first_epoch(schedule.arguments["start"], epochs))
    if weighting.part.name == "rdr":
        if path_of(weighting.arguments) not in kept_paths().values():
            return None
        if weighting.arguments["ratio"] == "matched" and schedule:
            return None  # its class means begin at T0, which is before the schedule lets weights in
        # T0 is a number of steps; an epoch in the middle of which it lies is the run's own.
        starts.append(int(weighting.arguments["warmup"] * epochs + 1e-9))
    elif weighting.part.kind != "class weights":
        return None
    return Fork(trunk, max(starts), weights=True) if max(starts) else None


def path_of(arguments: Mapping[str, Any]) -> tuple[Any, ...]:
    """What prototypes and raw ratios of RDR follow from.

    Example:
        >>> path_of(parse("rdr:gamma=0.5").get("weighting").arguments) == kept_paths()["ours"]
        True
    """
    return tuple(arguments[name] for name in PATH)


@cache
def kept_paths() -> dict[str, tuple[Any, ...]]:
    """The paths of prototypes and ratios that a trunk keeps: those of RDR's presets, by their names."""
    return {name: path_of(_rdr(name).arguments) for name in PRESETS}


def _rdr(preset: str) -> UsedPart:
    return next(used for used in parse(f"rdr:preset={preset}").used if used.part.name == "rdr")
