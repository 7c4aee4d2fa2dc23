"""Prototypes spread over processes give the weights of prototypes in one."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from two_ranks import on_ranks

from rdr_core.errors import RdrError
from rdr_core.methods.rdr import RDRWeights
from rdr_core.methods.sharded import ShardedRDRWeights

COUNTS = torch.tensor([500, 300, 200, 120, 80, 50, 30, 20, 10, 5, 2])
Z, STEPS = 6, 8
SETTINGS = [
    {},
    {"preset": "released"},
    {"preset": "text"},
    {"ratio": "matched", "gamma": 0.5},
    {"ratio": "permuted", "prior": 0.5},
    {"update": "epoch", "warmup_steps": 2},
]


def batches(parts: int):
    """Batches in parts of different sizes, with samples to ignore, and features that are not finite."""
    draw = torch.Generator().manual_seed(0)
    for step in range(STEPS):
        labels = torch.randint(len(COUNTS), (24 + parts,), generator=draw)
        features = torch.randn(24 + parts, Z, generator=draw) + labels[:, None] / 5
        labels[3] = -100
        features[5, 0] = torch.nan if step == 4 else features[5, 0]
        if step == 6:  # one process has none of the batch's classes
            labels[labels >= 0] = labels[labels >= 0] % 3
        edges = [0, *(24 * part // parts + part for part in range(1, parts)), 24 + parts]
        yield [(features[a:b], labels[a:b]) for a, b in pairwise(edges)]


def weights_of(module, parts: int, rank: int | None) -> list[torch.Tensor]:
    found = []
    for step, pieces in enumerate(batches(parts)):
        features, labels = (torch.cat(x) for x in zip(*pieces, strict=True)) if rank is None else pieces[rank]
        found.append(module(features, labels))
        if step == 3:
            module.finish_epoch(0)
    return found


def sharded(ranks, settings, parts):
    """On one rank: its weights, its classes' prototypes, and how many numbers it keeps of them."""
    module = ShardedRDRWeights(COUNTS, Z, **settings)
    found = weights_of(module, parts, ranks.rank)
    return [w.tolist() for w in found], module.prototypes.tolist(), (module.first, module.last)


@pytest.mark.parametrize("processes", [2, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_several_processes_weigh_as_one(processes, settings):
    whole = RDRWeights(COUNTS, Z, **settings)
    expected = weights_of(whole, processes, None)
    found = on_ranks(processes, sharded, settings, processes)
    for step in range(STEPS):
        joined = torch.tensor([weight for weights, _, _ in found for weight in weights[step]])
        torch.testing.assert_close(joined, expected[step], rtol=1e-6, atol=1e-6, equal_nan=True)
    prototypes = torch.tensor([row for _, rows, _ in found for row in rows])
    torch.testing.assert_close(prototypes, whole.prototypes, rtol=1e-6, atol=1e-6)
    # Each class is kept once, and no process keeps more than its share.
    edges = [edge for _, _, edge in found]
    assert [first for first, _ in edges] == [0, *(last for _, last in edges[:-1])]
    assert edges[-1][1] == len(COUNTS)
    assert max(last - first for first, last in edges) == -(-len(COUNTS) // processes)


def too_few(ranks):
    with pytest.raises(RdrError, match="There are 1 classes for 2 processes; take RDRWeights"):
        ShardedRDRWeights(COUNTS[:1], Z)
    with pytest.raises(RdrError, match="class 2 has no training sample"):  # in both, and by its own number
        ShardedRDRWeights(torch.tensor([3, 2, 0, 1]), Z)
    return 0


def test_more_processes_than_classes_and_classes_without_a_sample_are_refused():
    assert on_ranks(2, too_few) == [0, 0]


def test_alone_it_is_the_other_to_the_bit():
    one, other = RDRWeights(COUNTS, Z), ShardedRDRWeights(COUNTS, Z)
    for mine, theirs in zip(weights_of(one, 1, None), weights_of(other, 1, None), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=0, equal_nan=True)
    with pytest.raises(RdrError, match="prototypes of 3 classes"):
        other.load_state_dict(ShardedRDRWeights(COUNTS[:3], Z).state_dict())
