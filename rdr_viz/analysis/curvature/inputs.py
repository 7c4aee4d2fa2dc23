"""What users hand over to a Hessian, checked: the model as it is looked at, labels, and batches."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rdr_core.errors import RdrError
from rdr_core.shapes import Float, Shaped
from rdr_core.training.inference import Inputs

MODES = ("eval", "train")
BACKENDS = ("rdr", "pyhessian")
#: The label that torch's cross-entropy leaves out of its mean.
IGNORED = -100


def check_options(mode: str, backend: str, dtype: torch.dtype, batch_size: int) -> None:
    """Refuse what a Hessian can't be asked for.

    Raises:
        RdrError: an unknown mode, backend or type, or a batch size below 1.
    """
    if mode not in MODES:
        raise RdrError(f"mode={mode!r} is not 'eval' or 'train'.")
    if backend not in BACKENDS:
        raise RdrError(f"backend={backend!r} is not 'rdr' or 'pyhessian'.")
    if dtype not in (torch.float32, torch.float64):
        raise RdrError(f"dtype={dtype} is not torch.float32 or torch.float64; a Hessian needs at least float32.")
    if batch_size < 1:
        raise RdrError(f"batch_size={batch_size} must be at least 1.")


def as_floats(images: Float[Tensor, "N ..."] | Inputs) -> Float[Tensor, "N ..."] | Inputs:
    """The images as the network takes them.

    Raises:
        RdrError: they are not floats.

    Example:
        >>> as_floats([[0.5, 1.0]])
        tensor([[0.5000, 1.0000]])
    """
    if isinstance(images, Inputs):
        return images
    images = torch.as_tensor(images).detach()
    if not torch.is_floating_point(images):
        raise RdrError(f"images are {images.dtype}; give them as the network takes them, normalised floats.")
    return images


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


def check_last_batch(model: nn.Module, images: Float[Tensor, "N ..."] | Inputs, batch_size: int) -> None:
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
            f"The last batch of {len(images)} images has only one, for which BatchNorm in mode 'train' has no "
            f"statistics ({error}); give another batch_size than {batch_size}."
        ) from None


def cross_entropy(logits: Float[Tensor, "B d"], labels: Shaped[Tensor, "B ..."]) -> Float[Tensor, "B"]:
    """Of each image, without weights.

    Example:
        >>> cross_entropy(torch.zeros(1, 2), torch.tensor([0]))
        tensor([0.6931])
    """
    return F.cross_entropy(logits, labels, reduction="none")


def loss_name(loss: Callable[[Tensor, Tensor], Tensor]) -> str:
    """How a result calls its loss.

    Example:
        >>> loss_name(nn.MSELoss())
        'MSELoss'
    """
    function = getattr(loss, "func", loss)
    return str(getattr(function, "__name__", type(function).__name__))
