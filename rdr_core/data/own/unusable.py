"""What of one's own data can't be used: counted and named before the first step, all of it at once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rdr_core.errors import RdrError
from rdr_core.shapes import Bool, Int
from rdr_core.visible import tell

#: How many are named of each reason.
NAMED = 5


class Unusable:
    """Samples that can't be used, each with the first reason found.

    Args:
        one: what a sample is called, such as "row".
        where: of which part, such as "own.csv".
        names: of the samples, by which they are named.

    Example:
        >>> unusable = Unusable("row", "own.csv", range(2, 9))
        >>> unusable.add("have no label", np.array([True, False, False, True, False, False, False]))
        >>> unusable.settle(leave_out=False)
        Traceback (most recent call last):
            ...
        rdr_core.errors.RdrError: 2 of 7 rows of own.csv can't be used: 2 have no label (2, 5). Mend them, or leave \
them out with leave_out=True (--leave-out).
    """

    def __init__(self, one: str, where: str, names: Iterable[object]) -> None:
        self.one, self.where, self.names = one, where, [str(name) for name in names]
        self.out = np.zeros(len(self.names), dtype=bool)
        self._reasons: list[str] = []

    def add(self, reason: str, those: Bool[np.ndarray, "N"]) -> None:
        """Note samples that can't be used, but for those that can't for another reason already.

        Args:
            reason: what is wrong with several of them: "have no label".
            those: which.
        """
        new = np.flatnonzero(those & ~self.out)
        if len(new):
            named = ", ".join(self.names[at] for at in new[:NAMED]) + (" ..." if len(new) > NAMED else "")
            self._reasons.append(f"{len(new)} {reason} ({named})")
            self.out[new] = True

    @property
    def usable(self) -> Int[np.ndarray, "K"]:
        """Those that nothing was noted of, in order."""
        return np.flatnonzero(~self.out)

    def settle(self, leave_out: bool) -> None:
        """Refuse what was noted, or say that it is left out.

        Raises:
            RdrError: there is something and it is not to be left out, or nothing would remain.
        """
        if not self._reasons:
            return
        several = self.one if self.one.endswith("s") else f"{self.one}s"
        lot = f"{int(self.out.sum()):,} of {len(self.out):,} {several} of {self.where}"
        why = "; ".join(self._reasons)
        if self.out.all():
            raise RdrError(f"None of the {len(self.out):,} {several} of {self.where} can be used: {why}.")
        if not leave_out:
            raise RdrError(
                f"{lot} can't be used: {why}. Mend them, or leave them out with leave_out=True (--leave-out)."
            )
        tell(f"{lot} can't be used and are left out: {why}.")
        self._reasons = []
