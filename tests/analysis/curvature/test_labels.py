"""Labels are whatever the loss takes; what it ignores does not count; what can't be had is a sentence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rdr_core.errors import RdrError
from rdr_viz.analysis.curvature import Hessian


def dense(model: nn.Module, mean_loss) -> np.ndarray:
    parameters = [*model.parameters()]
    flat = torch.cat([g.reshape(-1) for g in torch.autograd.grad(mean_loss(), parameters, create_graph=True)])
    rows = [
        torch.cat([g.reshape(-1) for g in torch.autograd.grad(entry, parameters, retain_graph=True)]) for entry in flat
    ]
    return torch.stack(rows).numpy()


@pytest.fixture
def linear() -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    return nn.Linear(5, 3).double(), torch.randn(8, 5, dtype=torch.float64)


def largest(model: nn.Module, x: Tensor, y: Tensor, **how) -> float:
    return Hessian(model, x, y, dtype=torch.float64, **how).eigenvalues(tolerance=1e-8).largest


@pytest.mark.parametrize("batch_size", [500, 3, 1])
def test_ignored_labels_do_not_count(linear, batch_size):
    """The mean is torch's own, over the labelled images, also where a batch has none of them."""
    model, x = linear
    y = torch.tensor([0, 1, 2, -100, -100, -100, -100, -100])
    expected = np.linalg.eigvalsh(dense(model, lambda: F.cross_entropy(model(x), y)))[-1]
    assert largest(model, x, y, batch_size=batch_size) == pytest.approx(expected, rel=1e-9)
    with pytest.raises(RdrError, match="None of the 8 labels counts"):
        Hessian(model, x, torch.full((8,), -100))
    with pytest.raises(RdrError, match="PyHessian counts ignored labels"):
        Hessian(model, x, y, backend="pyhessian")


def test_the_number_that_was_wrong():
    """shared: lambda_max 0.653 was given; torch's own mean over the three labelled images has 1.743."""
    torch.manual_seed(0)
    model = nn.Linear(5, 3)
    x = torch.randn(8, 5)
    found = Hessian(model, x, torch.tensor([0, 1, 2, -100, -100, -100, -100, -100])).eigenvalues().largest
    assert found == pytest.approx(1.743, abs=5e-4)


@pytest.mark.parametrize("kind", [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8])
def test_every_integer_type_is_a_class(linear, kind):
    model, x = linear
    y = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    assert largest(model, x, y.to(kind)) == largest(model, x, y)


def test_numpy_arrays_are_taken(linear):
    model, x = linear
    y = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    found = Hessian(model, x.numpy(), y.numpy().astype(np.int32), dtype=torch.float64, batch_size=np.int64(3))
    assert found.eigenvalues(tolerance=1e-8).largest == pytest.approx(largest(model, x, y), rel=1e-12)


def test_probabilities_and_targets_of_a_regression(linear):
    model, x = linear
    draw = torch.Generator().manual_seed(1)
    shares = torch.rand(8, 3, generator=draw, dtype=torch.float64).softmax(1)
    expected = np.linalg.eigvalsh(dense(model, lambda: F.cross_entropy(model(x), shares)))[-1]
    assert largest(model, x, shares) == pytest.approx(expected, rel=1e-9)
    targets = torch.randn(8, 3, generator=draw, dtype=torch.float64)
    expected = np.linalg.eigvalsh(dense(model, lambda: ((model(x) - targets) ** 2).sum(1).mean()))[-1]
    found = largest(model, x, targets, loss=lambda outputs, wanted: ((outputs - wanted) ** 2).sum(1))
    assert found == pytest.approx(expected, rel=1e-9)


class InADict(nn.Linear):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"logits": super().forward(x)}


def test_what_the_loss_cannot_take_is_a_sentence(linear):
    model, x = linear
    y = torch.zeros(8, dtype=torch.int64)
    with pytest.raises(RdrError, match=r"outputs \(of type dict\).*Give loss="):
        Hessian(InADict(5, 3), x, y).eigenvalues()
    taken = Hessian(
        InADict(5, 3), x, y, loss=lambda out, labels: F.cross_entropy(out["logits"], labels, reduction="none")
    )
    assert taken.eigenvalues().largest > 0
    with pytest.raises(RdrError, match="labels are float64 of shape"):
        Hessian(model, x, torch.zeros(8, dtype=torch.float64))
    with pytest.raises(RdrError, match=r"Target 3 is out of bounds"):
        Hessian(model, x, torch.full((8,), 3)).eigenvalues()


def test_a_last_batch_of_one_image_is_told_before_work_begins():
    model = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Linear(4, 3))
    x, y = torch.randn(9, 5), torch.zeros(9, dtype=torch.int64)
    with pytest.raises(RdrError, match=r"last batch of 9 images has only one.*another batch_size than 4"):
        Hessian(model, x, y, mode="train", batch_size=4)
    assert np.isfinite(Hessian(model, x, y, mode="train", batch_size=5).eigenvalues().largest)
    assert np.isfinite(Hessian(model, x, y, batch_size=4).eigenvalues().largest)
