"""MNIST (LeCun et al. 1998) and Fashion-MNIST (Xiao et al. 2017): 60000 training and 10000 test images, 28 x 28 pixels.

Both are four files of one format. Fashion-MNIST is also a package of Debian's, whose files are read where they lie.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rdr_core.data.datasets import Settings, dataset
from rdr_core.data.sources.fetch import Download, read_or_fetch
from rdr_core.data.sources.raw import RawData
from rdr_core.errors import MissingData

FILES = tuple(f"{split}-{kind}" for split in ("train", "t10k") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"))
_PACKED = (
    "train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz"
)


@dataclass(frozen=True)
class _Set:
    """One of the two.

    Attributes:
        download: what is fetched.
        fetcher: torchvision's class of it.
        md5: of the unpacked files.
        class_names, mean, std: of :class:`RawData`.
        package: Debian's, and the folder that it puts the packed files into.
    """

    download: Download
    fetcher: str
    md5: dict[str, str]
    class_names: tuple[str, ...]
    mean: float
    std: float
    package: tuple[str, Path] | None = None


def _download(title: str, page: str, size: str) -> Download:
    folder = title.replace("-", "")
    return Download(title, _PACKED, page, folder, f"{folder}/raw", size)


MNIST = _Set(
    _download("MNIST", "https://ossci-datasets.s3.amazonaws.com/mnist/", "11 MB"),
    "MNIST",
    dict(zip(FILES, ("6bbc9ace898e44ae57da46a324031adb", "a25bea736e30d166cdddb491f175f624",
                     "2646ac647ad5339dbf082846283269ea", "27ae3e4e09519cfbb04c329615203637"), strict=True)),
    tuple(str(digit) for digit in range(10)),
    0.1307,
    0.3081,
)  # fmt: skip
FASHION_MNIST = _Set(
    _download("Fashion-MNIST", "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", "30 MB"),
    "FashionMNIST",
    dict(zip(FILES, ("f4a8712d7a061bf5bd6d2ca38dc4d50a", "9018921c3c673c538a1fc5bad174d6f9",
                     "8181f5470baa50b63fa0f6fddb340f0a", "15d484375f8d13e6eb1aabb0c3f46965"), strict=True)),
    ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"),
    0.2860,
    0.3530,
    ("dataset-fashion-mnist", Path("/usr/share/datasets/fashion-mnist")),
)  # fmt: skip


# Both are trained as we chose, so that a run takes minutes.
@dataset("mnist", "handwritten digits, 11 MB", title="MNIST", place=20,
         num_classes=10, image_shape=(1, 28, 28), n_max=5421, n_train=60_000, n_test=10_000,
         settings=Settings("small", epochs=20, batch_size=128, learning_rate=0.1, padding=2))  # fmt: skip
def load_mnist(root: Path) -> RawData:
    """MNIST from ``root/MNIST/raw``, normalised by its own statistics.

    Raises:
        MissingData: the files are missing or damaged and could not be fetched.
    """
    return _load(MNIST, root)


@dataset("fashion-mnist", "photographs of clothes in grey, 30 MB", title="Fashion-MNIST", place=30,
         num_classes=10, image_shape=(1, 28, 28), n_max=6000, n_train=60_000, n_test=10_000,
         settings=Settings("small", epochs=50, batch_size=128, learning_rate=0.1, padding=2))  # fmt: skip
def load_fashion_mnist(root: Path) -> RawData:
    """Fashion-MNIST from ``root/FashionMNIST/raw``, else from Debian's package, normalised by its own statistics.

    Raises:
        MissingData: the files are missing or damaged and could not be fetched.
    """
    return _load(FASHION_MNIST, root)


def _load(which: _Set, root: Path) -> RawData:
    folder = root / which.download.put_into

    def missing() -> list[str]:
        return [file for file in FILES if not (folder / file).exists()]

    def read(fetch: bool) -> RawData:
        if fetch:
            import torchvision.datasets

            before = missing()
            try:
                # It checks the MD5 of what it fetches, not of what it unpacks.
                getattr(torchvision.datasets, which.fetcher)(root, download=True)
            except BaseException:
                # A file half unpacked would pass for a whole one on the next try.
                for file in before:
                    (folder / file).unlink(missing_ok=True)
                raise
        return _raw(which, {file: (folder / file).read_bytes() for file in FILES})

    if which.package and len(missing()) == len(FILES) and (packed := _packaged(which)) is not None:
        return _raw(which, packed)
    return read_or_fetch(
        read,
        which.download,
        root,
        would_fetch=lambda: bool(missing()),
        damaged=lambda: [file for file in FILES if (folder / file).exists() and not _is_right(which, folder / file)],
    )


def _packaged(which: _Set) -> dict[str, bytes] | None:
    """The files of Debian's package, unpacked; None where it is not installed.

    Raises:
        MissingData: some of the four files are not there, or one is not what it was.
    """
    if which.package is None:
        return None
    name, folder = which.package
    there = [file for file in FILES if (folder / f"{file}.gz").exists()]
    if not there:
        return None
    again = f"install {name} again (apt-get install --reinstall {name})"
    if len(there) < len(FILES):
        lacking = ", ".join(f"{file}.gz" for file in FILES if file not in there)
        raise MissingData(f"{folder} holds some files of {which.download.title} but not {lacking}; {again}.")
    try:
        found = {file: gzip.decompress((folder / f"{file}.gz").read_bytes()) for file in FILES}
    except (OSError, EOFError) as error:
        raise MissingData(f"{which.download.title} in {folder} can't be read ({error}); {again}.") from error
    wrong = [f"{file}.gz" for file, content in found.items() if hashlib.md5(content).hexdigest() != which.md5[file]]
    if wrong:
        raise MissingData(f"{which.download.title} is damaged in {folder} ({', '.join(wrong)}); {again}.")
    return found


def _raw(which: _Set, content: dict[str, bytes]) -> RawData:
    for file, of_file in content.items():
        if hashlib.md5(of_file).hexdigest() != which.md5[file]:
            raise ValueError(f"{file} has another checksum than the published one")
    images, labels, test_inputs, test_labels = (_array(file, content[file]) for file in FILES)
    return RawData(
        images, labels, test_inputs, test_labels, class_names=which.class_names, mean=(which.mean,), std=(which.std,)
    )


def _array(file: str, content: bytes) -> np.ndarray:
    """(N, 1, 28, 28) uint8 images or (N,) int64 labels of a file whose checksum is right."""
    if "images" in file:
        return np.frombuffer(content, np.uint8, offset=16).reshape(-1, 1, 28, 28)
    return np.frombuffer(content, np.uint8, offset=8).astype(np.int64)


def _is_right(which: _Set, path: Path) -> bool:
    return hashlib.md5(path.read_bytes()).hexdigest() == which.md5[path.name]
