"""Folders of images as cameras, Macs and downloads leave them: each image is used rightly, or counted and named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from rdr_core import RdrError, from_folder
from rdr_core.data.disk.decode import decode


@pytest.fixture
def tree(tmp_path):
    """Twelve images of two classes, each with a red of its own."""
    for n in range(12):
        folder = tmp_path / "pets" / ("cat" if n % 3 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 7), (10 * n, 0, 0)).save(folder / f"{n}.png")
    return tmp_path / "pets"


def reds(data) -> list[int]:
    return sorted(int(image[0, 0, 0]) for part in (data.train, data.test) for image in part.inputs)


def test_each_image_is_used_once(tree):
    data = from_folder(tree, size=8)
    assert reds(data) == [10 * n for n in range(12)]
    assert data.class_names == ("cat", "dog")


def test_hidden_files_and_other_files_are_passed_over(tree, capsys):
    (tree / ".DS_Store").write_bytes(b"\0")
    (tree / ".hidden").mkdir()
    (tree / "cat" / ".DS_Store").write_bytes(b"\0")
    (tree / "cat" / "._0.png").write_bytes(b"\0")
    (tree / "cat" / "clip.mp4").write_bytes(b"\0")
    (tree / "dog" / "README").write_text("dogs")
    assert reds(from_folder(tree, size=8)) == [10 * n for n in range(12)]
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "2 files of " in said
    assert "are passed over: clip.mp4, README." in said


IMAGES = {
    "grey": Image.new("L", (9, 7), 200),
    "one bit": Image.new("1", (9, 7), 1),
    "grey with transparency": Image.new("LA", (9, 7), (200, 0)),
    "palette": Image.new("RGB", (9, 7), (200, 100, 50)).quantize(4),
    "four channels": Image.new("RGBA", (9, 7), (200, 100, 50, 0)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("image", "pixel"),
    [*zip(IMAGES.values(), [[200] * 3, [255] * 3, [200] * 3, [200, 100, 50], [200, 100, 50]], strict=True)],
    ids=IMAGES,
)
def test_kinds_of_pixels_become_colour(tmp_path, image, pixel):
    image.save(tmp_path / "one.png")
    found = decode(tmp_path / "one.png", 8)
    assert found.shape == (3, 8, 8)
    assert np.abs(found[:, 0, 0].astype(int) - pixel).max() <= 1


def test_a_palette_with_transparency_has_the_colours_of_the_palette(tmp_path):
    image = Image.new("RGB", (9, 7), (200, 100, 50)).quantize(4)
    image.save(tmp_path / "one.png", transparency=b"\x00\x80\xff\xff")
    assert decode(tmp_path / "one.png", 8)[:, 0, 0].tolist() == [200, 100, 50]


def test_print_colours_are_turned_into_light(tmp_path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "one.jpg", quality=95)
    red = decode(tmp_path / "one.jpg", 8)[:, 4, 4].astype(int)
    assert np.abs(red - [255, 0, 0]).max() < 6


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_are_scaled_and_never_clipped(tmp_path, ending):
    values = np.linspace(0, 2**16 - 1, 64).astype(np.uint16)
    Image.fromarray(np.tile(values[:, None], (1, 64))).save(tmp_path / f"one.{ending}")
    found = decode(tmp_path / f"one.{ending}", 64)
    assert found[0, :, 0].tolist() == (values // 256).tolist()
    assert (found == found[:1]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_numbers_of_no_known_range_are_refused(tree, dtype):
    Image.fromarray(np.full((7, 9), 1, dtype=dtype)).save(tree / "cat" / "wide.tif")
    with pytest.raises(RdrError, match=r"1 have grey values of 32 bits, whose range is not known; .*\(cat/wide.tif\)"):
        from_folder(tree, size=8)


def test_of_an_animation_the_first_picture_is_taken(tmp_path):
    first, second = Image.new("RGB", (9, 7), (200, 0, 0)), Image.new("RGB", (9, 7), (0, 200, 0))
    for ending in ("webp", "png"):
        first.save(tmp_path / f"one.{ending}", save_all=True, append_images=[second], lossless=True)
        assert decode(tmp_path / f"one.{ending}", 8)[:, 0, 0].tolist() == [200, 0, 0]


def test_images_of_different_sizes_become_one_size(tree):
    Image.new("RGB", (300, 200), (200, 0, 0)).save(tree / "cat" / "large.jpg", quality=95)
    Image.new("RGB", (1, 1), (210, 0, 0)).save(tree / "cat" / "pixel.png")
    data = from_folder(tree, size=8)
    assert data.train.inputs.shape[1:] == (3, 8, 8)
    assert abs(reds(data)[-2] - 200) < 3
    assert reds(data)[-1] == 210


def test_what_cannot_be_read_is_counted_by_reason(tree, capsys):
    whole = (tree / "cat" / "1.png").read_bytes()
    (tree / "cat" / "cut.png").write_bytes(whole[: len(whole) - 25])
    (tree / "cat" / "empty.jpg").write_bytes(b"")
    (tree / "cat" / "page.jpg").write_text("<html>not found</html>")
    Image.new("1", (9500, 9500)).save(tree / "dog" / "gigantic.png")
    Image.new("1", (20_000, 20_000)).save(tree / "dog" / "more.png")
    Image.new("1", (9, 9 * 101)).save(tree / "dog" / "thin.png")
    with pytest.raises(RdrError) as refused:
        from_folder(tree, size=8)
    words = str(refused.value)
    assert "6 of 18 images of " in words
    assert "3 can't be read (cat/cut.png, cat/empty.jpg, cat/page.jpg)" in words
    assert "2 have more than 89 megapixels (dog/gigantic.png, dog/more.png)" in words
    assert "1 are more than 100 times as long as wide (dog/thin.png)" in words
    assert "\n" not in words
    assert reds(from_folder(tree, size=8, leave_out=True)) == [10 * n for n in range(12)]
    assert "6 of 18 images of " in capsys.readouterr().err


def test_empty_class_folders_and_links_to_nothing(tree, capsys):
    (tree / "cow").mkdir()
    with pytest.raises(RdrError, match=r"1 class folders in .* hold no image .*: cow. Remove them or fill them"):
        from_folder(tree, size=8)
    (tree / "cat" / "dead.png").symlink_to("/nowhere/x.png")
    with pytest.raises(RdrError, match=r"1 images in .* are links to nothing.*: cat/dead.png"):
        from_folder(tree, size=8)
    assert reds(from_folder(tree, size=8, leave_out=True)) == [10 * n for n in range(12)]
    said = capsys.readouterr().err
    assert "cow. They are left out." in said
    assert "cat/dead.png. They are left out." in said


def test_classes_of_one_part_and_of_one_image(tree):
    (tree / "cow").mkdir()
    Image.new("RGB", (9, 7)).save(tree / "cow" / "1.png")
    with pytest.raises(RdrError, match=r"1 are the only one of their class \(cow/1.png\)"):
        from_folder(tree, size=8)
    parts = tree.parent / "parts"
    for part in ("train", "test"):
        parts.mkdir(exist_ok=True)
        (parts / part).symlink_to(tree)
    assert from_folder(parts, size=8).class_names == ("cat", "cow", "dog")
    (parts / "test").unlink()
    (parts / "test" / "cat").mkdir(parents=True)
    Image.new("RGB", (9, 7)).save(parts / "test" / "cat" / "1.png")
    with pytest.raises(RdrError, match="are of classes without a test sample"):
        from_folder(parts, size=8)


def test_folders_that_are_none(tmp_path):
    with pytest.raises(RdrError, match="There is no folder"):
        from_folder(tmp_path / "nowhere", size=8)
    with pytest.raises(RdrError, match="has no folder in it"):
        from_folder(tmp_path, size=8)
    (tmp_path / "cat").mkdir()
    with pytest.raises(RdrError, match="hold no image"):
        from_folder(tmp_path, size=8, leave_out=True)
    Image.new("RGB", (9, 7)).save(tmp_path / "cat" / "1.png")
    Image.new("RGB", (9, 7)).save(tmp_path / "cat" / "2.png")
    with pytest.raises(RdrError, match=r"has one class only .cat."):
        from_folder(tmp_path, size=8)
    with pytest.raises(RdrError, match="size is 2; it must be a whole number of pixels"):
        from_folder(tmp_path, size=2)
    with pytest.raises(RdrError, match="are for images in memory; give their size"):
        from_folder(tmp_path, leave_out=True)


def test_names_that_are_no_utf8(tree):
    """Linux lets a name be any bytes; camera cards and old archives have such."""
    (tree / "cat" / b"caf\xe9.png".decode("utf-8", "surrogateescape")).write_bytes(
        (tree / "cat" / "1.png").read_bytes()
    )
    (tree / "dog" / b"h\xfcnd.png".decode("utf-8", "surrogateescape")).write_bytes(b"")
    with pytest.raises(RdrError, match="1 can't be read") as refused:
        from_folder(tree, size=8)
    assert "dog/h" in str(refused.value)


name = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda word: not word.startswith(".") and word not in ("train", "test", "val") and word.strip()
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(classes=st.lists(name, min_size=1, max_size=4, unique=True), draw=st.data())
def test_any_class_folders_are_read_as_they_lie(tmp_path_factory, classes, draw):
    """Against a plain walk: each image in the class that its folder names."""
    root = tmp_path_factory.mktemp("any")
    lies, red = {}, 0
    for folder in classes:
        (root / folder).mkdir()
        for at in range(draw.draw(st.integers(1, 4))):
            Image.new("RGB", (4, 4), (red, 0, 0)).save(root / folder / f"{draw.draw(name)[:4]} {at}.bmp")
            lies[red] = folder
            red += 1
    several = {folder for folder in classes if list(lies.values()).count(folder) > 1}
    if len(several) < 2:
        with pytest.raises(RdrError):
            from_folder(root, size=4, leave_out=True)
        return
    data = from_folder(root, size=4, leave_out=True)
    found = {
        int(image[0, 0, 0]): data.class_names[c]
        for part in (data.train, data.test)
        for image, c in zip(part.inputs, part.labels, strict=True)
    }
    assert found == {red: folder for red, folder in lies.items() if folder in several}
