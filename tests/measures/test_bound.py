"""B' in each reading, and the bound's class terms, against loops over classes and batches."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rdr_core import RdrError
from rdr_core.measures.bound import READINGS, b_prime, bound_terms, class_mean


def visits(seed: int, d: int, size: int):
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(size, generator=draw).round(decimals=1)  # ties happen
    probabilities = torch.rand(size, generator=draw)
    labels = torch.randint(d, (size,), generator=draw)
    priors = torch.rand(d, generator=draw)
    return logits, probabilities, labels, priors / priors.sum(), torch.arange(size) // 7


def brute_force(reading, logits, probabilities, labels, priors, batches, quantile=0.1):
    values = []
    for c in range(len(priors)):
        rows = [i for i in range(len(labels)) if labels[i] == c]
        p = [probabilities[i].item() for i in rows]
        if not rows:
            values.append(math.nan)
            continue
        if reading == "logit":
            least = p[int(np.argmin([logits[i].item() for i in rows]))]
        elif reading == "probability":
            least = min(p)
        elif reading == "quantile":
            least = sorted(p)[math.floor((len(p) - 1) * quantile)]
        else:
            seen = sorted({batches[i].item() for i in rows})
            least = np.mean([min(probabilities[i].item() for i in rows if batches[i] == b) for b in seen])
        values.append(math.sqrt(priors[c].item()) * (1 - least))
    return values


@pytest.mark.parametrize("reading", READINGS)
@given(seed=st.integers(0, 10_000), d=st.integers(1, 8), size=st.integers(1, 60))
def test_each_reading_agrees_with_brute_force(reading, seed, d, size):
    logits, probabilities, labels, priors, batches = visits(seed, d, size)
    ours = b_prime(logits, probabilities, labels, priors, reading=reading, batches=batches)
    expected = brute_force(reading, logits, probabilities, labels, priors, batches)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-6, atol=1e-7)


@given(seed=st.integers(0, 10_000))
def test_readings_are_ordered(seed):
    """The least probability gives the largest B'; softer minima give less."""
    logits, probabilities, labels, priors, batches = visits(seed, 4, 50)
    value = {
        reading: b_prime(logits, probabilities, labels, priors, reading=reading, batches=batches).nan_to_num()
        for reading in READINGS
    }
    for reading in ("logit", "batch", "quantile"):
        assert (value["probability"] >= value[reading] - 1e-9).all()


def test_bound_terms_leave_out_missing_classes():
    weights, values = torch.tensor([2.0, math.nan, 0.5]), torch.tensor([0.1, math.nan, 0.4])
    assert bound_terms(weights, values).item() == pytest.approx(0.4)


def test_class_mean_is_the_mean_by_class():
    values, labels = torch.tensor([1.0, 2.0, 6.0]), torch.tensor([2, 2, 0])
    np.testing.assert_array_equal(class_mean(values, labels, 3).numpy(), [6.0, np.nan, 1.5])


def test_an_unknown_reading_is_refused():
    logits, probabilities, labels, priors, _ = visits(0, 2, 5)
    with pytest.raises(RdrError, match="no reading of B' named 'min'"):
        b_prime(logits, probabilities, labels, priors, reading="min")


def test_the_reading_by_batches_asks_for_them():
    one = torch.ones(1)
    with pytest.raises(RdrError, match="give batches"):
        b_prime(one, one, torch.zeros(1, dtype=torch.int64), one, reading="batch")
