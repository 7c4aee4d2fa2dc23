"""Tensor shapes in signatures: ``Float[Tensor, "B Z"]`` reads as a float tensor of shape (B, Z).

Letters, everywhere: B samples of a batch, d classes, Z features, N samples of a set,
C x H x W an image. With ``RDR_CHECK_SHAPES=1``, as in the tests, these are jaxtyping's
types and every call is checked; otherwise they cost nothing, since importing jaxtyping
takes longer than the whole of ``rdr_core``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING or os.environ.get("RDR_CHECK_SHAPES") == "1":
    from jaxtyping import Bool, Float, Shaped, UInt8
    from jaxtyping import Integer as Int  # labels may be of any integer type
else:

    class _Unchecked:
        """``_Unchecked[Tensor, "B Z"]`` is ``Tensor``."""

        def __class_getitem__(cls, item: tuple[type, str]) -> type:
            return item[0]

    Bool = Float = Int = Shaped = UInt8 = _Unchecked

__all__ = ["Bool", "Float", "Int", "Shaped", "UInt8"]
