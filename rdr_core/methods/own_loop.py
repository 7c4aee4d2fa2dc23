"""What a weighting does for a loop of one's own: any shape of labels, samples to ignore, several processes."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch import distributed as dist

from rdr_core.errors import RdrError
from rdr_core.shapes import Bool, Float, Int

#: Labels that PyTorch's losses pass over unless told otherwise.
IGNORED = -100


class FlatBatch(NamedTuple):
    """A batch as weightings take it.

    Attributes:
        features: (B, Z), no gradient.
        labels: (B,) int64, 0 where a sample is ignored.
        kept: (B,) which samples are not ignored.

    Example:
        >>> batch = FlatBatch(torch.zeros(2, 3), torch.tensor([1, 0]), torch.tensor([True, False]))
        >>> batch.labels[batch.kept]
        tensor([1])
    """

    features: Float[Tensor, "B Z"]
    labels: Int[Tensor, "B"]
    kept: Bool[Tensor, "B"]


def flat_batch(features: Tensor, labels: Tensor, d: int | None, ignored: int) -> FlatBatch:
    """A batch of samples, or of sequences of them, as one list of samples.

    Args:
        features: (B, Z), or (B, T, Z) of sequences.
        labels: (B,) or (B, T), of any integer type, on the features' device.
        d: number of classes; None where it is not known.
        ignored: label of samples that are to be passed over.

    Raises:
        RdrError: labels of another shape, type or device, or of a class that there is not (looked for on a CPU alone,
            where it takes no waiting).

    Example:
        >>> flat_batch(torch.zeros(2, 3, 4), torch.tensor([[0, 1, -100], [1, 1, -100]]), 2, IGNORED).kept.tolist()
        [True, True, False, True, True, False]
    """
    if labels.is_floating_point() or labels.dtype == torch.bool or labels.is_complex():
        what = f"labels of type {str(labels.dtype).removeprefix('torch.')}"
        raise RdrError(
            f"Weights are for classes, and these are {what} and shape {tuple(labels.shape)}; give integers, one a "
            "sample. Of mixed labels, mix the weights: lam * weights(features, a) + (1 - lam) * weights(features, b)."
        )
    if features.ndim < 2 or labels.shape != features.shape[:-1]:
        raise RdrError(
            f"Features of shape {tuple(features.shape)} need one label for each of {tuple(features.shape[:-1])}, and "
            f"there are {tuple(labels.shape)}."
        )
    if labels.device != features.device:
        raise RdrError(f"Features are on {features.device} and labels on {labels.device}; move one to the other.")
    flat = labels.reshape(-1).long()
    kept = flat != ignored
    flat = torch.where(kept, flat, 0)
    if d is not None and flat.device.type == "cpu" and not torch.compiler.is_compiling() and len(flat):
        low, high = int(flat.min()), int(flat.max())
        if low < 0 or high >= d:
            raise RdrError(
                f"A label is {low if low < 0 else high}, but there are {d} classes, 0 to {d - 1}, and {ignored} for "
                "samples to ignore."
            )
    return FlatBatch(features.detach().reshape(-1, features.shape[-1]), flat, kept)


def several_processes() -> bool:
    """Whether this process trains with others, as under DistributedDataParallel.

    Example:
        >>> several_processes()
        False
    """
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def of_all_processes(batch: FlatBatch) -> tuple[FlatBatch, slice, int]:
    """The batch of all processes, the same in each of them; where this one's part is in it; and its size in all.

    Parts may be of different sizes: shorter ones are filled up with samples to ignore.
    """
    size = torch.tensor([len(batch.labels)], device=batch.labels.device)
    sizes = [torch.zeros_like(size) for _ in range(dist.get_world_size())]
    dist.all_gather(sizes, size)
    found = torch.cat(sizes).tolist()
    longest = max(found)

    def joined(values: Tensor) -> Tensor:
        filled = values.new_zeros(longest, *values.shape[1:])
        filled[: len(values)] = values
        parts = [torch.empty_like(filled) for _ in sizes]
        dist.all_gather(parts, filled)
        return torch.cat(parts)

    start = dist.get_rank() * longest
    kept = joined(batch.kept.to(torch.uint8)).bool()
    whole = FlatBatch(joined(batch.features), joined(batch.labels), kept)
    return whole, slice(start, start + len(batch.labels)), sum(found)
