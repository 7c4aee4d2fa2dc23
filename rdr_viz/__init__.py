"""Pictures, tables and pages of stored runs; the numbers come from :mod:`rdr_core`, which never imports this package.

A display answers one question: ``X.from_run(run)`` or ``X.from_runs(runs)`` computes it once into an object that
holds data only (``.data``, ``.alt``, ``.finding``), ``.plot(ax)`` and ``.figure()`` draw it as often as wanted and
``.save(stem)`` writes PDF, SVG, PNG and the plotted data as CSV.

Names are loaded when they are first used, so that importing the package costs neither matplotlib nor pandas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdr_core.lazy import lazily

if TYPE_CHECKING:
    from rdr_viz.analysis.catalogue import analyse
    from rdr_viz.analysis.curvature.by_class import class_curvature, class_density
    from rdr_viz.analysis.curvature.hessian import Hessian
    from rdr_viz.analysis.curvature.losses import class_loss
    from rdr_viz.analysis.curvature.scale import scale_free
    from rdr_viz.analysis.predictions import predictions
    from rdr_viz.analysis.rare_scores import rare_scores
    from rdr_viz.analysis.surface import loss_surface, surface_by_group
    from rdr_viz.analysis.words import listed, number, percent, plural, short
    from rdr_viz.demo import run_demo
    from rdr_viz.displays.accuracy_by_class import AccuracyByClass
    from rdr_viz.displays.accuracy_panels import AccuracyPanels
    from rdr_viz.displays.answers import Answers
    from rdr_viz.displays.base import Display, display
    from rdr_viz.displays.bound_terms import BoundTerms
    from rdr_viz.displays.calibration import Calibration
    from rdr_viz.displays.class_counts import ClassCounts
    from rdr_viz.displays.confusion import Confusion
    from rdr_viz.displays.correlations import Correlations
    from rdr_viz.displays.eigenvalues_over_epochs import EigenvaluesOverEpochs
    from rdr_viz.displays.figure import new_axes, new_figure, rdr_style
    from rdr_viz.displays.fisher_consistency import FisherConsistency
    from rdr_viz.displays.flatness import Flatness
    from rdr_viz.displays.group_accuracy import GroupAccuracy
    from rdr_viz.displays.kinds import make_display
    from rdr_viz.displays.loss_shares import LossShares
    from rdr_viz.displays.loss_surface import LossSurface
    from rdr_viz.displays.method_diagram import MethodDiagram
    from rdr_viz.displays.neural_collapse import NeuralCollapse
    from rdr_viz.displays.norms import Norms
    from rdr_viz.displays.palette import GROUP_COLORS, method_style
    from rdr_viz.displays.parameter_sweep import ParameterSweep
    from rdr_viz.displays.peeking import Peeking
    from rdr_viz.displays.prior_shift import PriorShift
    from rdr_viz.displays.rare_class import RareClass
    from rdr_viz.displays.ratio_reliability import RatioReliability
    from rdr_viz.displays.ratios_below_zero import RatiosBelowZero
    from rdr_viz.displays.spectral_density import SpectralDensityPlot
    from rdr_viz.displays.time_bars import TimeBars
    from rdr_viz.displays.trace_table import TraceTable
    from rdr_viz.displays.weight_and_b_prime import WeightAndBPrime
    from rdr_viz.displays.weights_by_class import WeightsByClass
    from rdr_viz.explorer.widget import Explorer
    from rdr_viz.notebook import explore, picture, playground
    from rdr_viz.pages.picture_page import write_page
    from rdr_viz.pages.report import write_report
    from rdr_viz.pages.tables import accuracy_table, print_table

_HOMES = {
    "GROUP_COLORS": "rdr_viz.displays.palette",
    "AccuracyByClass": "rdr_viz.displays.accuracy_by_class",
    "AccuracyPanels": "rdr_viz.displays.accuracy_panels",
    "Answers": "rdr_viz.displays.answers",
    "BoundTerms": "rdr_viz.displays.bound_terms",
    "Calibration": "rdr_viz.displays.calibration",
    "ClassCounts": "rdr_viz.displays.class_counts",
    "Confusion": "rdr_viz.displays.confusion",
    "Correlations": "rdr_viz.displays.correlations",
    "Display": "rdr_viz.displays.base",
    "EigenvaluesOverEpochs": "rdr_viz.displays.eigenvalues_over_epochs",
    "Explorer": "rdr_viz.explorer.widget",
    "FisherConsistency": "rdr_viz.displays.fisher_consistency",
    "Flatness": "rdr_viz.displays.flatness",
    "GroupAccuracy": "rdr_viz.displays.group_accuracy",
    "Hessian": "rdr_viz.analysis.curvature.hessian",
    "LossShares": "rdr_viz.displays.loss_shares",
    "LossSurface": "rdr_viz.displays.loss_surface",
    "MethodDiagram": "rdr_viz.displays.method_diagram",
    "NeuralCollapse": "rdr_viz.displays.neural_collapse",
    "Norms": "rdr_viz.displays.norms",
    "ParameterSweep": "rdr_viz.displays.parameter_sweep",
    "Peeking": "rdr_viz.displays.peeking",
    "PriorShift": "rdr_viz.displays.prior_shift",
    "RareClass": "rdr_viz.displays.rare_class",
    "RatioReliability": "rdr_viz.displays.ratio_reliability",
    "RatiosBelowZero": "rdr_viz.displays.ratios_below_zero",
    "SpectralDensityPlot": "rdr_viz.displays.spectral_density",
    "TimeBars": "rdr_viz.displays.time_bars",
    "TraceTable": "rdr_viz.displays.trace_table",
    "WeightAndBPrime": "rdr_viz.displays.weight_and_b_prime",
    "WeightsByClass": "rdr_viz.displays.weights_by_class",
    "accuracy_table": "rdr_viz.pages.tables",
    "analyse": "rdr_viz.analysis.catalogue",
    "class_curvature": "rdr_viz.analysis.curvature.by_class",
    "class_density": "rdr_viz.analysis.curvature.by_class",
    "class_loss": "rdr_viz.analysis.curvature.losses",
    "display": "rdr_viz.displays.base",
    "explore": "rdr_viz.notebook",
    "listed": "rdr_viz.analysis.words",
    "loss_surface": "rdr_viz.analysis.surface",
    "make_display": "rdr_viz.displays.kinds",
    "method_style": "rdr_viz.displays.palette",
    "new_axes": "rdr_viz.displays.figure",
    "new_figure": "rdr_viz.displays.figure",
    "number": "rdr_viz.analysis.words",
    "percent": "rdr_viz.analysis.words",
    "picture": "rdr_viz.notebook",
    "playground": "rdr_viz.notebook",
    "plural": "rdr_viz.analysis.words",
    "predictions": "rdr_viz.analysis.predictions",
    "print_table": "rdr_viz.pages.tables",
    "rare_scores": "rdr_viz.analysis.rare_scores",
    "rdr_style": "rdr_viz.displays.figure",
    "run_demo": "rdr_viz.demo",
    "scale_free": "rdr_viz.analysis.curvature.scale",
    "short": "rdr_viz.analysis.words",
    "surface_by_group": "rdr_viz.analysis.surface",
    "write_page": "rdr_viz.pages.picture_page",
    "write_report": "rdr_viz.pages.report",
}

__all__ = [
    "GROUP_COLORS",
    "AccuracyByClass",
    "AccuracyPanels",
    "Answers",
    "BoundTerms",
    "Calibration",
    "ClassCounts",
    "Confusion",
    "Correlations",
    "Display",
    "EigenvaluesOverEpochs",
    "Explorer",
    "FisherConsistency",
    "Flatness",
    "GroupAccuracy",
    "Hessian",
    "LossShares",
    "LossSurface",
    "MethodDiagram",
    "NeuralCollapse",
    "Norms",
    "ParameterSweep",
    "Peeking",
    "PriorShift",
    "RareClass",
    "RatioReliability",
    "RatiosBelowZero",
    "SpectralDensityPlot",
    "TimeBars",
    "TraceTable",
    "WeightAndBPrime",
    "WeightsByClass",
    "accuracy_table",
    "analyse",
    "class_curvature",
    "class_density",
    "class_loss",
    "display",
    "explore",
    "listed",
    "loss_surface",
    "make_display",
    "method_style",
    "new_axes",
    "new_figure",
    "number",
    "percent",
    "picture",
    "playground",
    "plural",
    "predictions",
    "print_table",
    "rare_scores",
    "rdr_style",
    "run_demo",
    "scale_free",
    "short",
    "surface_by_group",
    "write_page",
    "write_report",
]

__getattr__, __dir__ = lazily(__name__, _HOMES)
