"""Curvature of a mean loss: Hessian products, eigenvalues, trace and spectral density, of any images and by class.

Numbers only; nothing here imports matplotlib. PyTorch and SciPy are loaded when a name is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Eigenvalues": "rdr_viz.curvature.results",
    "Hessian": "rdr_viz.curvature.hessian",
    "HowMade": "rdr_viz.curvature.results",
    "SpectralDensity": "rdr_viz.curvature.results",
    "Trace": "rdr_viz.curvature.results",
    "class_curvature": "rdr_viz.curvature.by_class",
    "class_density": "rdr_viz.curvature.by_class",
    "class_loss": "rdr_viz.curvature.losses",
    "scale_free": "rdr_viz.curvature.scale",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'rdr_viz.curvature' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
