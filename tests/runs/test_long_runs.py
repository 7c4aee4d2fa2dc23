"""Long runs: what is kept grows by a row an epoch, and nothing else grows; tables of numbers come back to the bit."""

from __future__ import annotations

import gc
import math
import os
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tried import tried

import rdr_core
from rdr_core.files.trees import load_tree, save_tree
from rdr_core.training import loop

numbers = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, -0.0, 5e-324, math.pi])
wholes = st.integers(-(2**53), 2**53)


@st.composite
def tables(draw):
    """Rows alike, as a history's are."""
    kinds = draw(st.dictionaries(st.text(max_size=3), st.sampled_from([numbers, wholes]), min_size=1, max_size=4))
    return draw(st.lists(st.fixed_dictionaries(kinds), min_size=1, max_size=5))


#: Lists that are no table, which must come back as they are all the same.
others = st.lists(
    st.dictionaries(st.text(max_size=2) | st.integers(0, 3), numbers | wholes | st.booleans() | st.none(), max_size=3),
    max_size=4,
)


def bits(node: object) -> object:
    """Numbers by type and bits, so that NaN equals itself and -0 does not equal 0."""
    if isinstance(node, dict):
        return [(bits(key), bits(value)) for key, value in node.items()]
    if isinstance(node, list):
        return [bits(item) for item in node]
    return (float, struct.pack("d", node)) if isinstance(node, float) and not math.isnan(node) else repr(node)


@given(rows=tables() | others)
def test_rows_come_back_to_the_bit(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("tree") / "tree.safetensors"
    save_tree(path, {"history": rows})
    assert bits(load_tree(path)["history"]) == bits(rows)
    tried("Long", "histories saved and read", 1)


def test_a_checkpoint_of_the_version_before_is_read(tmp_path, monkeypatch):
    """Which kept a history as rows of JSON."""
    from rdr_core.files import trees

    monkeypatch.setattr(trees, "_columns", lambda node: None)
    rows = [{"epoch": 1, "loss": 0.1}, {"epoch": 2, "loss": float("inf")}]
    save_tree(tmp_path / "tree.safetensors", {"history": rows})
    monkeypatch.undo()
    assert load_tree(tmp_path / "tree.safetensors")["history"] == rows


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ce", "rdr+sam", "cdb"])
def test_files_memory_and_objects_stay_flat(method, tmp_path, monkeypatch):
    """From the 20th epoch, when caches are filled, to the 120th."""
    request = {"imbalance_factor": 50, "method": method, "batch_size": 128, "progress": False, "device": "cpu"}
    rdr_core.train("digits", epochs=4, runs=tmp_path, **request)  # what is imported and cached once
    close, seen = loop.close_epoch, {}

    def counted(state):
        close(state)
        if state.epoch in (20, 120):
            gc.collect()
            files = len(os.listdir("/proc/self/fd"))
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            seen[state.epoch] = files, len(gc.get_objects()), pages * os.sysconf("SC_PAGE_SIZE")

    monkeypatch.setattr(loop, "close_epoch", counted)
    rdr_core.train("digits", epochs=120, runs=tmp_path, **request)
    (files, objects, memory), (more_files, more_objects, more_memory) = seen[20], seen[120]
    assert more_files == files
    assert more_objects - objects < 100 * 10, "a row of history an epoch, and not ten objects more"
    assert more_memory - memory < 32 * 2**20
    tried("Long", "epochs over which files, objects and memory stay flat", 100)


def test_a_history_is_written_as_it_was_read(tmp_path):
    """Line by line as Python's csv would write it whole."""
    import csv
    import io

    run = rdr_core.train("digits", imbalance_factor=20, epochs=3, runs=tmp_path, progress=False, device="cpu")
    written = (run.path / "history.csv").read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(written)))
    again = io.StringIO()
    writer = csv.DictWriter(again, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    assert again.getvalue() == written
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3]


@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.bool])
@pytest.mark.parametrize("shape", [(), (0,), (3, 2)])
def test_tensors_of_every_kind_come_back_to_the_bit(kind, shape, tmp_path):
    tensor = (3 * torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)).to(kind)
    save_tree(tmp_path / "tree.safetensors", [tensor, tensor.T if len(shape) == 2 else tensor])
    found, turned = load_tree(tmp_path / "tree.safetensors")
    assert (found.dtype, found.shape) == (tensor.dtype, tensor.shape)
    assert torch.equal(found, tensor)
    assert torch.equal(turned, tensor.T if len(shape) == 2 else tensor)
