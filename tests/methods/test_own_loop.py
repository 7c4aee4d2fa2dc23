"""Weightings in anyone's loop: sequences, samples to ignore, any type of labels, copies, compilation, processes."""

from __future__ import annotations

import copy
import os
import pickle
import re
import sys
from pathlib import Path

import pytest
import torch
import waiting
from hypothesis import given, settings
from hypothesis import strategies as st
from once import once

from rdr_core import RdrError, RDRWeights, Weighing, Weighting
from rdr_core.methods.weighting import ClassWeights, Unweighted

EXAMPLE = str(Path(__file__).parents[2] / "examples" / "data_parallel.py")
COUNTS = torch.tensor([40, 12, 5])
#: More than a batch has samples, so that the plain inverses of the other presets are well conditioned.
Z = 16


class ByLength(Weighting):
    """One of somebody's own, which says nothing of samples to ignore: weights are the features' lengths."""

    def weigh(self, features, labels):
        lengths = features.norm(dim=1)
        return Weighing(lengths / lengths.mean())


MAKERS = {
    "ours": lambda: RDRWeights(COUNTS, Z),
    "by epoch": lambda: RDRWeights(COUNTS, Z, update="epoch"),
    "matched": lambda: RDRWeights(COUNTS, Z, ratio="matched"),
    "permuted": lambda: RDRWeights(COUNTS, Z, ratio="permuted"),
    "warm-up": lambda: RDRWeights(COUNTS, Z, warmup_steps=2),
    "released": lambda: RDRWeights(COUNTS, Z, preset="released"),
    "text": lambda: RDRWeights(COUNTS, Z, preset="text"),
    "1/n": lambda: ClassWeights(1 / COUNTS),
    "CE": Unweighted,
    "own": ByLength,
}


def batches(seed: int, number: int = 4, size: int = 12):
    draw = torch.Generator().manual_seed(seed)
    for _ in range(number):
        yield torch.randn(size, Z, generator=draw), torch.randint(0, 3, (size,), generator=draw)


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), share=st.floats(0, 1))
def test_ignored_samples_are_as_if_they_were_not_there(name, seed, share):
    """Weights of the others, the mean of weighted losses, and all that is learnt, over four batches."""
    whole, part = MAKERS[name](), MAKERS[name]()
    draw = torch.Generator().manual_seed(seed)
    for features, labels in batches(seed):
        ignored = torch.rand(len(labels), generator=draw) < share
        found = whole(features, labels.masked_fill(ignored, -100))
        assert found[ignored].eq(0).all()
        if not ignored.all():
            expected = part(features[~ignored], labels[~ignored])
            close = {"rtol": 2e-3, "atol": 2e-3} if name in ("released", "text") else {"rtol": 1e-4, "atol": 1e-5}
            torch.testing.assert_close(found[~ignored] * (~ignored).double().mean().float(), expected, **close)
            losses = torch.where(ignored, 0, features.square().sum(1))
            torch.testing.assert_close((found * losses).mean(), (expected * losses[~ignored]).mean(), **close)
        elif isinstance(part, RDRWeights):
            part.steps += 1  # a batch of none is a batch
    learnt, expected = whole.state_dict(), part.state_dict()
    for key in expected:
        torch.testing.assert_close(learnt[key], expected[key], rtol=1e-5, atol=1e-6, msg=key)


@pytest.mark.parametrize("name", MAKERS)
def test_sequences_are_their_samples(name):
    flat, shaped = MAKERS[name](), MAKERS[name]()
    for features, labels in batches(0):
        found = shaped(features.view(3, 4, Z), labels.view(3, 4))
        assert found.shape == (3, 4)
        assert torch.equal(found.view(-1), flat(features, labels))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_labels_may_be_of_any_integer_type(dtype):
    for features, labels in batches(1):
        assert torch.equal(MAKERS["ours"]()(features, labels.to(dtype)), MAKERS["ours"]()(features, labels))


@pytest.mark.parametrize("name", ["ours", "1/n"])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.full((12,), 3), "A label is 3, but there are 3 classes, 0 to 2, and -100 for samples to ignore"),
        (torch.full((12,), -1), "A label is -1, but there are 3 classes"),
        (
            torch.rand(12, 3),
            r"labels of type float32 and shape \(12, 3\); give integers, one a sample. Of mixed labels",
        ),
        (torch.ones(12, dtype=torch.bool), "labels of type bool"),
        (torch.zeros(11, dtype=torch.int64), r"need one label for each of \(12,\), and there are \(11,\)"),
        (torch.zeros(12, 1, dtype=torch.int64), r"need one label for each of \(12,\), and there are \(12, 1\)"),
        (torch.zeros(12, dtype=torch.int64, device="meta"), "Features are on cpu and labels on meta"),
    ],
)
def test_labels_that_are_no_classes_are_refused_in_a_sentence(name, labels, message):
    with pytest.raises(RdrError, match=message):
        MAKERS[name]()(torch.randn(12, Z), labels)


def test_class_weights_mean_what_they_do_in_pytorch():
    """docs/own_loop.md: the mean of weight times loss is that of CrossEntropyLoss(weight=), ignored samples too."""
    weights, logits = 1 / COUNTS, torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
    for features, labels in batches(6):
        labels[:2] = -100
        losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
        ours = (ClassWeights(weights)(features, labels) * losses).mean()
        torch.testing.assert_close(ours, torch.nn.functional.cross_entropy(logits, labels, weight=weights))


@pytest.mark.parametrize("again", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_a_copy_goes_on_as_the_first(again):
    first = MAKERS["ours"]()
    for features, labels in batches(2):
        first(features, labels)
    second = again(first)
    for features, labels in batches(3):
        assert torch.equal(first(features, labels), second(features, labels))


def test_mixed_weights_lie_between_those_of_their_classes():
    """What the message on mixed labels advises: of a batch that is mixed with itself nothing changes."""
    rdr, alone = MAKERS["ours"](), MAKERS["ours"]()
    for features, labels in batches(4):
        rdr.eval(), alone.eval()
        assert torch.allclose(0.3 * rdr(features, labels) + 0.7 * rdr(features, labels), alone(features, labels))
        rdr.train(), alone.train()
        rdr(features, labels), alone(features, labels)


@pytest.mark.slow
def test_it_compiles_in_one_piece():
    """In a process of its own, without the shapes' checks, which no compiler can follow."""
    script = str(Path(__file__).parents[1] / "support" / "compiled_weights.py")
    made = waiting.run([sys.executable, script], env={**os.environ, "RDR_CHECK_SHAPES": "0"})
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[-1] == "11 compiled, all as they were"


def ends_of_ranks(folder: Path, *command: str) -> list[tuple[str, ...]]:
    """What each process of examples/data_parallel.py says at its end: a number of prototypes, one of the classifier."""
    made = waiting.run([sys.executable, *command], cwd=folder)
    assert made.returncode == 0, made.stderr
    return re.findall(r"rank \d: prototypes ([\d.]+), classifier ([\d.]+)", made.stdout)


@pytest.fixture(scope="session")
def alone(tmp_path_factory) -> list[float]:
    """As one process trains."""

    def train(folder: Path) -> None:
        (ends,) = ends_of_ranks(folder, EXAMPLE)
        (folder / "ends").write_text(" ".join(ends))

    return [float(end) for end in (once(tmp_path_factory, "alone", train) / "ends").read_text().split()]


@pytest.mark.slow
@pytest.mark.parametrize(("processes", "words"), [(2, []), (3, []), (2, ["--sharded"])])
def test_several_processes_train_as_one(processes, words, alone, tmp_path):
    """Under DistributedDataParallel and FSDP; with three, parts of a batch are of different sizes."""
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    ranks = ends_of_ranks(tmp_path, *launch, EXAMPLE, *words)
    assert len(ranks) == processes
    assert len(set(ranks)) == 1, "prototypes are the same in all"
    assert [float(end) for end in ranks[0]] == pytest.approx(alone, rel=1e-5)
