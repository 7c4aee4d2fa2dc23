"""What the network says of the test set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rdr_core.data.disk.stored import StoredImages
from rdr_core.measures import measures
from rdr_core.models import Network
from rdr_core.shapes import Float, Int, UInt8
from rdr_core.training.augment import normalise
from rdr_core.training.feed import feed

if TYPE_CHECKING:
    from rdr_core.training.state import TrainingState


def predict(
    model: Network,
    images: UInt8[Tensor, "N C H W"] | StoredImages,
    mean: Float[Tensor, "C"],
    std: Float[Tensor, "C"],
    share: slice = slice(None),
) -> Int[Tensor, "K"]:
    """Predicted class of each image in ``share`` (all by default), in evaluation mode, which is undone afterwards."""
    return torch.cat([logits.argmax(1) for logits in _logits(model, images, mean, std, share)])


def class_probabilities(
    model: Network,
    images: UInt8[Tensor, "N C H W"] | StoredImages,
    mean: Float[Tensor, "C"],
    std: Float[Tensor, "C"],
) -> Float[Tensor, "N d"]:
    """Softmax of each image's logits in float64, on the CPU, in evaluation mode, which is undone afterwards."""
    return torch.cat([logits.cpu().double().softmax(1) for logits in _logits(model, images, mean, std)])


#: Pixels a batch at most, by device. On a GPU activations must fit: 1000 images up to 70 x 70, 99 photographs of
#: 224 x 224. On a CPU they should stay in its caches, where ResNet-32 is over twice as fast as with 1000 images.
_PIXELS = {"cuda": 5_000_000, "cpu": 80_000}


@torch.no_grad()
def _logits(
    model: Network, images: Tensor | StoredImages, mean: Tensor, std: Tensor, share: slice = slice(None)
) -> Iterator[Float[Tensor, "B d"]]:
    size = max(1, min(1000, _PIXELS[mean.device.type] // images.shape[2:].numel()))
    batches = torch.arange(len(images), device=mean.device)[share].split(size)
    was_training = model.training
    model.eval()
    try:
        with closing(feed(images, batches, mean.device)) as fed:
            for batch in fed:
                yield model(normalise(batch, mean, std))
    finally:
        model.train(was_training)


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


def final_measures(state: TrainingState) -> dict[str, Any]:
    """What metrics.json says of a finished run: all measures on the test set as it is."""
    probabilities = class_probabilities(state.model, state.test_images, state.mean, state.std)
    return measures(probabilities.numpy(), state.data.test.labels.numpy(), state.data.groups)
