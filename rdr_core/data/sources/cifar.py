"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009): 50000 training and 10000 test photographs of 32 x 32 pixels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rdr_core.data.datasets import Settings, dataset
from rdr_core.data.sources.fetch import Download, read_or_fetch
from rdr_core.data.sources.raw import RawData

if TYPE_CHECKING:
    from torchvision.datasets import CIFAR10

_PAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"
#: As in the RDR paper (section 4.1).
_SETTINGS = Settings("resnet32", epochs=200, batch_size=128, learning_rate=0.1, padding=4, flip=True)


@dataset("cifar10", "tiny photographs of 10 classes, 170 MB", title="CIFAR-10", place=40, settings=_SETTINGS,
         num_classes=10, image_shape=(3, 32, 32), n_max=5000, n_train=50_000, n_test=10_000)  # fmt: skip
def load_cifar10(root: Path) -> RawData:
    """CIFAR-10 from ``root/cifar-10-batches-py``, normalised as in most public code.

    Raises:
        MissingData: the files are missing or damaged and could not be fetched.
    """
    from torchvision.datasets import CIFAR10

    download = Download("CIFAR-10", "cifar-10-python.tar.gz", _PAGE, "cifar-10-batches-py", "", "170 MB")
    # The deviations are those of LDAM-DRW and its descendants (of each image, averaged; over all pixels 0.247 ...).
    return _load(CIFAR10, download, root, mean=(0.4914, 0.4822, 0.4465), std=(0.2023, 0.1994, 0.2010))


@dataset("cifar100", "tiny photographs of 100 classes, 169 MB", title="CIFAR-100", place=50, settings=_SETTINGS,
         num_classes=100, image_shape=(3, 32, 32), n_max=500, n_train=50_000, n_test=10_000)  # fmt: skip
def load_cifar100(root: Path) -> RawData:
    """CIFAR-100 with its 100 fine classes from ``root/cifar-100-python``, normalised by its own statistics.

    Raises:
        MissingData: the files are missing or damaged and could not be fetched.
    """
    from torchvision.datasets import CIFAR100

    download = Download("CIFAR-100", "cifar-100-python.tar.gz", _PAGE, "cifar-100-python", "", "169 MB")
    return _load(CIFAR100, download, root, mean=(0.5071, 0.4867, 0.4408), std=(0.2675, 0.2565, 0.2761))


def _load(
    dataset: type[CIFAR10], download: Download, root: Path, mean: tuple[float, ...], std: tuple[float, ...]
) -> RawData:
    from torchvision.datasets.utils import check_integrity

    folder = root / download.folder
    sums = dict(dataset.train_list + dataset.test_list)
    sums[dataset.meta["filename"]] = dataset.meta["md5"]

    def read(fetch: bool) -> RawData:
        # torchvision compares every file's MD5 with the official one before it unpickles any.
        train = dataset(root, train=True, download=fetch)
        test = dataset(root, train=False)
        return RawData(
            train_inputs=np.ascontiguousarray(train.data.transpose(0, 3, 1, 2)),
            train_labels=np.asarray(train.targets, dtype=np.int64),
            test_inputs=np.ascontiguousarray(test.data.transpose(0, 3, 1, 2)),
            test_labels=np.asarray(test.targets, dtype=np.int64),
            class_names=tuple(train.classes),
            mean=mean,
            std=std,
        )

    def wrong(files: list[str]) -> list[str]:
        return [file for file in files if not check_integrity(folder / file, sums[file])]

    return read_or_fetch(
        read,
        download,
        root,
        # torchvision leaves the small file of names out of the check that decides on fetching.
        would_fetch=lambda: bool(wrong([file for file in sums if file != dataset.meta["filename"]])),
        damaged=lambda: [file for file in wrong(list(sums)) if (folder / file).exists()],
    )
