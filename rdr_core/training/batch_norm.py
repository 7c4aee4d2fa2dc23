"""BatchNorm over the whole batch where several ranks hold parts of it, on a CPU as on a GPU.

PyTorch's SyncBatchNorm does this on GPUs alone, and a run is to be the same on any devices.
"""

from __future__ import annotations

from functools import partial

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from rdr_core.errors import RdrError
from rdr_core.shapes import Float
from rdr_core.training.ranks import Ranks


def over_all_ranks(model: nn.Module, ranks: Ranks) -> nn.Module:
    """Let every BatchNorm of the model, in training mode, see the batches of all ranks; in place.

    Parameters, buffers and names stay, so weights are exchanged with models that were never changed.

    Args:
        model: on its device.
        ranks: who share a batch.
    """
    if ranks.size > 1:
        for module in model.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.forward = partial(_batch_norm, module, ranks)  # type: ignore[method-assign] # of this one alone
    return model


def _batch_norm(
    norm: nn.BatchNorm1d | nn.BatchNorm2d, ranks: Ranks, images: Float[Tensor, "b C ..."]
) -> Float[Tensor, "b C ..."]:
    if not norm.training:
        return F.batch_norm(images, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0.0, norm.eps)
    mean_before, variance_before = norm.running_mean, norm.running_var
    if mean_before is None or variance_before is None or norm.num_batches_tracked is None or norm.momentum is None:
        raise RdrError("BatchNorm over several ranks follows its statistics by a momentum; give it both.")
    x = images.to(mean_before.dtype)  # under autocast images come in half precision
    dims = [0, *range(2, x.dim())]
    count = x.new_full((1,), x.numel() / x.shape[1])
    # A rank without an image (the last batch may be smaller than the ranks are many) has a mean of nothing: 0.
    variance, mean = torch.var_mean(x, dims, correction=0) if len(x) else (x.sum(dims), x.sum(dims))
    rows = _Gathered.apply(torch.cat([mean, variance, count]), ranks)
    means, variances, counts = rows.split([len(mean), len(mean), 1], dim=1)
    # Chan, Golub and LeVeque 1979: exact, and without the cancellation of E[x^2] - E[x]^2.
    total = counts.sum()
    mean = (counts * means).sum(0) / total
    variance = (counts * (variances + (means - mean) ** 2)).sum(0) / total
    if norm.track_running_stats:
        with torch.no_grad():
            norm.num_batches_tracked += 1
            mean_before.lerp_(mean, norm.momentum)
            variance_before.lerp_(variance * total / (total - 1).clamp_min(1), norm.momentum)
    shape = (-1, *[1] * (x.dim() - 2))
    scale = torch.rsqrt(variance + norm.eps) * norm.weight
    return ((x - mean.view(shape)) * scale.view(shape) + norm.bias.view(shape)).to(images.dtype)


class _Gathered(torch.autograd.Function):
    """(k,) of each rank -> (ranks, k) on every rank; the gradient comes back from all of them."""

    @staticmethod
    def forward(ctx, mine, ranks):
        ctx.ranks = ranks
        rows = [torch.empty_like(mine) for _ in range(ranks.size)]
        dist.all_gather(rows, mine.contiguous())
        return torch.stack(rows)

    @staticmethod
    def backward(ctx, gradient):
        gradient = gradient.contiguous()
        dist.all_reduce(gradient)
        return gradient[ctx.ranks.rank], None
