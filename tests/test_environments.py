"""Environments that are not as they should be: a sentence and status 2, or it works all the same."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tried import tried

import rdr_core
from rdr_core.data.load import data_root
from rdr_core.errors import RdrError
from rdr_core.files.places import own_place
from rdr_core.files.whole import write_json
from rdr_core.runs.archive import shipped
from rdr_viz.displays.figure import new_figure, save

TRAIN = ("train", "digits", "-i", "50", "--epochs", "1", "-m", "ce")
ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "variables",
    [
        {"WORLD_SIZE": "abc"},
        {"WORLD_SIZE": ""},
        {"WORLD_SIZE": "-1"},
        {"WORLD_SIZE": "0"},
        {"WORLD_SIZE": "²"},
        {"WORLD_SIZE": "2"},
        {"WORLD_SIZE": "2", "RANK": "0"},
        {"WORLD_SIZE": "2", "RANK": "x", "LOCAL_RANK": "0"},
        {"WORLD_SIZE": "2", "RANK": "2", "LOCAL_RANK": "0"},
        {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "-1"},
        {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0"},
        {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "localhost"},
        {"RDR_DATA": "~no-such-user-here"},
    ],
    ids=str,
)
def test_nonsense_in_the_environment_is_one_sentence(variables, rdr, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    status, out, err = rdr(*TRAIN)
    assert (status, out) == (2, "")
    assert err.startswith("rdr: ")
    assert err.count("\n") == 1
    assert next(iter(variables)) in err or any(name in err for name in ("RANK", "MASTER"))
    tried("Faults", "environments", 1)


def test_homes_that_are_not_there_are_told(monkeypatch):
    monkeypatch.setenv("RDR_CACHE", "~no-such-user-here")
    with pytest.raises(RdrError, match="RDR_CACHE is '~no-such-user-here', but there is no such home folder"):
        shipped()
    with pytest.raises(RdrError, match="root is '~no-such-user-here/data'"):
        data_root("~no-such-user-here/data")
    for name in ("a\0b", "a\ud800b"):
        with pytest.raises(RdrError, match="no folder can be called"):
            own_place(name, "root")


def refused(error: int):
    def call(*_: object, **__: object) -> None:
        raise OSError(error, os.strerror(error))

    return call


@pytest.mark.parametrize("error", [errno.EINVAL, errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_modes_and_synced_folders_is_trained_on(error, tmp_path, monkeypatch):
    sync = os.fsync

    def files_only(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(error, os.strerror(error))
        sync(handle)

    monkeypatch.setattr(os, "fsync", files_only)
    monkeypatch.setattr(os, "chmod", refused(error))
    run = rdr_core.train("digits", imbalance_factor=50, method="ce", epochs=1, runs=tmp_path, progress=False)
    assert run.done
    tried("Faults", "calls refused by file systems", 2)


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
def test_what_a_disk_has_not_kept_is_no_success(error, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", refused(error))
    with pytest.raises(OSError, match=os.strerror(error)):
        write_json(tmp_path / "a.json", {})


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_where_nothing_can_be_locked_it_is_said(error, rdr, tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", refused(error))
    status, out, err = rdr(*TRAIN)
    assert (status, out) == (2, "")
    assert "files can't be locked" in err
    assert list(tmp_path.iterdir()) == []
    tried("Faults", "calls refused by file systems", 1)


def test_a_picture_that_cannot_be_written_is_a_sentence(tmp_path):
    import pandas as pd

    (tmp_path / "file").write_text("")
    with pytest.raises(RdrError, match="can't be written"):
        save(new_figure(), tmp_path / "file" / "picture", pd.DataFrame())


def ran(*arguments: str, cwd: Path, shell: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """A command of rdr's, with what a shell does to its streams."""
    code = "import sys; sys.argv[0] = 'rdr'; from rdr_viz.cli import main; main()"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "RDR_CHECK_SHAPES": "0"} | variables
    command = ["sh", "-c", f'"$@" {shell}', "sh", sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("command", [("kinds",), ("methods",), ("--help",), ("methods", "rdr"), ("datasets",)], ids=str)
def test_output_that_cannot_be_written_is_a_sentence(command, tmp_path):
    done = ran(*command, cwd=tmp_path, shell=">/dev/full")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("rdr: The output can't be read or written (No space left on device); choose")
    assert done.stderr.count("\n") == 1
    assert ran(*command, cwd=tmp_path, shell=">&-").returncode in (0, 2)
    piped = ran(*command, cwd=tmp_path, shell="| true")
    assert "Traceback" not in piped.stderr
    tried("Faults", "streams closed or full", 3)


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["2>/dev/full", "2>&-", "2>&- >&- </dev/null"])
def test_training_goes_on_where_nobody_hears_of_it(shell, tmp_path):
    done = ran(*TRAIN, cwd=tmp_path, shell=shell)
    assert done.returncode == 0, done.stderr
    assert rdr_core.runs.list_runs(tmp_path / "runs")[0].done
    tried("Faults", "streams closed or full", 1)


@pytest.mark.slow
def test_a_backend_that_there_is_none_of_draws_files_all_the_same(tmp_path):
    rdr_core.train("digits", imbalance_factor=50, method="ce", epochs=1, runs=tmp_path / "runs", progress=False)
    (run,) = (tmp_path / "runs").glob("digits-*")
    done = ran("plot", str(run), "--kind", "counts", cwd=tmp_path, MPLBACKEND="nonsense")
    assert (done.returncode, done.stderr) == (0, "")
