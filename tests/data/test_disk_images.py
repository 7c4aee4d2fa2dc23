"""Decoding as torchvision does it, the cache whole or not there, stored images like a tensor, trees and class picks."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from image_trees import real_images
from PIL import Image
from waiting import LIMIT

from rdr_core.data import from_arrays, load_data
from rdr_core.data.disk import cache
from rdr_core.data.disk.cache import stored_images
from rdr_core.data.disk.decode import decode
from rdr_core.data.disk.stored import StoredImages
from rdr_core.data.samples import write_sheet
from rdr_core.data.sources import load_source
from rdr_core.data.sources.raw import RawData
from rdr_core.errors import MissingData, RdrError


def photograph() -> Image.Image:
    """A real one of 640 x 427 that comes with scikit-learn."""
    from sklearn.datasets import load_sample_image

    return Image.fromarray(load_sample_image("china.jpg"))


@pytest.mark.parametrize("size", [(640, 427), (300, 641), (256, 256), (257, 256), (32, 32), (20, 33), (1000, 100)])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_decoding_is_torchvisions_resize_and_centre_crop(size, mode, tmp_path):
    from torchvision.transforms import v2

    file = tmp_path / "image.jpg"
    photograph().resize(size).convert(mode).save(file)
    with Image.open(file) as image:
        expected = v2.CenterCrop(256)(v2.Resize(256)(image.convert("RGB")))
    assert np.array_equal(decode(file).transpose(1, 2, 0), np.asarray(expected))


def written(folder, count=6):
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, (pixels, _) in zip(range(count), real_images(), strict=False):
        files.append(folder / f"{number}.jpg")
        Image.fromarray(pixels).save(files[-1])
    return files


def test_the_cache_holds_every_image_in_order_and_is_read_again_without_decoding(tmp_path, monkeypatch, capsys):
    files = written(tmp_path / "images")
    images = stored_images(files, tmp_path, "few", tmp_path / "cache")
    expected = np.stack([decode(file) for file in files])
    assert np.array_equal(images.whole[:].numpy(), expected)
    assert np.array_equal(images[:].numpy(), expected[:, :, 16:240, 16:240])
    assert "Decoding 6 images of few, once, into" in (said := capsys.readouterr().err)
    assert "(1.2 MB)" in said
    facts = json.loads(next((tmp_path / "cache").glob("few-*.json")).read_text())
    assert facts["shape"] == [6, 3, 256, 256]
    assert "256 x 256" in facts["decoded"]

    monkeypatch.setattr(cache, "decode", lambda file: pytest.fail(f"{file} decoded again"))
    again = stored_images(files, tmp_path, "few", tmp_path / "cache")
    assert again.fingerprint == images.fingerprint
    assert torch.equal(again[:], images[:])
    assert capsys.readouterr().err == ""


def test_the_threads_order_does_not_matter(tmp_path, monkeypatch):
    """The first image is decoded last."""
    files, last = written(tmp_path / "images"), threading.Event()
    expected = np.stack([decode(file) for file in files])

    def late(file):
        if file == files[0]:
            assert last.wait(LIMIT)
        elif file == files[-1]:
            last.set()
        return decode(file)

    monkeypatch.setattr(cache, "decode", late)
    monkeypatch.setattr(cache.os, "cpu_count", lambda: 2)
    assert np.array_equal(stored_images(files, tmp_path, "few", tmp_path / "cache").whole[:].numpy(), expected)


def test_another_image_another_order_or_another_size_is_another_cache(tmp_path):
    files, folder = written(tmp_path / "images"), tmp_path / "cache"
    first = stored_images(files, tmp_path, "few", folder)
    other = stored_images(files[::-1], tmp_path, "few", folder)
    Image.new("RGB", (50, 50)).save(files[0])
    changed = stored_images(files, tmp_path, "few", folder)
    assert len({first.fingerprint, other.fingerprint, changed.fingerprint, first.whole.fingerprint}) == 4
    assert torch.equal(first[:], other[:].flip(0))
    assert not changed[torch.tensor([0])].any()


@pytest.mark.parametrize("damage", ["cut", "text", "empty"])
def test_images_that_cant_be_read_are_all_named_and_leave_no_cache(damage, tmp_path):
    files = written(tmp_path / "images")
    for file in (files[1], files[4]):
        content = {"cut": file.read_bytes()[:300], "text": b"not an image", "empty": b""}[damage]
        file.write_bytes(content)
    with pytest.raises(MissingData, match=r"2 of 6 images of few can't be read: .*1\.jpg, .*4\.jpg\. Mend"):
        stored_images(files, tmp_path, "few", tmp_path / "cache")
    assert not [file for file in (tmp_path / "cache").iterdir() if "few-" in file.name]


@pytest.mark.parametrize("where", ["decoding", "facts"])
def test_an_interrupt_leaves_no_cache_that_would_be_read(where, tmp_path, monkeypatch):
    files = written(tmp_path / "images")

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if where == "decoding":
            patch.setattr(cache, "_decode_all", interrupted)
        else:
            patch.setattr("rdr_core.data.disk.cache.write_json", interrupted)
        with pytest.raises(KeyboardInterrupt):
            stored_images(files, tmp_path, "few", tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.json"))
    assert stored_images(files, tmp_path, "few", tmp_path / "cache")[:].any()


def test_too_little_space_is_told_before_anything_is_written(tmp_path, monkeypatch):
    files = written(tmp_path / "images")
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1_000_000}))
    with pytest.raises(RdrError, match=r"few decoded takes 1\.2 MB, but .* has 1\.0 MB left"):
        stored_images(files, tmp_path, "few", tmp_path / "cache")


def test_a_cache_folder_that_cant_be_made_is_told(tmp_path):
    files = written(tmp_path / "images")
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(RdrError, match=r"cache can't be written .*; make it writable"):
        stored_images(files, tmp_path, "few", tmp_path / "cache")


@given(data=st.data())
def test_stored_images_are_indexed_like_the_tensor_of_their_centres(data):
    count, side = data.draw(st.integers(1, 8)), data.draw(st.sampled_from([2, 4, 6]))
    pixels = np.random.default_rng(0).integers(0, 256, (count, 3, 6, 6), dtype=np.uint8)
    tensor = torch.from_numpy(pixels)[:, :, (6 - side) // 2 : (6 + side) // 2, (6 - side) // 2 : (6 + side) // 2]
    images = StoredImages(pixels, "f", side)
    chosen = np.array(data.draw(st.lists(st.integers(0, count - 1), max_size=5)), dtype=np.int64)
    mask = torch.tensor(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    part = slice(*sorted(data.draw(st.tuples(st.integers(0, 9), st.integers(0, 9)))))
    for index in (torch.from_numpy(chosen), mask, part):
        assert torch.equal(images[index], tensor[index])
    picked = images.choose(chosen)
    assert (len(picked), picked.shape) == (len(chosen), tensor[chosen].shape)
    assert torch.equal(picked[:], tensor[chosen])
    assert torch.equal(picked.whole[:], torch.from_numpy(pixels)[chosen])


def test_an_imbalance_noise_and_held_out_images_are_made_without_reading_any():
    pixels = np.random.default_rng(0).integers(0, 256, (60, 3, 8, 8), dtype=np.uint8)
    labels, images = np.repeat([0, 1, 2], 20), StoredImages(pixels, "f", 6)
    request = {"imbalance_factor": 4, "noise_rate": 0.1, "held_out": 2, "seed": 5}
    statistics = {"mean": (0.5,) * 3, "std": (0.2,) * 3}
    on_disk = from_arrays(images, labels, images, labels, **request, **statistics)
    in_memory = from_arrays(images[:], labels, images[:], labels, **request, **statistics)
    assert on_disk.class_counts.tolist() == in_memory.class_counts.tolist()
    for split in ("train", "test", "held_out"):
        ours, theirs = getattr(on_disk, split), getattr(in_memory, split)
        assert isinstance(ours.inputs, StoredImages)
        assert torch.equal(ours.inputs[:], theirs.inputs)
        assert torch.equal(ours.labels, theirs.labels)
    other = from_arrays(StoredImages(pixels, "g", 6), labels, images, labels, **request, **statistics)
    assert on_disk.content_hash != other.content_hash


def tree(root, counts, split="test"):
    images = real_images()
    for name, count in counts.items():
        for part, number in (("train", count), (split, 2)):
            folder = root / "flowers" / part / name
            (folder / "inner").mkdir(parents=True)
            for n in range(number):
                Image.fromarray(next(images)[0]).save(folder / ("inner" if n % 2 else "") / f"{n}.png")
    return root


@pytest.mark.parametrize("split", ["test", "val"])
def test_a_tree_of_images_with_its_own_imbalance_or_one_made(split, tmp_path):
    root = tree(tmp_path, {"tulip": 3, "aster": 9, "rose": 6}, split)
    data = load_data("folder:flowers", root=root)
    assert data.class_names == ("aster", "rose", "tulip")
    assert data.class_counts.tolist() == [9, 6, 3]
    assert data.imbalance_factor is None
    assert len(data.test) == 6
    assert load_data("folder:flowers", root=root, imbalance_factor=3).class_counts.tolist() == [3, 1, 1]
    away = load_data(f"folder:{root}/flowers", root=tmp_path / "elsewhere")
    assert torch.equal(away.train.inputs[:], data.train.inputs[:])


def test_a_tree_that_is_none_is_told(tmp_path):
    with pytest.raises(RdrError, match=r"folder needs a folder after a colon, as in folder:flowers"):
        load_source("folder", tmp_path)
    with pytest.raises(MissingData, match=r"There is no folder .*train"):
        load_source("folder:flowers", tmp_path)
    root = tree(tmp_path, {"aster": 2, "rose": 2})
    test = root / "flowers" / "test"
    (test / "rose").rename(test / "rosa")
    with pytest.raises(RdrError, match=r"other classes: rosa, rose in one of them only"):
        load_source("folder:flowers", root)
    (test / "rosa").rename(test / "rose")
    (root / "flowers" / "train" / "aster" / "0.png").rename(tmp_path / "0.png")
    (root / "flowers" / "train" / "aster" / "inner" / "1.png").rename(tmp_path / "1.png")
    with pytest.raises(RdrError, match=r"1 class folders in .*train hold no image .*: aster"):
        load_source("folder:flowers", root)
    (tmp_path / "0.png").rename(root / "flowers" / "train" / "aster" / "0.png")
    test.rename(tmp_path / "away")
    with pytest.raises(MissingData, match=r"has a train folder, but neither test nor val"):
        load_source("folder:flowers", root)


def test_two_classes_at_a_ratio():
    """CDB's two-class sets: the first class named is the large one."""
    data = load_data("digits:9-4", imbalance_factor=40)
    assert data.class_names == ("9", "4")
    assert data.class_counts.tolist() == [130, 3]
    assert torch.bincount(data.test.labels).tolist() == [50, 50]
    raw = load_source("digits", "unused")
    nines = raw.train_inputs[raw.train_labels == 9]
    of_nine = data.train.inputs[data.train.labels == 0].numpy()
    assert {image.tobytes() for image in of_nine} <= {image.tobytes() for image in nines}


@pytest.mark.parametrize("classes", ["9", "9-9", "9-10", "nine-four", "", "9-"])
def test_classes_that_are_none_are_told(classes):
    with pytest.raises(RdrError, match=r"picks no classes|picks one class"):
        load_data(f"digits:{classes}")


def test_sets_that_come_long_tailed_take_no_imbalance(tmp_path):
    with pytest.raises(RdrError, match=r"places-lt comes long-tailed"):
        load_data("places-lt", imbalance_factor=100, root=tmp_path)
    with pytest.raises(RdrError, match=r"takes nothing after its name"):
        load_data("places-lt:3-4", root=tmp_path)


def test_images_on_disk_come_with_their_normalisation():
    images = StoredImages(np.zeros((4, 1, 2, 2), np.uint8), "5d41", side=2)
    with pytest.raises(RdrError, match="give the mean and std"):
        from_arrays(images, [0, 0, 1, 1], images, [0, 0, 1, 1])


def test_a_sheet_is_of_images_in_memory(tmp_path):
    images, labels = StoredImages(np.zeros((2, 1, 2, 2), np.uint8), "5d41", side=2), np.array([0, 1])
    raw = RawData(images, labels, images, labels, ("a", "b"), (0.5,), (0.5,))
    with pytest.raises(RdrError, match="these are on disk"):
        write_sheet(raw, tmp_path / "sheet.png", images=1)
