"""Pictures, tables and pages of stored runs; the numbers come from :mod:`rdr_core`, which never imports this package.

A display answers one question: ``X.from_run(run)`` or ``X.from_runs(runs)`` computes it once into an object that
holds data only (``.data``, ``.alt``, ``.finding``), ``.plot(ax)`` and ``.figure()`` draw it as often as wanted and
``.save(stem)`` writes PDF, SVG, PNG and the plotted data as CSV.

Names are loaded when they are first used, so that importing the package costs neither matplotlib nor pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "AccuracyByClass": "rdr_viz.displays.accuracy_by_class",
    "AccuracyPanels": "rdr_viz.displays.accuracy_panels",
    "Answers": "rdr_viz.displays.answers",
    "BoundTerms": "rdr_viz.displays.bound_terms",
    "Calibration": "rdr_viz.displays.calibration",
    "ClassCounts": "rdr_viz.displays.class_counts",
    "Confusion": "rdr_viz.displays.confusion",
    "Correlations": "rdr_viz.displays.correlations",
    "EigenvaluesOverEpochs": "rdr_viz.displays.eigenvalues_over_epochs",
    "Flatness": "rdr_viz.displays.flatness",
    "GroupAccuracy": "rdr_viz.displays.group_accuracy",
    "Hessian": "rdr_viz.curvature",
    "LossShares": "rdr_viz.displays.loss_shares",
    "LossSurface": "rdr_viz.displays.loss_surface",
    "MethodDiagram": "rdr_viz.displays.method_diagram",
    "NeuralCollapse": "rdr_viz.displays.neural_collapse",
    "Norms": "rdr_viz.displays.norms",
    "ParameterSweep": "rdr_viz.displays.parameter_sweep",
    "Peeking": "rdr_viz.displays.peeking",
    "RatiosBelowZero": "rdr_viz.displays.ratios_below_zero",
    "SpectralDensityPlot": "rdr_viz.displays.spectral_density",
    "TimeBars": "rdr_viz.displays.time_bars",
    "TraceTable": "rdr_viz.displays.trace_table",
    "WeightAndBPrime": "rdr_viz.displays.weight_and_b_prime",
    "WeightsByClass": "rdr_viz.displays.weights_by_class",
    "accuracy_table": "rdr_viz.tables",
    "analyse": "rdr_viz.analyses",
    "class_curvature": "rdr_viz.curvature",
    "class_density": "rdr_viz.curvature",
    "class_loss": "rdr_viz.curvature",
    "make_display": "rdr_viz.kinds",
    "method_style": "rdr_viz.palette",
    "print_table": "rdr_viz.tables",
    "run_demo": "rdr_viz.demo",
    "scale_free": "rdr_viz.curvature",
    "write_page": "rdr_viz.page",
    "write_report": "rdr_viz.report",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'rdr_viz' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
