"""Pictures by name, for the command line and for pages: one kind is one display, one display is one question."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rdr_core.errors import RdrError, unknown_name

if TYPE_CHECKING:
    from rdr_core.runs import Run
    from rdr_viz.displays.base import Display

#: The display of each kind; imported when it is asked for.
KINDS = {
    "counts": "class_counts:ClassCounts",
    "accuracy": "group_accuracy:GroupAccuracy",
    "weights": "weights_by_class:WeightsByClass",
    "b-prime": "weight_and_b_prime:WeightAndBPrime",
    "correlations": "correlations:Correlations",
    "bound": "bound_terms:BoundTerms",
    "below-zero": "ratios_below_zero:RatiosBelowZero",
    "reliability": "ratio_reliability:RatioReliability",
    "classes": "accuracy_by_class:AccuracyByClass",
    "confusion": "confusion:Confusion",
    "answers": "answers:Answers",
    "calibration": "calibration:Calibration",
    "shares": "loss_shares:LossShares",
    "collapse": "neural_collapse:NeuralCollapse",
    "norms": "norms:Norms",
    "surface": "loss_surface:LossSurface",
    "density": "spectral_density:SpectralDensityPlot",
    "eigenvalues": "eigenvalues_over_epochs:EigenvaluesOverEpochs",
    "traces": "trace_table:TraceTable",
    "flatness": "flatness:Flatness",
    "times": "time_bars:TimeBars",
    "priors": "prior_shift:PriorShift",
    "peeking": "peeking:Peeking",
}

#: Those of runs that differ in more than method and seed, or in the values of one parameter; no gallery has such.
KINDS_OF_STUDIES = {
    "sweep": "parameter_sweep:ParameterSweep",
    "panels": "accuracy_panels:AccuracyPanels",
}


def display_class(kind: str) -> type[Display]:
    """The display's class.

    Raises:
        RdrError: an unknown kind, with the nearest names.

    Example:
        >>> display_class("counts").title
        'How long is the tail?'
    """
    known = KINDS | KINDS_OF_STUDIES
    if kind not in known:
        raise unknown_name("kind of picture", kind, known)
    module, name = known[kind].split(":")
    return getattr(import_module(f"rdr_viz.displays.{module}"), name)


def kind_of(display: Display) -> str:
    """The kind's name; of a display that is none of them, its class's.

    Example:
        >>> from rdr_viz import MethodDiagram
        >>> kind_of(MethodDiagram())
        'MethodDiagram'
    """
    name = type(display).__name__
    return next((kind for kind, place in (KINDS | KINDS_OF_STUDIES).items() if place.endswith(f":{name}")), name)


def compares_runs(kind: str) -> bool:
    """Whether the kind draws several runs beside each other, rather than one."""
    return hasattr(display_class(kind), "from_runs")


def averages_seeds(kind: str) -> bool:
    """Whether the kind draws one method, of one run or as the mean over the runs of several seeds."""
    return hasattr(display_class(kind), "from_seeds")


def make_display(kind: str, runs: Sequence[Run], **options: Any) -> Display:
    """The display of that kind for the runs.

    Args:
        kind: A name of :data:`KINDS` or :data:`KINDS_OF_STUDIES`.
        runs: What to draw.
        options: Keyword arguments of the display's ``from_runs``, ``from_seeds`` or ``from_run``.

    Raises:
        RdrError: an unknown kind or option, no run, or several runs where the kind draws one.
    """
    found = display_class(kind)
    if not runs:
        raise RdrError("no run to draw; name one or more runs' folders.")
    several = compares_runs(kind) or (averages_seeds(kind) and len(runs) > 1)
    if not several and len(runs) > 1:
        raise RdrError(f"kind {kind!r} draws one run, not {len(runs)}; name one of them.")
    make = (found.from_runs if compares_runs(kind) else found.from_seeds) if several else found.from_run
    known = list(inspect.signature(make).parameters)[1:]  # after the runs
    for option in options:
        if option not in known:
            if not known:
                raise RdrError(f"kind {kind!r} has no options, so not {option!r}.")
            raise unknown_name(f"option of kind {kind!r}", option, known)
    return make(runs if several else runs[0], **options)
