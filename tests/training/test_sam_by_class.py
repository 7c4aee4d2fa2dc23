"""ImbSAM and CC-SAM against their formulas in float64, class by class, and at the edges of a batch."""

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
from rdr_core.methods.ccsam import CCSAM, class_radii, logit_shift
from rdr_core.methods.contract import PlainStep
from rdr_core.methods.focalsam import FocalSAM, sharpness_weights
from rdr_core.methods.imbsam import ImbSAM
from rdr_core.methods.sam import SAM
from rdr_core.methods.weighting import ClassWeights, Unweighted
from rdr_core.runs import RunConfig
from rdr_core.training.objective import WeightedObjective
from rdr_core.training.state import TrainingState

TAIL = torch.tensor([False, True, True])
RADII = class_radii(COUNTS, 0.3)


def weights_of(labels, weighted):
    weights = 1 / COUNTS.double()[labels] if weighted else torch.ones(len(labels), dtype=torch.float64)
    return weights / weights.mean()


def imbsam_gradient(weighted):
    def gradient(model, images, labels):
        parameters, weights, tail = list(model.parameters()), weights_of(labels, weighted), TAIL[labels]
        weighed = weights * losses(model(images), labels)
        head = torch.autograd.grad(weighed[~tail].sum() / len(labels), parameters, retain_graph=True)
        first = torch.autograd.grad(weighed[tail].sum() / len(labels), parameters)
        length = sum((g**2).sum() for g in first).sqrt()
        there = copy.deepcopy(model)
        with torch.no_grad():
            for parameter, g in zip(there.parameters(), first, strict=True):
                parameter += 0.3 * g / length
        second = (weights * losses(there(images), labels))[tail].sum() / len(labels)
        return [h + t for h, t in zip(head, torch.autograd.grad(second, list(there.parameters())), strict=True)]

    return gradient


def focalsam_gradient(weighted):
    """A loop over classes; the class's sharpness is the difference of its loss there and here."""

    def gradient(model, images, labels):
        parameters, weights = list(model.parameters()), weights_of(labels, weighted)
        shares = [0.8 * (1 - float(count) / 100) ** 2 for count in COUNTS]

        def by_class(model):
            weighed = weights * losses(model(images), labels)
            return [weighed[labels == c].sum() / len(labels) for c in range(3)]

        here = by_class(model)
        first = torch.autograd.grad(
            sum(s * loss for s, loss in zip(shares, here, strict=True)), parameters, retain_graph=True
        )
        length = sum((g**2).sum() for g in first).sqrt()
        there = copy.deepcopy(model)
        with torch.no_grad():
            for parameter, g in zip(there.parameters(), first, strict=True):
                parameter += 0.3 * g / length
        plain = torch.autograd.grad(sum(here), parameters)
        risen = torch.autograd.grad(
            sum(s * loss for s, loss in zip(shares, by_class(there), strict=True)), list(there.parameters())
        )
        return [p + r - f for p, r, f in zip(plain, risen, first, strict=True)]

    return gradient


def ccsam_gradient(weighted, share):
    """A loop over classes, each with a classifier of its own."""

    def gradient(model, images, labels):
        weights = weights_of(labels, weighted)
        features, logits = model.features_and_logits(images)
        weighed = weights * losses(logits, labels)
        total = (1 - share) * weighed.mean()
        for c in labels.unique():
            rows = labels == c
            weight, bias = model.classifier.weight, model.classifier.bias
            g, g_bias = torch.autograd.grad(weighed[rows].mean(), [weight, bias], retain_graph=True)
            length = ((g**2).sum() + (g_bias**2).sum()).sqrt()
            radius = 0.3 * (COUNTS[c] - 1.0) ** -0.25 / ((COUNTS - 1.0) ** -0.25).mean()
            moved = F.linear(features[rows], weight + radius * g / length, bias + radius * g_bias / length)
            total = total + share * (weights[rows] * losses(moved, labels[rows])).sum() / len(labels)
        return torch.autograd.grad(total, list(model.parameters()))

    return gradient


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize(("momentum", "weight_decay"), [(0.0, 0.0), (0.9, 0.05)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("make", "reference"),
    [
        (lambda sgd: ImbSAM(sgd, TAIL, rho=0.3), imbsam_gradient),
        (lambda sgd: FocalSAM(sgd, sharpness_weights(COUNTS, 2.0, 0.8), rho=0.3), focalsam_gradient),
        (lambda sgd: CCSAM(sgd, RADII, share=0.3), lambda weighted: ccsam_gradient(weighted, 0.3)),
        (lambda sgd: CCSAM(sgd, RADII, share=1), lambda weighted: ccsam_gradient(weighted, 1)),
    ],
    ids=["imbsam", "focalsam", "ccsam", "ccsam:share=1"],
)
def test_steps_are_those_of_the_formula(make, reference, batch_norm, momentum, weight_decay, weighted):
    model = network(batch_norm)
    expected = reference_sgd(model, reference(weighted), momentum, weight_decay)
    plain = copy.deepcopy(model)
    weighting = ClassWeights(1 / COUNTS) if weighted else Unweighted()
    train(make(sgd(model, momentum=momentum, weight_decay=weight_decay)), objective(model, weighting))
    for (name, value), other in zip(model.state_dict().items(), expected.state_dict().values(), strict=True):
        torch.testing.assert_close(value.to(other.dtype), other, rtol=2e-5, atol=2e-6, msg=name)
    train(PlainStep(sgd(plain, momentum=momentum, weight_decay=weight_decay)), objective(plain, weighting))
    assert not torch.allclose(plain.classifier.weight, model.classifier.weight, rtol=1e-3, atol=1e-4)


def sgd(model, **options):
    return torch.optim.SGD(model.parameters(), lr=0.1, **options)


def after_a_step(make, labels, images=None):
    model = network()
    images = batches()[0][0][: len(labels)] if images is None else images
    make(sgd(model))(objective(model), images, torch.tensor(labels))
    return model.state_dict()


def assert_same_bits(one, other):
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_focal_sam_is_sam_where_all_classes_count_whole_and_imbsam_where_the_tail_does():
    labels = [0, 0, 0, 1, 1, 2]
    for shares, same in (
        (torch.ones(3), lambda s: SAM(s, rho=0.3)),
        (TAIL.float(), lambda s: ImbSAM(s, TAIL, rho=0.3)),
    ):
        found = after_a_step(lambda s, shares=shares: FocalSAM(s, shares, rho=0.3), labels)
        for name, value in after_a_step(same, labels).items():
            torch.testing.assert_close(found[name], value, msg=name)


def test_imbsam_leaves_head_classes_alone():
    """With head classes alone in the batch no radius changes a bit; with tail classes alone it is SAM."""
    head, tail = [0] * 8, [1, 2, 2, 1, 1, 2]
    assert_same_bits(after_a_step(lambda s: ImbSAM(s, TAIL, rho=5.0), head), after_a_step(PlainStep, head))
    assert_same_bits(
        after_a_step(lambda s: ImbSAM(s, TAIL, rho=0.3), tail), after_a_step(lambda s: SAM(s, rho=0.3), tail)
    )


@pytest.mark.parametrize(
    "make", [lambda s: ImbSAM(s, TAIL, rho=0.3), lambda s: CCSAM(s, RADII)], ids=["imbsam", "ccsam"]
)
def test_batch_norm_statistics_are_those_of_a_plain_step(make):
    labels = batches()[0][1].tolist()
    one, other = after_a_step(make, labels), after_a_step(PlainStep, labels)
    for name in (name for name in one if "running" in name or "num_batches" in name):
        assert torch.equal(one[name], other[name]), name


@pytest.mark.parametrize(
    "make",
    [lambda s: ImbSAM(s, TAIL, rho=0), lambda s: CCSAM(s, 0 * RADII), lambda s: CCSAM(s, RADII, share=0)],
    ids=["imbsam", "ccsam", "share"],
)
def test_without_a_radius_or_a_share_the_step_is_plain_but_for_rounding(make):
    labels = batches()[0][1].tolist()
    one, other = after_a_step(make, labels), after_a_step(PlainStep, labels)
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("labels", [[0, 0, 0], [2, 2], [0, 0, 0, 2], [1, 2]], ids=str)
@pytest.mark.parametrize(
    "make", [lambda s: ImbSAM(s, TAIL, rho=0.3), lambda s: CCSAM(s, RADII)], ids=["imbsam", "ccsam"]
)
def test_absent_classes_do_no_harm(make, labels):
    assert all(value.isfinite().all() for value in after_a_step(make, labels).values())


def test_a_zero_gradient_moves_nothing():
    features, labels = torch.rand(4, 6), torch.tensor([0, 0, 1, 2])
    assert logit_shift(features, labels, (features, torch.zeros(4, 3), labels), RADII).eq(0).all()
    errors = torch.randn(4, 3)
    errors[2] = 0
    shift = logit_shift(features, labels, (features, errors, labels), RADII)
    assert shift.isfinite().all()
    assert shift[2].eq(0).all()
    assert shift[[0, 1, 3]].ne(0).all()


@given(st.integers(0, 2**31), st.integers(1, 12), st.integers(1, 5), st.booleans(), st.floats(1e-8, 1e4))
def test_the_shift_is_that_of_a_classifier_moved_class_by_class(seed, size, z, bias, scale):
    draw = torch.Generator().manual_seed(seed)
    features = torch.randn(size, z, generator=draw, dtype=torch.float64).requires_grad_()
    errors = scale * torch.randn(size, 3, generator=draw, dtype=torch.float64)
    labels = torch.randint(3, (size,), generator=draw)
    seen = torch.cat([features, torch.ones(size, int(bias))], 1)
    expected = torch.zeros(size, 3, dtype=torch.float64)
    for c in labels.unique():
        rows = labels == c
        move = errors[rows].T @ seen[rows].detach()
        expected[rows] = seen[rows] @ (RADII[c] * move / move.norm()).T
    shift = logit_shift(features, labels, (features, errors, labels), RADII, bias=bias)
    torch.testing.assert_close(shift, expected, rtol=1e-6, atol=1e-8)
    downstream = torch.randn(size, 3, generator=draw, dtype=torch.float64)
    (one,) = torch.autograd.grad(shift, features, downstream)
    (other,) = torch.autograd.grad(expected, features, downstream)
    torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-8)


def test_rare_classes_are_perturbed_further():
    """The same two samples as class 0 and as class 2: the shifts differ by the radii alone."""
    features, errors = torch.randn(2, 6).repeat(2, 1), torch.randn(2, 3).repeat(2, 1)
    labels = torch.tensor([0, 0, 2, 2])
    shift = logit_shift(features, labels, (features, errors, labels), RADII)
    torch.testing.assert_close(shift[2:], shift[:2] * (59 / 9) ** 0.25)


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=20), st.floats(0, 10))
def test_radii_have_mean_rho_and_grow_as_classes_shrink(counts, rho):
    radii = class_radii(torch.tensor(counts), rho)
    assert radii.isfinite().all()
    assert radii.mean().item() == pytest.approx(rho, rel=1e-5)
    by_count = radii[torch.tensor(counts).argsort(stable=True)]
    assert (by_count.diff() <= 0).all()


def test_ccsam_runs_the_network_once():
    model, calls = network(), []
    model.body.register_forward_hook(lambda *_: calls.append("forward"))
    model.body.register_full_backward_hook(lambda *_: calls.append("backward"))
    images, labels = batches()[0]
    CCSAM(sgd(model), RADII)(objective(model), images.requires_grad_(), labels)
    assert calls == ["forward", "backward"]


def test_bf16_is_near_fp32():
    for make in (lambda s: ImbSAM(s, TAIL, rho=0.3), lambda s: CCSAM(s, RADII)):
        one, other, start = network(), network(), network()
        train(make(sgd(one)), objective(one))
        train(make(sgd(other)), WeightedObjective(other, losses, Unweighted(), "bf16"))
        for a, b, s in zip(one.parameters(), other.parameters(), start.parameters(), strict=True):
            assert b.dtype == torch.float32
            assert (a - b).norm() <= 0.1 * (a - s).norm() + 1e-3


WAITING = {"aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select", "aten::equal", "aten::is_nonzero"}


@pytest.mark.parametrize(
    "make",
    [lambda s: SAM(s, rho=0.3), lambda s: ImbSAM(s, TAIL), lambda s: CCSAM(s, RADII)],
    ids=["sam", "imbsam", "ccsam"],
)
def test_no_step_reads_a_value_on_the_host(make):
    """What would wait for a GPU shows on a CPU too: these operations make a number or a shape out of values."""
    used = set()

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            used.add(function.name().split(".")[0])
            return function(*args, **(kwargs or {}))

    model = network()
    step = make(sgd(model, momentum=0.9))
    with Watch():
        train(step, objective(model))
        assert not used & WAITING
        float(torch.ones(1))
    assert used & WAITING, "the watch sees them"


def state(method, **request):
    data = rdr_core.load_data("digits", **request)
    config = RunConfig(dataset="digits", imbalance_factor=20, method=method, epochs=2, model="small", batch_size=64,
                       learning_rate=0.1)  # fmt: skip
    return TrainingState(config, data, torch.device("cpu")), data.groups


def test_imbsams_tail_are_the_groups_of_the_data():
    made, groups = state("imbsam", imbalance_factor=20)
    assert made.step.tail.nonzero().flatten().tolist() == sorted([*groups.medium, *groups.few])
    made, groups = state("imbsam:tail=few", imbalance_factor=20)
    assert made.step.tail.nonzero().flatten().tolist() == groups.few.tolist()
    with pytest.raises(RdrError, match="imbsam:tail=few perturbs for Few classes, but this data has none; choose"):
        state("imbsam:tail=few", imbalance_factor=2, groups="count")
    with pytest.raises(RdrError, match="imbsam:tail is 'many'; it must be one of medium, few"):
        state("imbsam:tail=many", imbalance_factor=20)


def test_ccsam_refuses_a_classifier_that_is_not_linear(tmp_path):
    with pytest.raises(RdrError, match="ccsam moves a linear classifier, but this network's is a CosineClassifier"):
        rdr_core.train("digits", imbalance_factor=20, epochs=2, method="ldam+ccsam", runs=tmp_path, progress=False)
