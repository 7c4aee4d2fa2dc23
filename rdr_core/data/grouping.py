"""Which class is Many, Medium or Few: by rank of its training count, or by the count itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from rdr_core.data.groups import Groups
from rdr_core.errors import RdrError
from rdr_core.shapes import Int

# The RDR paper's last rank of Many and of Medium, exclusive, by number of classes:
# CIFAR-10, CIFAR-100, ImageNet-LT, Places-LT.
PAPER_BOUNDARIES = {10: (3, 7), 100: (35, 69), 1000: (390, 835), 365: (131, 288)}


def groups_by_rank(
    class_counts: Int[Tensor, "d"] | Int[np.ndarray, "d"] | Sequence[int],
    boundaries: tuple[int, int] | None = None,
) -> Groups:
    """Groups by rank of the class's training count, the RDR paper's way.

    On CIFAR the rank is the class index; on the list-file sets it is not. Ties keep the order of
    the class index.

    Args:
        class_counts: (d,) training images of each class.
        boundaries: (a, b): ranks 0..a-1 are Many, a..b-1 Medium, the rest Few. None (default)
            takes the RDR paper's: (3, 7) of 10 classes, (35, 69) of 100, (390, 835) of 1000,
            (131, 288) of 365; of another d (round(0.3 d), round(0.7 d)), where ``round`` sends a
            half to the even number (d = 1: all Medium; d = 2: Many and Few; d = 3: one each).

    Raises:
        RdrError: boundaries that are not 0 <= a <= b <= d.

    Example:
        >>> groups_by_rank([7, 100, 50]).many.tolist()
        [1]
    """
    counts = _as_array(class_counts)
    d = len(counts)
    many, medium = boundaries if boundaries is not None else PAPER_BOUNDARIES.get(d, (round(0.3 * d), round(0.7 * d)))
    if not 0 <= many <= medium <= d:
        raise RdrError(f"Group boundaries ({many}, {medium}) must be ranks (a, b) with 0 <= a <= b <= {d}.")
    by_rank = np.argsort(-counts, kind="stable")
    return Groups(many=by_rank[:many], medium=by_rank[many:medium], few=by_rank[medium:])


def groups_by_count(
    class_counts: Int[Tensor, "d"] | Int[np.ndarray, "d"] | Sequence[int],
    many_above: int = 100,
    few_below: int = 20,
) -> Groups:
    """Groups by training count: Many above 100, Medium 20 to 100, Few below 20 (Liu et al. 2019).

    Args:
        class_counts: (d,) training images of each class.
        many_above: Many has more images than this.
        few_below: Few has fewer images than this; at most ``many_above`` + 1.

    Raises:
        RdrError: limits that would put a class in two groups.

    Example:
        >>> groups = groups_by_count([5000, 100, 20, 19])
        >>> [classes.tolist() for _, classes in groups.items()]
        [[0], [1, 2], [3]]
    """
    if few_below > many_above + 1:
        raise RdrError(
            f"few_below is {few_below}, which overlaps Many above {many_above}: give {many_above + 1} or less."
        )
    counts = _as_array(class_counts)
    many, few = counts > many_above, counts < few_below
    return Groups(many=np.flatnonzero(many), medium=np.flatnonzero(~many & ~few), few=np.flatnonzero(few))


def _as_array(class_counts: Tensor | np.ndarray | Sequence[int]) -> Int[np.ndarray, "d"]:
    counts = class_counts.cpu().numpy() if isinstance(class_counts, Tensor) else class_counts
    return np.asarray(counts, dtype=np.int64)
