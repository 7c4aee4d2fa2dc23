"""MNIST (LeCun et al. 1998): 60000 training and 10000 test images of handwritten digits, 28 x 28 pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rdr_core.data.sources.fetch import Download, read_or_fetch
from rdr_core.data.sources.raw import RawData

_MNIST = Download(
    title="MNIST",
    files="train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, "
    "t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz",
    page="https://ossci-datasets.s3.amazonaws.com/mnist/",
    folder="MNIST",
    put_into="MNIST/raw",
    size="11 MB",
)
_FILES = tuple(f"{split}-{kind}" for split in ("train", "t10k") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"))


def load_mnist(root: Path) -> RawData:
    """MNIST from ``root/MNIST/raw``, normalised by its own statistics.

    torchvision checks the MD5 of what it fetches, but not of unpacked files, so these are checked
    here for what shows: lengths, sizes and labels.

    Raises:
        MissingData: the files are missing or damaged and could not be fetched.
    """
    from torchvision.datasets import MNIST

    folder = root / "MNIST" / "raw"

    def missing() -> list[str]:
        return [file for file in _FILES if not (folder / file).exists()]

    def read(fetch: bool) -> RawData:
        if fetch:
            before = missing()
            try:
                MNIST(root, download=True)
            except BaseException:
                # A file half unpacked would pass for a whole one on the next try.
                for file in before:
                    (folder / file).unlink(missing_ok=True)
                raise
        arrays = [_read_idx(folder / file) for file in _FILES]
        for images, labels in (arrays[:2], arrays[2:]):
            if len(images) != len(labels):
                raise ValueError(f"{len(images)} images but {len(labels)} labels")
        return RawData(
            train_images=arrays[0],
            train_labels=arrays[1],
            test_images=arrays[2],
            test_labels=arrays[3],
            class_names=tuple(str(digit) for digit in range(10)),
            mean=(0.1307,),
            std=(0.3081,),
        )

    return read_or_fetch(
        read,
        _MNIST,
        root,
        would_fetch=lambda: bool(missing()),
        damaged=lambda: [file for file in _FILES if (folder / file).exists() and not _is_whole(folder / file)],
    )


def _read_idx(path: Path) -> np.ndarray:
    """(N, 1, 28, 28) uint8 images or (N,) int64 labels."""
    from torchvision.datasets.mnist import read_image_file, read_label_file

    if "images" in path.name:
        images = read_image_file(str(path)).numpy()[:, np.newaxis]
        if images.shape[1:] != (1, 28, 28):
            raise ValueError(f"images of {images.shape[2]} x {images.shape[3]} pixels")
        return images
    labels = read_label_file(str(path)).numpy()
    if not 0 <= labels.min() <= labels.max() <= 9:
        raise ValueError(f"labels from {labels.min()} to {labels.max()}")
    return labels


def _is_whole(path: Path) -> bool:
    try:
        _read_idx(path)
    except Exception:  # as in read_or_fetch: a damaged file can fail in any way
        return False
    return True
