"""Accuracy on the test set: over all, by class and by group, in percent."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rdr_core.data import Groups
from rdr_core.models import Network
from rdr_core.shapes import Float, Int, UInt8
from rdr_core.training.augment import normalise


@torch.no_grad()
def predict(
    model: Network,
    images: UInt8[Tensor, "N C H W"],
    mean: Float[Tensor, "C"],
    std: Float[Tensor, "C"],
    batch_size: int = 1000,
) -> Int[Tensor, "N"]:
    """Predicted class of each image, in evaluation mode, which is undone afterwards."""
    was_training = model.training
    model.eval()
    try:
        return torch.cat([model(normalise(batch, mean, std)).argmax(1) for batch in images.split(batch_size)])
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


def accuracies(right: np.ndarray, total: np.ndarray, groups: Groups) -> dict[str, float]:
    """Top-1 over all images and over those of each group, in percent; NaN for a group without any.

    Args:
        right, total: (d,) right answers and images of each class.
        groups: Many, Medium, Few.
    """
    percent = {"accuracy": 100 * right.sum() / total.sum()}
    for name, classes in groups.items():
        images = total[classes].sum()
        percent[name.lower()] = 100 * right[classes].sum() / images if images else float("nan")
    return {name: float(value) for name, value in percent.items()}
