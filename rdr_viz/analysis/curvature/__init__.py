"""Curvature of a mean loss: Hessian products, eigenvalues, trace and spectral density, of any images and by class.

Numbers only; nothing here imports matplotlib. PyTorch and SciPy are loaded when a name is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdr_core.lazy import lazily

if TYPE_CHECKING:
    from rdr_viz.analysis.curvature.by_class import class_curvature, class_density
    from rdr_viz.analysis.curvature.estimates import Eigenvalues, HowMade, SpectralDensity, Trace
    from rdr_viz.analysis.curvature.hessian import Hessian
    from rdr_viz.analysis.curvature.losses import class_loss
    from rdr_viz.analysis.curvature.scale import scale_free

_HOMES = {
    "Eigenvalues": "rdr_viz.analysis.curvature.estimates",
    "Hessian": "rdr_viz.analysis.curvature.hessian",
    "HowMade": "rdr_viz.analysis.curvature.estimates",
    "SpectralDensity": "rdr_viz.analysis.curvature.estimates",
    "Trace": "rdr_viz.analysis.curvature.estimates",
    "class_curvature": "rdr_viz.analysis.curvature.by_class",
    "class_density": "rdr_viz.analysis.curvature.by_class",
    "class_loss": "rdr_viz.analysis.curvature.losses",
    "scale_free": "rdr_viz.analysis.curvature.scale",
}

__all__ = [
    "Eigenvalues",
    "Hessian",
    "HowMade",
    "SpectralDensity",
    "Trace",
    "class_curvature",
    "class_density",
    "class_loss",
    "scale_free",
]

__getattr__, __dir__ = lazily(__name__, _HOMES)
