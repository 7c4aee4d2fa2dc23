"""Labels are taken in every integer type, with the numbers that int64 gives."""

from __future__ import annotations

import pytest
import torch

from rdr_core import RDRWeights, density_ratio
from rdr_core.measures.bound import READINGS, b_prime, class_mean
from rdr_core.methods import losses
from rdr_core.methods.weighting import ClassWeights

COUNTS = torch.tensor([40, 20, 5])
LABELS = torch.tensor([0, 2, 1, 0, 1, 0, 2, 0])
DRAW = torch.Generator().manual_seed(0)
FEATURES, LOGITS, PROTOTYPES = (torch.randn(shape, generator=DRAW) for shape in ((8, 4), (8, 3), (3, 4)))

TAKE = {
    "class weights": lambda labels: ClassWeights(torch.tensor([0.5, 1.0, 1.5]))(FEATURES, labels),
    "rdr": lambda labels: RDRWeights(COUNTS, 4)(FEATURES, labels),
    "rdr released": lambda labels: RDRWeights(COUNTS, 4, preset="released")(FEATURES, labels),
    "density ratio": lambda labels: density_ratio(FEATURES, labels, PROTOTYPES),
    "class mean": lambda labels: class_mean(LOGITS[:, 0], labels, 3),
    **{
        f"b_prime {reading}": lambda labels, reading=reading: b_prime(
            LOGITS[:, 0], LOGITS.softmax(1)[:, 0], labels, COUNTS / COUNTS.sum(), reading=reading,
            batches=torch.tensor([0, 0, 0, 0, 1, 1, 1, 1]),
        )
        for reading in READINGS
    },
    "ce": lambda labels: losses.cross_entropy(LOGITS, labels, COUNTS),
    "focal": lambda labels: losses.focal(LOGITS, labels, COUNTS),
    "la": lambda labels: losses.logit_adjusted(LOGITS, labels, COUNTS),
    "balanced softmax": lambda labels: losses.balanced_softmax(LOGITS, labels, COUNTS),
    "vs": lambda labels: losses.vs(LOGITS, labels, COUNTS),
    "ldam": lambda labels: losses.ldam(LOGITS, labels, COUNTS),
}  # fmt: skip


@pytest.mark.parametrize("kind", [torch.uint8, torch.int8, torch.int16, torch.int32])
@pytest.mark.parametrize("what", TAKE)
def test_every_integer_type(what, kind):
    """uint8 once was a mask."""
    found, expected = TAKE[what](LABELS.to(kind)), TAKE[what](LABELS)
    assert torch.equal(found, expected)
    assert len(found) == len(expected) > 0
