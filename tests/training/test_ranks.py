"""Several processes on one batch: gathered, added, normalised as if one had it all."""

from __future__ import annotations

import os
import sys
from itertools import chain
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from two_ranks import on_ranks

from rdr_core.errors import RdrError
from rdr_core.training.batch_norm import over_all_ranks
from rdr_core.training.ranks import Ranks


@given(st.integers(1, 9), st.integers(0, 50))
def test_shares_are_the_batch_cut_in_even_parts(size, count):
    shares = [range(count)[Ranks(rank, size).share(count)] for rank in range(size)]
    assert [i for share in shares for i in share] == list(range(count))
    lengths = [len(share) for share in shares]
    assert max(lengths) - min(lengths) <= 1


def talk(ranks, counts):
    return [talk_of(ranks, count) for count in counts]


def talk_of(ranks, count):
    rows = torch.arange(3.0 * count).view(count, 3)
    gathered = ranks.gather(rows[ranks.share(count)], count)
    sums = [torch.full((2, 2), ranks.rank + 1.0), torch.tensor([10.0 * ranks.rank])]
    ranks.add(sums)
    return [
        torch.equal(gathered, rows), [s.tolist() for s in sums], ranks.any(ranks.rank == 1), ranks.any(False),
        ranks.first,
    ]  # fmt: skip


def test_ranks_talk():
    """Also where there is less to share than there are ranks."""
    for rank, found in enumerate(on_ranks(2, talk, [7, 2, 1])):
        assert found == 3 * [[True, [[[3.0, 3.0], [3.0, 3.0]], [10.0]], True, False, rank == 0]]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, bias=False), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.BatchNorm1d(12), nn.Linear(12, 3)
    ).double()


def batch(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    return (
        torch.randn(count, 2, 4, 4, generator=draw, dtype=torch.float64) + 3,
        torch.randint(3, (count,), generator=draw),
    )


def train(ranks, counts):
    return [train_on(ranks, count) for count in counts]


def train_on(ranks, count):
    model = over_all_ranks(network(), ranks).train()
    images, labels = (part[ranks.share(count)] for part in batch(count))
    for _ in range(2):
        model.zero_grad()
        (F.cross_entropy(model(images), labels, reduction="sum") / count).backward()
        gradients = [p.grad for p in model.parameters()]
        ranks.add(gradients)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.1 * parameter.grad
    model.eval()
    outputs = ranks.gather(model(images), count)
    return [value.detach().tolist() for value in (*model.state_dict().values(), *gradients, outputs)]


@pytest.mark.parametrize(("size", "counts"), [(2, [9, 3]), (4, [3])])
def test_ranks_normalise_and_learn_as_one(size, counts):
    """Also where a rank has no image."""
    alone = train(Ranks(), counts)
    for found in on_ranks(size, train, counts):
        for mine, expected in zip(chain(*found), chain(*alone), strict=True):
            torch.testing.assert_close(
                torch.tensor(mine, dtype=torch.float64),
                torch.tensor(expected, dtype=torch.float64),
                rtol=1e-9,
                atol=1e-11,
            )


def leave(ranks):
    if ranks.rank == 1:
        os._exit(3)  # as a process that the system kills: no goodbye
    for _ in range(50):
        ranks.gather(torch.zeros(1), 2)
    return "not noticed"


def test_a_lost_rank_is_told_in_a_sentence():
    with pytest.raises(
        AssertionError, match=r"LostRank: rank 0 of 2 lost another one .*any number of ranks, by: rdr resume RUN"
    ):
        on_ranks(2, leave, missing=1)


def test_statistics_that_are_not_followed_are_refused_where_ranks_share_a_batch():
    norm = over_all_ranks(nn.BatchNorm1d(2, track_running_stats=False), Ranks(0, 2))
    with pytest.raises(RdrError, match="by a momentum"):
        norm(torch.ones(3, 2))
