"""A run's folder: what it holds, how it is named, and that nothing in it is ever half written or runs code."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from older import drop_checksum

import rdr_core
from rdr_core import RdrError, Run, RunConfig
from rdr_core.files.trees import load_arrays, load_tree, save_tree
from rdr_core.files.whole import read_json, write_json, write_whole
from rdr_core.measures.bound import b_prime
from rdr_core.runs.layout import HISTORY
from rdr_core.runs.run_list import list_runs

REQUEST = {"imbalance_factor": 20, "epochs": 3, "seed": 1, "progress": False, "device": "cpu"}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return rdr_core.train("digits", method="rdr", runs=tmp_path_factory.mktemp("runs"), **REQUEST)


def test_history_has_a_row_an_epoch(run):
    history = run.history
    assert tuple(history.columns) == HISTORY
    assert history.epoch.tolist() == [1, 2, 3]
    assert (history.seconds > 0).all()
    assert history.loss.iloc[-1] < history.loss.iloc[0]
    assert history.negative_ratios.between(0, 1).all()


def test_classes_are_tidy_and_agree_with_the_history(run):
    classes, history = run.classes, run.history
    assert list(classes.columns[:7]) == ["epoch", "class", "count", "group", "accuracy", "weight", "ratio"]
    assert len(classes) == 3 * 10
    # The test set is balanced, so accuracies over images are means over classes.
    by_epoch = classes.groupby("epoch").accuracy.mean()
    np.testing.assert_allclose(by_epoch, history.accuracy)
    by_group = classes.groupby(["epoch", "group"]).accuracy.mean().unstack()
    for group in ("Many", "Medium", "Few"):
        np.testing.assert_allclose(by_group[group], history[group.lower()])
    # Weights have mean 1 in each batch, so over an epoch of single visits too, but for the short last batch.
    last = classes[classes.epoch == 3]
    assert np.average(last.weight, weights=last["count"]) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(history.bound_terms, (classes.weight * classes.b_prime).groupby(classes.epoch).sum())


def test_metrics_are_those_of_the_last_epoch_and_of_the_stored_network(run):
    last = run.history.iloc[-1]
    assert run.metrics["top1"] == last.accuracy
    assert [run.metrics[g] for g in ("many", "medium", "few")] == [last.many, last.medium, last.few]
    np.testing.assert_allclose(run.metrics["per_class"], run.classes[run.classes.epoch == 3].accuracy)
    data = rdr_core.load_data("digits", imbalance_factor=20)
    images = data.test.inputs.float() / 255 - torch.tensor(data.mean)[:, None, None]
    images = images / torch.tensor(data.std)[:, None, None]
    with torch.no_grad():
        right = run.model()(images).argmax(1) == data.test.labels
    assert 100 * right.double().mean().item() == pytest.approx(run.metrics["top1"])


def test_the_run_remembers_its_data(run):
    data = rdr_core.load_data("digits", imbalance_factor=20)
    assert run.class_counts.tolist() == data.class_counts.tolist()
    assert run.indices.tolist() == data.indices.tolist()
    assert run.class_names == data.class_names
    assert [c.tolist() for _, c in run.groups.items()] == [c.tolist() for _, c in data.groups.items()]
    assert run.environment["packages"]["torch"]


def test_a_finished_run_holds_just_these_files(run):
    names = {path.name for path in run.path.iterdir()}
    assert names - {".lock"} == {
        "config.json", "env.json", "data.json", "history.csv", "classes.safetensors", "indices.safetensors",
        "model.safetensors", "metrics.json", "done.json", "weights", "replaced.json",
    }  # fmt: skip
    assert sum(path.stat().st_size for path in run.path.rglob("*")) < 500_000


def test_weights_are_kept_through_training(run, tmp_path):
    assert run.kept == (1, 2, 3)
    early, late = run.model(1).state_dict(), run.model(3).state_dict()
    assert not torch.equal(early["classifier.weight"], late["classifier.weight"])
    assert all(torch.equal(late[name], value) for name, value in run.model().state_dict().items())
    with pytest.raises(rdr_core.RdrError, match=r"keeps no weights of epoch 7; kept: 1, 2, 3\."):
        run.model(7)
    alone = rdr_core.train("digits", method="rdr", runs=tmp_path, **REQUEST | {"epochs": 1})
    assert alone.kept == (1,)


def test_the_run_loads_its_data_again(run):
    data = run.data()
    assert data.indices_hash == json.loads((run.path / "data.json").read_text())["indices_hash"]
    assert data.class_counts.tolist() == run.class_counts.tolist()


def test_recorded_b_prime_is_that_of_the_passes(tmp_path, monkeypatch):
    """Every logit that training saw, kept by the test, gives the recorded values."""
    from rdr_core.training.visits import Visits

    seen, write = [], Visits.write

    def keep(self, start, outcome, ranks):
        labels = self.labels[start : start + self.batch_size]
        seen.append((outcome.logits.detach().clone(), labels.clone(), outcome.weights.clone()))
        write(self, start, outcome, ranks)

    monkeypatch.setattr(Visits, "write", keep)
    made = rdr_core.train("digits", runs=tmp_path, **REQUEST | {"epochs": 1})
    logits, labels, weights = (torch.cat(part) for part in zip(*seen, strict=True))
    true = logits.gather(1, labels[:, None])[:, 0]
    probabilities = logits.softmax(1).gather(1, labels[:, None])[:, 0]
    batches = torch.cat([torch.full((len(part[1]),), i) for i, part in enumerate(seen)])
    priors = torch.tensor(made.class_counts / made.class_counts.sum())
    for reading, column in (("logit", "b_prime"), ("batch", "b_prime_batch"), ("quantile", "b_prime_quantile")):
        expected = b_prime(true, probabilities, labels, priors.float(), reading=reading, batches=batches)
        np.testing.assert_allclose(made.classes[column], expected, rtol=1e-5, atol=1e-6)
    for c in range(10):
        assert made.classes.weight[c] == pytest.approx(weights[labels == c].mean().item(), rel=1e-5)


CONFIG = {"dataset": "digits", "imbalance_factor": 50, "method": "rdr", "epochs": 9, "model": "small",
          "batch_size": 64, "learning_rate": 0.1}  # fmt: skip


def test_equal_requests_have_equal_names_and_any_difference_another():
    assert RunConfig(**CONFIG).name == RunConfig(**CONFIG | {"imbalance_factor": 50.0}).name
    names = {RunConfig(**CONFIG | change).name for change in (
        {}, {"seed": 1}, {"epochs": 8}, {"method": "ce"}, {"noise_rate": 0.05}, {"data_seed": 1},
        {"augmentation": "none"}, {"schedule": "step"},
        {"precision": "bf16"}, {"learning_rate": 0.2}, {"imbalance_factor": None}, {"profile": "step"},
    )}  # fmt: skip
    assert len(names) == 12


def test_a_runs_name_is_a_safe_folder_name():
    name = RunConfig(**CONFIG | {"dataset": "../../my set/é", "method": "rdr:gamma=0.5+la"}).name
    assert "/" not in name
    assert name.startswith("..-..-my-set---if50-rdr-gamma-0.5+la-s0-")


def test_a_configuration_of_another_version_is_refused(run, tmp_path):
    stored = read_json(run.path / "config.json")
    for change in ({"format": 99}, {"config": stored["config"] | {"colour": 1}}):
        folder = tmp_path / f"run{len(change)}{'format' in change}"
        folder.mkdir()
        write_json(folder / "config.json", stored | change)
        with pytest.raises(rdr_core.RdrError, match="version of the toolkit"):
            Run.open(folder)


def test_ones_own_arrays_train_and_resume_only_with_the_same_arrays(tmp_path):
    data = rdr_core.load_data("digits", imbalance_factor=10)
    own = rdr_core.from_arrays(data.train.inputs, data.train.labels, data.test.inputs, data.test.labels, name="mine")
    run = rdr_core.train(own, epochs=1, runs=tmp_path, progress=False)
    assert run.config.dataset == "mine"
    assert run.config.data_hash == own.content_hash
    (run.path / "done.json").unlink()
    with pytest.raises(rdr_core.RdrError, match=r"data of your own, which only you have; give them"):
        rdr_core.resume(run.path)
    assert rdr_core.resume(run.path, data=own, progress=False).done
    with pytest.raises(rdr_core.RdrError, match="have their imbalance already"):
        rdr_core.train(own, imbalance_factor=10)


leaves = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=5)
leaves |= st.builds(torch.arange, st.integers(0, 4))
keys = st.text(max_size=3) | st.integers(0, 9)
trees = st.recursive(leaves, lambda x: st.lists(x, max_size=3) | st.dictionaries(keys, x, max_size=3), max_leaves=12)


def same(one, other) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other) and one.dtype == other.dtype
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def as_tensors(node):
    if isinstance(node, np.ndarray):
        return torch.from_numpy(node)
    if isinstance(node, dict):
        return {key: as_tensors(value) for key, value in node.items()}
    return [as_tensors(item) for item in node] if isinstance(node, list) else node


@given(tree=trees)
def test_trees_come_back_as_they_were(tree, tmp_path_factory):
    path = tmp_path_factory.mktemp("tree") / "t.safetensors"
    save_tree(path, tree)
    assert same(load_tree(path), tree)
    assert same(as_tensors(load_arrays(path)), tree)


def test_a_runs_numbers_are_read_without_torch(run):
    code = """
import sys
from rdr_core.runs import Run
run = Run.open(sys.argv[1])
run.classes, run.history, run.metrics, run.groups, run.indices
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code, str(run.path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_pickle_in_a_checkpoints_place_is_never_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'boom'}",)

    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(rdr_core.RdrError, match=r"checkpoint\.safetensors can't be read"):
        load_tree(path)
    assert not (tmp_path / "boom").exists()


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "file.json"
    write_json(path, {"old": 1})

    def fail(beside: str) -> None:
        Path(beside).write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, fail)
    assert read_json(path) == {"old": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_training_needs_no_pictures_and_no_command_line(tmp_path):
    """A bare GPU machine has torch, torchvision, numpy, pandas and safetensors, and what these bring."""
    code = f"""
import sys
import torch
absent = "matplotlib seaborn rich typer tqdm sklearn scipy joblib"
sys.modules |= dict.fromkeys(absent.split())
import rdr_core
labels = torch.arange(120) % 4
images = (labels[:, None, None, None] * 60).expand(-1, 1, 8, 8).to(torch.uint8)
data = rdr_core.from_arrays(images, labels, images, labels)
run = rdr_core.train(data, method="rdr+la", model="small", epochs=2, runs={str(tmp_path)!r})
assert run.done and run.metrics["top1"] > 0
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "step 4 of 4, " in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("method", ["ce", "focal", "la", "inverse", "inverse:gamma=0.5+la", "cb", "cb+focal", "rdr",
                                    "rdr+la", "rdr+focal", "rdr:ratio=class,gamma=0.5"])  # fmt: skip
def test_every_method_learns_in_both_precisions(method, precision, tmp_path):
    run = rdr_core.train("digits", method=method, precision=precision, runs=tmp_path, **REQUEST | {"epochs": 6})
    assert run.history.loss.iloc[-1] < run.history.loss.iloc[0]
    assert run.metrics["top1"] > 30


def test_bf16_differs_from_fp32_but_not_by_much(tmp_path):
    one, other = (
        rdr_core.train("digits", precision=p, runs=tmp_path, **REQUEST | {"epochs": 1}).history.loss[0]
        for p in ("fp32", "bf16")
    )
    assert one != other
    assert one == pytest.approx(other, rel=0.05)


def test_noise_profile_and_data_seed_reach_the_data(tmp_path):
    run = rdr_core.train("digits", profile="step", noise_rate=0.1, data_seed=2, runs=tmp_path, **REQUEST)
    data = rdr_core.load_data("digits", imbalance_factor=20, profile="step", noise_rate=0.1, seed=2)
    assert run.class_counts.tolist() == data.class_counts.tolist()
    assert run.indices.tolist() == data.indices.tolist()


def test_a_finished_history_is_read_once_and_no_reader_changes_it_for_another(run, tmp_path):
    place = tmp_path / run.name
    shutil.copytree(run.path, place)
    done, going_on = place / "done.json", Run.open(place)
    kept = done.read_text()
    done.unlink()
    assert len(going_on.history) == 3
    whole = (place / "history.csv").read_bytes()
    drop_checksum(place / "config.json")  # as an older version's, none of whose files has one
    drop_checksum(place / "history.csv", keep_rows=2)
    assert len(going_on.history) == 2  # read anew: training may be going on
    (place / "history.csv").write_bytes(whole)
    done.write_text(kept)
    mine = going_on.history
    mine["loss"] = 0.0
    (place / "history.csv").unlink()
    assert going_on.history.equals(run.history)


def test_runs_are_chosen_by_what_they_were_asked_to_do(run):
    folder = run.path.parent
    found = [list_runs(folder, **wanted) for wanted in (
        {}, {"method": "rdr"}, {"method": ["ce", "rdr"], "imbalance_factor": 20, "seed": range(3)},
        {"method": "ce"}, {"method": "rdr", "seed": 0}, {"imbalance_factor": (10, 50)},
    )]  # fmt: skip
    assert [[one.name for one in runs] for runs in found] == 3 * [[run.name]] + 3 * [[]]
    with pytest.raises(RdrError, match="no field of a run's configuration named 'metod'; did you mean 'method'"):
        list_runs(folder, metod="rdr")


@pytest.mark.parametrize("name", ["epochs", "batch_size", "seed", "data_seed", "class_order", "learning_rate"])
@pytest.mark.parametrize("value", [10**400, 10**30, -(10**400), 1e300, float("inf"), float("nan"), None, "1", []])
def test_numbers_that_can_not_be_are_one_sentence(name, value):
    values = {"dataset": "digits", "imbalance_factor": 50, "method": "ce", "epochs": 9, "model": "small",
              "batch_size": 64, "learning_rate": 0.1} | {name: value}  # fmt: skip
    if (name, value) in (("learning_rate", 10**30), ("learning_rate", 1e300), ("learning_rate", "1")):
        return
    with pytest.raises(RdrError, match=f"^{name} is .*; it must be ") as told:
        RunConfig(**values)
    assert "\n" not in str(told.value)
