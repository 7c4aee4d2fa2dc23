"""A cache of decoded images answers for the images that are there now, as they were written, or is made anew."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tried import tried

from rdr_core.data.disk.cache import stored_images
from rdr_core.data.disk.decode import decode
from rdr_core.data.disk.stored import StoredImages
from rdr_core.errors import RdrError


@pytest.fixture
def files(tmp_path) -> list[Path]:
    (tmp_path / "images").mkdir()
    found = [tmp_path / "images" / f"{number}.bmp" for number in range(3)]
    for number, file in enumerate(found):
        Image.new("RGB", (300, 260), (number, 50, 90)).save(file)
    return found


def read(files: list[Path]) -> StoredImages:
    return stored_images(files, files[0].parent, "few", files[0].parents[1] / "cache")


def right(images: StoredImages, files: list[Path]) -> bool:
    return np.array_equal(images.whole[:].numpy(), np.stack([decode(file) for file in files]))


def caches(files: list[Path]) -> set[str]:
    return {path.name for path in (files[0].parents[1] / "cache").glob("few-*.npy") if "sums" not in path.name}


def test_images_overwritten_in_place_are_others(files, capsys):
    """Of the same size in bytes, as BMP is whatever it shows; back again, they are the first ones again."""
    before = read(files)
    kept = files[1].read_bytes()
    Image.new("RGB", (300, 260), (9, 9, 9)).save(files[1])
    assert files[1].stat().st_size == len(kept)
    after = read(files)
    assert right(after, files)
    assert after.fingerprint != before.fingerprint
    assert "were changed since they were decoded" in capsys.readouterr().err
    assert read(files).fingerprint == after.fingerprint
    assert "Decoding" not in capsys.readouterr().err
    files[1].write_bytes(kept)
    again = read(files)
    assert right(again, files)
    assert again.fingerprint == before.fingerprint


def test_images_only_copied_or_touched_are_the_same(files, capsys):
    before = read(files)
    capsys.readouterr()
    os.utime(files[0], (1, 1))
    copy = files[2].read_bytes()
    files[2].unlink()
    files[2].write_bytes(copy)
    assert read(files).fingerprint == before.fingerprint
    assert capsys.readouterr().err == ""
    assert len(caches(files)) == 1


@pytest.mark.parametrize("ending", [".npy", ".sums.npy", ".json"])
@pytest.mark.parametrize("harm", ["missing", "cut", "empty"])
def test_a_cache_that_is_not_whole_is_made_anew(files, ending, harm):
    before = read(files)
    folder = files[0].parents[1] / "cache"
    (path,) = [path for path in folder.glob(f"few-*{ending}") if ".sums" not in path.name or ".sums" in ending]
    content = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if harm == "cut" else b"")
    again = read(files)
    assert right(again, files)
    assert again.fingerprint == before.fingerprint
    tried("Damage", "caches of images", 1)


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 3 * 3 * 256 * 256 - 1), flip=st.integers(1, 255))
def test_a_changed_byte_is_noticed_and_the_cache_made_anew(files, at, flip):
    read(files)
    (path,) = [path for path in (files[0].parents[1] / "cache").glob("few-*.npy") if "sums" not in path.name]
    with path.open("r+b") as cache:
        cache.seek(path.stat().st_size - 1 - at)
        byte = cache.read(1)[0]
        cache.seek(-1, os.SEEK_CUR)
        cache.write(bytes([byte ^ flip]))
    with pytest.raises(RdrError, match=r"is damaged .image . is not what was written"):
        read(files)[:]
    assert right(read(files), files)
    tried("Damage", "changed bytes of caches of images", 1)
