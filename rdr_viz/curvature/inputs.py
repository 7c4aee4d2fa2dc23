"""What users hand over to a Hessian, checked: the model as it is looked at, labels, and batches."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from rdr_core.errors import RdrError
from rdr_core.shapes import Float, Shaped

#: The label that torch's cross-entropy leaves out of its mean.
IGNORED = -100


def frozen_copy(model: nn.Module, mode: str, dtype: torch.dtype, device: torch.device | str) -> nn.Module:
    """The model in a mode, dtype and place, sharing nothing with the original.

    In ``"train"`` what has running statistics, BatchNorm of whatever kind, is in training mode, and nothing else.

    Raises:
        RdrError: it cannot be copied.

    Example:
        >>> twin = frozen_copy(nn.Sequential(nn.BatchNorm1d(2), nn.Dropout()), "train", torch.float64, "cpu")
        >>> [module.training for module in twin]
        [True, False]
    """
    try:
        twin = copy.deepcopy(model)
    except Exception as error:
        raise RdrError(f"The model cannot be copied ({error}); give one that copy.deepcopy takes.") from None
    for parameter in twin.parameters():
        parameter.grad = None
    twin = twin.to(device=device, dtype=dtype).eval()
    for module in twin.modules():
        if mode == "train" and hasattr(module, "running_mean"):
            module.train()
    return twin


def class_labels(labels: Shaped[Tensor, "N ..."]) -> tuple[Tensor, int]:
    """Labels as cross-entropy takes them, and how many it counts.

    Args:
        labels: (N,) integers of any type, or (N, d) probabilities.

    Raises:
        RdrError: neither classes nor probabilities.

    Example:
        >>> class_labels(torch.tensor([2, -100], dtype=torch.int16))
        (tensor([   2, -100]), 1)
    """
    if torch.is_floating_point(labels) and labels.dim() == 2:
        return labels, len(labels)
    if torch.is_floating_point(labels) or labels.dtype == torch.bool or labels.dim() != 1:
        raise RdrError(
            f"labels are {str(labels.dtype).removeprefix('torch.')} of shape {tuple(labels.shape)}; cross-entropy "
            "takes (N,) integers or (N, d) probabilities. Give the loss that they are for."
        )
    labels = labels.long()
    return labels, int((labels != IGNORED).sum())


def check_last_batch(model: nn.Module, images: Float[Tensor, "N ..."], batch_size: int) -> None:
    """A batch of one image has no statistics for a BatchNorm of single numbers: told before work begins.

    Args:
        model: in training mode where it has such.
        images: (N, ...), as the model takes them.
        batch_size: images a pass.

    Raises:
        RdrError: the last batch has one image, and the model can't take it.

    Example:
        >>> check_last_batch(nn.BatchNorm1d(2), torch.ones(9, 2), batch_size=5)
    """
    if len(images) % batch_size != 1 and batch_size != 1:
        return
    try:
        with torch.no_grad():
            model(images[-1:])
    except ValueError as error:
        raise RdrError(
            f"The last batch of {len(images)} images has one alone, of which BatchNorm in mode 'train' has no "
            f"statistics ({error}); give another batch_size than {batch_size}."
        ) from None
