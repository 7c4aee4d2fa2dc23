"""How much of an eigenvalue its residual leaves in doubt: what may be far from any true one is marked when shown.

An eigenvalue of the Hessian lies within ||Hv - lambda v|| of lambda. Where products were spent before it converged, or
where it is as small as their rounding, that says little of lambda.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdr_viz.analysis.words import plural

if TYPE_CHECKING:
    import pandas as pd

#: The residual, by the size of the eigenvalue, above which a value is marked.
DOUBTFUL = 0.01
MARK = "*"


def doubtful(table: pd.DataFrame, end: str) -> pd.Series:
    """Which eigenvalues at an end of :func:`rdr_viz.analysis.curvature.class_curvature` have too large a residual.

    Args:
        table: with ``lambda_max`` and ``residual_max``, or ``min``; of a table without residuals nothing is said.
        end: ``"max"`` or ``"min"``.

    Example:
        >>> import pandas as pd
        >>> doubtful(pd.DataFrame({"lambda_max": [2.0, -2.0], "residual_max": [1e-4, 3.0]}), "max").tolist()
        [False, True]
    """
    values = table[f"lambda_{end}"].astype(float)
    residuals = table.get(f"residual_{end}", 0 * values)
    return residuals > DOUBTFUL * values.abs()


def told(table: pd.DataFrame) -> str:
    """What to say of a table's doubtful eigenvalues, in a sentence; "" where it has none.

    Example:
        >>> import pandas as pd
        >>> told(pd.DataFrame({"lambda_max": [2.0, 2.0], "lambda_min": -1.0, "residual_max": [0.0, 3.0]}))
        '1 eigenvalue has a residual over 1 % of its size (marked * in tables): it may be far from any true one.'
    """
    found = int(sum(doubtful(table, end).sum() for end in ("max", "min")))
    if not found:
        return ""
    have = "has a residual" if found == 1 else "have residuals"
    whose = "its size" if found == 1 else "their size"
    return (
        f"{plural(found, 'eigenvalue')} {have} over {100 * DOUBTFUL:g} % of {whose} (marked {MARK} in tables): "
        f"{'it' if found == 1 else 'they'} may be far from any true one."
    )
