"""The fair control of a method: the same but for the one thing that the method is about, by rule."""

from __future__ import annotations

from rdr_core.methods.grammar import MethodSpec, UsedPart, parse
from rdr_core.methods.parts import format_value

#: A T0 up to this share of the run is no schedule: it ends with the learning rate's own warm-up, or soon after.
_EARLY = 0.1


def control_of(method: str) -> str | None:
    """The method that differs from this one in what it is about alone; None where it has no weights.

    * Of RDR the same with r = 1: the power of 1/n that RDR's weights carry, on the same loss, by the same optimizer,
      begun as late. A difference to it is the ratio's doing.
    * Of weights that are measured on images held out, weights of 1 on the images that are left: cross-entropy on all of
      them is trained on another set.
    * Of other weights that are deferred, the same from the start. A difference to it is deferring's doing.
    * Of other weights, none. A difference to it is the weights' doing.

    Args:
        method: by name.

    Raises:
        RdrError: no method's name.

    Example:
        >>> control_of("rdr:gamma=0.5+sam"), control_of("rdr:preset=released"), control_of("rdr+la")
        ('inverse:gamma=0.5+sam', 'inverse+drw', 'la')
        >>> control_of("inverse+drw"), control_of("inverse"), control_of("ce")
        ('inverse', 'ce', None)
        >>> control_of("cdb"), control_of("cdb:tau=code,images=10+la")
        ('cdb:tau=0', 'cdb:images=10,tau=0+la')
    """
    spec = parse(method)
    weighting, schedule = spec.get("weighting"), spec.get("schedule")
    if weighting is None:
        return None
    if weighting.part.name == "rdr":
        return parse("+".join([*_with_r_1(spec, weighting, schedule), *_others(spec)])).name
    kept = [str(weighting)] if schedule else []
    if weighting.part.name == "cdb" and not schedule:
        if weighting.arguments["tau"] == 0:
            return None
        kept = [f"cdb:tau=0,images={format_value(weighting.arguments['images'])}"]
    return parse("+".join([*kept, *_others(spec)])).name


def _with_r_1(spec: MethodSpec, weighting: UsedPart, schedule: UsedPart | None) -> list[str]:
    """Weights and schedule of RDR were its ratio 1; none where its weights are the ratio alone."""
    power = spec.prior_in_weights
    if power == 0:
        return []
    start = max(weighting.arguments["warmup"], schedule.arguments["start"] if schedule else 0.0)
    deferred = [f"drw:start={format_value(start)}"] if _EARLY < start < 1 else []
    return [f"inverse:gamma={format_value(power)}", *deferred]


def _others(spec: MethodSpec) -> list[str]:
    return [str(used) for used in spec.used if used not in (spec.get("weighting"), spec.get("schedule"))]
