"""Layers in their quick form against PyTorch's own: values, gradients and Hessian products."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rdr_viz.analysis.curvature.layers import quick_twice

LAYERS = {
    "plain": lambda: nn.Conv2d(4, 6, 3, bias=False),
    "bias, stride, padding": lambda: nn.Conv2d(4, 6, 3, stride=2, padding=1),
    "groups": lambda: nn.Conv2d(4, 8, 3, groups=2, padding=(1, 2)),
    "depthwise, dilation": lambda: nn.Conv2d(4, 4, 2, groups=4, dilation=2),
    "one by one": lambda: nn.Conv2d(4, 6, 1, stride=2),
    "padding in words": lambda: nn.Conv2d(4, 6, 3, padding="same"),
    "circular padding": lambda: nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"),
    "BatchNorm": lambda: nn.Sequential(nn.Conv2d(4, 6, 1), nn.BatchNorm2d(6)),
    "BatchNorm without weights": lambda: nn.BatchNorm2d(4, affine=False),
    "BatchNorm without statistics": lambda: nn.BatchNorm2d(4, track_running_stats=False),
    "flat BatchNorm": lambda: nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4 * 49)),
}


def products(network: nn.Module, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Values, gradient, and Hessian product of a loss whose every part has curvature."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    result = network(images)
    loss = (torch.tanh(result) ** 2).sum()
    gradient = torch.autograd.grad(loss, parameters, create_graph=True)
    draw = torch.Generator().manual_seed(1)
    vectors = [torch.randn(p.shape, generator=draw, dtype=p.dtype) for p in parameters]
    return result, *gradient, *torch.autograd.grad(gradient, parameters, vectors, materialize_grads=True)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS.keys())
def test_the_quick_form_is_the_layer(make, training, frozen):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 4, 1), make(), nn.Softplus(), nn.Flatten(), nn.LazyLinear(3)).double()
    images = torch.randn(5, 2, 7, 7, dtype=torch.float64)
    network(images)  # sets running statistics, and the linear layer's size
    network.train(training)
    network[0].weight.requires_grad_(not frozen)
    quick = quick_twice(copy.deepcopy(network))
    names = [name for name, _ in network.named_parameters()]
    assert [name for name, _ in quick.named_parameters()] == names
    for found, expected in zip(products(quick, images), products(network, images), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)


def test_derivatives_pass_gradcheck():
    layer = quick_twice(nn.Conv2d(2, 3, 2, stride=2, padding=1).double())
    images = torch.randn(2, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, images)
    assert torch.autograd.gradgradcheck(layer, images)


def test_hooks_and_derived_classes_stay():
    class Doubled(nn.Conv2d):
        def forward(self, images):
            return 2 * F.conv2d(images, self.weight, self.bias)

    seen = []
    network = nn.Sequential(Doubled(1, 2, 1), nn.Conv2d(2, 1, 1))
    network[1].register_forward_hook(lambda *_: seen.append(1))
    images = torch.ones(1, 1, 2, 2)
    before = network(images)
    torch.testing.assert_close(quick_twice(network)(images), before)
    assert len(seen) == 2
