"""MNIST and Fashion-MNIST: four files of one format each, with the checksums of the published ones."""

from __future__ import annotations

import gzip
import hashlib
import struct
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torchvision.datasets
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.datasets import mnist as torchvisions

from rdr_core.data import load_data
from rdr_core.data.arrays import as_images, channel_statistics
from rdr_core.data.sources import load_source, mnist
from rdr_core.errors import MissingData

FILES = mnist.FILES
SETS = {"mnist": "MNIST", "fashion-mnist": "FASHION_MNIST"}
#: Published: images of each class to train with.
COUNTS = {
    "mnist": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    "fashion-mnist": [6000] * 10,
}
#: Each set's first training labels, as its authors' pages show them.
FIRST = {"mnist": [5, 0, 4, 1, 9], "fashion-mnist": [9, 0, 0, 3, 0]}


def idx(array: np.ndarray) -> bytes:
    """The idx format: type 8 (uint8), number of dimensions, big-endian sizes, bytes."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@dataclass(frozen=True)
class Made:
    """Small files in the place of published ones.

    Attributes:
        name: of the data set.
        root: the data root that has the files.
        content: by file.
        package: a folder where Debian's package would put them, empty.
    """

    name: str
    root: Path
    content: dict[str, bytes]
    package: Path

    @property
    def title(self) -> str:
        return {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}[self.name]

    @property
    def folder(self) -> Path:
        return self.root / self.title.replace("-", "") / "raw"

    def pack(self) -> None:
        """Put the packed files where the package does, and leave the data root empty."""
        for file, content in self.content.items():
            (self.package / f"{file}.gz").write_bytes(gzip.compress(content))
            (self.folder / file).unlink()


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """500 of scikit-learn's digits, enlarged to 28 x 28."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.kron((digits.images[:500] * 15).astype(np.uint8), np.ones((1, 3, 3), np.uint8))
    return np.pad(images, ((0, 0), (2, 2), (2, 2))), digits.target[:500].astype(np.uint8)


@pytest.fixture(params=SETS)
def made(request, digits, tmp_path, monkeypatch) -> Made:
    """400 training and 100 test digits under the name of each set, whose checksums are taken for the published."""
    arrays = (digits[0][:400], digits[1][:400], digits[0][400:], digits[1][400:])
    content = dict(zip(FILES, map(idx, arrays), strict=True))
    (package := tmp_path / "package").mkdir()
    constant = SETS[request.param]
    published = getattr(mnist, constant)
    md5 = {file: hashlib.md5(of_file).hexdigest() for file, of_file in content.items()}
    monkeypatch.setattr(mnist, constant, replace(published, md5=md5,
                        package=published.package and (published.package[0], package)))  # fmt: skip
    made = Made(request.param, tmp_path / "root", content, package)
    made.folder.mkdir(parents=True)
    for file, of_file in content.items():
        (made.folder / file).write_bytes(of_file)
    return made


@pytest.fixture
def packaged(made) -> Made:
    """The same of the one that Debian has a package of."""
    if made.name == "mnist":
        pytest.skip("Debian has no package of MNIST")
    made.pack()
    return made


def is_right(made: Made, digits: tuple[np.ndarray, np.ndarray]) -> bool:
    raw = load_source(made.name, made.root)
    return (
        np.array_equal(raw.train_inputs[:, 0], digits[0][:400])
        and np.array_equal(raw.train_labels, digits[1][:400])
        and np.array_equal(raw.test_inputs[:, 0], digits[0][400:])
        and np.array_equal(raw.test_labels, digits[1][400:])
    )


def test_the_four_files_are_read(made, digits, no_network, capfd):
    assert is_right(made, digits)
    data = load_data(made.name, imbalance_factor=10, root=made.root)
    assert data.train.inputs.shape[1:] == (1, 28, 28)
    assert data.class_counts[0] == np.bincount(digits[1][:400]).min()
    assert no_network == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("keep", [0, 3, 16, -1], ids=["empty", "magic", "header", "last byte"])
def test_a_file_that_was_cut_is_told(made, no_network, capfd, file, keep):
    path = made.folder / file
    path.write_bytes(path.read_bytes()[:keep])
    told = rf"^{made.title} is damaged in {made.root} \({file}\).*delete {made.folder.parent} if"
    with pytest.raises(MissingData, match=told):
        load_source(made.name, made.root)
    assert no_network == []
    assert capfd.readouterr().err == ""


def test_one_flipped_bit_anywhere_is_told(made, no_network):
    @settings(max_examples=15)
    @given(st.sampled_from(FILES), st.floats(0, 1, exclude_max=True), st.integers(0, 7))
    def flipped(file, place, bit):
        path, content = made.folder / file, bytearray(made.content[file])
        content[int(place * len(content))] ^= 1 << bit
        path.write_bytes(content)
        try:
            with pytest.raises(MissingData, match=rf"\({file}\) and could not be read .*checksum"):
                load_source(made.name, made.root)
        finally:
            path.write_bytes(made.content[file])

    flipped()
    assert no_network == []


def test_without_a_network_it_says_what_to_fetch_and_where_to_put_it(made, no_network, capfd):
    for file in FILES:
        (made.folder / file).unlink()
    with pytest.raises(MissingData) as caught:
        load_data(made.name, root=made.root)
    message = str(caught.value)
    assert message.startswith(f"{made.title} is not complete in {made.root} and could not be read or fetched")
    page = {"mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "fashion-mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"}[made.name]  # fmt: skip
    assert message.endswith(
        "fetch train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and "
        f"t10k-labels-idx1-ubyte.gz from {page} into {made.folder}, to be unpacked by the next try."
    )
    assert "\n" not in message
    assert len(no_network) > 0
    printed = capfd.readouterr()
    assert printed.out == ""
    size = {"mnist": "11 MB", "fashion-mnist": "30 MB"}[made.name]
    assert printed.err == f"Fetching {made.title} ({size}) into {made.root} ...\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("disk full")])
def test_a_file_half_unpacked_is_not_left_behind(made, monkeypatch, error):
    (made.folder / FILES[0]).unlink()

    def unpack_half(url: str, download_root: str, filename: str, md5: str) -> None:
        (Path(download_root) / filename.removesuffix(".gz")).write_bytes(b"half")
        raise error

    monkeypatch.setattr(torchvisions, "download_and_extract_archive", unpack_half)
    with pytest.raises((KeyboardInterrupt, MissingData)):
        load_source(made.name, made.root)
    assert sorted(path.name for path in made.folder.iterdir()) == sorted(FILES[1:])


def test_from_nothing_it_is_fetched_once(made, digits, tmp_path, monkeypatch, capfd):
    """From a server of the test's own, since the published one is out of its reach."""
    (site := tmp_path / "site").mkdir()
    resources = []
    for file, content in made.content.items():
        (site / f"{file}.gz").write_bytes(packed := gzip.compress(content))
        resources.append((f"{file}.gz", hashlib.md5(packed).hexdigest()))
        (made.folder / file).unlink()
    asked = []

    class Counting(SimpleHTTPRequestHandler):
        def log_message(self, form: str, *rest: object) -> None:
            asked.append(rest[0])

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Counting, directory=site)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        fetcher = getattr(torchvision.datasets, made.title.replace("-", ""))
        monkeypatch.setattr(fetcher, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
        monkeypatch.setattr(fetcher, "resources", resources)
        assert is_right(made, digits)
        once = len(asked)
        assert is_right(made, digits)
        server.shutdown()
    assert {line.split()[1] for line in asked} == {f"/{file}.gz" for file in FILES}
    assert len(asked) == once
    assert capfd.readouterr().err.count("Fetching") == 1


def test_debians_package_is_read_where_it_lies(packaged, digits, no_network, capfd):
    assert is_right(packaged, digits)
    assert not any(packaged.folder.iterdir())
    assert no_network == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("file", FILES)
def test_a_package_without_one_of_the_four_is_told(packaged, no_network, file):
    (packaged.package / f"{file}.gz").unlink()
    told = rf"{packaged.package} holds some files of Fashion-MNIST but not {file}\.gz; install dataset-fashion-mnist"
    with pytest.raises(MissingData, match=told):
        load_source(packaged.name, packaged.root)


@pytest.mark.parametrize("damage", ["cut", "another content"])
def test_a_damaged_package_is_told(packaged, damage):
    path = packaged.package / f"{FILES[2]}.gz"
    content = path.read_bytes()
    path.write_bytes(content[:-9] if damage == "cut" else gzip.compress(packaged.content[FILES[2]] + b"\0"))
    with pytest.raises(MissingData, match="install dataset-fashion-mnist again"):
        load_source(packaged.name, packaged.root)


@pytest.mark.parametrize("name", SETS)
def test_the_real_ones_are_what_was_published(name, mnist_root, no_network):
    raw = load_source(name, mnist_root)
    assert raw.train_inputs.shape == (60_000, 1, 28, 28)
    assert raw.test_inputs.shape == (10_000, 1, 28, 28)
    assert np.bincount(raw.train_labels).tolist() == COUNTS[name]
    assert raw.train_labels[:5].tolist() == FIRST[name]
    mean, std = channel_statistics(as_images(raw.train_inputs, name))
    assert (round(mean[0], 4), round(std[0], 4)) == (raw.mean[0], raw.std[0])
    assert no_network == []
