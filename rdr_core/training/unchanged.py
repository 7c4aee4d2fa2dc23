"""Samples that are trained on as they are: rows, series and texts, for which no augmentation is known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rdr_core.data.disk.stored import StoredImages
from rdr_core.data.kinds import Kind
from rdr_core.errors import RdrError
from rdr_core.shapes import Float, Int, Shaped
from rdr_core.training.normalise import normalise


@dataclass(frozen=True)
class Unchanged:
    """In place of :class:`~rdr_core.training.augment.Augmentation` for what are no images.

    Attributes:
        name: asked for, which can only be "none".
        kind: of the samples.
    """

    name: str
    kind: Kind

    def check(self, channels: int) -> None:
        """Raise RdrError where an augmentation of images is asked for."""
        if self.name != "none":
            raise RdrError(f"augmentation {self.name!r} is for images, and these are {self.kind}; use 'none'.")

    def epoch(self, epoch: int, visits: int, shape: torch.Size, device: torch.device) -> Unchanged:
        """Nothing is drawn."""
        return self

    def prepare(
        self, inputs: Shaped[Tensor, "N ..."] | StoredImages, order: Int[Tensor, "V"]
    ) -> tuple[Shaped[Tensor, "N ..."] | StoredImages, Int[Tensor, "V"]]:
        """Both as they are."""
        return inputs, order

    def follow(self, other: Unchanged) -> None:
        """Nothing is held."""

    def __call__(
        self, inputs: Shaped[Tensor, "B ..."], start: int | Tensor, mean: Float[Tensor, "C"], std: Float[Tensor, "C"]
    ) -> Shaped[Tensor, "B ..."]:
        """The samples, normalised."""
        return normalise(inputs, mean, std)
