"""Damaged files of runs are named and never believed: each reading is what was written, or a sentence."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import pytest
import torch
from damage import files_of, finished_run, read, readings, same, stopped_run
from mutations import changed, mutated
from older import drop_checksum
from tried import tried

from rdr_core import RdrError, Run, list_runs
from rdr_core.errors import Damaged
from rdr_core.files.trees import load_tree, save_tree
from rdr_core.files.whole import read_json, write_json
from rdr_core.runs.checking import check_run
from rdr_core.runs.folder import RunFolder
from rdr_core.training.state import TrainingState
from rdr_viz.explorer.at_hand import Catalogue


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    return finished_run(tmp_path_factory.mktemp("finished"))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory) -> Path:
    return stopped_run(tmp_path_factory.mktemp("stopped"))


@pytest.fixture
def copy(tmp_path):
    """Makes a copy of a run's folder."""
    return lambda path: Path(shutil.copytree(path, tmp_path / path.name))


@pytest.mark.slow
@pytest.mark.parametrize("which", ["finished", "stopped"])
def test_changed_bytes_anywhere_are_found_and_nothing_else_is_told(which, copy, request):
    """Spread evenly over the files, small and large."""
    place, draw, n = copy(request.getfixturevalue(which)), random.Random(which), 0
    right = {name: read(get) for name, get in readings(place).items()}
    assert check_run(place).good
    wrong = [name for name, found in right.items() if isinstance(found, RdrError)]
    assert wrong == (["weights 3"] if which == "stopped" else [])
    files = files_of(place)
    rounds = 600 // len(files) + 1
    for file in files:
        whole = file.read_bytes()
        for _ in range(rounds):
            content = changed(whole, draw)
            if content == whole:
                continue
            file.write_bytes(content)
            told = {name: read(get) for name, get in readings(place).items()}
            for name, found in told.items():
                assert isinstance(found, RdrError) or same(found, right[name]), (file.name, name)
            if which == "stopped" and file.name in ("history.csv", "classes.safetensors"):
                assert not any(isinstance(told[name], RdrError) for name in ("history", "last epoch", "classes"))
            checked = check_run(place)
            assert not checked.good
            assert any(file.name in finding.sentence for finding in checked.findings), file.name
            n += 1
        file.write_bytes(whole)
    assert n > 550
    tried("Damage", f"bits, bytes, pieces and cuts of a {which} run's files", n)


@pytest.mark.slow
def test_json_of_any_shape_is_read_or_told_in_a_sentence(finished, copy, capsys):
    """With a checksum that is right: whoever wrote it, it is none of ours."""
    place, draw, n = copy(finished), random.Random(0), 0
    for file in [file for file in files_of(place) if file.suffix == ".json"]:
        whole, content = file.read_bytes(), read_json(file)
        for _ in range(40):
            other = mutated(content, draw)
            text = json.dumps(other)
            try:
                write_json(file, other) if isinstance(other, dict) else file.write_text(text)
            except UnicodeEncodeError:
                continue
            for get in readings(place).values():
                read(get)
            check_run(place)
            list_runs(place.parent)
            Catalogue([place.parent]).data()
            n += 1
        file.write_bytes(whole)
    tried("Damage", "JSON files of other shapes", n)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"5", b'"word"', b"null", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe\x00", b"\0" * 4096,
     b'{"format": 1, "config": null}', b'{"format": [1]}', b"9" * 10_000, b"{}"],
    ids=lambda content: content[:12].decode("latin-1"),
)  # fmt: skip
@pytest.mark.parametrize("name", ["config.json", "data.json", "metrics.json", "env.json", "done.json"])
def test_files_that_are_no_object_are_one_sentence(name, content, finished, copy):
    place = copy(finished)
    (place / name).write_bytes(content)
    told = [read(get) for get in readings(place).values()]
    assert any(isinstance(found, RdrError) for found in told)
    assert not check_run(place).good


def test_a_file_that_lost_its_checksum_is_not_taken_for_one_of_an_older_version(finished, copy):
    place = copy(finished)
    for file in (file for file in files_of(place) if file.name != "config.json"):
        whole = file.read_bytes()
        drop_checksum(file)
        found = check_run(place)
        assert any(file.name in finding.sentence for finding in found.findings)
        assert found.sealed == 0
        file.write_bytes(whole)
    assert check_run(place).good


def as_other(tensor: torch.Tensor, draw: random.Random) -> object:
    return draw.choice([
        lambda: tensor.to(torch.int64), lambda: tensor.to(torch.bfloat16), lambda: tensor.to(torch.float16),
        lambda: tensor.double() if tensor.dtype != torch.float64 else tensor.float(), lambda: tensor.bool(),
        lambda: tensor[None], lambda: tensor.flatten()[:-1], lambda: torch.zeros(0), lambda: 5, lambda: None,
        lambda: "word", list, dict,
    ])()  # fmt: skip


def other_tree(node: object, draw: random.Random) -> object:
    """The tree with one tensor of another type or shape, or one thing under another name, gone or replaced."""
    if isinstance(node, torch.Tensor):
        return as_other(node, draw)
    if isinstance(node, dict) and node:
        name = draw.choice(list(node))
        if draw.random() < 0.2:
            return {("other" if key == name else key): value for key, value in node.items()}
        if draw.random() < 0.2:
            return {key: value for key, value in node.items() if key != name}
        return node | {name: other_tree(node[name], draw)}
    if isinstance(node, list) and node:
        at = draw.randrange(len(node))
        return [*node[:at], other_tree(node[at], draw), *node[at + 1 :]]
    return draw.choice([None, -1, "word", [], {}, torch.arange(3)])


@pytest.mark.slow
def test_tensors_of_other_names_shapes_and_types_are_told_in_a_sentence(finished, copy):
    place, draw, n = copy(finished), random.Random(1), 0
    right = {name: read(get) for name, get in readings(place).items()}
    for file in [file for file in files_of(place) if file.suffix == ".safetensors"]:
        whole, tree = file.read_bytes(), load_tree(file)
        for _ in range(50):
            save_tree(file, other_tree(tree, draw))
            for name, get in readings(place).items():
                found = read(get)
                if "weights" in name:
                    assert isinstance(found, RdrError) or same(found, right[name]), (file.name, name)
                    assert len(str(found)) < 600 or not isinstance(found, RdrError), "no list of all that torch misses"
            check_run(place)
            n += 1
        file.write_bytes(whole)
    tried("Damage", "trees of tensors of other names, shapes and types", n)


@pytest.mark.slow
def test_a_checkpoint_of_another_run_is_never_gone_on_from(stopped, copy):
    place, draw, n, refused = copy(stopped), random.Random(2), 0, 0
    run = Run.open(place)
    state = TrainingState(run.config, run.data(), torch.device("cpu"))
    file = place / "checkpoint.safetensors"
    tree = load_tree(file)
    for _ in range(400):
        save_tree(file, other_tree(tree, draw))
        found = read(lambda: RunFolder(place).restore(state))
        refused += isinstance(found, Damaged) and "checkpoint.safetensors can't be read" in str(found)
        n += 1
    assert refused > n / 2
    tried("Damage", "checkpoints of other names, shapes and types", n)


@pytest.mark.parametrize(
    "name", ["config.json", "data.json", "history.csv", "classes.safetensors", "model.safetensors"]
)
@pytest.mark.parametrize("kind", ["pipe", "zero", "sparse", "folder", "dangling"])
def test_what_is_no_file_is_never_waited_for(kind, name, finished, copy):
    place = copy(finished)
    file = place / name
    file.unlink()
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "zero":
        file.symlink_to("/dev/zero")
    elif kind == "sparse":
        with file.open("wb") as sparse:
            sparse.truncate(30 * 2**30)
    elif kind == "folder":
        file.mkdir()
    else:
        file.symlink_to("nowhere")
    told = [read(get) for get in readings(place).values()]
    assert any(isinstance(found, RdrError) for found in told)
    assert not check_run(place).good or (name, kind) == ("model.safetensors", "dangling")  # as it was shipped


HOSTILE = {"markup": "[/]", "number": 5, "list": ["ce"], "nothing": None, "object": {}, "surrogate": "\\ud800"}


@pytest.fixture
def among_good(finished, tmp_path):
    """A folder of runs: a good one, and some that are damaged in their own ways."""
    folder = tmp_path / "runs"
    shutil.copytree(finished, folder / finished.name)
    for kind, method in HOSTILE.items():
        shutil.copytree(finished, folder / f"a-{kind}")
        stored = read_json(finished / "config.json")
        write_json(folder / f"a-{kind}" / "config.json", stored | {"config": stored["config"] | {"method": method}})
    for kind, content in (("deep", b"[" * 100_000), ("null", b'{"format": 1, "config": null}'), ("list", b"[]")):
        shutil.copytree(finished, folder / f"b-{kind}")
        (folder / f"b-{kind}" / "config.json").write_bytes(content)
    for kind, make in (("pipe", os.mkfifo), ("zero", lambda path: path.symlink_to("/dev/zero"))):
        for name in ("config.json", "history.csv"):
            place = shutil.copytree(finished, folder / f"c-{kind}-{name}")
            (place / name).unlink()
            make(place / name)
    return folder


def test_one_bad_run_never_hides_the_others(among_good, finished, rdr, capfd):
    status, out, err = rdr("runs", str(among_good))
    assert status == 0
    assert finished.name in out
    assert "a-markup" in out
    for bad in ("a-number", "a-list", "a-nothing", "a-object", "b-deep", "b-null", "b-list", "c-pipe-history.csv"):
        assert f"passed over: {among_good / bad}" in err
        assert bad not in out
    known = [entry.run.name for entry in Catalogue([among_good]).entries]
    assert finished.name in known
    assert "passed over" in capfd.readouterr().err
    status, out, err = rdr("plot", *sorted(map(str, among_good.iterdir())), "-k", "accuracy")
    assert (status, err.count("passed over: ") >= 8) == (0, True), err


def test_a_run_without_good_ones_beside_it_is_a_mistake_that_is_told(among_good, rdr):
    status, _, err = rdr("plot", str(among_good / "b-deep"))
    assert status == 2
    assert "All of these runs are damaged" in err
