"""Products that are no Hessian's are refused, whatever is random or wrong in the network; what is right passes."""

from __future__ import annotations

import networks
import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torchvision.ops
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from rdr_core.errors import RdrError
from rdr_viz.analysis.curvature import Hessian


class WrongTwice(torch.autograd.Function):
    """x^2 whose gradient is right, and the gradient's own gradient is not."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return WrongBackward.apply(grad, x)


class WrongBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, grad, x):
        ctx.save_for_backward(grad, x)
        return 2 * x * grad

    @staticmethod
    def backward(ctx, again):
        grad, x = ctx.saved_tensors
        return 2 * x * again, -3 * grad * again.flip(0)  # should be 2 * grad * again


class Squared(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return WrongTwice.apply(x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "ask",
    [
        lambda hessian: hessian.eigenvalues(),
        lambda hessian: hessian.trace(),
        lambda hessian: hessian.spectral_density(3, steps=5),
        lambda hessian: hessian.hvp(torch.ones(hessian.parameters)),
    ],
)
def test_a_wrong_second_derivative_is_found_before_anything_is_said(ask, dtype):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 6), Squared(), nn.Linear(6, 3))
    x, y = networks.images(11, 3, classes=3)
    with pytest.raises(RdrError, match=r"not a Hessian's: u\.Hv is .* and v\.Hu is .*wrong second derivative"):
        ask(Hessian(model, x, y, dtype=dtype))


class Noisy(nn.Module):
    """Adds noise in any mode, by a function, as user code does."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(F.dropout(x, 0.5))


def test_a_network_that_is_random_in_any_mode_is_refused_and_its_layer_named():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 6), nn.Sequential(nn.Tanh(), Noisy()), nn.Linear(6, 3))
    x, y = networks.images(11, 3, classes=3)
    for mode in ("eval", "train"):
        with pytest.raises(RdrError, match=r"network is random: .* by '1\.1' \(Noisy\)"):
            Hessian(model, x, y, mode=mode).eigenvalues()


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.layer = kind(3, 4, num_layers=2, dropout=0.5, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.view(len(x), 2, 3))[0][:, -1]


class Attentive(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.MultiheadAttention(6, 2, dropout=0.5, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        x = x.view(len(x), 1, 6).expand(-1, 3, -1) * torch.arange(1, 4)[:, None]
        return self.layer(x, x, x)[0].mean(1)


class InTraining(nn.Module):
    """What user code writes: dropout by the module's own mode."""

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, 0.5, training=self.training)


class AsImage(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.view(len(x), 6, 1, 1).expand(-1, -1, 4, 4)).mean((2, 3))


#: Every layer of torch and torchvision that draws random numbers in training.
RANDOM = {
    "Dropout": lambda: nn.Dropout(0.5),
    "Dropout1d": lambda: nn.Sequential(nn.Unflatten(1, (6, 1)), nn.Dropout1d(0.5), nn.Flatten()),
    "Dropout2d": lambda: AsImage(nn.Dropout2d(0.5)),
    "Dropout3d": lambda: nn.Sequential(nn.Unflatten(1, (6, 1, 1, 1)), nn.Dropout3d(0.5), nn.Flatten()),
    "AlphaDropout": lambda: nn.AlphaDropout(0.5),
    "FeatureAlphaDropout": lambda: nn.FeatureAlphaDropout(0.5),
    "RReLU": lambda: nn.RReLU(),
    "LSTM": lambda: Recurrent(nn.LSTM),
    "GRU": lambda: Recurrent(nn.GRU),
    "RNN": lambda: Recurrent(nn.RNN),
    "attention": Attentive,
    "transformer": lambda: nn.TransformerEncoderLayer(6, 2, 8, dropout=0.5),
    "stochastic depth": lambda: torchvision.ops.StochasticDepth(0.5, "row"),
    "DropBlock2d": lambda: AsImage(torchvision.ops.DropBlock2d(0.5, 3)),
    "DropBlock3d": lambda: nn.Sequential(
        nn.Unflatten(1, (6, 1, 1, 1)), torchvision.ops.DropBlock3d(0.5, 1), nn.Flatten()
    ),
    "functional dropout": InTraining,
}  # fmt: skip


@pytest.mark.parametrize("make", RANDOM.values(), ids=RANDOM.keys())
def test_nothing_is_random_in_mode_train_but_batch_norm_has_its_batchs_statistics(make):
    torch.manual_seed(0)
    layer = make()
    model = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.BatchNorm1d(6), layer, nn.LazyLinear(3))
    model[2].running_var *= 5
    x, y = networks.images(11, 3, classes=3)
    model.eval()(x.float())  # the lazy layer's size
    model.train()
    given = Hessian(model, x, y, mode="train", dtype=torch.float64).eigenvalues(which="both")
    assert np.array_equal(given.values, Hessian(model, x, y, mode="train", dtype=torch.float64).eigenvalues(
        which="both").values)  # fmt: skip
    # The same network with that layer's randomness taken out by hand.
    for module in model.modules():
        module.train(isinstance(module, nn.BatchNorm1d))
    vector = torch.randn(
        sum(p.numel() for p in model.parameters()), generator=torch.Generator().manual_seed(1)
    ).double()
    double = model.double()
    with sdpa_kernel(SDPBackend.MATH):
        loss = F.cross_entropy(double(x), y)
    gradient = torch.autograd.grad(loss, [*double.parameters()], create_graph=True)
    flat = torch.cat([part.reshape(-1) for part in gradient])
    expected = torch.autograd.grad(flat @ vector, [*double.parameters()])
    product = Hessian(double, x, y, mode="train", dtype=torch.float64).hvp(vector)
    torch.testing.assert_close(product, torch.cat([part.reshape(-1) for part in expected]), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("make", [networks.plain, networks.with_batch_norm, networks.saddle])
def test_what_is_right_passes_with_room_to_spare(make, mode, dtype, monkeypatch):
    from rdr_viz.analysis.curvature import trust

    monkeypatch.setattr(trust, "ALLOWED", {kind: allowed / 20 for kind, allowed in trust.ALLOWED.items()})
    model, x, y = make()
    assert np.isfinite(Hessian(model, x, y, mode=mode, dtype=dtype).eigenvalues().largest)


def test_a_hessian_of_zero_passes():
    model = nn.Linear(2, 1)
    hessian = Hessian(model, torch.ones(4, 2), torch.zeros(4), loss=lambda out, y: out[:, 0])
    assert hessian.eigenvalues().largest == 0


@pytest.mark.parametrize(
    "make", [lambda: nn.FractionalMaxPool2d(2, 5), lambda: nn.FractionalMaxPool2d(2, output_ratio=0.6)]
)
def test_a_layer_that_is_random_in_evaluation_too_is_named(make):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Unflatten(1, (1, 12, 12)), nn.Conv2d(1, 2, 1), make(), nn.Flatten(), nn.LazyLinear(3))
    x, y = networks.images(11, 144, classes=3)
    model(x.float())
    with pytest.raises(RdrError, match=r"random: .* by '2' \(FractionalMaxPool2d\)"):
        Hessian(model, x, y).trace()
