"""Muon: the momentum of each weight matrix of the body is made orthogonal before it is a step; SGD trains the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from rdr_core.errors import RdrError
from rdr_core.methods.contract import Context, PlainStep
from rdr_core.methods.parts import at_least, between, part


class MuonSGD(torch.optim.SGD):
    """SGD in which the gradients of matrices are replaced by Muon's directions.

    The directions are :class:`torch.optim.Muon`'s: momentum by Nesterov, five Newton-Schulz iterations, and for a
    matrix with more rows than columns the root of their ratio. It is given the gradient as a matrix, of a convolution
    one row for each filter, and what it makes of a matrix of zeros at a rate of 1 is the direction; how far to go in
    it, and weight decay, are SGD's, so that one learning rate serves all parameters and may lie on a GPU.

    Args:
        matrices: weights of two dimensions or more.
        others: all other parameters, trained by plain SGD.
        lr: learning rate.
        rate: of the matrices, times ``lr``.
        momentum: of the others.
        muon_momentum: of the matrices.
        weight_decay: of both; on matrices it is decoupled, since SGD has no momentum there.

    Example:
        >>> weight, bias = nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(2))
        >>> optimizer = MuonSGD([weight], [bias], lr=1.0, rate=0.5)
        >>> weight.grad, bias.grad = torch.tensor([[9.0, 0, 0], [0, 0.1, 0]]), torch.tensor([0.2, 0.0])
        >>> optimizer.step()
        >>> bias.tolist(), bool((weight.diagonal() < -0.3).all())  # both directions count, the large and the small
        ([-0.20000000298023224, 0.0], True)
    """

    def __init__(
        self,
        matrices: Sequence[Tensor],
        others: Sequence[Tensor],
        *,
        lr: float,
        rate: float = 0.2,
        momentum: float = 0.9,
        muon_momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        groups = [{"params": list(matrices), "momentum": 0.0}, {"params": list(others), "momentum": momentum}]
        super().__init__([group for group in groups if group["params"]], lr=lr, weight_decay=weight_decay)
        self.matrices, self.rate = matrices, rate
        self.scratch = [nn.Parameter(torch.zeros_like(matrix.flatten(1))) for matrix in matrices]
        self.muon = torch.optim.Muon(self.scratch, lr=1.0, momentum=muon_momentum, weight_decay=0.0)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Turn the matrices' gradients, then make SGD's step; a closure is not taken."""
        for matrix, scratch in zip(self.matrices, self.scratch, strict=True):
            scratch.grad = None if matrix.grad is None else matrix.grad.flatten(1)
            scratch.zero_()
        self.muon.step()
        for matrix, scratch in zip(self.matrices, self.scratch, strict=True):
            if matrix.grad is not None:
                matrix.grad.copy_(scratch.view(matrix.shape)).mul_(-self.rate)
        super().step()

    def state_dict(self) -> dict[str, Any]:
        """SGD's, and Muon's momentum."""
        return super().state_dict() | {"muon": self.muon.state_dict()["state"]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Undo of :meth:`state_dict`."""
        kept = dict(state_dict)
        self.muon.load_state_dict(self.muon.state_dict() | {"state": kept.pop("muon")})
        super().load_state_dict(kept)


@part(
    "muon",
    kind="optimizer",
    summary="Muon: steps of weight matrices are made orthogonal, so that rare directions count as much as common ones",
    formula="W <- W - rate lr sqrt(max(1, rows / columns)) NS(g + momentum (m - g)), m = momentum m + (1 - momentum) g",
    source="Jordan et al. 2024 (kellerjordan.github.io/posts/muon), as torch.optim.Muon has it",
    ranges={"rate": at_least(0), "momentum": between(0, 1, "[)")},
    notes="all weights of two dimensions or more but the classifier's, a convolution's filters as rows; SGD trains the "
    "rest at the run's rate; one pass, as in SGD; rounding grows in its steps, so other machines give other runs",
)
def muon(context: Context, sgd: torch.optim.Optimizer, *, rate: float = 0.2, momentum: float = 0.95) -> PlainStep:
    """A plain step of :class:`MuonSGD` in place of a run's SGD.

    Args:
        context, sgd: the run's.
        rate: of Muon, times the run's learning rate (default 0.2: of the 0.1 usual here, Jordan's 0.02).
        momentum: of Muon (default 0.95: Jordan et al. 2024).

    Raises:
        RdrError: a PyTorch without it.
    """
    if not hasattr(torch.optim, "Muon"):
        raise RdrError(f"muon needs PyTorch 2.9 or newer, and this is {torch.__version__}; update it or use 'sam'.")
    usual = sgd.param_groups[0]
    matrices = [parameter for parameter in context.model.body.parameters() if parameter.ndim >= 2]
    of_matrices = set(matrices)
    others = [parameter for parameter in context.model.parameters() if parameter not in of_matrices]
    return PlainStep(
        MuonSGD(
            matrices, others, lr=usual["lr"], rate=rate, momentum=usual["momentum"], muon_momentum=momentum,
            weight_decay=usual["weight_decay"],
        )
    )  # fmt: skip
