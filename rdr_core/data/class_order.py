"""Which class gets which place in the tail: the file's order, one drawn by a seed, or one's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rdr_core.data.subsets import random_state
from rdr_core.errors import RdrError
from rdr_core.plain import plain
from rdr_core.shapes import Int

#: The classes as the data set numbers them.
FILE = "file"
#: Streams 0 to 2 are the subset's, the label noise's and the held-out images'.
_STREAM = 3


def class_order(order: str | int | Sequence | np.ndarray, num_classes: int) -> Int[np.ndarray, "d"]:
    """The classes from the place with most images to that with fewest.

    Args:
        order: ``"file"``, a seed from 0 to 2^32 - 1 by which they are shuffled, or all of them in one's own order.
        num_classes: d.

    Returns:
        (d,) int64, each of 0..d-1 once.

    Raises:
        RdrError: another word, a seed out of range, or an order that leaves classes out or has one twice.

    Example:
        >>> class_order("file", 4).tolist(), class_order(1, 4).tolist(), class_order([3, 1, 0, 2], 4).tolist()
        ([0, 1, 2, 3], [2, 1, 0, 3], [3, 1, 0, 2])
    """
    order = plain(order)
    if isinstance(order, str):
        if order != FILE:
            raise RdrError(f"class_order is {order!r}; it must be 'file', a seed, or all classes in an order.")
        return np.arange(num_classes)
    if isinstance(order, int) and not isinstance(order, bool):
        return random_state(order, _STREAM).permutation(num_classes)
    found = [] if isinstance(order, bool) or np.ndim(order) != 1 else [plain(klass) for klass in order]
    if sorted(found, key=str) != sorted(range(num_classes), key=str):
        raise RdrError(
            f"class_order is {order!r}; an order of your own must have each class of 0 to {num_classes - 1} once."
        )
    return np.array(found, dtype=np.int64)
