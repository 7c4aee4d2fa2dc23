"""Small networks in float64 with their dense Hessians, by brute force."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call


def plain() -> tuple[nn.Module, Tensor, Tensor]:
    """A tanh network of 27 weights on 11 images."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3, bias=False)), *images(11, 3, classes=3)


def with_batch_norm() -> tuple[nn.Module, Tensor, Tensor]:
    """A convolutional network with BatchNorm whose running statistics are not the data's."""
    torch.manual_seed(1)
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3, bias=False), nn.BatchNorm2d(3), nn.Softplus(), nn.Flatten(), nn.Linear(12, 3)
    )
    network[1].running_mean += 0.3
    network[1].running_var *= 2.5
    x, y = images(11, 16, classes=3)
    return network, x.view(-1, 1, 4, 4), y


def with_unused() -> tuple[nn.Module, Tensor, Tensor]:
    """The plain network with a layer that nothing depends on, as networks with several heads have it."""
    network, x, y = plain()
    return _Spare(*network, nn.Linear(2, 3)), x, y


class _Spare(nn.Sequential):
    def forward(self, inputs: Tensor) -> Tensor:
        for layer in self[:-1]:
            inputs = layer(inputs)
        return inputs


def saddle(scale: float = 1e-4) -> tuple[nn.Module, Tensor, Tensor]:
    """Two linear layers near 0: a saddle, where eigenvalues come in pairs of nearly +c and -c."""
    torch.manual_seed(2)
    network = nn.Sequential(nn.Linear(6, 5, bias=False), nn.Linear(5, 4, bias=False))
    for parameter in network.parameters():
        parameter.data.mul_(scale)
    return network, *images(20, 6, classes=4)


def images(count: int, width: int, *, classes: int) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(3)
    return (
        torch.randn(count, width, generator=draw, dtype=torch.float64),
        torch.randint(classes, (count,), generator=draw),
    )


def dense_hessian(model: nn.Module, x: Tensor, y: Tensor, *, batch_size: int = 500, train: bool = False) -> Tensor:
    """(P, P) float64 by ``torch.func.hessian``: an independent path (forward over reverse, one weight at a time)."""
    import copy

    model = copy.deepcopy(model).double().train(train)
    names = [name for name, _ in model.named_parameters()]
    sizes = [p.numel() for p in model.parameters()]
    shapes = [p.shape for p in model.parameters()]
    flat = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}

    def loss(vector: Tensor) -> Tensor:
        parts = [part.view(shape) for part, shape in zip(vector.split(sizes), shapes, strict=True)]
        total = vector.new_zeros(())
        for xs, ys in zip(x.split(batch_size), y.split(batch_size), strict=True):
            # Fresh buffers for each batch, so that training mode has nothing to change in place.
            state = dict(zip(names, parts, strict=True)) | {k: v.clone() for k, v in buffers.items()}
            total = total + F.cross_entropy(functional_call(model, state, (xs,)), ys, reduction="sum")
        return total / len(y)

    rows = []
    flat.requires_grad_(True)
    gradient = torch.autograd.grad(loss(flat), flat, create_graph=True)[0]
    for entry in gradient:
        rows.append(torch.autograd.grad(entry, flat, retain_graph=True)[0])
    return torch.stack(rows).detach()


def dense_by_differences(model: nn.Module, x: Tensor, y: Tensor, *, batch_size: int, train: bool) -> Tensor:
    """(P, P) from central differences of the loss alone: no automatic differentiation at all; about 1e-6 right."""
    import copy

    model = copy.deepcopy(model).double().train(train)
    parameters = list(model.parameters())
    flat = nn.utils.parameters_to_vector(parameters).detach().clone()

    @torch.no_grad()
    def loss(vector: Tensor) -> float:
        nn.utils.vector_to_parameters(vector, parameters)
        batches = zip(x.split(batch_size), y.split(batch_size), strict=True)
        return float(sum(F.cross_entropy(model(xs), ys, reduction="sum") for xs, ys in batches)) / len(y)

    step = 1e-4
    size = len(flat)
    eye = torch.eye(size, dtype=torch.float64) * step
    result = torch.empty(size, size, dtype=torch.float64)
    for i in range(size):
        for j in range(i + 1):
            plus = loss(flat + eye[i] + eye[j]) + loss(flat - eye[i] - eye[j])
            minus = loss(flat + eye[i] - eye[j]) + loss(flat - eye[i] + eye[j])
            result[i, j] = result[j, i] = (plus - minus) / (4 * step**2)
    return result
