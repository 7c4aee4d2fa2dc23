"""What samples can be, told by how they lie in memory: images, rows of a table, series in time, texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdr_core.errors import RdrError

if TYPE_CHECKING:
    from torch import Tensor

    from rdr_core.data.disk.stored import StoredImages


@dataclass(frozen=True)
class Kind:
    """One kind of samples.

    Attributes:
        name: such as "images": what several of them are called.
        one: what one of them is called.
        layout: of a batch, for messages.
        model: network that learns them unless told otherwise.
    """

    name: str
    one: str
    layout: str
    model: str

    def __str__(self) -> str:
        return self.name


IMAGES = Kind("images", "image", "B x C x H x W, uint8", "small")
ROWS = Kind("rows", "row", "B x columns, float32", "mlp")
SERIES = Kind("series", "series", "B x channels x time, float32, NaN after its end", "conv1d")
TEXTS = Kind("texts", "text", "B x words, int64, 0 after its end", "embedding_bag")

KINDS = {kind.name: kind for kind in (IMAGES, ROWS, SERIES, TEXTS)}


def kind_of(inputs: Tensor | StoredImages) -> Kind:
    """The kind of samples.

    Args:
        inputs: (N, C, H, W) uint8, (N, F) or (N, C, T) float32, or (N, L) int64; a batch of them, too.

    Raises:
        RdrError: none of these.

    Example:
        >>> import torch
        >>> [kind_of(torch.zeros(shape)).name for shape in ((5, 12), (5, 3, 100))]
        ['rows', 'series']
        >>> kind_of(torch.zeros(5, 40, dtype=torch.int64)).one
        'text'
    """
    from torch import Tensor

    if not isinstance(inputs, Tensor):  # on disk there are images alone
        return IMAGES
    floats = inputs.is_floating_point()
    for kind, fits in (
        (IMAGES, inputs.ndim == 4),
        (ROWS, floats and inputs.ndim == 2),
        (SERIES, floats and inputs.ndim == 3),
        (TEXTS, not floats and inputs.ndim == 2),
    ):
        if fits:
            return kind
    raise RdrError(
        f"Samples of type {str(inputs.dtype).removeprefix('torch.')} and shape {tuple(inputs.shape)} are of no kind "
        f"known here; there are {', '.join(f'{kind} ({kind.layout})' for kind in KINDS.values())}."
    )


def size_in_words(kind: Kind, shape: Sequence[int]) -> str:
    """How large samples are.

    Args:
        kind: theirs.
        shape: of one of them.

    Example:
        >>> size_in_words(IMAGES, (3, 32, 32)), size_in_words(ROWS, (12,))
        ('of 3x32x32', 'of 12 columns')
    """
    if kind is ROWS:
        return f"of {shape[0]} columns"
    if kind is SERIES:
        return f"of {shape[0]} channel{'s' * (shape[0] != 1)} and up to {shape[1]} steps"
    if kind is TEXTS:
        return f"of up to {shape[0]} words"
    return f"of {'x'.join(map(str, shape))}"
