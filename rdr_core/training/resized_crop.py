"""Augmentation of photographs: a random part of each, resized to what the network takes, and a random flip.

The recipe of Szegedy et al. 2015 (section 6) that the field trains ImageNet, ImageNet-LT and Places-LT with, on the
device for a whole batch at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from rdr_core.data.disk.stored import StoredImages
from rdr_core.errors import RdrError, unknown_name
from rdr_core.shapes import Bool, Float, Int, UInt8
from rdr_core.training.augment import AUGMENTATIONS
from rdr_core.training.normalise import normalise
from rdr_core.training.randomness import generator
from rdr_core.training.transfer import to_device

#: Of the image's area, and of width to height (torchvision's RandomResizedCrop).
AREA, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)
#: Draws of a part that may not fit into the image, before all of it is taken (torchvision's too).
_TRIES = 10


def random_parts(visits: int, side: int, draw: torch.Generator) -> Int[Tensor, "V 4"]:
    """For each visit (top, left, height, width) of a part of a side x side image, distributed as torchvision's.

    Area uniform in 8 to 100 % of the image, ratio log-uniform in 3/4 to 4/3, place uniform.

    Example:
        >>> top, left, height, width = random_parts(1000, 256, torch.Generator().manual_seed(0)).unbind(1)
        >>> bool(((top + height <= 256) & (left + width <= 256) & (height > 0)).all())
        True
    """
    area = side**2 * torch.empty(visits, _TRIES, dtype=torch.float64).uniform_(*AREA, generator=draw)
    log_ratio = torch.empty(visits, _TRIES, dtype=torch.float64).uniform_(*map(math.log, RATIO), generator=draw)
    width = (area * log_ratio.exp()).sqrt().round().long()
    height = (area / log_ratio.exp()).sqrt().round().long()
    fits = (width <= side) & (height <= side) & (width > 0) & (height > 0)
    first = fits.int().argmax(1, keepdim=True)
    found = fits.any(1)
    width, height = (torch.where(found, size.gather(1, first)[:, 0], side) for size in (width, height))
    place = torch.rand(visits, 2, dtype=torch.float64, generator=draw)
    top, left = (place * torch.stack([side - height + 1, side - width + 1], 1)).long().unbind(1)
    return torch.stack([top, left, height, width], 1)


def interpolation(start: Int[Tensor, "B"], length: Int[Tensor, "B"], side: int, total: int) -> Float[Tensor, "B S T"]:
    """Matrices that resize pixels ``start`` to ``start + length`` of a line of ``total`` to ``side``, antialiased.

    Row s holds the weights of output pixel s: a triangle around its centre in the input, as wide as a pixel of the
    larger grid, cut off at the part's ends and normalised to sum 1: bilinear interpolation as Pillow and torch have it.

    Example:
        >>> interpolation(torch.tensor([1]), torch.tensor([2]), side=2, total=4)[0]
        tensor([[0., 1., 0., 0.],
                [0., 0., 1., 0.]])
    """
    scale = (length.double() / side)[:, None, None]
    centre = (torch.arange(side, device=start.device) + 0.5)[None, :, None] * scale
    pixel = torch.arange(total, device=start.device) - start[:, None, None]
    weights = (1 - (pixel + 0.5 - centre).abs() / scale.clamp_min(1)).clamp_min(0)
    weights = weights * ((pixel >= 0) & (pixel < length[:, None, None]))
    return (weights / weights.sum(2, keepdim=True)).float()


def resized_parts(
    images: UInt8[Tensor, "B C T T"], parts: Int[Tensor, "B 4"], flip: Bool[Tensor, "B"], side: int
) -> Float[Tensor, "B C S S"]:
    """Each image's own part, resized to side x side, mirrored where ``flip``; pixels 0..255, not rounded."""
    top, left, height, width = parts.unbind(1)
    down = interpolation(top, height, side, images.shape[2])
    across = interpolation(left, width, side, images.shape[3])
    across = torch.where(flip[:, None, None], across.flip(1), across)
    return down[:, None] @ images.float() @ across.mT[:, None]


@dataclass(frozen=True)
class ResizedCrops:
    """The augmentation of photographs, with the interface of :class:`rdr_core.training.augment.Augmentation`.

    Attributes:
        name: "plain" (a random part and flip) or "none" (the centre).
        side: of what the network takes.
        flip: whether a mirrored image is still of its class.
        seed: the run's.
    """

    name: str
    side: int
    flip: bool
    seed: int

    def check(self, channels: int) -> None:
        """Raise RdrError for an augmentation that photographs on disk can't have."""
        if self.name not in AUGMENTATIONS:
            raise unknown_name("augmentation", self.name, AUGMENTATIONS)
        if self.name not in ("none", "plain"):
            raise RdrError(
                f"augmentation {self.name!r} is made for CIFAR's 32 x 32 pixels, these are photographs; use 'plain'."
            )

    def epoch(self, epoch: int, visits: int, shape: torch.Size, device: torch.device) -> EpochCrops:
        """All that is random in an epoch, drawn at once: a function of (seed, epoch)."""
        draw = generator(self.seed, "augment", epoch)
        parts = random_parts(visits, shape[-1], draw)
        flip = torch.rand(visits, generator=draw) < (0.5 if self.flip else 0.0)
        return EpochCrops(self, to_device(parts, device), to_device(flip, device))


@dataclass(frozen=True)
class EpochCrops:
    """An epoch's draws, a row for each visit of a training image."""

    of: ResizedCrops
    parts: Int[Tensor, "V 4"]
    flip: Bool[Tensor, "V"]

    def prepare(
        self, images: UInt8[Tensor, "N C T T"] | StoredImages, order: Int[Tensor, "V"]
    ) -> tuple[UInt8[Tensor, "N C T T"] | StoredImages, Int[Tensor, "V"]]:
        """From where the epoch's batches are taken: all that is done to images is done batch by batch."""
        return images, order

    def __call__(
        self, images: UInt8[Tensor, "B C T T"], start: int, mean: Float[Tensor, "C"], std: Float[Tensor, "C"]
    ) -> Float[Tensor, "B C S S"]:
        """Images of the visits from ``start`` on, augmented and normalised."""
        side = self.of.side
        if self.of.name == "none":
            margin = (images.shape[-1] - side) // 2
            return normalise(images[..., margin : margin + side, margin : margin + side], mean, std)
        here = slice(start, start + len(images))
        parts = resized_parts(images, self.parts[here], self.flip[here], side)
        return normalise(parts.contiguous(memory_format=torch.channels_last) / 255, mean, std)
