"""Muon's steps: orthogonal by a singular value decomposition, torch's own on matrices, SGD's on all else."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

import rdr_core
from rdr_core import RdrError
from rdr_core.methods.muon import MuonSGD


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (8, 3, 3, 3), (1, 5)])
def test_the_first_step_is_the_gradient_with_its_singular_values_near_one(shape):
    """Against U V^T in float64, from which five iterations stay by about a third (Jordan et al. 2024)."""
    weight, gradient = nn.Parameter(torch.zeros(shape)), normal(*shape)
    optimizer = MuonSGD([weight], [], lr=0.5, rate=0.2)
    weight.grad = gradient.clone()
    optimizer.step()
    u, _, v = torch.linalg.svd(gradient.flatten(1).double(), full_matrices=False)
    rows, columns = gradient.flatten(1).shape
    found = -weight.detach().flatten(1).double() / (0.1 * max(1, rows / columns) ** 0.5)
    turned = u.T @ found @ v.T
    assert turned.diagonal().min() > 0.5
    assert turned.diagonal().max() < 1.4
    torch.testing.assert_close(turned, torch.diag(turned.diagonal()), rtol=0, atol=0.06)


def test_steps_on_matrices_are_those_of_torchs_muon():
    ours, theirs = (nn.Parameter(normal(6, 4, seed=1)) for _ in range(2))
    one = MuonSGD([ours], [], lr=0.1, rate=0.2, muon_momentum=0.9, weight_decay=0.5)
    # Decoupled decay is lr * weight_decay at both, at other rates.
    other = torch.optim.Muon([theirs], lr=0.02, momentum=0.9, weight_decay=2.5)
    for seed in range(5):
        ours.grad, theirs.grad = normal(6, 4, seed=seed), normal(6, 4, seed=seed)
        one.step()
        other.step()
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_a_convolution_is_the_matrix_of_its_filters_however_it_lies_in_memory():
    weights = [nn.Parameter(torch.zeros(8, 3, 3, 3).to(memory_format=m)) for m in
               (torch.contiguous_format, torch.channels_last)]  # fmt: skip
    for weight in weights:
        weight.grad = normal(8, 3, 3, 3).to(memory_format=torch.preserve_format)
        MuonSGD([weight], [], lr=0.1).step()
    assert torch.equal(*weights)


def test_all_else_is_trained_by_sgd_bit_for_bit():
    ours, theirs = (nn.Parameter(normal(5, seed=1)) for _ in range(2))
    one = MuonSGD([nn.Parameter(torch.zeros(2, 2))], [ours], lr=0.1, momentum=0.8, weight_decay=0.1)
    other = torch.optim.SGD([theirs], lr=0.1, momentum=0.8, weight_decay=0.1)
    for seed in range(4):
        ours.grad, theirs.grad = normal(5, seed=seed), normal(5, seed=seed)
        one.step()
        other.step()
        assert torch.equal(ours, theirs)


def test_a_gradient_of_zeros_and_none_at_all_move_nothing():
    weight, frozen = nn.Parameter(torch.ones(3, 2)), nn.Parameter(torch.ones(3, 2))
    weight.grad = torch.zeros(3, 2)
    MuonSGD([weight, frozen], [], lr=0.1).step()
    assert weight.tolist() == frozen.tolist() == [[1, 1]] * 3


def test_a_pytorch_without_it_is_told(monkeypatch, tmp_path):
    monkeypatch.delattr(torch.optim, "Muon")
    with pytest.raises(RdrError, match=r"muon needs PyTorch 2\.9 or newer"):
        rdr_core.train("digits", imbalance_factor=50, method="muon", epochs=1, runs=tmp_path, progress=False)


def test_its_state_goes_on_from_where_it_was():
    weight = nn.Parameter(normal(4, 3))
    optimizer = MuonSGD([weight], [], lr=0.1)
    for seed in range(3):
        if seed == 2:
            other = nn.Parameter(weight.detach().clone())
            again = MuonSGD([other], [], lr=0.1)
            again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
            other.grad = normal(4, 3, seed=seed)
            again.step()
        weight.grad = normal(4, 3, seed=seed)
        optimizer.step()
    assert torch.equal(weight, other)
