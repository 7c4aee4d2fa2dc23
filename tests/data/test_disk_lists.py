"""List files: real ones, shortened ones, copies with other paths, and each kind of damage, told before training."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import pytest
from image_trees import listed_tree, take_for_published, write_list

from rdr_core.data import groups_by_rank
from rdr_core.data.disk import lists
from rdr_core.data.disk.lists import PUBLISHED, check_published, read_list
from rdr_core.data.sources import load_source
from rdr_core.data.sources.listed import class_names
from rdr_core.errors import MissingData, RdrError

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "lists"


def made_up_list(path: Path) -> None:
    """A list with the published list's number of rows, classes, largest and smallest class; not in order of count."""
    known = PUBLISHED[path.name]
    if known.largest == known.smallest:
        counts = np.full(known.classes, known.largest)
    else:
        # Many, Medium and Few as in Places-LT, and the rest of the rows spread over Many.
        counts = np.concatenate([np.full(131, 101), np.linspace(99, 21, 157), np.linspace(20, 5, 77)]).astype(int)
        counts[0] = known.largest
        counts[1:131] += (known.rows - counts.sum()) // 130
        counts[1] += known.rows - counts.sum()
        counts = np.random.default_rng(0).permutation(counts)
    labels = np.repeat(np.arange(known.classes), counts)
    write_list(path, [(f"data/c{label}/{row}.jpg", int(label)) for row, label in enumerate(labels)])


def the_list(name: str, folder: Path, monkeypatch) -> Path:
    """The real list where it lies beside the checkout; else one with its counts, whose MD5 then is the known one."""
    path = folder / name
    if (REAL / f"{name}.xz").is_file():
        path.write_bytes(lzma.decompress((REAL / f"{name}.xz").read_bytes()))
        return path
    made_up_list(path)
    known = lists.PUBLISHED[name]
    short = write_list(path, [(n, int(c)) for n, c in (line.rsplit(" ", 1) for line in path.read_text().splitlines())])
    assert (short.rows, short.classes, short.largest, short.smallest) == (
        known.rows, known.classes, known.largest, known.smallest,
    )  # fmt: skip
    monkeypatch.setitem(lists.PUBLISHED, name, short)
    return path


def test_places_lt_has_its_rows_and_the_papers_groups_by_rank(tmp_path, monkeypatch, capsys):
    train, test = (the_list(f"Places_LT_{split}.txt", tmp_path, monkeypatch) for split in ("train", "test"))
    images, tested = read_list(train, 365), read_list(test, 365)
    check_published(images), check_published(tested)
    assert (len(images.names), len(tested.names)) == (62_500, 36_500)
    counts = np.bincount(images.labels)
    groups = groups_by_rank(counts)
    assert [len(classes) for _, classes in groups.items()] == [131, 157, 77]
    assert counts[groups.many].min() > 100 >= counts[groups.medium].max()
    assert counts[groups.medium].min() > 20 >= counts[groups.few].max()
    assert list(counts) != sorted(counts, reverse=True), "classes are not in order of count"
    assert len(set(class_names(images, 365))) == 365
    assert capsys.readouterr().err == ""


def test_imagenet_lts_test_list_is_known_with_and_without_class_folders(tmp_path, monkeypatch, capsys):
    path = the_list("ImageNet_LT_test.txt", tmp_path, monkeypatch)
    whole = read_list(path, 1000)
    check_published(whole)
    assert capsys.readouterr().err == ""
    rows = [(f"val/{name.rpartition('/')[2]}", int(c)) for name, c in zip(whole.names, whole.labels, strict=True)]
    write_list(path, rows)
    check_published(read_list(path, 1000))
    assert "copy with other paths" in capsys.readouterr().err
    write_list(path, rows[:-1])
    with pytest.raises(RdrError, match=r"has 49999 rows, the published list 50000"):
        check_published(read_list(path, 1000))
    rows[0], rows[-1] = (rows[0][0], rows[-1][1]), (rows[-1][0], rows[0][1])  # two labels exchanged
    write_list(path, rows)
    with pytest.raises(RdrError, match=r"is not the published list: its MD5 is not"):
        check_published(read_list(path, 1000))


def test_a_training_list_of_other_counts_is_refused_where_no_md5_is_known(tmp_path):
    labels = np.repeat(np.arange(1000), 115)
    labels = np.concatenate([labels, np.arange(846)])
    path = tmp_path / "ImageNet_LT_train.txt"
    write_list(path, [(f"train/{row}.JPEG", int(c)) for row, c in enumerate(labels)])
    with pytest.raises(RdrError, match=r"classes of 115 to 116 images, the published list of 5 to 1280"):
        check_published(read_list(path, 1000))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a/1.jpg 0\nb/1.jpg\n", r"line 2 is 'b/1.jpg', but it must be 'relative/path label'"),
        ("a/1.jpg 0\nb/1.jpg one\n", r"line 2 is 'b/1.jpg one'"),
        ("a/1.jpg 0\n\nb/1.jpg 1\n", r"line 2 is ''"),
        ("a/1.jpg 0\nb/1.jpg 2\n", r"line 2 is .* with a label of 0 to 1"),
        ("a/1.jpg 0\nb/1.jpg -1\n", r"line 2 is .* with a label of 0 to 1"),
        ("a/1.jpg 0\na/1.jpg 1\n", r"lists a/1.jpg twice"),
        ("a/1.jpg 0\nb/1.jpg 0\n", r"has no image of 1 of the classes 0 to 1, the first of them class 1"),
        ("", r"has no image of 2 of the classes"),
    ],
)
def test_a_damaged_list_is_told_with_its_line(text, complaint, tmp_path):
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(RdrError, match=complaint):
        read_list(path, num_classes=2)


def test_a_list_that_is_no_text_is_told(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MissingData, match=r"list\.txt can't be read"):
        read_list(tmp_path / "list.txt", num_classes=2)


def test_without_lists_the_message_says_what_goes_where(tmp_path):
    with pytest.raises(MissingData, match=r"Put the list files Places_LT_train\.txt and Places_LT_test\.txt .* into "):
        load_source("places-lt", tmp_path)


@pytest.fixture
def imagenet(tmp_path, monkeypatch):
    take_for_published(listed_tree(tmp_path, "ImageNet_LT", [2, 5, 3]), monkeypatch)
    return tmp_path


def test_validation_images_lie_in_class_folders_or_not(imagenet, capsys):
    """The official archive is flat, the list has class folders."""
    as_listed = load_source("imagenet-lt", imagenet)
    assert "other folders" not in capsys.readouterr().err
    val = imagenet / "imagenet-lt" / "val"
    for image in list(val.glob("*/*.JPEG")):
        image.rename(val / image.name)
    flat = load_source("imagenet-lt", imagenet)
    assert "9 of 9 images lie under other folders" in capsys.readouterr().err
    assert (flat.test_inputs[:] == as_listed.test_inputs[:]).all()
    assert flat.class_names == ("n00000000", "n00000001", "n00000002")


def test_every_missing_image_is_counted_and_ten_are_named(imagenet):
    missing = sorted((imagenet / "imagenet-lt" / "val").rglob("*.JPEG"))
    for image in missing:
        image.unlink()
    extra = (imagenet / "imagenet-lt" / "train" / "n00000001").rglob("*")
    for image in extra:
        image.unlink()
    with pytest.raises(MissingData, match=r"5 of 10 images are missing .*n00000001_4\.JPEG"):
        load_source("imagenet-lt", imagenet)
    assert not (imagenet / "cache").exists(), "looked for before anything is decoded"


def test_of_many_missing_images_ten_are_named(tmp_path):
    from rdr_core.data.disk.find import find_files

    with pytest.raises(MissingData, match=r"25 of 25 images .*: a/0\.jpg, .*a/9\.jpg \.\.\.") as told:
        find_files([f"a/{n}.jpg" for n in range(25)], tmp_path)
    assert str(told.value).count(".jpg") == 10


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path, monkeypatch, capsys):
    """Places' training images have the same numbers in every class; only the first folder may differ."""
    take_for_published(listed_tree(tmp_path, "Places_LT", [2, 3]), monkeypatch)
    folder = tmp_path / "places-lt"
    before = load_source("places-lt", tmp_path).train_inputs[:]
    (folder / "data_256").rename(folder / "data_large")
    assert (load_source("places-lt", tmp_path).train_inputs[:] == before).all()
    assert "5 of 5 images lie under other folders" in capsys.readouterr().err
    # With a class folder gone, another class's image of that number is not taken for it.
    (folder / "data_large" / "a").rename(tmp_path / "elsewhere")
    with pytest.raises(MissingData, match=r"2 of 5 images are missing .*data_256/a/a_place0/00000000\.jpg"):
        load_source("places-lt", tmp_path)
