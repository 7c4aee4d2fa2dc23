"""The command line as its users meet it: what it prints, and one sentence with status 2 for each mistake."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

import rdr_core
from rdr_core.files.trees import load_tree
from rdr_core.methods.parts import GROUPS


def complain(said: tuple[int, str, str]) -> str:
    """The sentence of a refused command: alone on stderr, status 2."""
    status, out, err = said
    assert status == 2
    assert out == ""
    (line,) = err.strip().splitlines()
    assert line.startswith("rdr: ")
    return line


SHORT = ("-i", "20", "--epochs", "1", "--device", "cpu")


def test_train_prints_the_table_by_group_and_leaves_a_run(rdr, tmp_path):
    status, out, err = rdr("train", "digits", *SHORT, "--method", "la + rdr:gamma=0.5", "--seed", "3")
    assert status == 0, err
    assert re.search(r"All\s+Many\s+Medium\s+Few", out)
    (run,) = rdr_core.list_runs("runs")
    assert run.config.method == "rdr:gamma=0.5+la"
    assert run.config.seed == 3
    assert run.name in out
    assert f"{run.metrics['few']:.1f}" in out


def test_the_same_request_again_opens_the_run(rdr):
    rdr("train", "digits", *SHORT)
    written = rdr_core.list_runs("runs")[0].path / "done.json"
    before = written.stat().st_mtime_ns
    status, _, err = rdr("train", "digits", *SHORT, "--method", "ce+rdr")
    assert status == 0
    assert err == "", "no progress bar: nothing was trained"
    assert written.stat().st_mtime_ns == before


def test_methods_and_datasets_list_what_there_is(rdr):
    _, out, _ = rdr("methods")
    for word in ("rdr", "inverse", "cb", "ce", "focal", "la", "Luo et al. 2024", "momentum=0.5", "tau=1"):
        assert word in out
    for group in GROUPS:
        assert re.search(rf"^{group.partition(':')[0]} ", out, flags=re.MULTILINE), group
    for word in ("cb+ldam+drw", "LDAM-DRW", "rdr:prior=1+la"):
        assert word in out
    _, out, _ = rdr("methods", "la+rdr")
    assert out.startswith("rdr+la\n")
    assert "The loss (la) carries tau = 1." in out
    _, out, _ = rdr("datasets")
    for word in ("digits", "mnist", "cifar10", "cifar100", "3 x 32 x 32", "5000"):
        assert word in out


def test_help_teaches(rdr):
    status, out, _ = rdr("--help")
    assert status == 0
    for word in ("rdr demo", "rdr train digits", "train", "resume", "runs", "methods", "datasets"):
        assert word in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "cifar"), r"no data set named 'cifar'; did you mean 'cifar10' or 'cifar100'\? Known: cifar10"),
        (("train", "digits", "-m", "rdrr"), "no part of a method named 'rdrr'; did you mean 'rdr' or 'drw'"),
        (("methods", "rdrr"), "no part of a method named 'rdrr'; did you mean 'rdr' or 'drw'"),
        (("methods", "la+focal"), "two losses, 'focal' and 'la'"),
        (("train", "digits", "-m", "rdr+cb"), "two weightings, 'cb' and 'rdr'; RDR's weights are the density ratio"),
        (("train", "digits", "-i", "0.5"), r"imbalance factor is 0\.5.* from 1 \(balanced\) on"),
        (("train", "digits", "-i", "nan"), "imbalance_factor is nan; it must be a number"),
        (
            ("train", "digits", "-i", "1000"),
            "Imbalance factor 1000 leaves class 7 without an image.* the largest factor that works is 124",
        ),
        (("train", "digits", "--profile", "linear"), "no profile named 'linear'.* Known: exponential, step"),
        (("train", "digits", "--noise-rate", "1.5"), r"1\.5"),
        (("train", "digits", "--epochs", "0"), "epochs is 0; it must be a whole number, 1 or larger"),
        (("train", "digits", "--batch-size", "0"), "batch_size is 0; it must be a whole number, 1 or larger"),
        (("train", "digits", "--learning-rate", "-1"), "learning_rate is -1; it must be above 0"),
        (("train", "digits", "--seed", "-1"), "seed is -1; it must be a whole number, 0 or larger"),
        (("train", "digits", "--precision", "fp16"), "no precision named 'fp16'; did you mean 'bf16' or 'fp32'"),
        (("train", "digits", "--recipe", "heavy"), "no recipe named 'heavy'. Known: authors, cdb, paper, strong"),
        (("train", "digits", "--recipe", "author"), "no recipe named 'author'; did you mean 'authors'"),
        (("train", "digits", "--recipe", "strong"), "augmentation 'strong' needs colour images, these have 1 channel"),
        (("train", "digits", "--augmentation", "plane"), "no augmentation named 'plane'; did you mean 'plain'"),
        (("train", "digits", "--schedule", "steps"), "no schedule named 'steps'; did you mean 'step'"),
        (("train", "digits", "--weight-decay", "-1"), "weight_decay is -1; it must be 0 or larger"),
        (("train", "digits", "--warmup", "1"), "warmup is 1; it is a share of the run, at least 0 and below 1"),
        (
            ("train", "digits", "-m", "rdr:preset=relaesed"),
            "no preset of 'rdr' named 'relaesed'; did you mean 'rel",
        ),
        (("train", "digits", "--device", "tpu"), "device is 'tpu'; it must be 'auto', 'cpu', 'cuda' or 'cuda:N'"),
        (("train", "digits", "--device", "cuda:99"), r"device is 'cuda:99', but this machine has \d+ usable GPU"),
        (("resume", "nowhere"), "nowhere is not a run's folder: it does not exist; `rdr runs` lists"),
        (("resume", "."), "is not a run's folder: it has no config.json"),
        (("runs", "nowhere"), "nowhere holds no runs; train one with: rdr train digits"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_each_mistake_is_one_sentence_with_status_2_and_leaves_nothing_behind(arguments, said, rdr, tmp_path):
    assert re.search(said, complain(rdr(*arguments)))
    assert not [path for path in tmp_path.rglob("*") if path.name != ".lock" and path.is_file()]


def test_a_gpu_asked_for_where_there_is_none(rdr, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    said = complain(rdr("train", "digits", "--device", "cuda"))
    assert "device is 'cuda', but this machine has 0 usable GPU(s); use 'cpu' or 'auto'" in said


def test_missing_data_files_say_what_to_fetch_and_where_to_put_it(rdr, monkeypatch, tmp_path):
    import urllib.request
    from urllib.error import URLError

    def no_network(*_, **__):
        raise URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    status, _, err = rdr("train", "cifar10", "--root", str(tmp_path / "files"))
    assert status == 2
    said = err.strip().splitlines()[-1]
    assert said.startswith("rdr: ")
    assert "cifar-10-python.tar.gz" in said
    assert str(tmp_path / "files") in said


def test_an_unknown_option_is_a_usage_error(rdr):
    status, _, err = rdr("train", "digits", "--imbalance", "3")
    assert status == 2
    assert "--imbalance" in err
    assert "Traceback" not in err


@pytest.fixture
def poisoned_loss(monkeypatch):
    """Losses become NaN at the 20th step; the value heals them."""
    from rdr_core.training.objective import WeightedObjective

    call, steps = WeightedObjective.__call__, 0

    def poisoned(self, *arguments, **options):
        nonlocal steps
        steps += 1
        outcome = call(self, *arguments, **options)
        if steps >= 20:
            outcome.losses = outcome.losses * np.nan
            outcome.loss = outcome.losses.mean()
        return outcome

    monkeypatch.setattr(WeightedObjective, "__call__", poisoned)
    return lambda: monkeypatch.setattr(WeightedObjective, "__call__", call)


def test_nan_in_the_loss_stops_names_step_and_method_and_keeps_the_last_good_state(rdr, poisoned_loss):
    status, _, err = rdr("train", "digits", "-i", "20", "--epochs", "5", "--batch-size", "64", "-m", "rdr+la")
    assert status == 2
    said = err.strip().splitlines()[-1]
    assert re.match(
        r"rdr: With method rdr\+la the loss is not a number at step \d+ of epoch 3; the state after epoch 2 is kept in",
        said,
    )
    assert "Try a lower learning rate (now 0.1)" in said
    (run,) = rdr_core.list_runs("runs")
    assert run.epochs_done == 2
    saved = load_tree(run.path / "checkpoint.safetensors")
    assert all(weights.isfinite().all() for weights in saved["model"].values())
    assert all(torch.isfinite(p).all() for p in run.model().parameters())
    assert np.isfinite(run.history.loss).all()
    _, out, _ = rdr("runs")
    assert "2 of 5" in out
    poisoned_loss()
    assert rdr_core.resume(run.path, progress=False).done
    _, out, _ = rdr("runs")
    assert "2 of 5" not in out


def test_a_huge_learning_rate_is_caught_in_the_first_epoch(rdr):
    status, _, err = rdr("train", "digits", *SHORT, "--learning-rate", "1e30")
    assert status == 2
    assert re.search(r"at step \d+ of epoch 1; no epoch was finished\. Try a lower learning rate", err)


@pytest.mark.parametrize("damage", ["config.json", "data.json", "classes.safetensors", "metrics.json"])
def test_a_damaged_run_is_one_sentence(damage, rdr):
    rdr("train", "digits", *SHORT)
    (run,) = rdr_core.list_runs("runs")
    path = run.path / damage
    path.write_bytes(path.read_bytes()[:20])

    def read_all() -> None:
        opened = rdr_core.Run.open(run.path)
        _ = opened.classes, opened.metrics

    with pytest.raises(rdr_core.RdrError, match=rf"{re.escape(damage)} can't be read"):
        read_all()


def test_a_damaged_checkpoint_is_one_sentence(rdr):
    with pytest.MonkeyPatch.context() as patch:
        from rdr_core.runs.folder import RunFolder

        patch.setattr(RunFolder, "finish", lambda *_: (_ for _ in ()).throw(rdr_core.RdrError("stop here")))
        rdr("train", "digits", *SHORT)
    (run,) = rdr_core.list_runs("runs")
    path = run.path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    assert "checkpoint.safetensors can't be read" in complain(rdr("resume", str(run.path)))
