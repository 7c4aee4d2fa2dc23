"""What the network says of the test set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rdr_core.measures import measures
from rdr_core.models import Network
from rdr_core.shapes import Float, Int, UInt8
from rdr_core.training.augment import normalise

if TYPE_CHECKING:
    from rdr_core.training.state import TrainingState


def predict(
    model: Network,
    images: UInt8[Tensor, "N C H W"],
    mean: Float[Tensor, "C"],
    std: Float[Tensor, "C"],
    batch_size: int = 1000,
) -> Int[Tensor, "N"]:
    """Predicted class of each image, in evaluation mode, which is undone afterwards."""
    return torch.cat([logits.argmax(1) for logits in _logits(model, images, mean, std, batch_size)])


def class_probabilities(
    model: Network,
    images: UInt8[Tensor, "N C H W"],
    mean: Float[Tensor, "C"],
    std: Float[Tensor, "C"],
    batch_size: int = 1000,
) -> Float[Tensor, "N d"]:
    """Softmax of each image's logits in float64, on the CPU, in evaluation mode, which is undone afterwards."""
    batches = [logits.cpu().double().softmax(1) for logits in _logits(model, images, mean, std, batch_size)]
    return torch.cat(batches)


@torch.no_grad()
def _logits(model: Network, images: Tensor, mean: Tensor, std: Tensor, batch_size: int) -> Iterator[Tensor]:
    was_training = model.training
    model.eval()
    try:
        for batch in images.split(batch_size):
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
