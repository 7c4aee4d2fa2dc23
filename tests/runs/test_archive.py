"""Runs as archives: what went in comes out, stored numbers need no weights, and strange archives are refused."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import rdr_core
from rdr_core import RdrError, Run
from rdr_core.runs import archive as module
from rdr_core.runs.archive import pack, shipped, unpack
from rdr_core.runs.checking import check_run
from rdr_core.runs.command import command_of
from rdr_core.runs.requests import train_config
from rdr_core.training.interrupt import TrainingStopped
from rdr_viz.analysis.catalogue import analyse, analyses
from rdr_viz.analysis.curvature import class_curvature, class_density
from rdr_viz.analysis.geometry import features, mean_drift, neural_collapse, norms_and_angles
from rdr_viz.analysis.groups import calibration, confusion
from rdr_viz.analysis.predictions import predictions
from rdr_viz.analysis.replayed_ratios import ratio_reliability
from rdr_viz.analysis.surface import loss_surface
from rdr_viz.analysis.weights import shares
from rdr_viz.displays.kinds import make_display
from rdr_viz.displays.trace_table import TraceTable

REQUEST = {"imbalance_factor": 50, "epochs": 4, "device": "cpu", "progress": False}

#: Every stored analysis, by the function that gives it.
NUMBERS = {
    "curvature": lambda run: class_curvature(run, classes=[8, 9], relative_error=0.3, progress=False),
    "traces": lambda run: TraceTable.from_run(run, classes=[9], relative_error=0.3, progress=False).data,
    "density": lambda run: class_density(run, classes=[9], probes=2, steps=10, progress=False),
    "predictions": predictions,
    "confusion": confusion,
    "calibration": calibration,
    "collapse": lambda run: neural_collapse([run]),
    "norms": lambda run: norms_and_angles([run]),
    "drift": mean_drift,
    "surface": lambda run: loss_surface(run, points=3),
    "shares": shares,
    "ratios": ratio_reliability,
    "evaluation": lambda run: pd.DataFrame(rdr_core.evaluate(run, test="reversed")["per_class"]),
}

#: Pictures that choose epochs of their own.
PICTURES = ("collapse", "shares", "confusion", "calibration", "norms", "surface")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> list[Run]:
    """CE, RDR and a second stage on CE; RDR with everything analysed."""
    folder = tmp_path_factory.mktemp("runs")
    runs = [rdr_core.train("digits", method=method, runs=folder, **REQUEST) for method in ("ce", "rdr", "ce+crt")]
    for numbers in NUMBERS.values():
        numbers(runs[1])
    for kind in PICTURES:
        make_display(kind, runs[1:2])
    return runs


@pytest.fixture(scope="module")
def archive(trained, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("archives") / "digits.tar.xz"
    pack(trained, path)
    return path


def contents(run: Run) -> dict[str, bytes]:
    return {str(path.relative_to(run.path)): path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


#: Results that are packed with fewer digits, nine and six, and how near they stay.
ROUNDED = {"density": 1e-8, "predictions": 1e-5}


def _kept(name: str) -> dict[str, object]:
    return {"rtol": ROUNDED[name], "atol": 0} if name in ROUNDED else {"check_exact": True}


def unpacked(archive: Path, folder: Path) -> dict[str, Run]:
    unpack(archive, folder)
    return {run.name: run for run in rdr_core.list_runs(folder)}


def test_all_but_weights_and_what_needs_them_comes_back_to_the_byte(trained, archive, tmp_path):
    found = unpacked(archive, tmp_path)
    assert set(found) == {run.name for run in trained}
    for run in trained:
        before, after = contents(run), contents(found[run.name])
        rounded = {name: rtol for name in before for what, rtol in ROUNDED.items()
                   if name.startswith(f"analysis/{what}-") and name.endswith(".csv")}  # fmt: skip
        assert bool(rounded) == (run.config.method == "rdr")
        rounded["history.csv"] = 5e-7
        assert {name for name in after if after[name] != before[name]} == {"classes.safetensors", *rounded}
        for name, rtol in rounded.items():
            exact, kept = pd.read_csv(run.path / name), pd.read_csv(found[run.name].path / name)
            pd.testing.assert_frame_equal(kept.iloc[:, :-1], exact.iloc[:, :-1], rtol=rtol, atol=0, check_dtype=False)
            assert check_run(found[run.name].path).good
        doubles, singles = run.classes, found[run.name].classes
        # Numbers by class are kept in single precision, to 13 binary digits.
        pd.testing.assert_frame_equal(singles, doubles.astype(singles.dtypes.to_dict()), rtol=1 / 8192, atol=0)
        bits = [singles[name].to_numpy().view(np.int32) for name in singles if singles[name].dtype == np.float32]
        assert not any((column & (2**11 - 1)).any() for column in bits)
        assert {"float32"} == {str(kind) for kind in singles.dtypes if str(kind).startswith("float")}
        left = {re.sub(r"-[0-9a-f]{10}\.|-\d{4}\.", ".", name) for name in set(before) - set(after)} - {".lock"}
        full = {"model.safetensors", "weights/epoch.safetensors"}
        full |= {f"analysis/{what}.{end}" for what in ("features", "replayed-visits") for end in ("csv", "json")}
        assert left == {"ce": full - {name for name in full if "analysis" in name}, "rdr": full,
                        "ce+crt": {"model.safetensors"}}[run.config.method]  # fmt: skip


def test_equal_runs_give_equal_bytes_whatever_their_order_and_dates(trained, archive, tmp_path):
    copies = []
    for run in trained[::-1]:
        shutil.copytree(run.path, tmp_path / "later" / run.name, copy_function=shutil.copyfile)
        os.utime(tmp_path / "later" / run.name / "config.json", (10**9, 10**9))
        (tmp_path / "later" / run.name / ".history.csv.half").write_text("half written")
        copies.append(Run.open(tmp_path / "later" / run.name))
    pack(copies, tmp_path / "again.tar.xz")
    assert (tmp_path / "again.tar.xz").read_bytes() == archive.read_bytes()


def test_an_archive_is_smaller_than_a_zip_and_like_runs_cost_next_to_nothing(trained, archive, tmp_path):
    unpack(archive, tmp_path / "runs")
    with zipfile.ZipFile(tmp_path / "runs.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as plain:
        for path in sorted((tmp_path / "runs").rglob("*.*")):
            plain.write(path)
    assert archive.stat().st_size < 0.75 * (tmp_path / "runs.zip").stat().st_size
    like = [shutil.copytree(trained[0].path, tmp_path / f"like-{i}") for i in range(10)]
    pack([Run.open(path) for path in like[:1]], tmp_path / "1.tar.xz")
    pack([Run.open(path) for path in like], tmp_path / "10.tar.xz")
    assert (tmp_path / "10.tar.xz").stat().st_size < 1.3 * (tmp_path / "1.tar.xz").stat().st_size


def test_weights_are_packed_for_the_runs_named(trained, tmp_path):
    name = trained[1].name
    pack(trained, tmp_path / "a.tar.xz", weights=[name])
    found = unpacked(tmp_path / "a.tar.xz", tmp_path / "runs")
    assert [run.has_weights for run in found.values()] == [run == name for run in found]
    assert contents(found[name]).keys() == contents(trained[1]).keys() - {".lock"}
    for epoch in found[name].kept:
        one, other = found[name].model(epoch).state_dict(), trained[1].model(epoch).state_dict()
        assert all(torch.equal(one[key], other[key]) for key in other)


def test_an_unfinished_run_goes_on_elsewhere_as_if_it_had_not_moved(trained, tmp_path):
    with pytest.raises(TrainingStopped):
        train_config(trained[1].config, runs=tmp_path, device="cpu", progress=False, deadline=0.0)
    stopped = Run.open(tmp_path / trained[1].name)
    assert not stopped.done
    with pytest.raises(RdrError, match="is not finished; continue it first, leave it out, or pack with unfinished"):
        pack([stopped], tmp_path / "a.tar.xz")
    pack([stopped, trained[0]], tmp_path / "a.tar.xz", unfinished=True)
    found = unpacked(tmp_path / "a.tar.xz", tmp_path / "elsewhere")
    assert not found[trained[0].name].has_weights
    run = rdr_core.resume(found[stopped.name].path, device="cpu", progress=False)
    pd.testing.assert_frame_equal(run.classes, trained[1].classes, check_exact=True)
    one, other = run.model().state_dict(), trained[1].model().state_dict()
    assert all(torch.equal(one[key], other[key]) for key in other)


def test_what_cannot_be_packed_is_told(trained, archive, tmp_path):
    twin = Run.open(shutil.copytree(trained[0].path, tmp_path / trained[0].name))
    with pytest.raises(RdrError, match="have the same name"):
        pack([trained[0], twin], tmp_path / "a.tar.xz")
    with pytest.raises(RdrError, match="Weights of 'other' are asked for"):
        pack(trained, tmp_path / "a.tar.xz", weights=["other"])
    bare = unpacked(archive, tmp_path / "bare")[twin.name]
    with pytest.raises(RdrError, match="no run of that name with its weights"):
        pack([bare], tmp_path / "a.tar.xz", weights=[bare.name])
    assert not (tmp_path / "a.tar.xz").exists()


def test_a_run_that_is_there_stays_as_it_is(trained, archive, tmp_path):
    (tmp_path / trained[0].name).mkdir()
    (tmp_path / trained[0].name / "mine.txt").write_text("mine")
    unpack(archive, tmp_path)
    assert [path.name for path in (tmp_path / trained[0].name).iterdir()] == ["mine.txt"]
    assert {path.name for path in tmp_path.iterdir()} == {run.name for run in trained}


# Runs without weights


def test_stored_numbers_are_read_without_weights_and_data(trained, archive, tmp_path, monkeypatch):
    run = unpacked(archive, tmp_path)[trained[1].name]
    monkeypatch.setenv("RDR_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setattr(Run, "data", lambda *_: pytest.fail("asked for data"))
    before = contents(run)
    for name, numbers in NUMBERS.items():
        kept = _kept("predictions" if name in ("calibration", "confusion") else name)  # made of them
        pd.testing.assert_frame_equal(numbers(run), numbers(trained[1]), obj=name, **kept)
    assert contents(run) == before
    for kind in PICTURES:
        assert make_display(kind, [run]).finding == make_display(kind, [trained[1]]).finding


def test_every_analysis_that_is_computed_by_name_is_found_again(trained, archive, tmp_path):
    run = trained[2]  # its second stage has no epochs but the last
    data = run.data()
    for what in analyses():
        if what != "curvature":  # asked for above; over all classes it takes minutes
            analyse(run, what, data)
    pack([run], tmp_path / "a.tar.xz")
    found = unpacked(tmp_path / "a.tar.xz", tmp_path / "runs")[run.name]
    assert (found.kept, found.milestones, run.kept) == ((), (4,), (4,))
    for what in analyses():
        if what != "curvature":
            # What is told of predictions is made of them.
            kept = _kept("predictions" if what == "groups" else what)
            pd.testing.assert_frame_equal(analyse(found, what, None), analyse(run, what, data), **kept)


def test_a_run_without_weights_says_so_and_how_to_train_it(trained, archive, tmp_path, monkeypatch):
    run = unpacked(archive, tmp_path / "runs")[trained[1].name]
    assert (run.done, run.has_weights, run.kept, run.milestones) == (True, False, (), (1, 2, 3, 4))
    assert trained[1].kept == trained[1].milestones
    assert run.metrics == trained[1].metrics
    command = "rdr train digits -i 50 -m rdr --epochs 4"
    said = re.escape(f"{run.path} was shipped without its weights; `{command}` trains it again.")
    fresh = {
        "the model": lambda: run.model(),
        "an epoch": lambda: run.model(2),
        "no epoch of it": lambda: run.model(7),
        "curvature": lambda: class_curvature(run, classes=[0], progress=False),
        "features": lambda: features(run),
        "predictions": lambda: predictions(run, split="train"),
        "ratios": lambda: ratio_reliability(run, passes=3),
        "an evaluation": lambda: rdr_core.evaluate(run, test="reversed", imbalance_factor=3),
        "a second stage": lambda: rdr_core.refine(run, "taunorm", progress=False),
    }
    for ask in fresh.values():
        with pytest.raises(RdrError, match=f"^{said}$"):
            ask()
    monkeypatch.chdir(tmp_path)  # where it lies in the usual folder, the command as it is would only open it
    with pytest.raises(RdrError, match=re.escape(f"`{command_of(run.config, Path('retrained'))}` trains it again")):
        run.model()


def test_no_weights_of_own_arrays_names_no_command(tmp_path):
    data = rdr_core.load_data("digits", imbalance_factor=10)
    own = rdr_core.from_arrays(data.train.inputs, data.train.labels, data.test.inputs, data.test.labels, name="mine")
    run = rdr_core.train(own, epochs=1, runs=tmp_path, progress=False)
    (run.path / "model.safetensors").unlink()
    with pytest.raises(RdrError, match=r"without its weights; train it again with rdr_core\.train, as its config"):
        run.model()


def test_epochs_must_be_named_for_curvature(trained):
    with pytest.raises(RdrError, match="epochs is empty; name one or more of 1, 2, 3, 4"):
        class_curvature(trained[0], epochs=(), progress=False)


# Archives from anywhere


def entry(name: str, content: bytes = b"x", **facts: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = 0 if facts.get("type", tarfile.REGTYPE) != tarfile.REGTYPE else len(content)
    for fact, value in facts.items():
        setattr(info, fact, value)
    return info, content


def made(path: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:xz", format=tarfile.PAX_FORMAT) as tar:
        for info, content in entries:
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (entry(".jobs/x/request.json"), "'.jobs/x/request.json', which is not a file of a run's folder"),
        (entry("run/.lock"), "not a file of a run's folder"),
        (entry("run/analysis/.curvature-1/0.json"), "not a file of a run's folder"),
        (entry(".unpacking-x/config.json"), "not a file of a run's folder"),
        (entry("run/torch.py"), "not a file of a run's folder"),
        (entry("run/" + "a/" * 1000 + "config.json"), "not a file of a run's folder"),
        (entry("x" * 300 + "/config.json"), "not a file of a run's folder"),
        (entry("run/weights/epoch-1.pth"), "not a file of a run's folder"),
        (entry("run\x1b[2J/config.json"), "not a file of a run's folder"),
        (entry("run/env.json", b""), "'run/env.json', which is not a plain file, or an empty one"),
        (entry("/tmp/run/config.json"), "'/tmp/run/config.json', which is not a file of a run's folder"),
        (entry("../run/config.json"), "not a file of a run's folder"),
        (entry("run/../../config.json"), "not a file of a run's folder"),
        (entry("run/../other/config.json"), "not a file of a run's folder"),
        (entry("run\\..\\..\\config.json"), "not a file of a run's folder"),
        (entry("config.json"), "'config.json', which is not a file of a run's folder"),
        (
            entry("run/env.json", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
            "'run/env.json', which is not a plain file",
        ),
        (entry("run/env.json", type=tarfile.LNKTYPE, linkname="run/config.json"), "not a plain file"),
        (entry("run/analysis/a.json", type=tarfile.DIRTYPE), "not a plain file"),
        (entry("run/stage.json", type=tarfile.FIFOTYPE), "not a plain file"),
        (entry("run/data.json", type=tarfile.BLKTYPE), "not a plain file"),
        (entry("run/done.json"), "can't be unpacked"),
    ],
    ids=lambda value: value[0].name if isinstance(value, tuple) else "",
)
def test_archives_that_reach_elsewhere_are_refused_whole(bad, says, tmp_path):
    first = [entry("run/config.json"), entry("run/done.json")]
    archive = made(tmp_path / "bad.tar.xz", *first, bad)
    folder = tmp_path / "deep" / "runs"
    with pytest.raises(RdrError, match=re.escape(says)):
        unpack(archive, folder)
    assert not folder.exists() or list(folder.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} <= {"bad.tar.xz", "deep"}


def test_archives_that_swell_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LIMIT", 2**20)
    big = made(tmp_path / "big.tar.xz", entry("run/history.csv", bytes(2**21)))
    header = made(tmp_path / "header.tar.xz", entry("run/env.json", pax_headers={"comment": "x" * 2**21}))
    for archive, says in (
        (big, "unpacks to more than"),
        (header, "has headers of more than 1 MiB|unpacks to more than"),
    ):
        assert archive.stat().st_size < 10_000
        with pytest.raises(RdrError, match=says):
            unpack(archive, tmp_path / "runs")
    monkeypatch.setattr(module, "_MEMORY", 2**20)  # a dictionary larger than the memory there is to be
    with pytest.raises(RdrError, match="can't be unpacked"):
        unpack(made(tmp_path / "greedy.tar.xz", entry("run/env.json")), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_damaged_and_missing_archives_are_told(archive, tmp_path):
    whole = archive.read_bytes()

    def flipped(at: int) -> bytes:
        return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]

    for name, content in {
        "empty": b"",
        "half": whole[: len(whole) // 2],
        "all but one byte": whole[:-1],
        "text": b"no",
        # Some still unpack, to other numbers: the checksum at the end tells.
        **{f"flipped at {at}": flipped(at) for at in range(0, len(whole), len(whole) // 40)},
        "flipped at its end": flipped(len(whole) - 1),
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(RdrError, match=r"can't be unpacked into .*; fetch it again if it is damaged"):
            unpack(tmp_path / name, tmp_path / "runs")
    with pytest.raises(RdrError, match=r"There is no archive .*nothing"):
        unpack(tmp_path / "nothing", tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


# The cache


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("RDR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "shipped"


def test_shipped_runs_are_unpacked_once_and_anew_when_archives_change(trained, archive, cache, tmp_path, monkeypatch):
    folder = tmp_path / "data"
    folder.mkdir()
    assert list(shipped(folder).iterdir()) == [], "none are shipped yet"
    shutil.copy(archive, folder / "b.tar.xz")
    pack(trained[:1], folder / "a.tar.xz", weights=[trained[0].name])
    there = shipped(folder)
    assert {run.name: run.has_weights for run in rdr_core.list_runs(there)} == {
        run.name: run is trained[0] for run in trained
    }, "of a run in two archives the first one's is taken"
    with monkeypatch.context() as patch:
        patch.setattr(module, "unpack", lambda *_: pytest.fail("unpacked again"))
        assert shipped(folder) == there
    (folder / "a.tar.xz").unlink()
    assert shipped(folder) != there
    assert len(list(cache.iterdir())) == 3, "nothing is left half unpacked"


def test_callers_that_start_at_once_share_what_one_unpacked(archive, cache):
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: shipped(archive.parent), range(4)))
    assert [path.name for path in cache.iterdir()] == [path.name for path in found]
    assert len(rdr_core.list_runs(found.pop())) == 3


def test_a_failure_leaves_no_cache(archive, cache, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(archive, folder / "a.tar.xz")
    (folder / "b.tar.xz").write_bytes(b"damaged")
    with pytest.raises(RdrError, match=r"b\.tar\.xz can't be unpacked"):
        shipped(folder)
    assert list(cache.iterdir()) == []


def test_where_nothing_can_be_kept_is_told(archive, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RDR_CACHE", str(tmp_path / "file"))
    with pytest.raises(RdrError, match=r"can't be written .*; set RDR_CACHE"):
        shipped(archive.parent)
    with pytest.raises(RdrError, match="There is no folder"):
        shipped(tmp_path / "none")


def test_the_toolkits_own_runs_open(cache):
    there = shipped()
    folder = Path(rdr_core.__file__).parents[1] / "data" / "runs"
    archives = sorted(folder.glob("*.tar.xz"))
    digest = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in archives)).hexdigest()
    assert there.name == digest[:16]
    assert all(run.done for run in rdr_core.list_runs(there))
