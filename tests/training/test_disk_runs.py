"""ImageNet-LT, Places-LT and trees of images end to end on the command line: train, stop, resume, evaluate, analyse."""

from __future__ import annotations

import os
import shlex
import signal
from pathlib import Path

import pytest
import torch
from equal_runs import assert_equal_runs
from image_trees import listed_tree, real_images, take_for_published
from PIL import Image

import rdr_core
from rdr_core.data.disk.stored import StoredImages
from rdr_core.training.visits import Visits

COUNTS = {"imagenet-lt": [4, 30, 12], "places-lt": [9, 3, 25]}
SHORT = ("--model", "small", "--epochs", "2", "--batch-size", "16", "--device", "cpu", "--seed", "3")


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """A data root with both list-file sets, and what is then known of their lists."""
    root = tmp_path_factory.mktemp("data")
    known = listed_tree(root, "ImageNet_LT", COUNTS["imagenet-lt"], held_out_each=2)
    return root, known | listed_tree(root, "Places_LT", COUNTS["places-lt"])


@pytest.fixture
def root(trees, monkeypatch):
    take_for_published(trees[1], monkeypatch)
    return trees[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", list(COUNTS))
@pytest.mark.parametrize("stop_after", [2, 4])
def test_trained_stopped_and_resumed_equals_never_stopped(name, stop_after, rdr, root, monkeypatch):
    """An epoch has three steps: one stop is within the first epoch, one within the second."""
    request = ("train", name, *SHORT, "--method", "rdr+la", "--root", str(root))
    status, out, err = rdr(*request, "--runs", "whole")
    assert status == 0, err
    (whole,) = rdr_core.list_runs("whole")
    assert whole.class_counts.tolist() == COUNTS[name], "in the list's classes, not by count"
    assert whole.config.imbalance_factor is None
    assert whole.groups.many.tolist() == [max(range(3), key=COUNTS[name].__getitem__)]
    assert f"{whole.metrics['few']:.1f}" in out

    write, calls = Visits.write, 0

    def interrupt(self, *arguments):
        nonlocal calls
        calls += 1
        if calls == stop_after:
            os.kill(os.getpid(), signal.SIGINT)
        write(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Visits, "write", interrupt)
        status, _, err = rdr(*request, "--runs", "stopped")
    assert status == 130
    go_on = shlex.split(err.strip().splitlines()[-1].split("Continue with: rdr ")[1])
    assert str(root) in go_on
    assert rdr(*go_on)[0] == 0
    (resumed,) = rdr_core.list_runs("stopped")
    assert_equal_runs(whole, resumed)


@pytest.mark.slow
def test_difficulty_is_measured_on_the_published_validation_images(rdr, root):
    """A class with four images can spare none, so cdb takes none from training."""
    status, _, err = rdr("train", "imagenet-lt", *SHORT, "-m", "cdb:images=2", "--root", str(root))
    assert status == 0, err
    (run,) = rdr_core.list_runs("runs")
    assert run.class_counts.tolist() == COUNTS["imagenet-lt"]
    data = run.data(root=root)
    assert torch.bincount(data.held_out.labels).tolist() == [2, 2, 2]
    trained_on = {image.numpy().tobytes() for image in data.train.inputs[torch.arange(len(data.train))]}
    assert not any(image.numpy().tobytes() in trained_on for image in data.held_out.inputs[torch.arange(6)])
    weights = run.classes.pivot(index="epoch", columns="class", values="weight")
    assert weights.loc[1].eq(1).all(), "no class is known to be difficult before the first look"
    assert not weights.loc[2].eq(1).all()
    status, _, err = rdr("train", "imagenet-lt", *SHORT, "-m", "cdb", "--root", str(root))
    assert status == 2
    assert "imagenet-lt publishes 2 validation images of a class, fewer than 25; ask for that many" in err
    status, _, err = rdr("train", "places-lt", *SHORT, "-m", "cdb:images=2", "--root", str(root))
    assert status == 2
    assert "Places_LT_val.txt" in err


@pytest.mark.slow
def test_a_run_is_listed_evaluated_refined_and_analysed(rdr, root, monkeypatch):
    monkeypatch.setenv("RDR_DATA", str(root))
    assert rdr("train", "places-lt", *SHORT, "--epochs", "1")[0] == 0
    (run,) = rdr_core.list_runs("runs")
    assert run.name in rdr("runs")[1]
    found = rdr_core.evaluate(run)
    assert found["top1"] == pytest.approx(run.metrics["top1"])
    refined = rdr_core.refine(run, "taunorm", progress=False)
    body = {k: v for k, v in run.model().state_dict().items() if k.startswith("body.")}
    assert all(torch.equal(refined.model().state_dict()[k], v) for k, v in body.items())
    data = run.data()
    assert isinstance(data.train.inputs, StoredImages)
    status, _, err = rdr("analyse", str(run.path), "--what", "geometry")
    assert status == 0, err


@pytest.mark.slow
def test_a_tree_of_images_with_an_imbalance_made_and_accuracy_on_held_out_images(rdr, tmp_path, monkeypatch):
    images = real_images()
    for split, count in (("train", 24), ("test", 3)):
        for name in ("ash", "birch", "cedar"):
            (tmp_path / "trees" / split / name).mkdir(parents=True)
            for n in range(count):
                Image.fromarray(next(images)[0]).save(tmp_path / "trees" / split / name / f"{n}.png")
    options = (*SHORT, "--root", str(tmp_path), "--imbalance-factor", "10", "--method", "cdb:images=4")
    status, out, err = rdr("train", "folder:trees", *options)
    assert status == 0, err
    (run,) = rdr_core.list_runs("runs")
    assert run.class_counts.tolist() == [20, 6, 2]
    assert run.class_names == ("ash", "birch", "cedar")
    assert run.config.imbalance_factor == 10
    assert (tmp_path / "runs").exists()
    assert run.name in out
    monkeypatch.setenv("RDR_DATA", str(tmp_path))
    assert run.data().class_counts.tolist() == [20, 6, 2]
    Image.new("RGB", (70, 70)).save(tmp_path / "trees" / "train" / "ash" / "0.png")
    with pytest.raises(rdr_core.RdrError, match="was trained on other images than folder:trees gives now"):
        run.data()
    # Nor is the finished run an answer to the same request any more.
    status, out, err = rdr("train", "folder:trees", *options)
    assert (status, out) == (2, "")
    assert "was trained on other images than folder:trees gives now; train it again, in another folder" in err
    (tmp_path / "trees").rename(tmp_path / "gone")  # nothing says that they have changed
    assert rdr("train", "folder:trees", *options)[0] == 0


def complaint(said: tuple[int, str, str]) -> str:
    """The sentence of a refused command: alone on stderr, status 2, before the first step and without a run."""
    status, out, err = said
    assert status == 2
    assert out == ""
    assert "Traceback" not in err
    assert not Path("runs").exists()
    return err.strip().splitlines()[-1]


def short_places(tmp_path, monkeypatch):
    known = listed_tree(tmp_path, "Places_LT", [2, 4])
    take_for_published(known, monkeypatch)
    return tmp_path / "places-lt"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("no list", r"There is no .*Places_LT_train.txt. Put the list files"),
        ("a row lost", r"has 5 rows, the published list 6"),
        ("label", r"line 2 is .* with a label of 0 to 1"),
        ("other", r"is not the published list"),
        ("missing", r"1 of 6 images are missing .*: data_256/a/a_place0/00000000.jpg"),
        ("unreadable", r"1 of 6 images of places-lt-train can't be read: .*places-lt/data_256/a/a_place0/00000000.jpg"),
    ],
)
def test_each_kind_of_damage_is_told_before_the_first_step(damage, told, rdr, tmp_path, monkeypatch):
    import re

    folder = short_places(tmp_path, monkeypatch)
    path, image = folder / "Places_LT_train.txt", folder / "data_256" / "a" / "a_place0" / "00000000.jpg"
    lines = path.read_text().splitlines(keepends=True)
    if damage == "no list":
        path.unlink()
    elif damage == "a row lost":
        path.write_text("".join(lines[:-1]))
    elif damage == "label":
        path.write_text("".join([lines[0], lines[1].replace(" 0", " 365"), *lines[2:]]))
    elif damage == "other":
        path.write_text("".join(lines).replace("00000003.jpg", "00000009.jpg"))
    elif damage == "missing":
        image.unlink()
    else:
        image.write_bytes(image.read_bytes()[:100])
    said = complaint(rdr("train", "places-lt", *SHORT, "--root", str(tmp_path)))
    assert re.search(told, said), said


def test_requests_that_do_not_fit_are_told(rdr, tmp_path, monkeypatch):
    short_places(tmp_path, monkeypatch)
    places = ("train", "places-lt", *SHORT, "--root", str(tmp_path))
    assert "places-lt comes long-tailed; leave the imbalance factor out" in complaint(rdr(*places, "-i", "100"))
    assert "leave the profile out" in complaint(rdr(*places, "--profile", "step"))
    assert "folder needs a folder after a colon" in complaint(rdr("train", "folder", *SHORT))
    monkeypatch.setattr("torch.hub.download_url_to_file", _no_network)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    # The weights are looked for before images are decoded.
    options = ("--epochs", "1", "--device", "cpu", "--root", str(tmp_path))
    assert "save it as" in complaint(rdr("train", "places-lt", *options))
    assert not (tmp_path / "cache").exists()


def _no_network(*_: object, **__: object) -> None:
    raise OSError("no network")


def test_places_lt_starts_from_imagenets_weights(root, tmp_path, monkeypatch):
    """The published network is too large for a test: its place is taken by a small one of the same kind."""
    from torchvision.models.resnet import BasicBlock, ResNet

    from rdr_core import models
    from rdr_core.data.settings import settings_of

    assert settings_of("places-lt").model == "resnet152-imagenet"
    monkeypatch.setitem(models.MODELS, "resnet152-imagenet", models.MODELS["resnet10"])
    published = ResNet(BasicBlock, [1, 1, 1, 1]).state_dict()
    data = tmp_path / "data"
    (data / "weights").mkdir(parents=True)
    (data / "places-lt").symlink_to(root / "places-lt")
    torch.save(published, data / "weights" / "resnet152.pth")
    run = rdr_core.train("places-lt", epochs=1, method="ce", learning_rate=1e-12, batch_size=37, root=data,
                         runs=tmp_path / "runs", device="cpu", progress=False)  # fmt: skip
    body = run.model().body.state_dict()
    assert all(torch.allclose(body[name], published[name], atol=1e-6) for name in body if "weight" in name)
