"""SAM against its formula in float64, what it must leave alone, and RDR's Algorithm 2."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from sharpness import COUNTS, batches, losses, network, objective, reference_sgd, train

import rdr_core
from rdr_core import RdrError
from rdr_core.methods.contract import PlainStep
from rdr_core.methods.rdr import RDRWeights
from rdr_core.methods.sam import SAM, perturbation, perturbed
from rdr_core.methods.weighting import ClassWeights, Unweighted
from rdr_core.training.objective import WeightedObjective


def reference_gradient(rho, weights_of):
    """Of SAM as Foret et al. write it, on a float64 network that is never moved."""

    def gradient(model, images, labels):
        parameters = list(model.parameters())
        features, logits = model.features_and_logits(images)
        weights = weights_of(features.detach(), labels)
        first = torch.autograd.grad((weights * losses(logits, labels)).mean(), parameters)
        length = sum((g**2).sum() for g in first).sqrt()
        there = copy.deepcopy(model)
        with torch.no_grad():
            for parameter, g in zip(there.parameters(), first, strict=True):
                parameter += rho * g / length
        return torch.autograd.grad((weights * losses(there(images), labels)).mean(), list(there.parameters()))

    return gradient


def alike(features, labels):
    return torch.ones(len(labels), dtype=torch.float64)


def by_class(features, labels):
    weights = 1 / COUNTS.double()[labels]
    return weights / weights.mean()


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize(("momentum", "weight_decay"), [(0.0, 0.0), (0.9, 0.0), (0.9, 0.05)])
@pytest.mark.parametrize(("weighting", "weights_of"), [(Unweighted(), alike), (ClassWeights(1 / COUNTS), by_class)])
def test_steps_are_those_of_the_formula(batch_norm, momentum, weight_decay, weighting, weights_of):
    model = network(batch_norm)
    expected = reference_sgd(model, reference_gradient(0.3, weights_of), momentum, weight_decay)
    sgd = torch.optim.SGD(model.parameters(), lr=0.1, momentum=momentum, weight_decay=weight_decay)
    train(SAM(sgd, rho=0.3), WeightedObjective(model, losses, weighting))
    for (name, value), other in zip(model.state_dict().items(), expected.state_dict().values(), strict=True):
        torch.testing.assert_close(value.to(other.dtype), other, rtol=2e-5, atol=2e-6, msg=name)


def test_rdr_with_sam_is_algorithm_2_of_its_paper():
    """Weights of the first pass in both, prototypes by the first pass's features, after the weights."""
    options = {"momentum": 0.7, "ridge": 1e-8}
    model, prototypes = network(), {}

    def weights_of(features, labels):
        r = torch.empty(len(labels), dtype=torch.float64)
        for c in labels.unique().tolist():
            rows = labels == c
            phi, b = features[rows].T, int(rows.sum())
            mean = phi.mean(1)
            known = prototypes.get(c, mean)
            r[rows] = 1 + b * torch.linalg.pinv(phi) @ (known - mean)
            prototypes[c] = options["momentum"] * known + (1 - options["momentum"]) * mean
        raw = r.clamp_min(0) / (COUNTS / COUNTS.sum()).double()[labels]
        return raw / raw.mean()

    expected = reference_sgd(model, reference_gradient(0.3, weights_of), 0.9, 0.0)
    rdr = RDRWeights(COUNTS, 6, **options)
    outcomes = train(SAM(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), rho=0.3), objective(model, rdr))
    assert not torch.allclose(outcomes[-1].weights, by_class(None, batches()[-1][1]).float(), rtol=0.01)
    for c, prototype in prototypes.items():
        torch.testing.assert_close(rdr.prototypes[c].double(), prototype, rtol=1e-4, atol=1e-5)
    for value, other in zip(model.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(value.double(), other, rtol=1e-3, atol=1e-4)


def test_a_weighting_learns_from_the_first_pass_alone():
    calls = []

    class Watched(Unweighted):
        def weigh(self, features, labels):
            calls.append(features)
            return super().weigh(features, labels)

    model = network()
    train(SAM(torch.optim.SGD(model.parameters(), lr=0.1)), objective(model, Watched()))
    assert len(calls) == len(batches())


def test_batch_norm_statistics_are_those_of_a_plain_step():
    plain, sharp = network(), network()
    images, labels = batches()[0]
    PlainStep(torch.optim.SGD(plain.parameters(), lr=0.1))(objective(plain), images, labels)
    SAM(torch.optim.SGD(sharp.parameters(), lr=0.1), rho=0.5)(objective(sharp), images, labels)
    for (name, one), other in zip(plain.named_buffers(), sharp.buffers(), strict=True):
        assert torch.equal(one, other), name
    assert int(sharp.body[2].num_batches_tracked) == 1
    assert sharp.body[2].track_running_stats, "as it was"
    assert not torch.equal(plain.classifier.weight, sharp.classifier.weight)


def test_weights_come_back_bit_for_bit_even_from_far_away():
    model = network()
    parameters = [p for p in model.parameters() if p.dim() == 2]
    before = [p.detach().clone() for p in parameters]
    moves = [1e8 * torch.randn_like(p) for p in parameters]
    with perturbed(model, parameters, moves):
        assert not any(torch.equal(p, b) for p, b in zip(parameters, before, strict=True))
    assert all(torch.equal(p, b) for p, b in zip(parameters, before, strict=True))
    lost = [(p + m) - m for p, m in zip(before, moves, strict=True)]
    assert not any(torch.equal(p, b) for p, b in zip(lost, before, strict=True)), "subtracting would have lost them"


def test_weights_and_statistics_come_back_after_an_error():
    model = network()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(KeyboardInterrupt), perturbed(model, [model.classifier.bias], [torch.ones(3)]):
        raise KeyboardInterrupt
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.body[2].track_running_stats


@given(st.integers(0, 2**31), st.floats(1e-3, 10), st.floats(1e-6, 1e6))
def test_the_perturbation_has_length_rho_and_the_gradients_direction(seed, rho, scale):
    draw = torch.Generator().manual_seed(seed)
    gradients = [scale * torch.randn(shape, generator=draw, dtype=torch.float64) for shape in [(3, 2), (5,), ()]]
    moves = perturbation(gradients, rho)
    g, e = (torch.cat([t.reshape(-1) for t in tensors]) for tensors in (gradients, moves))
    assert e.norm().item() == pytest.approx(rho)
    assert (F.normalize(g, dim=0) @ F.normalize(e, dim=0)).item() == pytest.approx(1)


def test_where_the_gradient_is_zero_nothing_moves():
    model = network()
    before = [p.detach().clone() for p in model.parameters()]
    flat = WeightedObjective(model, lambda logits, labels: (logits * 0).sum(1), Unweighted())
    train(SAM(torch.optim.SGD(model.parameters(), lr=0.1), rho=0.5), flat)
    assert all(torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True))


def test_a_frozen_body_stays():
    model = network().requires_grad_(False)
    model.classifier.requires_grad_(True)
    before = copy.deepcopy(model.body.state_dict())
    head = model.classifier.weight.detach().clone()
    model.body.eval()
    train(SAM(torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)), objective(model))
    assert all(torch.equal(value, before[name]) for name, value in model.body.state_dict().items())
    assert not torch.equal(head, model.classifier.weight)


def test_bf16_is_near_fp32():
    one, other = network(), network()
    train(SAM(torch.optim.SGD(one.parameters(), lr=0.1), rho=0.3), objective(one))
    train(
        SAM(torch.optim.SGD(other.parameters(), lr=0.1), rho=0.3),
        WeightedObjective(other, losses, Unweighted(), "bf16"),
    )
    start = network()
    for a, b, s in zip(one.parameters(), other.parameters(), start.parameters(), strict=True):
        assert b.dtype == torch.float32
        assert b.isfinite().all()
        assert (a - b).norm() <= 0.1 * (a - s).norm() + 1e-3


def test_radius_zero_is_sgd_bit_for_bit(tmp_path):
    def weights(method):
        request = {"imbalance_factor": 20, "epochs": 2, "device": "cpu", "runs": tmp_path, "progress": False}
        return rdr_core.train("digits", method=method, **request).model().state_dict()

    sam, plain = weights("rdr+la+sam:rho=0"), weights("rdr+la")
    assert all(torch.equal(sam[name], plain[name]) for name in plain)
    assert not torch.equal(weights("rdr+la+sam")["classifier.weight"], plain["classifier.weight"])


@pytest.mark.parametrize("method", ["sam:rho=-0.1", "imbsam:rho=-1", "ccsam:rho=-1"])
def test_a_negative_radius_is_refused(method):
    with pytest.raises(RdrError, match=r"rho is '-.*'; it must be 0 or larger \(default 0.05\)"):
        rdr_core.train("digits", method=method, progress=False)
