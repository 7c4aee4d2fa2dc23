"""Real images written as JPEG in the true directory shapes of ImageNet-LT and Places-LT, with short lists of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rdr_core.data import DATASETS, load_data
from rdr_core.data.disk import lists
from rdr_core.data.disk.lists import ImageList, Published
from rdr_core.data.load import data_root


@cache
def _hundreds() -> list[tuple[np.ndarray, int]]:
    name = "cifar10" if (data_root() / "cifar-10-batches-py").is_dir() else "digits"
    split = load_data(name, imbalance_factor=None).test
    images = split.inputs[:500].expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous().numpy()
    return list(zip(images, split.labels.tolist(), strict=False))


def real_images() -> Iterator[tuple[np.ndarray, int]]:
    """500 (H, W, 3) uint8 images with their class of ten: CIFAR-10's where they are at hand, else digits."""
    yield from _hundreds()


def write_list(path: Path, rows: list[tuple[str, int]]) -> Published:
    """A list file, and what is then known of it."""
    text = "".join(f"{name} {label}\n" for name, label in rows)
    path.write_text(text)
    labels = np.array([label for _, label in rows])
    counts = np.bincount(labels)
    content = ImageList(path, tuple(name for name, _ in rows), labels).content
    return Published(len(rows), len(counts), int(counts.max()), int(counts.min()),
                     hashlib.md5(text.encode()).hexdigest(), content)  # fmt: skip


def listed_tree(
    root: Path, title: str, counts: list[int], tests_each: int = 3, held_out_each: int = 0
) -> dict[str, Published]:
    """``root/imagenet-lt`` or ``root/places-lt`` with images, ``counts[c]`` for training of class c, and their lists.

    Returns:
        What is known of the lists, by file name, as in :data:`rdr_core.data.disk.lists.PUBLISHED`.
    """
    folder = root / title.lower().replace("_", "-")
    names = {
        ("ImageNet_LT", "train"): "train/n{c:08d}/n{c:08d}_{i}.JPEG",
        ("ImageNet_LT", "test"): "val/n{c:08d}/ILSVRC2012_val_{n:08d}.JPEG",
        # The numbers begin anew in each class, as in Places365.
        ("Places_LT", "train"): "data_256/{letter}/{letter}_place{c}/{i:08d}.jpg",
        ("Places_LT", "test"): "val_256/Places365_val_{n:08d}.jpg",
        # Validation images are others of the training folders.
        ("ImageNet_LT", "val"): "train/n{c:08d}/n{c:08d}_9{i}.JPEG",
        ("Places_LT", "val"): "data_256/{letter}/{letter}_place{c}/9{i:07d}.jpg",
    }
    wanted = {"train": list(counts), "test": [tests_each] * len(counts), "val": [held_out_each] * len(counts)}
    rows: dict[str, list[tuple[str, int]]] = {split: [] for split in wanted if any(wanted[split])}
    for pixels, c in real_images():
        for split in ("test", "train", "val"):
            if c < len(counts) and wanted[split][c]:
                wanted[split][c] -= 1
                i, n = wanted[split][c], len(rows[split])
                name = names[title, split].format(c=c, i=i, n=n, letter="abcdefghij"[c])
                rows[split].append((name, c))
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(folder / name, "JPEG", quality=95)
                break
    assert not any(map(any, wanted.values())), "too few images at hand"
    return {
        f"{title}_{split}.txt": write_list(folder / f"{title}_{split}.txt", sorted(rows[split], key=lambda row: row[1]))
        for split in rows
    }


def take_for_published(known: dict[str, Published], monkeypatch: pytest.MonkeyPatch) -> None:
    """These lists are the published ones, with as many classes as they have."""
    monkeypatch.setattr(lists, "PUBLISHED", known)
    for file, published in known.items():
        name = file.rpartition("_")[0].lower().replace("_", "-")
        own = replace(DATASETS[name], num_classes=published.classes)
        monkeypatch.setitem(DATASETS._things, name, (own, __name__))
