"""Curvature without its scale: what is left of a Hessian once the loss is no smaller and no larger.

Multiply a loss by c, and its gradient, its Hessian, every eigenvalue and the trace are multiplied by c too. So is, near
enough, what happens while a network grows surer of the images it was trained on: for one that gives the right class
the probability p near 1, the loss is -log p, about 1 - p, and the Hessian by the logits p (1 - p), about the same
(see ``tests/analysis/curvature/test_scale.py``). Eigenvalues and traces of two networks with different losses therefore
compare their losses first of all. These numbers do not: lambda_min / lambda_max, the shape of the spectrum's ends, and
lambda_max and trace divided by the loss, the curvature at equal loss. They are not free of everything: weights that are
rescaled without changing what a network computes (Dinh et al. 2017) change them as they change the Hessian.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from rdr_core.shapes import Float

if TYPE_CHECKING:
    import pandas as pd


def ends_ratio(lambda_min: ArrayLike, lambda_max: ArrayLike) -> Float[np.ndarray, "..."]:
    """lambda_min / lambda_max: below 0 at a saddle, -1 where it bends down as much as up; at most 1.

    Args:
        lambda_min, lambda_max: (...) of one Hessian each; NaN where the largest is not above 0.

    Example:
        >>> ends_ratio([-0.5, 1.0], [2.0, 1.0]).tolist()
        [-0.25, 1.0]
    """
    return _over(lambda_min, lambda_max)


def per_loss(curvature: ArrayLike, mean_loss: ArrayLike) -> Float[np.ndarray, "..."]:
    """A trace or an eigenvalue divided by the mean loss whose Hessian it is of.

    Args:
        curvature: (...) per unit of weight squared, times the loss's unit.
        mean_loss: (...) at the same weights, of the same images in the same mode; NaN where it is not above 0.

    Returns:
        (...) float64, per unit of weight squared.

    Example:
        >>> per_loss([10.0, 10.0], [0.5, 0.0]).tolist()
        [20.0, nan]
    """
    return _over(curvature, mean_loss)


def scale_free(table: pd.DataFrame) -> pd.DataFrame:
    """A table of :func:`rdr_viz.analysis.curvature.class_curvature` with ``lambda_ratio`` (:func:`ends_ratio`),
    ``lambda_max_per_loss`` and ``trace_per_loss`` (:func:`per_loss`) besides; NaN where the loss is not known.

    Example:
        >>> import pandas as pd
        >>> one = pd.DataFrame({"lambda_min": [-1.0], "lambda_max": [4.0], "trace": [6.0], "mean_loss": [0.5]})
        >>> scale_free(one)[["lambda_ratio", "lambda_max_per_loss", "trace_per_loss"]].iloc[0].tolist()
        [-0.25, 8.0, 12.0]
    """
    return table.assign(
        lambda_ratio=ends_ratio(table["lambda_min"], table["lambda_max"]),
        lambda_max_per_loss=per_loss(table["lambda_max"], table["mean_loss"]),
        trace_per_loss=per_loss(table["trace"], table["mean_loss"]),
    )


def _over(above: ArrayLike, below: ArrayLike) -> np.ndarray:
    above, below = np.broadcast_arrays(np.asarray(above, dtype=float), np.asarray(below, dtype=float))
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
