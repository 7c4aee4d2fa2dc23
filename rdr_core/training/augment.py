"""Augmentation on the device, one batch at a time; what is drawn for an epoch depends on (seed, epoch) alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from rdr_core.data.disk.stored import StoredImages
from rdr_core.errors import RdrError, unknown_name
from rdr_core.shapes import Bool, Float, Int, UInt8
from rdr_core.training.auto_augment import Choices, auto_augment, draw_choices
from rdr_core.training.normalise import normalise
from rdr_core.training.randomness import generator
from rdr_core.training.transfer import consecutive, to_device

#: Augmentations by name, with what they do to a training image.
AUGMENTATIONS = {
    "none": "nothing",
    "plain": "random crop after padding with black, random flip where the data set allows it",
    "strong": "plain, then AutoAugment's CIFAR-10 policy and a Cutout of half the side",
    "authors": "strong, but AutoAugment moves in grey from outside the image, and Cutout leaves black, not the mean",
}
#: Of those with AutoAugment, the brightness of what lies outside the image (128: the RDR authors' code).
_OUTSIDE = {"strong": 0, "authors": 128}


def crop_and_flip(
    images: UInt8[Tensor, "B C H W"],
    top: Int[Tensor, "B"],
    left: Int[Tensor, "B"],
    flip: Bool[Tensor, "B"],
    padding: int,
) -> UInt8[Tensor, "B C H W"]:
    """Each image padded with black, cut out at its own (top, left), mirrored where ``flip``.

    Padding comes before normalisation, so that black is black.

    Example:
        >>> image = torch.tensor([[[[1, 2], [3, 4]]]], dtype=torch.uint8)
        >>> crop_and_flip(image, torch.tensor([0]), torch.tensor([1]), torch.tensor([True]), 1)[0, 0]
        tensor([[0, 0],
                [2, 1]], dtype=torch.uint8)
    """
    batch, channels, height, width = images.shape
    device = images.device
    padded = F.pad(images, (padding,) * 4)
    across = torch.arange(width, device=device)
    rows = top[:, None] + torch.arange(height, device=device)
    columns = left[:, None] + torch.where(flip[:, None], width - 1 - across, across)
    sample = torch.arange(batch, device=device)[:, None, None, None]
    channel = torch.arange(channels, device=device)[None, :, None, None]
    return padded[sample, channel, rows[:, None, :, None], columns[:, None, None, :]]


def cut_out(images: Tensor, centre: Int[Tensor, "B 2"]) -> Tensor:
    """A square of half the image's side set to 0 around each centre, cut off at the border.

    That is black before normalisation, and the mean after it.
    """
    half = images.shape[2] // 4
    rows = (torch.arange(images.shape[2], device=images.device) - centre[:, :1] + half) // (2 * half)
    columns = (torch.arange(images.shape[3], device=images.device) - centre[:, 1:] + half) // (2 * half)
    inside = (rows == 0)[:, None, :, None] & (columns == 0)[:, None, None, :]
    return images.masked_fill(inside, 0)


@dataclass(frozen=True)
class Augmentation:
    """What is done to images of one shape.

    Attributes:
        name: one of :data:`AUGMENTATIONS`.
        padding: pixels of black on each side before the crop.
        flip: whether mirroring keeps the class (not so for digits).
        seed: the run's.
    """

    name: str
    padding: int
    flip: bool
    seed: int

    def check(self, channels: int) -> None:
        """Raise RdrError for an unknown augmentation, or one that does not fit the images."""
        if self.name not in AUGMENTATIONS:
            raise unknown_name("augmentation", self.name, AUGMENTATIONS)
        if self.name in _OUTSIDE and channels != 3:
            raise RdrError(
                f"augmentation {self.name!r} needs colour images, these have {channels} channel(s); use 'plain'."
            )

    def epoch(self, epoch: int, visits: int, shape: torch.Size, device: torch.device) -> EpochAugmentation:
        """All that is random in an epoch, drawn at once."""
        draw = generator(self.seed, "augment", epoch)
        corner = torch.randint(0, 2 * self.padding + 1, (visits, 2), generator=draw)
        flip = torch.rand(visits, generator=draw) < (0.5 if self.flip else 0.0)
        centre = (torch.rand(visits, 2, generator=draw) * torch.tensor(shape[-2:])).long()
        choices = draw_choices(visits, generator(self.seed, "policy", epoch)) if self.name in _OUTSIDE else None
        return EpochAugmentation(
            self, to_device(corner, device), to_device(flip, device), to_device(centre, device), choices
        )


@dataclass(frozen=True)
class EpochAugmentation:
    """An epoch's draws, a row for each visit of a training image."""

    of: Augmentation
    corner: Int[Tensor, "V 2"]
    flip: Bool[Tensor, "V"]
    centre: Int[Tensor, "V 2"]
    choices: Choices | None

    def prepare(
        self, images: UInt8[Tensor, "N C H W"] | StoredImages, order: Int[Tensor, "V"]
    ) -> tuple[UInt8[Tensor, "M C H W"] | StoredImages, Int[Tensor, "V"]]:
        """From where the epoch's batches are taken: images, and of each visit the row of its image.

        AutoAugment makes all of the epoch's images here, at once, in memory of their own; the others do all they do
        batch by batch.
        """
        if self.choices is None:
            return images, order
        top, left = self.corner.unbind(1)
        cropped = crop_and_flip(images[order], top, left, self.flip, self.of.padding)
        made = auto_augment(cropped, self.choices, _OUTSIDE[self.of.name])
        return made, torch.arange(len(order), device=made.device)

    def follow(self, other: EpochAugmentation) -> None:
        """Take over another epoch's draws for batches, into the memory that holds these."""
        for mine, theirs in ((self.corner, other.corner), (self.flip, other.flip), (self.centre, other.centre)):
            mine.copy_(theirs)

    def __call__(
        self,
        images: UInt8[Tensor, "B C H W"],
        start: int | Int[Tensor, "1"],
        mean: Float[Tensor, "C"],
        std: Float[Tensor, "C"],
    ) -> Float[Tensor, "B C H W"]:
        """The prepared images of the visits from ``start`` on, augmented and normalised."""
        if self.of.name == "none":
            return normalise(images, mean, std)
        here = consecutive(start, len(images))
        if self.of.name == "authors":
            return normalise(cut_out(images, self.centre[here]), mean, std)
        if self.choices is not None:
            return cut_out(normalise(images, mean, std), self.centre[here])
        top, left = self.corner[here].unbind(1)
        return normalise(crop_and_flip(images, top, left, self.flip[here], self.of.padding), mean, std)
