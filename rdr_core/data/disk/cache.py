"""Decoded images on disk, written once: reading one is then a copy of memory, so that training need not wait for it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from rdr_core.data.disk.decode import RECIPE, STORED_SIDE, decode
from rdr_core.data.disk.stored import StoredImages
from rdr_core.errors import MissingData, RdrError
from rdr_core.files.whole import write_json
from rdr_core.visible import bar_file, tell

#: What a network sees of the 256 pixels stored (He et al. 2016).
SIDE = 224


def stored_images(files: Sequence[Path], base: Path, title: str, folder: Path) -> StoredImages:
    """The images of ``files``, from the cache in ``folder``; decoded into it, by as many threads as CPUs, on first use.

    A cache is ``NAME.npy``, (N, 3, 256, 256) uint8, and ``NAME.json``, which says what is in it and is written last:
    without it there is no cache. NAME tells the files' paths below ``base``, their sizes and how they are decoded, so
    others are other caches. Its size is said on stderr before it is written.

    Args:
        files: image files.
        base: folder that they all lie below.
        title: begins the cache's name, such as ``"places-lt-train"``.
        folder: of caches.

    Raises:
        MissingData: images that can't be read; their number, and the first ten.
        RdrError: too little space, or a folder that can't be written.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Image.new("RGB", (300, 400)).save(Path(folder) / "1.png")
        ...     stored_images([Path(folder) / "1.png"], Path(folder), "flowers", Path(folder)).shape
        torch.Size([1, 3, 224, 224])
    """
    from filelock import FileLock

    digest = hashlib.sha256(RECIPE.encode())
    for file in files:
        digest.update(f"\n{file.relative_to(base).as_posix()} {file.stat().st_size}".encode())
    fingerprint = digest.hexdigest()[:16]
    pixels, facts = (folder / f"{title}-{fingerprint}{ending}" for ending in (".npy", ".json"))
    if not facts.is_file():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Of two runs that start together, one writes and the other waits.
            with FileLock(folder / f".{title}.lock"):
                if not facts.is_file():
                    _write(files, title, pixels, facts)
        except OSError as error:
            raise RdrError(
                f"{folder} can't be written ({error}), but decoded images are kept there; make it writable, or take "
                "another data root with links to the images."
            ) from None
    return StoredImages(np.load(pixels, mmap_mode="r"), fingerprint, SIDE)


def _write(files: Sequence[Path], title: str, pixels: Path, facts: Path) -> None:
    shape = (len(files), 3, STORED_SIDE, STORED_SIDE)
    size, free = int(np.prod(shape)), shutil.disk_usage(pixels.parent).free
    if size > free:
        raise RdrError(
            f"{title} decoded takes {_gigabytes(size)}, but {pixels.parent} has {_gigabytes(free)} left; make space "
            "there, or link that folder to a larger disk."
        )
    tell(f"Decoding {len(files)} images of {title}, once, into {pixels} ({_gigabytes(size)}) ...")
    beside = pixels.with_name(f".{pixels.name}")
    try:
        store = np.lib.format.open_memmap(beside, mode="w+", dtype=np.uint8, shape=shape)
        unreadable = [file for file in _decode_all(files, store) if file is not None]
        if unreadable:
            more = " ..." if len(unreadable) > 10 else ""
            raise MissingData(
                f"{len(unreadable)} of {len(files)} images of {title} can't be read: "
                f"{', '.join(map(str, unreadable[:10]))}{more}. Fetch them again."
            )
        store.flush()
        os.replace(beside, pixels)
    finally:
        beside.unlink(missing_ok=True)
    write_json(facts, {"images": len(files), "shape": list(shape), "decoded": RECIPE, "title": title})


def _decode_all(files: Sequence[Path], store: np.ndarray) -> Iterator[Path | None]:
    """Fill the store; yields each file that can't be read, and None for each that can."""
    from tqdm.auto import tqdm

    def decode_one(row: int) -> Path | None:
        try:
            store[row] = decode(files[row])
        except Exception:  # a damaged image can fail in any way; Pillow's decoders raise more than OSError
            return files[row]
        return None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # disable=None: a bar for a person, none in a log.
        yield from tqdm(pool.map(decode_one, range(len(files))), total=len(files), unit="image", disable=None,
                        file=bar_file())  # fmt: skip


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"
