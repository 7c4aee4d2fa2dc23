"""Do two sets of numbers put the same things in the same order?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

#: Methods from which on there is an order to speak of.
LEAST = 4
_SETTING = ["dataset", "imbalance_factor", "group"]


class Agreement(NamedTuple):
    """How far two orders agree, pair by pair.

    Attributes:
        same: pairs that stand in the same order in both.
        turned: pairs that have changed places.
        level: pairs that are level in one or in both.
        tau: Kendall's rank correlation (tau-b): 1 for the same order, -1 for its reverse; NaN where all are level.
    """

    same: int
    turned: int
    level: int
    tau: float

    @property
    def pairs(self) -> int:
        """All of them."""
        return self.same + self.turned + self.level


def agreement_of_orders(one: np.ndarray, other: np.ndarray) -> Agreement:
    """Compare the order of the same things by two numbers each.

    Args:
        one, other: a number for each thing, in the same order of things.

    Example:
        >>> agreement_of_orders([1, 2, 3, 4], [10, 30, 20, 40])
        Agreement(same=5, turned=1, level=0, tau=0.6666666666666666)
    """
    above = np.triu_indices(len(one), 1)
    signs = [_signs(values)[above] for values in (one, other)]
    product = signs[0] * signs[1]
    same, turned = int((product > 0).sum()), int((product < 0).sum())
    apart = np.sqrt(float(np.count_nonzero(signs[0])) * np.count_nonzero(signs[1]))
    tau = float((same - turned) / apart) if apart else np.nan
    return Agreement(same, turned, len(product) - same - turned, tau)


def turned_pairs(one: np.ndarray, other: np.ndarray) -> list[tuple[int, int]]:
    """The pairs of places whose things have changed places.

    Example:
        >>> turned_pairs([1, 2, 3], [10, 30, 20])
        [(1, 2)]
    """
    apart = np.triu(_signs(one) * _signs(other) < 0)
    return [(int(a), int(b)) for a, b in zip(*np.nonzero(apart), strict=True)]


def _signs(values: np.ndarray) -> np.ndarray:
    """Of the difference of each two; means that differ by rounding alone are level."""
    values = np.round(np.asarray(values, dtype=float), 9)
    return np.sign(np.subtract.outer(values, values))


def columns_with_an_order(cells: pd.DataFrame) -> list[pd.DataFrame]:
    """The cells of each setting and group in which :data:`LEAST` methods or more have the paper's number and ours.

    Args:
        cells: as :func:`rdr_viz.papers.cells.compared_cells` returns them, of one scale; of what several tables print
            the first is taken.
    """
    known = cells[cells["paper"].notna() & cells["ours"].notna()].drop_duplicates([*_SETTING, "method"])
    return [rows.reset_index(drop=True) for _, rows in known.groupby(_SETTING, sort=False) if len(rows) >= LEAST]


def agreement_in_columns(cells: pd.DataFrame) -> Agreement | None:
    """All pairs of methods within a column (:func:`columns_with_an_order`) taken together; None where there is none.

    ``tau`` is the share of pairs in the same order less that of pairs turned, of those that are level in neither.
    """
    found = [agreement_of_orders(rows["paper"], rows["ours"]) for rows in columns_with_an_order(cells)]
    if not found:
        return None
    same, turned, level = (sum(getattr(each, name) for each in found) for name in ("same", "turned", "level"))
    return Agreement(same, turned, level, (same - turned) / (same + turned) if same + turned else np.nan)
