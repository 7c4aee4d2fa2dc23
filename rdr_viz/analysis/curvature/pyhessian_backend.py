"""PyHessian's eigenvalues and trace, to repeat figures that others published; see what they are worth in the docs.

Its eigenvalues are those of largest magnitude, by a power iteration that stops when the estimate changes little; its
trace stops when the mean changes little, after two probes at the earliest. Yao et al. 2020, "PyHessian".
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from rdr_core.errors import RdrError
from rdr_core.shapes import Float


def pyhessian_eigenvalues(
    model: nn.Module,
    batches: Sequence[tuple[Tensor, Tensor]],
    loss: Callable[[Tensor, Tensor], Tensor],
    k: int,
    which: str,
    tolerance: float,
    budget: int,
    seed: int,
) -> tuple[np.ndarray, Float[Tensor, "k P"]]:
    """What PyHessian calls the k top eigenvalues, in its order, in evaluation mode, and its eigenvectors in rows.

    Args:
        model: a network that may be changed: PyHessian leaves gradients and evaluation mode behind.
        batches: (images, labels), each; one alone is a "single batch" to PyHessian.
        loss: (logits, labels) -> (B,) losses.
        k, tolerance, budget: its ``top_n``, ``tol`` (a change between iterations, not an error) and ``maxIter``.
        which: only ``"largest"``; it has no smallest.
        seed: of its start vectors; torch's global generator is as before after the call.

    Raises:
        RdrError: another ``which``, or PyHessian is not installed.
    """
    if which != "largest":
        raise RdrError(f"PyHessian gives no {which} eigenvalues, only those of largest magnitude; use backend='rdr'.")
    with _seeded(seed, batches):
        values, vectors = _build(model, batches, loss).eigenvalues(maxIter=budget, tol=tolerance, top_n=k)
    rows = torch.stack([torch.cat([part.detach().reshape(-1) for part in vector]) for vector in vectors])
    return np.array(values, dtype=np.float64), rows


def pyhessian_trace(
    model: nn.Module,
    batches: Sequence[tuple[Tensor, Tensor]],
    loss: Callable[[Tensor, Tensor], Tensor],
    tolerance: float,
    maximum: int,
    seed: int,
) -> np.ndarray:
    """(probes,) the estimates whose mean is PyHessian's trace; arguments as :func:`pyhessian_eigenvalues`."""
    with _seeded(seed, batches):
        return np.array(_build(model, batches, loss).trace(maxIter=maximum, tol=tolerance), dtype=np.float64)


def _build(model: nn.Module, batches: Sequence[tuple[Tensor, Tensor]], loss: Callable[[Tensor, Tensor], Tensor]):
    try:
        from pyhessian import hessian
    except ImportError:
        raise RdrError("backend='pyhessian' needs PyHessian; `pip install pyhessian` installs it.") from None

    def mean(logits: Tensor, labels: Tensor) -> Tensor:
        return loss(logits, labels).mean()

    data = {"data": batches[0]} if len(batches) == 1 else {"dataloader": batches}
    return hessian(model, mean, cuda=batches[0][0].is_cuda, **data)


@contextmanager
def _seeded(seed: int, batches: Sequence[tuple[Tensor, Tensor]]) -> Iterator[None]:
    with torch.random.fork_rng(devices=[batches[0][0].device] if batches[0][0].is_cuda else []):
        torch.manual_seed(seed)
        with warnings.catch_warnings():
            # PyTorch warns that gradients kept so outlive their use; those here go with the copy of the model.
            warnings.filterwarnings("ignore", "Using backward\\(\\) with create_graph=True", UserWarning)
            yield
