"""`rdr check` finds what is damaged, lost or left over, and brings back what follows from something else."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import tarfile
from pathlib import Path

import pytest
from damage import ANALYSES, readings, same
from equal_runs import assert_equal_runs
from forked import Forked
from older import drop_checksum
from tried import tried
from waiting import ended, wait_for

import rdr_core
from rdr_core import RdrError, Run
from rdr_core.files.sealed import is_sealed
from rdr_core.files.whole import read_json, write_json
from rdr_core.runs.checking import check_run, run_folders
from rdr_core.runs.folder import RunFolder

REQUEST = {"imbalance_factor": 50, "epochs": 3, "device": "cpu", "progress": False}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path]:
    """A finished run with analyses and evaluations, and the same run killed before it was finished."""
    run = rdr_core.train("digits", method="rdr", runs=tmp_path_factory.mktemp("finished"), **REQUEST)
    for analysis in ANALYSES.values():
        analysis(run)
    rdr_core.evaluate(run, test="reversed")
    folder = tmp_path_factory.mktemp("stopped")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "finish", lambda *_: (_ for _ in ()).throw(RdrError("killed")))
        with pytest.raises(RdrError, match="killed"):
            rdr_core.train("digits", method="rdr", runs=folder, **REQUEST)
    return run.path, next(folder.iterdir())


@pytest.fixture
def finished(made, tmp_path) -> Path:
    return Path(shutil.copytree(made[0], tmp_path / made[0].name))


@pytest.fixture
def stopped(made, tmp_path) -> Path:
    return Path(shutil.copytree(made[1], tmp_path / "stopped"))


def damage(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:-9] + b"#" + content[-8:])


def test_what_is_good_is_left_as_it_is(finished, stopped):
    for place in (finished, stopped):
        before = {file: file.read_bytes() for file in place.rglob("*") if file.is_file()}
        found = check_run(place, repair=True)
        assert (found.good, found.findings, found.repaired, found.sealed) == (True, [], [], 0)
        assert {file: file.read_bytes() for file in place.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("names", [["history.csv"], ["classes.safetensors"], ["history.csv", "classes.safetensors"]])
def test_history_and_classes_come_back_from_the_checkpoint(names, stopped):
    right = {name: (stopped / name).read_bytes() for name in ("history.csv", "classes.safetensors")}
    for name in names:
        damage(stopped / name)
    assert not check_run(stopped).good
    found = check_run(stopped, repair=True)
    assert (found.good, len(found.repaired) >= 1) == (True, True)
    assert {name: (stopped / name).read_bytes() for name in right} == right


@pytest.mark.parametrize("lost", ["missing", "damaged"])
@pytest.mark.parametrize("by", ["check", "resume", "train"])
def test_a_lost_mark_is_written_again_and_nothing_is_trained_anew(lost, by, finished, capsys):
    right, model = (finished / "done.json").read_bytes(), (finished / "model.safetensors").stat().st_mtime_ns
    (finished / "done.json").unlink() if lost == "missing" else damage(finished / "done.json")
    if by == "check":
        assert not check_run(finished).good
        assert check_run(finished, repair=True).good
    elif lost == "missing":
        if by == "resume":
            rdr_core.resume(finished, device="cpu", progress=False)
        else:
            rdr_core.train("digits", method="rdr", runs=finished.parent, **REQUEST)
        assert "only its done.json was missing; it is written again" in capsys.readouterr().err
    else:
        return
    assert (finished / "done.json").read_bytes() == right
    assert (finished / "model.safetensors").stat().st_mtime_ns == model


def test_what_kills_leave_behind_goes(finished, made):
    shutil.copy(made[1] / "checkpoint.safetensors", finished)
    for name in (".history.csv.abc_1234", "analysis/.shares-0123456789.csv.zyxw9876"):
        (finished / name).write_text("half")
        os.utime(finished / name, (10**9, 10**9))
    fresh = finished / "analysis" / ".shares-0123456789.csv.aaaaaaaa"
    fresh.write_text("half")  # perhaps being written
    found = check_run(finished)
    assert (found.good, len(found.findings)) == (True, 3)
    found = check_run(finished, repair=True)
    assert (found.findings, len(found.repaired)) == ([], 3)
    assert not (finished / "checkpoint.safetensors").exists()
    assert [file.name for file in finished.rglob(".*") if file.name != ".lock"] == [fresh.name]


def test_damaged_analyses_and_evaluations_are_computed_anew(finished):
    right = {name: get() for name, get in readings(finished).items() if name in (*ANALYSES, "evaluation reversed")}
    for file in (finished / "analysis").iterdir():
        damage(file)
    for file in (finished / "evaluations").iterdir():
        damage(file)
    assert not check_run(finished).good
    assert check_run(finished, repair=True).good
    assert not list((finished / "analysis").glob("*.csv"))
    for analysis in ANALYSES.values():
        analysis(Run.open(finished))
    rdr_core.evaluate(finished, test="reversed")
    assert all(same(readings(finished)[name](), found) for name, found in right.items())


def test_after_a_damaged_checkpoint_the_run_begins_anew_and_is_the_same(stopped, made):
    damage(stopped / "checkpoint.safetensors")
    with pytest.raises(RdrError, match=r"checkpoint\.safetensors can't be read"):
        rdr_core.resume(stopped, device="cpu", progress=False)
    found = check_run(stopped, repair=True)
    assert found.good
    assert "begins anew" in found.repaired[0]
    assert_equal_runs(rdr_core.resume(stopped, device="cpu", progress=False), Run.open(made[0]))


def test_older_runs_get_their_checksums_once_and_stay_what_they_were(finished, tmp_path):
    right = {name: get() for name, get in readings(finished).items() if "how" not in name}
    files = [file for file in finished.rglob("*") if file.suffix in (".json", ".csv", ".safetensors")]
    for file in files:
        drop_checksum(file)
    done = read_json(finished / "done.json")
    write_json(finished / "done.json", {"epochs": done["epochs"]})  # as the oldest
    drop_checksum(finished / "done.json")
    right["hash"] = None
    for round_ in (len(files), 0):
        found = check_run(finished)
        assert (found.good, found.sealed) == (True, round_)
        assert all(map(is_sealed, files))
        assert all(same(readings(finished)[name](), before) for name, before in right.items())


def test_weights_of_an_older_run_that_are_not_those_it_was_finished_with_are_found(tmp_path):
    with tarfile.open(Path(__file__).with_name("format-1.tar.xz")) as archive:
        archive.extractall(tmp_path, filter="data")
    place = tmp_path / "digits-if50-rdr+la-s0-7db891c809"
    model = place / "model.safetensors"
    content = bytearray(model.read_bytes())
    content[-100] ^= 1
    model.write_bytes(content)
    found = check_run(place)
    assert "model.safetensors can't be read (it is not the network that done.json says" in found.findings[0].sentence
    assert (found.good, found.sealed) == (False, 0)


def test_a_run_that_is_being_trained_is_left_alone(stopped):
    damage(stopped / "history.csv")
    with RunFolder(stopped).locked():
        found = check_run(stopped, repair=True)
    assert (found.busy, found.findings, found.repaired) == (True, [], [])


def test_the_command_says_it_and_its_status_is_what_it_found(finished, stopped, rdr):
    runs = str(finished.parent)
    assert rdr("check", runs)[0] == 0
    damage(stopped / "history.csv")
    status, out, _ = rdr("check", runs)
    assert status == 1
    assert f"{stopped}: damaged" in out
    assert "history.csv can't be read (it is not as it was written" in out
    status, out, _ = rdr("check", runs, "--repair", "--json")
    assert status == 0
    (one,) = [run for run in json.loads(out) if run["run"] == str(stopped)]
    assert (one["state"], one["findings"], len(one["repaired"])) == ("good", [], 1)
    status, out, err = rdr("check", "nowhere")
    assert (status, out) == (2, "")
    assert "nowhere holds no runs" in err


def test_runs_and_trunks_are_found_and_runs_that_lost_their_configuration(finished, tmp_path):
    trunk = tmp_path / "trunks" / "name" / "machine"
    shutil.copytree(finished, trunk)
    (finished / "config.json").unlink()
    assert run_folders([tmp_path]) == [finished, trunk]
    found = check_run(finished, repair=True)
    assert not found.good
    assert "has no config.json" in found.findings[0].sentence


KILLED = """
import sys, rdr_core
rdr_core.train("digits", imbalance_factor=50, epochs=400, runs=sys.argv[1], device="cpu", progress=False)
"""


def made_so_far(runs: Path) -> int:
    """Epochs of the one run there."""
    return sum(max(0, len(file.read_text().splitlines()) - 1) for file in runs.glob("*/history.csv"))


@pytest.mark.slow
def test_no_kill_leaves_a_file_that_looks_damaged(tmp_path):
    """Wherever it falls: while files are written, in their places, and between them."""
    draw, kills = random.Random(0), 25
    for _ in range(kills):
        process = Forked(KILLED, tmp_path)
        more = made_so_far(tmp_path) + draw.randint(1, 5)
        wait_for(lambda more=more: made_so_far(tmp_path) >= more, "some epochs")
        os.kill(process.pid, signal.SIGKILL)
        ended(process)
        (place,) = (path.parent for path in tmp_path.glob("*/config.json"))
        found = check_run(place)
        assert found.good, found.findings
        assert found.sealed == 0
        run = Run.open(place)
        assert len(run.classes) >= 10 * (run.epochs_done - 1)
    tried("Damage", "kills after which no file looks damaged", kills)
