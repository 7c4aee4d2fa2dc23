"""The playground computes what the toolkit computes: both on the same numbers, in float64, to 1e-5."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from headless import open_file
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from rdr_core.measures.bound import b_prime
from rdr_core.methods.losses import cross_entropy, focal, logit_adjusted
from rdr_core.methods.ratio import density_ratio
from rdr_core.methods.rdr import RDRWeights
from rdr_core.methods.weighting import ClassWeights, mean_one
from rdr_core.methods.weights import effective_number, inverse_frequency
from rdr_viz.explorer.playground import write_playground

seeds = st.integers(0, 10_000)


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    opened, said, _ = open_file(browser, write_playground(tmp_path_factory.mktemp("play") / "page.html"), 1280, "light")
    yield opened
    opened.close()
    assert said == []


def computed(page, body: str, **inputs) -> SimpleNamespace:
    """What the page's functions give, as arrays by name; tensors among the inputs arrive as `Float64Array`."""
    flat = {k: {"tensor": v.flatten().tolist()} if isinstance(v, Tensor) else v for k, v in inputs.items()}
    found = page.evaluate(
        f"""inputs => {{
            const given = Object.fromEntries(Object.entries(inputs).map(([name, value]) =>
                [name, value?.tensor ? Float64Array.from(value.tensor) : value]));
            const found = (({{{", ".join(inputs)}}}, p) => {{ {body} }})(given, rdrPlayground);
            return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, Array.from(value)]));
        }}""",
        flat,
    )
    return SimpleNamespace(**{name: np.array(value, dtype=np.float64) for name, value in found.items()})


def alike(found: np.ndarray, expected: Tensor, unit: float = 1.0) -> None:
    """To 1e-5, relative; of values below `unit`, to 1e-5 of that."""
    np.testing.assert_allclose(found, expected.detach().double().numpy().ravel(), rtol=1e-5, atol=1e-5 * unit)


def drawn(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("name", "ours", "options"),
    [
        ("crossEntropy", cross_entropy, {}),
        *[("focal", focal, {"gamma": gamma}) for gamma in (0, 0.5, 2, 5)],
        *[("logitAdjusted", logit_adjusted, {"tau": tau}) for tau in (0, 0.3, 1, 2)],
    ],
)
@settings(max_examples=15)
@given(seed=seeds, d=st.integers(2, 5), scale=st.sampled_from([0.1, 1.0, 5.0, 20.0]))
def test_losses_and_their_gradients(page, name, ours, options, seed, d, scale):
    draw = drawn(seed)
    logits = (scale * torch.randn(17, d, generator=draw, dtype=torch.float64)).requires_grad_()
    labels = torch.randint(d, (17,), generator=draw)
    counts = torch.randint(1, 2000, (d,), generator=draw)
    losses = ours(logits, labels, counts, **options)
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    found = computed(page, "return p[name](logits, labels, {counts, ...options});", name=name, options=options,
                     logits=logits.detach(), labels=labels.tolist(), counts=counts.tolist())  # fmt: skip
    alike(found.losses, losses, 1e-6)
    alike(found.gradient, gradient, 1e-6)


@pytest.mark.parametrize(
    ("name", "ours", "options"),
    [
        *[("inverseFrequency", inverse_frequency, {"gamma": gamma}) for gamma in (0, 0.5, 1, 1.5)],
        *[("effectiveNumber", effective_number, {"beta": beta}) for beta in (0, 0.9, 0.9999)],
    ],
)
@settings(max_examples=15)
@given(seed=seeds, d=st.integers(2, 10))
def test_class_weights_and_their_scale_in_a_batch(page, name, ours, options, seed, d):
    draw = drawn(seed)
    counts = torch.randint(1, 5000, (d,), generator=draw)
    labels = torch.randint(d, (20,), generator=draw)
    found = computed(
        page,
        """const weights = p[name](counts, options);
        return {weights, batch: p.meanOne(Float64Array.from(labels, label => weights[label]))};""",
        name=name, options=options, counts=counts.tolist(), labels=labels.tolist(),
    )  # fmt: skip
    weights = ours(counts, **options)
    alike(found.weights, weights)
    alike(found.batch, ClassWeights(weights)(torch.zeros(20, 1), labels))


def features(draw: torch.Generator, labels: Tensor, z: int, kind: str) -> Tensor:
    """Features as they come: around class means, rectified (many zeros), all alike in a class, or all zero."""
    means = torch.randn(10, z, generator=draw, dtype=torch.float64)[labels]
    if kind == "alike":
        return means
    if kind == "zero":
        return torch.zeros_like(means)
    x = means + torch.randn(len(labels), z, generator=draw, dtype=torch.float64)
    return x.clamp_min(0) if kind == "rectified" else x


KINDS = st.sampled_from(["normal", "rectified", "alike", "zero"])


@given(seed=seeds, kind=KINDS, z=st.sampled_from([2, 5, 24]), ridge=st.sampled_from([3e-3, 0.1]))
def test_density_ratios(page, seed, kind, z, ridge):
    """One class has more samples than features, one has a single sample, and one is not in the batch."""
    draw = drawn(seed)
    labels = torch.tensor([0] * 30 + [1] * 4 + [3])[torch.randperm(35, generator=draw)]
    x = features(draw, labels, z, kind)
    prototypes = torch.randn(5, z, generator=draw, dtype=torch.float64)
    found = computed(page, "return {r: p.densityRatio(x, labels, prototypes, {ridge})};",
                     x=x, labels=labels.tolist(), prototypes=prototypes, ridge=ridge)  # fmt: skip
    alike(found.r, density_ratio(x, labels, prototypes, ridge=ridge))


@given(
    seed=seeds,
    kind=KINDS,
    gamma=st.sampled_from([0.5, 1.0, 1.5]),
    momentum=st.sampled_from([0.0, 0.5, 0.9]),
    warmup=st.sampled_from([0, 2]),
    floor=st.sampled_from([0.0, 0.1]),
)
def test_rdr_from_batch_to_batch(page, seed, kind, gamma, momentum, warmup, floor):
    """Weights, ratios and prototypes over seven batches, in which classes come and go."""
    draw, z, counts = drawn(seed), 6, torch.tensor([500, 90, 20, 4])
    ours = RDRWeights(counts, z, gamma=gamma, momentum=momentum, warmup_steps=warmup, floor=floor, dtype=torch.float64)
    batches, expected = [], []
    for _ in range(7):
        labels = torch.multinomial(counts.double(), 24, replacement=True, generator=draw)
        x = features(draw, labels, z, kind)
        weighed = ours.weigh(x, labels)
        batches.append([x.flatten().tolist(), labels.tolist()])
        expected.append((weighed.weights, weighed.ratios, ours.prototypes.clone()))
    found = computed(
        page,
        """const rdr = new p.RDRWeights(counts, z, options), weights = [], ratios = [], prototypes = [];
        for (const [x, labels] of batches) {
            const weighed = rdr.weigh(Float64Array.from(x), Int32Array.from(labels));
            weights.push(...weighed.weights); ratios.push(...weighed.ratios); prototypes.push(...rdr.prototypes);
        }
        return {weights, ratios, prototypes};""",
        batches=batches, counts=counts.tolist(), z=z,
        options={"gamma": gamma, "momentum": momentum, "warmup": warmup, "floor": floor},
    )  # fmt: skip
    for name, parts in zip(("weights", "ratios", "prototypes"), zip(*expected, strict=True), strict=True):
        alike(getattr(found, name), torch.stack(parts))


@given(seed=seeds)
def test_b_prime_in_the_reading_logit(page, seed):
    draw, counts = drawn(seed), torch.tensor([50, 20, 5, 1])
    labels = torch.randint(3, (40,), generator=draw)  # class 3 is never visited
    logits, probabilities = torch.randn(2, 40, generator=draw, dtype=torch.float64)
    probabilities = probabilities.sigmoid()
    found = computed(
        page, "return {b: p.bPrime(logits, probabilities, labels, counts)};", logits=logits,
        probabilities=probabilities, labels=labels.tolist(), counts=counts.tolist(),
    )  # fmt: skip
    alike(found.b, b_prime(logits, probabilities, labels, counts / counts.sum()))


STEPS = 60


@pytest.mark.parametrize("method", ["ce", "focal", "cb", "la", "inverse", "inverse:gamma=0.5", "rdr", "rdr:gamma=0.5"])
def test_training_is_torchs_with_the_toolkits_losses_and_weights(page, method):
    """From the page's start and on its batches, past RDR's warm-up: the same network, points' weights, and epochs."""
    page_says = page.evaluate(
        """([method, steps]) => {
            const p = rdrPlayground, state = p.readState('world=moons&classes=4&points=200&factor=40&noise=0.7');
            const data = p.makeData(state), pair = new p.Pair(data, {...state, left: p.parseMethod(method)});
            const flat = values => values.map(value => Array.from(value)), rows = [];
            const begun = flat(pair.left.parameters);
            for (let i = 0; i < steps; i++) { rows.push(Array.from(pair.next.rows)); pair.step(); }
            return {x: Array.from(data.x), y: Array.from(data.y), counts: data.counts, rate: state.rate, rows, begun,
                ended: flat(pair.left.parameters), shown: Array.from(pair.left.shown), epochs: pair.left.epochs};
        }""",
        [method, STEPS],
    )
    x = torch.tensor(page_says["x"], dtype=torch.float64).view(-1, 2)
    y, counts = torch.tensor(page_says["y"]), torch.tensor(page_says["counts"])
    begun = [torch.tensor(values, dtype=torch.float64) for values in page_says["begun"]]
    hidden = len(begun[1])
    shapes = [(2, hidden), (hidden,), (hidden, hidden), (hidden,), (hidden, 4), (4,)]
    w1, b1, w2, b2, w3, b3 = (v.view(s).requires_grad_() for v, s in zip(begun, shapes, strict=True))
    parameters = [w1, b1, w2, b2, w3, b3]
    optimizer = torch.optim.SGD(parameters, lr=page_says["rate"], momentum=0.9)
    loss, weighting = toolkit(method, counts, hidden)
    shown, visits, epochs = torch.ones(len(y), dtype=torch.float64), [], []
    for rows in map(torch.tensor, page_says["rows"]):
        labels = y[rows]
        found = (x[rows] @ w1 + b1).relu() @ w2 + b2
        found = found.relu()
        logits = found @ w3 + b3
        weights = weighting(found.detach(), labels).double()
        optimizer.zero_grad()
        (weights * loss(logits, labels, counts)).mean().backward()
        true = logits.detach().softmax(1).gather(1, labels[:, None])[:, 0]
        shown[rows] = mean_one(weights * ((1 - true) ** 2 if method == "focal" else 1))
        visits.append((logits.detach().gather(1, labels[:, None])[:, 0], true, labels))
        optimizer.step()
        if sum(len(labels) for _, _, labels in visits) == len(y):
            epochs.append(b_prime(*(torch.cat(part) for part in zip(*visits, strict=True)), counts / counts.sum()))
            visits = []
    for ended, parameter in zip(page_says["ended"], parameters, strict=True):
        alike(np.array(ended), parameter)
    alike(np.array(page_says["shown"]), shown)
    alike(np.array([epoch["bPrimes"] for epoch in page_says["epochs"]]).ravel(), torch.stack(epochs))


def toolkit(method: str, counts: Tensor, z: int):
    """Loss and weighting of the toolkit for a method of the playground; RDR's warm-up is the playground's."""
    loss = {"focal": focal, "la": logit_adjusted}.get(method, cross_entropy)
    power = float(method.partition("gamma=")[2] or 1)
    if method.startswith("rdr"):
        return loss, RDRWeights(counts, z, gamma=power, warmup_steps=25, dtype=torch.float64)
    if method.startswith("inverse"):
        return loss, ClassWeights(inverse_frequency(counts, gamma=power))
    if method == "cb":
        return loss, ClassWeights(effective_number(counts, beta=0.99))
    return loss, ClassWeights(torch.ones(len(counts)))
