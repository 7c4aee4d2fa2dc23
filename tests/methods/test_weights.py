"""Class weights against exact rational arithmetic, and their limits."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rdr_core import RdrError
from rdr_core.methods.weights import difficulty, effective_number, inverse_frequency

counts = st.lists(st.integers(1, 5000), min_size=1, max_size=30)


def exact(values: list[Fraction]) -> list[float]:
    mean = sum(values) / len(values)
    return [float(v / mean) for v in values]


@given(counts)
def test_inverse_frequency_is_exactly_one_over_n_with_mean_one(n):
    expected = exact([Fraction(1, c) for c in n])
    assert inverse_frequency(torch.tensor(n)).tolist() == pytest.approx(expected, rel=1e-6)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12), st.sampled_from(["9/10", "99/100", "9999/10000"]))
def test_effective_number_agrees_with_rational_arithmetic(n, beta):
    b = Fraction(beta)
    expected = exact([(1 - b) / (1 - b**c) for c in n])
    assert effective_number(torch.tensor(n), beta=float(b)).tolist() == pytest.approx(expected, rel=1e-5)


@given(counts)
def test_limits(n):
    ones = torch.ones(len(n))
    torch.testing.assert_close(inverse_frequency(torch.tensor(n), gamma=0), ones)
    torch.testing.assert_close(effective_number(torch.tensor(n), beta=0), ones)
    near_one = effective_number(torch.tensor(n), beta=1 - 1e-12)
    torch.testing.assert_close(near_one, inverse_frequency(torch.tensor(n)), rtol=1e-3, atol=1e-6)


@given(counts, st.floats(0, 2))
def test_mean_is_one_and_rarer_classes_weigh_no_less(n, gamma):
    weights = inverse_frequency(torch.tensor(n), gamma=gamma)
    assert weights.mean().item() == pytest.approx(1, rel=1e-5)
    order = torch.tensor(n).argsort()
    assert (weights[order].diff() <= 1e-6).all()


@pytest.mark.parametrize("weigh", [inverse_frequency, effective_number])
def test_a_class_without_a_sample_is_refused(weigh):
    with pytest.raises(RdrError, match=r"class 1 has no training sample"):
        weigh(torch.tensor([3, 0, 1]))


def test_beta_must_lie_below_one():
    with pytest.raises(RdrError, match=r"beta is 1\.0; it must be at least 0 and below 1"):
        effective_number(torch.tensor([3, 1]), beta=1.0)


def test_values_of_figure_7_in_the_ratio_free_case():
    """n^-0.5 at IF 10 spans what the notes on the paper's figure 7 computed: 0.53 to 1.66."""
    n = torch.tensor([int(5000 * 10 ** (-i / 9)) for i in range(10)])
    weights = inverse_frequency(n, gamma=0.5)
    assert weights[0].item() == pytest.approx(0.53, abs=0.01)
    assert weights[9].item() == pytest.approx(1.66, abs=0.01)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.sampled_from([0.0, 0.5, 1.5, "paper", "code"]))
def test_difficulty_follows_its_authors_formulas(accuracy, tau):
    """Those of the paper and of its code, which writes the power in difficulties D = 1 - A."""
    difficult = [1 - a for a in accuracy]
    power = {
        "paper": 2 / (1 + math.exp(-(max(accuracy) / (min(accuracy) + 0.01) - 1))),
        "code": 1 / (1 + math.exp(-(1 - min(difficult)) / (1 - max(difficult) + 0.01))),
    }.get(tau, tau)
    raw = [d**power for d in difficult]
    total = math.fsum(raw)
    expected = [w * len(raw) / total for w in raw] if total else [1.0] * len(raw)
    found = difficulty(torch.tensor(accuracy, dtype=torch.float64), tau)
    assert found.tolist() == pytest.approx(expected, rel=1e-12, abs=0)
    rounded = difficulty(torch.tensor(accuracy), tau)  # what a run counts by
    assert rounded.dtype == torch.float32


def test_difficulty_limits():
    """Nothing measured yet (d = 1), nothing difficult, and one class alone difficult."""
    for tau in ("paper", "code", 1.5):
        assert difficulty(torch.zeros(4), tau).tolist() == [1, 1, 1, 1]
        assert difficulty(torch.ones(4), tau).tolist() == [1, 1, 1, 1]
        assert difficulty(torch.tensor([1.0, 1.0, 1.0, 0.9]), tau).tolist() == pytest.approx([0, 0, 0, 4])


def test_the_papers_power_grows_with_the_spread():
    alike, apart = torch.tensor([0.6, 0.5]), torch.tensor([0.9, 0.1])
    ratio = [difficulty(a, "paper")[1] / difficulty(a, "paper")[0] for a in (alike, apart)]
    power = [math.log(r) / math.log((1 - a[1]) / (1 - a[0])) for r, a in zip(ratio, (alike, apart), strict=True)]
    assert 1 < power[0] < 1.1
    assert power[1] == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize("tau", ["readme", -1.0, math.nan])
def test_a_power_that_is_none_is_refused(tau):
    with pytest.raises(RdrError, match="it must be 'paper' or 'code', or a number, 0 or larger"):
        difficulty(torch.tensor([0.5]), tau)
