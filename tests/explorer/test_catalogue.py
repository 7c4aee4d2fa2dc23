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

import rdr_core
from rdr_core.errors import RdrError
from rdr_core.jobs.grid import grid_configs
from rdr_core.runs import RunConfig, list_runs
from rdr_viz.explorer.at_hand import VARIED, Catalogue, data_words
from rdr_viz.explorer.head import head_of, training_command

CONFIG = RunConfig(
    dataset="digits", imbalance_factor=50, method="ce", epochs=60, model="small", batch_size=32, learning_rate=0.1
)
OTHERS = {
    "dataset": "mnist", "epochs": 7, "noise_rate": 0.1, "data_seed": 3, "class_order": 4, "data_hash": "abc",
    "model": "resnet32", "batch_size": 64, "learning_rate": 0.05, "momentum": 0.5, "weight_decay": 0.0,
    "warmup": 0.5, "augmentation": "strong", "schedule": "step", "precision": "bf16",
    "model_hash": "abc",
}  # fmt: skip


def test_every_run_of_the_folder_is_there_with_its_analyses(catalogue, stored):
    runs = list_runs(stored)
    assert len(runs) > 100
    by_path = {entry.run.path: entry for entry in catalogue.entries}
    assert set(by_path) == {run.path for run in runs}
    for run in runs:
        files = [path.name for path in run.path.glob("analysis/*.csv")]
        assert by_path[run.path].results == {name[: name.rindex("-")] for name in files}
        assert by_path[run.path].data == data_words(run.config)
        assert by_path[run.path].done


def test_of_hundreds_of_runs_the_configurations_alone_are_read(stored):
    with opened_files() as opened:
        catalogue = Catalogue([stored])
    assert sorted(opened) == sorted(entry.run.path / "config.json" for entry in catalogue.entries)


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


def test_an_unfinished_run_is_not_there_to_look_at_and_a_damaged_one_not_at_all(stored, tmp_path):
    done = next(iter(list_runs(stored, dataset="digits", method="ce", seed=0)))
    copy = shutil.copytree(done.path, tmp_path / done.name)
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").write_text("no run")
    (copy / "done.json").unlink()
    assert [entry.done for entry in Catalogue([tmp_path, tmp_path / "nowhere"]).entries] == [False]
    (copy / "config.json").write_text("{")
    assert Catalogue([tmp_path]).entries == []


def test_the_data_with_most_runs_come_first(catalogue):
    assert catalogue.data()[0] == "digits"
    assert Catalogue([]).data() == ["digits"]


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


def test_to_list_runs_and_hand_over_the_first_needs_no_torch(tmp_path):
    code = """
import json, sys
from rdr_viz.explorer import Explorer
explorer = Explorer()
sent = []
explorer.send = lambda content, buffers=None: sent.append((content, buffers))
head = json.loads(explorer.head)
data = next(one for one in head["sets"] if one["name"] == head["first"]["data"])
runs = [run["id"] for run in data["tails"][0]["runs"]]
explorer._asked(explorer, {"ask": "need", "runs": runs}, None)
assert len(sent[0][1]) == len(runs) > 10
print("torch" in sys.modules)
"""
    done = run_command([sys.executable, "-c", code], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.lower()) is False


def test_seeds_that_draw_their_subset_are_one_data_set_and_a_seed_on_the_usual_subset_is_another(tmp_path):
    ask = {"imbalance_factor": 50, "epochs": 1, "progress": False}
    for seed in (0, 1, 2):
        rdr_core.train("digits", seed=seed, data_seed=seed, runs=tmp_path / "drawn", **ask)
    drawn = Catalogue([tmp_path / "drawn"])
    assert drawn.data() == ["digits, 1 epochs"]
    told = drawn.config("digits, 1 epochs", 50, "exponential", "rdr", 7)
    assert (told.seed, told.data_seed, told.class_order) == (7, 7, "file")

    rdr_core.train("digits", seed=1, runs=tmp_path / "usual", **ask)
    assert Catalogue([tmp_path / "usual"]).data() == ["digits, 1 epochs"], "alone it needs no other name"
    both = Catalogue([tmp_path / "drawn", tmp_path / "usual"])
    assert both.data() == ["digits, 1 epochs", "digits, 1 epochs, data seed 0"]
    told = both.config("digits, 1 epochs, data seed 0", 50, "exponential", "rdr", 7)
    assert (told.seed, told.data_seed) == (7, 0)


def test_a_tail_whose_seeds_draw_their_subset_says_so_in_its_command(tmp_path):
    for seed in (0, 1):
        rdr_core.train(
            "digits", imbalance_factor=50, seed=seed, data_seed=seed, epochs=1, runs=tmp_path, progress=False
        )
    entries = dict(enumerate(Catalogue([tmp_path]).entries))
    (one,) = head_of(entries, first={}, command=training_command)["sets"]
    assert one["drawn"]
    assert "--seed SEED" in one["tails"][0]["command"]
    assert "--data-seed SEED" in one["tails"][0]["command"]


def test_the_button_asks_for_the_runs_of_a_grid(catalogue):
    """What the explorer would train, on data of the shipped runs, is what a sweep of the same grid trains."""
    grid = {"dataset": "digits", "imbalance_factor": [10, 50], "method": ["ce", "rdr"], "seed": [10, 11],
            "draws": ["data_seed"]}  # fmt: skip
    asked = {
        catalogue.config("digits", factor, "exponential", method, seed)
        for factor in (10.0, 50.0)
        for method in ("ce", "rdr")
        for seed in (10, 11)
    }
    assert asked == set(grid_configs(grid))
    noisy = catalogue.config("digits, 5 % label noise", 50.0, "exponential", "ce", 10)
    assert [noisy] == grid_configs({**grid, "imbalance_factor": 50, "method": "ce", "seed": 10, "noise_rate": 0.05,
                                    "noise": noisy.noise})  # fmt: skip
