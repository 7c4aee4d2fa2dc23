"""A stranger's run, whose files name other places, is refused before anything is written, wherever it leads."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from strangers import escaping_names
from tried import tried

import rdr_core
from rdr_core.errors import RdrError
from rdr_core.files.whole import read_json, write_json
from rdr_core.runs import Run
from rdr_core.runs.evaluation import evaluate
from rdr_core.runs.requests import refine, resume, train_config
from rdr_viz.analysis.geometry import geometry

REQUEST = {"imbalance_factor": 50, "epochs": 2, "progress": False}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Run:
    return rdr_core.train("digits", method="ce", runs=tmp_path_factory.mktemp("trained"), **REQUEST)


@pytest.fixture
def run(trained, tmp_path) -> Run:
    """A copy in a folder of runs, beside a folder of somebody else's."""
    shutil.copytree(trained.path, tmp_path / "runs" / trained.name)
    (tmp_path / "theirs").mkdir()
    return Run.open(tmp_path / "runs" / trained.name)


def everything(folder: Path) -> dict[str, bytes | str]:
    """Every file below a folder, and every link, as it is."""
    found: dict[str, bytes | str] = {}
    for inside, folders, names in os.walk(folder):
        for name in folders + names:
            path = Path(inside, name)
            if path.is_symlink():
                found[str(path)] = os.readlink(path)
            elif path.is_file():
                found[str(path)] = path.read_bytes()
    return found


def second_stage(run: Run, base: object) -> Path:
    """The folder of a second stage that was stopped before its first epoch, and says where its first stage is."""
    config = run.config.to_dict() | {"method": "ce+crt"}
    place = run.path.parent / "second"
    place.mkdir()
    (place / "config.json").write_text(json.dumps({"format": 1, "config": config}))
    (place / "stage.json").write_text(json.dumps({"base": base, "epochs": 1}))
    return place


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=escaping_names.filter(bool))
def test_a_first_stage_is_never_sought_elsewhere(trained, tmp_path, name):
    shutil.rmtree(tmp_path, ignore_errors=True)
    shutil.copytree(trained.path, tmp_path / "runs" / trained.name)
    place = second_stage(Run.open(tmp_path / "runs" / trained.name), name)
    before = everything(tmp_path)
    with pytest.raises(RdrError, match="in which it must stay"):
        resume(place, progress=False)
    assert everything(tmp_path) | {str(place / ".lock"): b""} == before | {str(place / ".lock"): b""}
    tried("Hostile input", "first stages elsewhere", 1)


def test_a_first_stage_that_is_another_run_is_left_as_it_is(run, tmp_path):
    """Its folder would be trained into, or its network refined in place of the right one."""
    other = rdr_core.train("digits", method="inverse", runs=run.path.parent, **REQUEST)
    place = second_stage(run, other.name)
    before = everything(other.path)
    with pytest.raises(RdrError, match="holds another run than"):
        resume(place, progress=False)
    assert everything(other.path) == before


def test_a_run_under_another_runs_name_is_not_taken_for_it(run):
    """Neither opened as its result, nor trained over."""
    config = Run.open(run.path).config
    stranger = read_json(run.path / "config.json")
    stranger["config"]["seed"] = 7
    write_json(run.path / "config.json", stranger)
    with pytest.raises(RdrError, match="holds another run than"):
        train_config(config, runs=run.path.parent, progress=False)


@pytest.mark.parametrize("name", ["weights", ".lock"])
def test_training_writes_through_no_link(run, tmp_path, name):
    config = run.config
    shutil.rmtree(run.path)
    run.path.mkdir()
    (run.path / name).symlink_to(tmp_path / "theirs" / "notes")
    (tmp_path / "theirs" / "notes").write_text("mine")
    before = everything(tmp_path)
    with pytest.raises(RdrError, match="in which it must stay"):
        train_config(config, runs=run.path.parent, progress=False)
    assert everything(tmp_path) == before


def test_no_run_is_trained_into_a_folder_that_a_link_leads_to(run, tmp_path):
    config = run.config
    shutil.rmtree(run.path)
    run.path.symlink_to(tmp_path / "theirs")
    for train in (
        lambda: train_config(config, runs=tmp_path / "runs", progress=False),
        lambda: rdr_core.train("digits", method="ce", runs=tmp_path / "runs", **REQUEST),
    ):
        with pytest.raises(RdrError, match="in which it must stay"):
            train()
    assert everything(tmp_path / "theirs") == {}


def test_a_refined_run_and_a_trunk_go_to_no_other_folder(run, tmp_path):
    name = run.name.replace("-ce-", "-ce+taunorm-")
    refined = refine(run, "taunorm", progress=False)
    assert refined.name.startswith(name.rpartition("-")[0])
    shutil.rmtree(refined.path)
    refined.path.symlink_to(tmp_path / "theirs")
    (tmp_path / "runs" / "trunks").symlink_to(tmp_path / "theirs")
    with pytest.raises(RdrError, match="in which it must stay"):
        refine(run, "taunorm", progress=False)
    with pytest.raises(RdrError, match="in which it must stay"):
        rdr_core.train("digits", method="inverse+drw", runs=tmp_path / "runs", **REQUEST | {"epochs": 4})
    assert everything(tmp_path / "theirs") == {}


@pytest.mark.parametrize("folder", ["evaluations", "analysis"])
def test_results_are_written_through_no_link(run, tmp_path, folder):
    (run.path / folder).symlink_to(tmp_path / "theirs")
    with pytest.raises(RdrError, match="in which it must stay"):
        evaluate(run) if folder == "evaluations" else geometry(run)
    assert everything(tmp_path / "theirs") == {}
