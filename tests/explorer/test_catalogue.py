"""The runs at hand, by what they were trained on: read fast, and never half."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opened_files import opened_files
from waiting import run as run_command

from rdr_core.errors import RdrError
from rdr_core.runs import RunConfig, list_runs
from rdr_viz.explorer import catalogue as module
from rdr_viz.explorer.catalogue import VARIED, Catalogue, data_words
from rdr_viz.explorer.state import State

CE = "digits", 50.0, "exponential", "ce", 0
CONFIG = RunConfig(
    dataset="digits", imbalance_factor=50, method="ce", epochs=60, model="small", batch_size=32, learning_rate=0.1
)
OTHERS = {
    "dataset": "mnist", "epochs": 7, "noise_rate": 0.1, "data_seed": 3, "class_order": 4, "data_hash": "abc",
    "model": "resnet32", "batch_size": 64, "learning_rate": 0.05, "momentum": 0.5, "weight_decay": 0.0,
    "warmup": 0.5, "augmentation": "strong", "schedule": "step", "precision": "bf16",
}  # fmt: skip


def test_every_run_of_the_folder_is_found_by_its_choice(catalogue, stored):
    runs = list_runs(stored)
    assert len(runs) > 100
    for run in runs:
        config = run.config
        found = catalogue.find(data_words(config), *(getattr(config, name) for name in VARIED))
        assert found.run.path == run.path
    table = catalogue.table()
    assert set(table["path"]) == {run.path for run in runs}
    by_path = table.set_index("path")
    for run in runs:
        files = sorted(path.name for path in run.path.glob("analysis/*.csv"))
        assert by_path.loc[run.path, "results"] == sorted({name[: name.rindex("-")] for name in files})
        assert by_path.loc[run.path, "noise"] == run.config.noise_rate


def test_of_hundreds_of_runs_the_configurations_alone_are_read_once(stored, monkeypatch):
    words = []
    monkeypatch.setattr(module, "data_words", lambda config: words.append(config) or data_words(config))
    with opened_files() as opened:
        catalogue = Catalogue([stored])
    assert sorted(opened) == sorted(entry.run.path / "config.json" for entry in catalogue.entries)
    assert words == [entry.config for entry in catalogue.entries]
    with opened_files() as opened:  # to choose among them nothing is read or worded anew
        assert catalogue.find(*CE, "density")
        assert catalogue.any(*CE[:3])
        near = catalogue.nearest(State(methods=("ce", "rdr")))
        assert catalogue.imbalances(near.data, near.profile)
        assert catalogue.methods(near.data)
        assert catalogue.seeds(near.data)
    assert opened == []
    assert len(words) == len(catalogue.entries)


@given(
    st.floats(1, 1000), st.sampled_from(["exponential", "step"]), st.sampled_from(["ce", "rdr+sam"]), st.integers(0, 99)
)
def test_runs_that_differ_in_a_choice_alone_are_of_the_same_data(factor, profile, method, seed):
    varied = replace(CONFIG, imbalance_factor=factor, profile=profile, method=method, seed=seed)
    assert data_words(varied) == data_words(CONFIG) == "digits"


@given(st.sets(st.sampled_from(sorted(OTHERS))), st.sets(st.sampled_from(sorted(OTHERS))))
def test_runs_that_differ_in_anything_else_are_of_other_data(one, other):
    def words(changed):
        return data_words(replace(CONFIG, **{name: OTHERS[name] for name in changed}))

    assert (words(one) == words(other)) == (one == other)


def test_the_fields_that_these_tests_change_are_all_there_are():
    assert {field.name for field in fields(RunConfig)} == {*OTHERS, *VARIED, "noise"}
    flipped = [replace(CONFIG, noise_rate=0.1, noise=noise) for noise in ("symmetric", "asymmetric")]
    assert len({data_words(config) for config in flipped}) == 2


def test_an_unfinished_run_is_not_there_to_look_at_and_a_damaged_one_not_at_all(stored, catalogue, tmp_path):
    done = catalogue.find(*CE).run
    copy = shutil.copytree(done.path, tmp_path / done.name)
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").write_text("no run")
    (copy / "done.json").unlink()
    found = Catalogue([tmp_path, tmp_path / "nowhere"])
    assert [entry.done for entry in found.entries] == [False]
    assert found.find(*CE) is None
    assert found.any("digits", 50.0, "exponential") is None
    assert Catalogue([tmp_path, stored]).find(*CE).run.path == done.path
    (copy / "config.json").write_text("{")
    assert Catalogue([tmp_path]).entries == []


def test_of_a_run_in_two_folders_the_one_with_the_analysis_is_taken(stored, catalogue, tmp_path):
    there = catalogue.find(*CE, "density").run
    copy = shutil.copytree(there.path, tmp_path / there.name)
    shutil.rmtree(copy / "analysis")
    both = Catalogue([tmp_path, stored])
    assert both.find(*CE).run.path == copy
    assert both.find(*CE, "density").run.path == there.path


def test_choices_rise_and_plain_methods_come_first(catalogue):
    assert catalogue.data()[0] == "digits"
    assert catalogue.imbalances("digits", "exponential") == sorted(catalogue.imbalances("digits", "exponential"))
    methods = catalogue.methods("digits")
    assert methods[0] == "ce"
    assert methods.index("rdr") < methods.index("rdr:gamma=0.5")
    assert len(set(methods)) == len(methods)
    seeds = catalogue.seeds("digits")
    assert seeds == list(range(len(seeds)))


@given(
    st.sampled_from(["digits", "nothing"]), st.none() | st.floats(1, 1000),
    st.sampled_from(["exponential", "step", None]),
    st.lists(st.sampled_from(["ce", "rdr", "ldam"]), unique=True), st.lists(st.integers(0, 9), unique=True),
)  # fmt: skip
def test_the_nearest_state_is_of_data_at_hand_and_is_its_own_nearest(catalogue, data, factor, profile, methods, seeds):
    asked = State(
        data=data, imbalance_factor=factor, profile=profile, methods=tuple(methods), seeds=tuple(sorted(seeds))
    )
    near = catalogue.nearest(asked)
    assert near.data == "digits"
    assert near.imbalance_factor in catalogue.imbalances("digits", near.profile)
    assert catalogue.nearest(near) == near
    for method in set(methods) & {"ce", "rdr"}:
        where = near.data, near.imbalance_factor, near.profile
        assert all(catalogue.find(*where, method, seed) for seed in near.seeds if method in near.methods)


def test_the_time_of_an_analysis_is_that_of_the_run_nearest_in_imbalance(stored, tmp_path):
    for name, factor, times in (("a", 10, {"density-1": 5.0, "density-2": 1.0}), ("b", 100, {"density-1": 9.0})):
        folder = tmp_path / name
        folder.mkdir()
        source = next(run.path for run in list_runs(stored) if run.config.dataset == "digits")
        for file in ("done.json", "data.json"):
            shutil.copy(source / file, folder)
        config = replace(CONFIG, imbalance_factor=factor)
        (folder / "config.json").write_text(json.dumps({"format": 1, "config": config.to_dict()}))
        (folder / "analysis").mkdir()
        for result, seconds in {**times, "curvature-0": 2.0}.items():
            (folder / "analysis" / f"{result}.csv").touch()
            (folder / "analysis" / f"{result}.json").write_text(json.dumps({"seconds": seconds}))
    catalogue = Catalogue([tmp_path])
    both = ("density", "curvature")
    assert catalogue.seconds(replace(CONFIG, imbalance_factor=20), both) == 7.0  # the longest of a name, and all names
    assert catalogue.seconds(replace(CONFIG, imbalance_factor=200), both) == 11.0
    assert catalogue.seconds(CONFIG, ("density", "surface")) is None
    assert catalogue.seconds(replace(CONFIG, dataset="cifar10"), both) is None


def test_what_is_missing_is_trained_as_the_others_were(catalogue):
    config = catalogue.config("digits, 5 % label noise", 20.0, "exponential", "vs", 4)
    assert (config.noise_rate, config.imbalance_factor, config.method, config.seed) == (0.05, 20.0, "vs", 4)
    assert data_words(config) == "digits, 5 % label noise"
    none = Catalogue([])
    assert none.config("digits", 50.0, "exponential", "ce", 0) == CONFIG
    with pytest.raises(RdrError, match="'digits, 3 epochs'"):
        none.config("digits, 3 epochs", 50.0, "exponential", "ce", 0)


def test_the_first_picture_needs_no_torch(tmp_path):
    code = """
import sys
from rdr_viz.explorer import Explorer
explorer = Explorer()
assert "<img" in explorer.picture.value
print("torch" in sys.modules)
"""
    done = run_command([sys.executable, "-c", code], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.lower()) is False
