"""Many, Medium and Few: the three groups of classes that results are reported by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rdr_core.errors import RdrError
from rdr_core.shapes import Int

#: Order of the groups everywhere.
GROUPS = ("Many", "Medium", "Few")


@dataclass(frozen=True, eq=False)
class Groups:
    """The classes of each group, sorted; every class is in exactly one.

    A group without classes is an empty array: report it as missing, never as accuracy 0.

    Attributes:
        many: (m,) int64 classes with the most training samples.
        medium: (k,) int64 classes between.
        few: (f,) int64 classes with the fewest; m + k + f = d.

    Raises:
        RdrError: a class of 0..d-1 is in no group or in two.

    Example:
        >>> groups = Groups(many=np.array([0]), medium=np.array([3, 1]), few=np.array([2]))
        >>> groups.of_class.tolist()
        ['Many', 'Medium', 'Few', 'Medium']
    """

    many: Int[np.ndarray, "m"]
    medium: Int[np.ndarray, "k"]
    few: Int[np.ndarray, "f"]

    def __post_init__(self) -> None:
        for field in ("many", "medium", "few"):
            object.__setattr__(self, field, np.sort(np.asarray(getattr(self, field), dtype=np.int64)))
        classes = np.sort(np.concatenate([self.many, self.medium, self.few]))
        wrong = np.flatnonzero(classes != np.arange(len(classes)))
        if len(wrong):
            raise RdrError(
                f"Many, Medium and Few must hold each class of 0..{len(classes) - 1} exactly once, "
                f"but class {min(wrong[0], classes[wrong[0]])} is missing or twice there; move it to one group."
            )

    def items(self) -> Iterator[tuple[str, np.ndarray]]:
        """``("Many", classes)``, ``("Medium", classes)``, ``("Few", classes)``, in this order.

        Example:
            >>> groups = Groups(many=np.array([0]), medium=np.array([1]), few=np.array([2]))
            >>> [(name, len(classes)) for name, classes in groups.items()]
            [('Many', 1), ('Medium', 1), ('Few', 1)]
        """
        yield from zip(GROUPS, (self.many, self.medium, self.few), strict=True)

    @property
    def of_class(self) -> np.ndarray:
        """(d,) the group's name for each class."""
        names = np.empty(sum(len(classes) for _, classes in self.items()), dtype="<U6")
        for name, classes in self.items():
            names[classes] = name
        return names
