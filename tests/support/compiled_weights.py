"""Weightings compiled in one piece: ``fullgraph=True`` fails at the first thing that Python has to decide."""

from __future__ import annotations

import copy

import torch
from torch import nn

from rdr_core import RDRWeights
from rdr_core.methods.weighting import ClassWeights

COUNTS, Z = torch.tensor([40, 12, 5]), 16
MAKERS = {
    "ours": lambda: RDRWeights(COUNTS, Z),
    "matched": lambda: RDRWeights(COUNTS, Z, ratio="matched"),
    "permuted": lambda: RDRWeights(COUNTS, Z, ratio="permuted"),
    "warm-up": lambda: RDRWeights(COUNTS, Z, warmup_steps=2),
    "1/n": lambda: ClassWeights(1 / COUNTS),
}


class Learner(nn.Module):
    """A network that holds its weights and gives its loss."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head, self.rdr = nn.Linear(6, Z), nn.Linear(Z, 3), RDRWeights(COUNTS, Z)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        features = torch.relu(self.body(x))
        return (self.rdr(features, y) * nn.functional.cross_entropy(self.head(features), y, reduction="none")).mean()


def weights_alone(name: str, backend: str) -> None:
    plain = MAKERS[name]()
    compiled = torch.compile(copy.deepcopy(plain), fullgraph=True, backend=backend)
    for _ in range(4):
        features, labels = torch.randn(12, Z), torch.randint(0, 3, (12,))
        labels[3] = -100
        torch.testing.assert_close(compiled(features, labels), plain(features, labels), rtol=1e-6, atol=1e-7)
    for key, value in plain.state_dict().items():
        torch.testing.assert_close(compiled.state_dict()[f"_orig_mod.{key}"], value, rtol=1e-6, atol=1e-7)


def in_a_network(backend: str) -> None:
    plain = Learner()
    compiled = torch.compile(copy.deepcopy(plain), fullgraph=True, backend=backend)
    for _ in range(3):
        x, y = torch.randn(16, 6), torch.randint(0, 3, (16,))
        for model in (plain, compiled):
            model.zero_grad()
            model(x, y).backward()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter -= 0.1 * parameter.grad
    for one, other in zip(plain.parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(one, other)


if __name__ == "__main__":
    torch.manual_seed(0)
    done = 0
    for backend in ("eager", "aot_eager"):
        for name in MAKERS:
            torch.compiler.reset()
            weights_alone(name, backend)
            done += 1
    torch.compiler.reset()
    in_a_network("aot_eager")
    print(f"{done + 1} compiled, all as they were")
