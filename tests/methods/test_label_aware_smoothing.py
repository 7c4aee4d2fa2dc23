"""Label-aware smoothing against cross-entropy with soft labels, and its shares by class."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.methods.label_aware_smoothing import label_aware_smoothing, smoothing
from rdr_core.methods.losses import cross_entropy


@given(seed=st.integers(0, 1000), head=st.floats(0, 1), tail=st.floats(0, 1))
def test_it_is_cross_entropy_against_the_smoothed_labels(seed, head, tail):
    draw = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(9, 5, generator=draw, dtype=torch.float64)
    labels = torch.randint(5, (9,), generator=draw)
    counts = torch.randint(1, 500, (5,), generator=draw)
    n = counts.numpy().astype(np.float64)
    share = tail + (head - tail) * np.sin((n - n.min()) * np.pi / (2 * (n.max() - n.min())))
    soft = np.eye(5)[labels.numpy()] * (1 - share[labels.numpy()])[:, None] + share[labels.numpy()][:, None] / 5
    expected = F.cross_entropy(logits, torch.from_numpy(soft), reduction="none")
    torch.testing.assert_close(label_aware_smoothing(logits, labels, counts, head=head, tail=tail), expected)


def test_the_shares_of_the_largest_the_smallest_and_one_between():
    shares = smoothing(torch.tensor([1000, 334, 1]), head=0.4, tail=0.1)
    assert shares.tolist() == pytest.approx([0.4, 0.1 + 0.3 * math.sin(math.pi / 6), 0.1])


def test_equal_classes_are_all_the_smallest():
    assert smoothing(torch.tensor([7, 7, 7])).tolist() == pytest.approx([0.1] * 3)


def test_without_smoothing_it_is_cross_entropy():
    logits, labels, counts = torch.randn(4, 3).double(), torch.tensor([0, 1, 2, 2]), torch.tensor([9, 3, 1])
    found = label_aware_smoothing(logits, labels, counts, head=0, tail=0)
    torch.testing.assert_close(found, cross_entropy(logits, labels, counts))


def test_the_best_logit_is_finite():
    """Past it the loss rises again: what keeps the network from growing ever surer of a common class."""
    counts, label = torch.tensor([9, 1]), torch.tensor([0])
    at = [label_aware_smoothing(torch.tensor([[z, 0.0]]), label, counts).item() for z in (0.0, math.log(4), 9.0)]
    assert at[1] < min(at[0], at[2]), "p_y = 1 - 0.4 / 2 is a logit of log 4"
