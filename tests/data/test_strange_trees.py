"""Trees of images as one finds them: circles of links, links to nothing, pipes, and files that are something else."""

from __future__ import annotations

import os
import struct
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from strangers import escaping_names
from tried import tried

from rdr_core.data.disk.cache import stored_images
from rdr_core.data.disk.decode import decode
from rdr_core.data.disk.find import find_classes, find_files
from rdr_core.data.disk.lists import read_list
from rdr_core.errors import MissingData, RdrError


@pytest.fixture
def tree(tmp_path):
    for name in ("daisy", "rose"):
        (tmp_path / "tree" / name).mkdir(parents=True)
        Image.new("RGB", (30, 20), 9).save(tmp_path / "tree" / name / "1.png")
    return tmp_path / "tree"


def png(width: int, height: int) -> bytes:
    """A black image, packed small."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = zlib.compress((b"\0" + bytes((width + 7) // 8)) * height)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_link_to_its_own_folder_multiplies_nothing(tree):
    (tree / "rose" / "again").symlink_to(".")
    (tree / "rose" / "up").symlink_to("..")
    (tree / "daisy" / "to").symlink_to("../rose")
    assert {name: len(files) for name, files in find_classes(tree).items()} == {"daisy": 2, "rose": 2}
    (tree / "rose" / "deep").mkdir()
    (tree / "rose" / "1.png").rename(tree / "rose" / "deep" / "2.png")
    assert find_files(["2.png"], tree / "rose") == [tree / "rose" / "deep" / "2.png"]


def test_links_to_nothing_and_pipes_are_counted_and_named(tree):
    (tree / "rose" / "2.jpg").symlink_to("nothing.jpg")
    os.mkfifo(tree / "rose" / "3.jpg")
    with pytest.raises(MissingData, match=r"2 images in .* are links to nothing, or no plain files: .*rose/2.jpg"):
        find_classes(tree)
    with pytest.raises(OSError, match="no plain file"):
        decode(tree / "rose" / "3.jpg")


@pytest.mark.parametrize(
    "content",
    [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", png(1, 30_000), png(30_000, 1),
     png(60_000, 60_000), b"", b"\xff\xd8\xff", png(9, 9)[:-30]],
    ids=["EPS", "a column", "a row", "a square of 3.6 billion", "nothing", "a beginning", "cut"],
)  # fmt: skip
def test_what_is_no_photograph_is_counted_and_named(tree, tmp_path, content):
    (tree / "rose" / "2.jpg").write_bytes(content)
    files = [file for of_class in find_classes(tree).values() for file in of_class]
    with pytest.raises(MissingData, match=r"1 of 3 images of t can't be read: .*2.jpg"):
        stored_images(files, tree, "t", tmp_path / "cache")


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(escaping_names.filter(lambda name: name.strip() == name and len(name.splitlines()) == 1))
def test_a_list_names_no_file_elsewhere(tree, name):
    path = tree / "list.txt"
    path.write_text(f"{name} 0\n", encoding="utf-8", errors="replace")
    with pytest.raises(RdrError, match="in which it must stay"):
        find_files(read_list(path, 1).names, tree)
    tried("Hostile input", "names in lists of images", 1)


def test_a_mark_at_a_lists_beginning_is_no_part_of_a_name(tree):
    (tree / "list.txt").write_text("\ufeffrose/1.png 0\n", encoding="utf-8")
    assert read_list(tree / "list.txt", 1).names == ("rose/1.png",)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=60),
    start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM"]),
)
def test_any_bytes_are_an_error_of_one_image(tree, content, start):
    file = tree / "rose" / "any.png"
    file.write_bytes(start + content)
    with pytest.raises(Exception, match=r".") as refused:
        decode(file)
    assert isinstance(refused.value, Exception)
    tried("Hostile input", "files that are no images", 1)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_what_is_left_out_of_images_is_counted_and_told(ending, tmp_path, capfd):
    """Pixels stay as they are stored, as torchvision's ImageFolder has them; whoever wants more is told so."""
    for name in ("daisy", "rose"):
        (tmp_path / "tree" / name).mkdir(parents=True)
        Image.new("RGB", (30, 20), (9, 9, 9)).save(tmp_path / "tree" / name / "1.png")
    exif = Image.Exif()
    exif[274] = 6  # a quarter turn
    place = tmp_path / "tree" / "rose"
    Image.new("RGB", (30, 20), (9, 9, 9)).save(place / f"2.{ending}", exif=exif)
    Image.new("RGBA", (30, 20), (9, 9, 9, 0)).save(place / "3.png")
    files = [file for of_class in find_classes(tmp_path / "tree").values() for file in of_class]
    images = stored_images(files, tmp_path / "tree", "flowers", tmp_path / "cache")
    said = capfd.readouterr().err
    assert "1 of 4 images of flowers say in EXIF how to turn them, which is not done" in said
    assert "1 of 4 images of flowers are transparent, of which the colours alone are taken" in said
    assert (abs(images[[0, 1, 2, 3]].int() - 9) <= 2).all()
    stored_images(files, tmp_path / "tree", "flowers", tmp_path / "cache")
    assert "EXIF" not in capfd.readouterr().err
