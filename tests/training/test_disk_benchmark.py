"""That benchmarks/disk.py runs and counts right: a tiny case with a small network, on any machine."""

from __future__ import annotations

import importlib
import json
import sys
from itertools import islice
from pathlib import Path

import pytest
import torch
from waiting import WHOLE_TEST, run

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TINY = """
import sys
import disk
disk.MODEL, disk.ROUNDS, disk.READY = "resnet10", 2, 1
sys.exit(disk.main())
"""


@pytest.mark.slow
def test_the_tiny_case_measures_all_that_is_promised(tmp_path):
    """Whether the bounds hold of so few images is no matter."""
    options = ["--images", "100", "--steps", "3", "--batch-size", "8", "--out", tmp_path]
    done = run([sys.executable, "-c", TINY, *options], cwd=BENCHMARKS, limit=WHOLE_TEST)
    assert done.returncode in (0, 1), done.stderr
    found = json.loads((tmp_path / "disk-cpu.json").read_text())
    assert done.returncode == int("FAILS" in done.stdout)
    assert (found["images"], found["steps"]) == (100, 4), "two in each of two rounds"
    for name in ("ours", "torchvision"):
        assert 0 <= found["waits"][name] < 1
        assert found["longest_wait"][name] > 0
        assert found["images_a_second"][name] > 0
    assert found["images_a_second_from_disk"].keys() == {"ours, read", "torchvision"}
    assert found["ratios"].keys() == {line[:36].strip() for line in done.stdout.splitlines()[-3:]}


@pytest.fixture
def disk(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("disk")


def test_both_loaders_give_batches_of_one_kind(disk, tmp_path, monkeypatch):
    """As many images, of one size and type, and on one scale: what is compared is the same work."""
    monkeypatch.setattr(disk, "WORKERS", 0)
    tree, cpu = tmp_path / "photographs", torch.device("cpu")
    disk.made_up(tree, 20)
    own = list(islice(disk.ours(disk.opened(tree), 4, cpu), 10))
    theirs = [batch for batch, labels in islice(disk.torchvisions(tree, 4, cpu), 10)]
    assert {(batch.shape, batch.dtype) for batch in own} == {((4, 3, 224, 224), torch.float32)}
    assert {(batch.shape, batch.dtype) for batch in theirs} == {((4, 3, 224, 224), torch.float32)}
    extremes = [torch.stack(torch.cat(batches).aminmax()) for batches in (own, theirs)]
    torch.testing.assert_close(*extremes, atol=0.3, rtol=0)


def test_a_benchmark_fails_by_its_bounds_alone(disk):
    found = {"waits": {"ours": 0.05}, "images_a_second": {"ours": 10.0, "torchvision": 10.0},
             "own_memory_gib": {"tenth": 1.0, "all": 1.1}}  # fmt: skip
    assert all(one.holds for one in disk.ratios(found).values())
    for worse in ({"waits": {"ours": 0.06}}, {"images_a_second": {"ours": 9.0, "torchvision": 10.0}},
                  {"own_memory_gib": {"tenth": 1.0, "all": 1.2}}):  # fmt: skip
        assert [one.holds for one in disk.ratios(found | worse).values()].count(False) == 1
    assert [disk.share(of_one) for of_one in (0.05, 0.0123, 0.0002)] == ["5 %", "1.2 %", "less than 0.1 %"]
