from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import mnist

from rdr_core.data import load_data
from rdr_core.data.sources import load_source
from rdr_core.errors import MissingData

SIZES = {"train": 400, "t10k": 100}
FILES = [f"{split}-{kind}" for split in SIZES for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")]


def idx(array: np.ndarray) -> bytes:
    """The idx format: type 8 (uint8), number of dimensions, big-endian sizes, bytes."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """500 of scikit-learn's digits, enlarged to MNIST's 28 x 28."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.kron((digits.images[:500] * 15).astype(np.uint8), np.ones((1, 3, 3), np.uint8))
    return np.pad(images, ((0, 0), (2, 2), (2, 2))), digits.target[:500].astype(np.uint8)


@pytest.fixture
def root(digits: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> Path:
    """A folder with the four files of MNIST, and the digits in them."""
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for split, part in (("train", slice(400)), ("t10k", slice(400, 500))):
        (folder / f"{split}-images-idx3-ubyte").write_bytes(idx(digits[0][part]))
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(idx(digits[1][part]))
    return tmp_path


def test_the_four_files_are_read(root, digits, no_network, capfd):
    raw = load_source("mnist", root)
    assert np.array_equal(raw.train_images[:, 0], digits[0][:400])
    assert np.array_equal(raw.train_labels, digits[1][:400])
    assert np.array_equal(raw.test_images[:, 0], digits[0][400:])
    assert np.array_equal(raw.test_labels, digits[1][400:])
    data = load_data("mnist", imbalance_factor=10, root=root)
    assert data.train.images.shape[1:] == (1, 28, 28)
    assert (data.mean, data.std) == ((0.1307,), (0.3081,))
    assert data.class_counts[0] == np.bincount(digits[1][:400]).min()
    assert no_network == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("keep", [0, 3, 6, 16, -1], ids=["empty", "magic", "sizes", "header", "last byte"])
def test_a_truncated_file_is_told(root, no_network, capfd, file, keep):
    path = root / "MNIST" / "raw" / file
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(MissingData, match=rf"^MNIST is damaged in {root} \({file}\).*delete {root / 'MNIST'} if"):
        load_source("mnist", root)
    assert no_network == []
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("position", range(0, 8))
def test_a_damaged_header_is_told(root, no_network, position):
    path = root / "MNIST" / "raw" / "train-images-idx3-ubyte"
    content = bytearray(path.read_bytes())
    content[position] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(MissingData, match=r"\(train-images-idx3-ubyte\)"):
        load_source("mnist", root)


def test_images_of_another_size_and_labels_beyond_9_are_told(root, digits, no_network):
    folder = root / "MNIST" / "raw"
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(digits[1][400:] + 1))
    with pytest.raises(MissingData, match=r"\(t10k-labels-idx1-ubyte\).*labels from 1 to 10"):
        load_source("mnist", root)
    (folder / "train-images-idx3-ubyte").write_bytes(idx(digits[0][:400, 2:, 2:]))
    with pytest.raises(MissingData, match=r"\(train-images-idx3-ubyte, t10k-labels-idx1-ubyte\).*26 x 26 pixels"):
        load_source("mnist", root)


def test_unequal_numbers_of_images_and_labels_are_told(root, digits, no_network):
    (root / "MNIST" / "raw" / "train-labels-idx1-ubyte").write_bytes(idx(digits[1][:399]))
    with pytest.raises(MissingData, match="400 images but 399 labels"):
        load_source("mnist", root)


def test_without_a_network_it_says_what_to_fetch_and_where_to_put_it(tmp_path, no_network, capfd):
    with pytest.raises(MissingData) as caught:
        load_data("mnist", root=tmp_path)
    message = str(caught.value)
    assert message.startswith(f"MNIST is not complete in {tmp_path} and could not be read or fetched (RuntimeError: ")
    assert message.endswith(
        "fetch train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and "
        "t10k-labels-idx1-ubyte.gz from https://ossci-datasets.s3.amazonaws.com/mnist/ "
        f"into {tmp_path / 'MNIST' / 'raw'}, to be unpacked by the next try."
    )
    assert "\n" not in message
    assert len(no_network) > 0
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err == f"Fetching MNIST (11 MB) into {tmp_path} ...\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("disk full")])
def test_a_file_half_unpacked_is_not_left_behind(root, monkeypatch, error):
    folder = root / "MNIST" / "raw"
    (folder / FILES[0]).unlink()

    def unpack_half(url: str, download_root: str, filename: str, md5: str) -> None:
        (Path(download_root) / filename.removesuffix(".gz")).write_bytes(b"half")
        raise error

    monkeypatch.setattr(mnist, "download_and_extract_archive", unpack_half)
    with pytest.raises((KeyboardInterrupt, MissingData)):
        load_source("mnist", root)
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES[1:])
