"""What the network says of images: the one way in which training and analyses ask it, batch by batch.

Images may lie in memory or on disk, and no more of them than a batch are floats at a time: what is asked of a split
takes no more memory than its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, TypeVar, overload

import torch
from torch import Tensor, nn

from rdr_core.data import LongTailedData
from rdr_core.data.disk.stored import StoredImages
from rdr_core.models import Network
from rdr_core.shapes import Bool, Float, Int, UInt8
from rdr_core.training.feed import feed, resident
from rdr_core.training.normalise import normalise

T = TypeVar("T")

#: Pixels a batch at most, by device. On a GPU activations must fit: 1000 images up to 70 x 70, 99 photographs of
#: 224 x 224. On a CPU they should stay in its caches, where ResNet-32 is over twice as fast as with 1000 images.
_PIXELS = {"cuda": 5_000_000, "cpu": 80_000}


class Inputs:
    """Images as the network takes them: without augmentation, normalised when they are asked for.

    Args:
        images: (N, C, H, W) uint8, in memory or on disk.
        mean, std: (C,) of each channel, on the device on which the network is.
        dtype: of what is given (default float32).

    Example:
        >>> images = torch.tensor([0, 255, 51], dtype=torch.uint8).view(3, 1, 1, 1)
        >>> inputs = Inputs(images, torch.tensor([0.2]), torch.tensor([0.2]))
        >>> len(inputs), inputs[torch.tensor([2, 1])].flatten().tolist()
        (3, [0.0, 4.0])
        >>> [len(batch) for batch in inputs.choose(torch.tensor([0, 1, 1, 2, 2])).batches(2)]
        [2, 2, 1]
    """

    def __init__(
        self,
        images: UInt8[Tensor, "N C H W"] | StoredImages,
        mean: Float[Tensor, "C"],
        std: Float[Tensor, "C"],
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._images, self.mean, self.std, self.dtype = resident(images, mean.device), mean, std, dtype

    @classmethod
    def of(cls, data: LongTailedData, split: str, device: torch.device | str = "cpu") -> Inputs:
        """Those of a split ("train", "test" or "held_out"), on a device."""
        mean, std = (torch.tensor(values, device=device) for values in (data.mean, data.std))
        return cls(getattr(data, split).inputs, mean, std)

    @property
    def device(self) -> torch.device:
        return self.mean.device

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, rows: slice | Int[Tensor, "B"] | Bool[Tensor, "N"]) -> Float[Tensor, "B C H W"]:
        if isinstance(rows, Tensor):
            rows = rows.to(self.device)
        return self._normalised(self._images[rows].to(self.device))

    def choose(self, rows: Int[Tensor, "K"] | Bool[Tensor, "N"]) -> Inputs:
        """The images at ``rows``, in that order; of those on disk, none is read."""
        if isinstance(self._images, StoredImages):
            where = torch.arange(len(self))[rows.cpu()]
            return Inputs(self._images.choose(where.numpy()), self.mean, self.std, self.dtype)
        return Inputs(self._images[rows.to(self.device)], self.mean, self.std, self.dtype)

    def to(self, device: torch.device | str, dtype: torch.dtype) -> Inputs:
        """The same on a device, in a type."""
        return Inputs(self._images, self.mean.to(device), self.std.to(device), dtype)

    def batches(
        self, size: int | None = None, share: slice = slice(None)
    ) -> Generator[Float[Tensor, "B C H W"], None, None]:
        """All of them in order; those on disk are read ahead.

        Args:
            size: of a batch; None (default) is what suits the device.
            share: a part of the images alone.
        """
        if size is None:
            size = max(1, min(1000, _PIXELS[self.device.type] // self._images.shape[2:].numel()))
        rows = torch.arange(len(self), device=self.device)[share].split(size)
        with closing(feed(self._images, rows, self.device)) as fed:
            yield from map(self._normalised, fed)

    def _normalised(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        made = normalise(images, self.mean, self.std)
        return made.to(self.dtype) if made.is_floating_point() else made


@overload
def passes(
    model: nn.Module, inputs: Inputs, call: None = None, size: int | None = None, share: slice = slice(None)
) -> Generator[Tensor, None, None]: ...
@overload
def passes(
    model: nn.Module, inputs: Inputs, call: Callable[[Tensor], T], size: int | None = None, share: slice = slice(None)
) -> Generator[T, None, None]: ...
@torch.no_grad()
def passes(
    model: nn.Module,
    inputs: Inputs,
    call: Callable[[Tensor], Any] | None = None,
    size: int | None = None,
    share: slice = slice(None),
) -> Generator[Any, None, None]:
    """What the network gives for each batch, in evaluation mode, which is undone afterwards; without gradients.

    Args:
        model: the network.
        inputs: what it is asked of.
        call: images -> what is wanted (default: the network itself, which gives logits).
        size, share: of :meth:`Inputs.batches`.
    """
    was_training = model.training
    model.eval()
    try:
        with closing(inputs.batches(size, share)) as batches:
            for batch in batches:
                yield (call or model)(batch)
    finally:
        model.train(was_training)


def predict(model: Network, inputs: Inputs, share: slice = slice(None)) -> Int[Tensor, "K"]:
    """Predicted class of each image in ``share`` (all by default)."""
    return torch.cat([logits.argmax(1) for logits in passes(model, inputs, share=share)])


def class_probabilities(model: Network, inputs: Inputs) -> Float[Tensor, "N d"]:
    """Softmax of each image's logits in float64, on the CPU."""
    return torch.cat([logits.cpu().double().softmax(1) for logits in passes(model, inputs)])


def features_and_logits(model: Network, inputs: Inputs) -> tuple[Float[Tensor, "N Z"], Float[Tensor, "N d"]]:
    """Penultimate features and logits of all images, float32, on the CPU."""
    features = torch.empty(len(inputs), model.feature_dim)
    logits = torch.empty(len(inputs), model.num_classes)
    start = 0
    for both in passes(model, inputs, model.features_and_logits):
        here = slice(start, start + len(both[0]))
        features[here], logits[here] = both[0].cpu(), both[1].cpu()
        start = here.stop
    return features, logits


def accuracy_by_class(
    predicted: Int[Tensor, "N"], labels: Int[Tensor, "N"], num_classes: int
) -> tuple[Float[Tensor, "d"], Float[Tensor, "d"]]:
    """Right answers and images of each class, float64 counts.

    Example:
        >>> accuracy_by_class(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), 2)
        (tensor([1., 1.], dtype=torch.float64), tensor([2., 1.], dtype=torch.float64))
    """
    right = torch.bincount(labels[predicted == labels], minlength=num_classes).double()
    return right, torch.bincount(labels, minlength=num_classes).double()


def held_out_accuracy(model: Network, data: LongTailedData, device: torch.device) -> Callable[[], Float[Tensor, "d"]]:
    """What gives the accuracy of each class, 0..1, of the network as it is then, on the images held out of training.

    Args:
        model: looked at anew at each call.
        data: holds the images out; where it holds out none, every accuracy is NaN.
        device: the network's.
    """
    d = data.num_classes
    if data.held_out is None:
        return lambda: torch.full((d,), torch.nan, dtype=torch.float64, device=device)
    inputs, labels = Inputs.of(data, "held_out", device), data.held_out.labels.to(device)

    def measure() -> Float[Tensor, "d"]:
        right, total = accuracy_by_class(predict(model, inputs), labels, d)
        return right / total

    return measure
