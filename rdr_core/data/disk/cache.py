"""Decoded images on disk, written once: reading one is then a copy of memory, so that training need not wait for it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from rdr_core.data.disk.checksums import Checksums, checksum
from rdr_core.data.disk.decode import RECIPE, STORED_SIDE, Unfit, decode, left_out
from rdr_core.data.disk.stored import StoredImages
from rdr_core.errors import MissingData, RdrError
from rdr_core.files.whole import read_json, write_json
from rdr_core.visible import bar_file, tell

#: What a network sees of the 256 pixels stored (He et al. 2016).
SIDE = 224


def stored_images(files: Sequence[Path], base: Path, title: str, folder: Path) -> StoredImages:
    """The images of ``files``, from the cache in ``folder``; decoded into it, by as many threads as CPUs, on first use.

    A cache is ``NAME.npy``, (N, 3, 256, 256) uint8, ``NAME.sums.npy``, a checksum of each image, and ``NAME.json``,
    which says what is in it and is written last: without it there is no cache. NAME tells the files' paths below
    ``base``, their sizes and how they are decoded, so others are other caches; so are files that were changed in place
    since, which their dates suggest and their bytes decide. Its size is said on stderr before it is written.

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
    digest, stamps = hashlib.sha256(RECIPE.encode()), hashlib.sha256()
    for file in files:
        name, stat = file.relative_to(base).as_posix(), file.stat()
        digest.update(f"\n{name} {stat.st_size}".encode(errors="surrogateescape"))
        stamps.update(f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ino}\n".encode())
    try:
        fingerprint = _settled(files, title, folder, digest.hexdigest()[:16], stamps.hexdigest()[:16])
    except OSError as error:
        raise RdrError(
            f"{folder} can't be written ({error}), but decoded images are kept there; make it writable, or take "
            "another data root with links to the images."
        ) from None
    pixels, facts, sums = _places(folder, title, fingerprint)
    checksums = Checksums(np.load(sums), facts) if sums.is_file() else None  # older caches have none
    return StoredImages(np.load(pixels, mmap_mode="r"), fingerprint, SIDE, checksums=checksums)


def _settled(files: Sequence[Path], title: str, folder: Path, fingerprint: str, stamps: str) -> str:
    """The fingerprint of a cache that is whole and of these files as they are now; it is made where there is none.

    Files of the same names and sizes are others where their bytes are; they are read again where their dates changed.
    """
    from filelock import FileLock

    own = fingerprint
    for known in (own, _noted(folder, title, own).get("changed", "")):  # files changed since have a cache of their own
        if _is_whole(folder, title, known, len(files)) and _noted(folder, title, known).get("stamps") == stamps:
            return known
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{title}.lock"):  # of two runs that start together, one writes and the other waits
        if not _is_whole(folder, title, fingerprint, len(files)):
            content = _write(files, title, *_places(folder, title, fingerprint))
        else:
            noted = _noted(folder, title, fingerprint)
            if noted.get("stamps") == stamps:
                return fingerprint
            content = _content(files)
            if noted.get("content", content) != content:
                tell(f"Images of {title} were changed since they were decoded, so they are decoded anew.")
                fingerprint = hashlib.sha256(f"{fingerprint} {content}".encode()).hexdigest()[:16]
                if not _is_whole(folder, title, fingerprint, len(files)):
                    _write(files, title, *_places(folder, title, fingerprint))
        shape = [len(files), 3, STORED_SIDE, STORED_SIDE]
        facts = {"images": len(files), "shape": shape, "decoded": RECIPE, "title": title, "content": content}
        write_json(_places(folder, title, fingerprint)[1], facts | {"stamps": stamps})
        if fingerprint != own:
            write_json(_places(folder, title, own)[1], _noted(folder, title, own) | {"changed": fingerprint})
    return fingerprint


def _places(folder: Path, title: str, fingerprint: str) -> tuple[Path, Path, Path]:
    """Of the pixels, of what is known of them, and of their checksums."""
    pixels, facts, sums = (folder / f"{title}-{fingerprint}{ending}" for ending in (".npy", ".json", ".sums.npy"))
    return pixels, facts, sums


def _noted(folder: Path, title: str, fingerprint: str) -> dict[str, Any]:
    try:
        noted = read_json(_places(folder, title, fingerprint)[1])
    except RdrError:
        return {}
    return noted if isinstance(noted, dict) else {}


def _is_whole(folder: Path, title: str, fingerprint: str, count: int) -> bool:
    """Whether a cache is there with all its files, each as long as it is to be."""
    pixels, facts, sums = _places(folder, title, fingerprint)
    there = facts.is_file() and _holds(pixels, (count, 3, STORED_SIDE, STORED_SIDE), np.uint8)
    return there and (not sums.is_file() or _holds(sums, (count,), np.uint32))


def _holds(file: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> bool:
    """Whether a file is an array of that shape and type; only its header is read."""
    try:
        array = np.load(file, mmap_mode="r")
    except Exception:  # missing, cut, or no array: NumPy reads headers by Python's parser, which may raise anything
        return False
    return isinstance(array, np.ndarray) and (array.shape, array.dtype) == (shape, np.dtype(dtype))


def _content(files: Sequence[Path]) -> str:
    """A hash of all files' bytes."""

    def digest(file: Path) -> bytes:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").digest()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return hashlib.sha256(b"".join(pool.map(digest, files))).hexdigest()[:16]


def _write(files: Sequence[Path], title: str, pixels: Path, facts: Path, sums: Path) -> str:
    """Decode the files; gives the hash of their bytes, which are read before, so that no later ones pass for them."""
    facts.unlink(missing_ok=True)
    content = _content(files)
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
        found = [*_decode_all(files, store)]
        unreadable = [about for about in found if isinstance(about, str)]
        if unreadable:
            more = " ..." if len(unreadable) > 10 else ""
            raise MissingData(
                f"{len(unreadable)} of {len(files)} images of {title} can't be read: "
                f"{', '.join(unreadable[:10])}{more}. Mend them or fetch them again."
            )
        _tell_of_left_out([about for about in found if not isinstance(about, str)], title)
        store.flush()
        of_images = np.array([checksum(image) for image in store], dtype=np.uint32)
        os.replace(beside, pixels)
    finally:
        beside.unlink(missing_ok=True)
    with sums.open("wb") as file:
        np.save(file, of_images)
    return content


def _tell_of_left_out(found: Sequence[tuple[bool, bool]], title: str) -> None:
    turned, clear = (sum(column) for column in zip(*found, strict=True))
    if turned:
        tell(f"{turned} of {len(found)} images of {title} say in EXIF how to turn them, which is not done, as in "
             "torchvision's ImageFolder; turn the files themselves where it matters.")  # fmt: skip
    if clear:
        tell(f"{clear} of {len(found)} images of {title} are transparent, of which the colours alone are taken; lay "
             "them on a ground where it matters.")  # fmt: skip


def _decode_all(files: Sequence[Path], store: np.ndarray) -> Iterator[tuple[bool, bool] | str]:
    """Fill the store; yields of each file what is left out of it (:func:`left_out`), or which can't be read and why."""
    from tqdm.auto import tqdm

    def decode_one(row: int) -> tuple[bool, bool] | str:
        try:
            store[row] = decode(files[row])
            return left_out(files[row])
        except Unfit as error:
            return f"{files[row]} (they {error.reason})"
        except Exception:  # a damaged image can fail in any way; Pillow's decoders raise more than OSError
            return str(files[row])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # disable=None: a bar for a person, none in a log.
        yield from tqdm(pool.map(decode_one, range(len(files))), total=len(files), unit="image", disable=None,
                        file=bar_file())  # fmt: skip


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"
