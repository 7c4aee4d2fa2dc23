"""Image files of one's own: small ones decoded into memory, photographs kept on disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from rdr_core.data.disk.decode import Unfit, decode
from rdr_core.data.own.unusable import Unusable
from rdr_core.errors import RdrError
from rdr_core.shapes import UInt8
from rdr_core.visible import bar_file, tell

#: Bytes of images in memory, at most; more are for `folder:`, which keeps them on disk.
LARGEST = 2**32


def decoded(files: Sequence[Path], size: int, unusable: Unusable) -> UInt8[np.ndarray, "N 3 S S"]:
    """Images in colour, the shorter side made ``size`` and the middle square cut out; what can't be read is noted.

    Args:
        files: one an image.
        size: S.
        unusable: where what can't be read is noted; such an image is black.

    Raises:
        RdrError: a size that is none, or more images than memory should hold.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Image.new("RGB", (30, 40), (1, 2, 3)).save(Path(folder, "1.png"))
        ...     decoded([Path(folder, "1.png")], 8, Unusable("image", "here", ["1.png"]))[0, :, 0, 0].tolist()
        [1, 2, 3]
    """
    from tqdm.auto import tqdm

    if not 4 <= size <= 1024:
        raise RdrError(f"size is {size}; it must be a whole number of pixels from 4 to 1024, such as 32.")
    if len(files) * 3 * size * size > LARGEST:
        raise RdrError(
            f"{len(files):,} images of {size} x {size} take more than {LARGEST >> 30} GB of memory; take a smaller "
            "size, or leave the size out, which keeps photographs on disk."
        )
    made = np.zeros((len(files), 3, size, size), dtype=np.uint8)
    wrong = np.array(["" if file.exists() else "have no file" for file in files], dtype=object)

    def one(at: int) -> None:
        if wrong[at]:
            return
        try:
            made[at] = decode(files[at], size)
        except Unfit as error:
            wrong[at] = error.reason
        except Exception:  # a damaged image can fail in any way; Pillow's decoders raise more than OSError
            wrong[at] = "can't be read"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in tqdm(pool.map(one, range(len(files))), total=len(files), unit="image", disable=None, file=bar_file()):
            pass
    for reason in dict.fromkeys(wrong[wrong != ""]):
        unusable.add(reason, wrong == reason)
    return made


def note_other_files(folder: Path, known: tuple[str, ...]) -> None:
    """Say which files of a folder were passed over, since they don't end as images do.

    Example:
        >>> import contextlib, io, tempfile
        >>> with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()) as said:
        ...     _ = Path(folder, "clip.mp4").write_bytes(b"")
        ...     note_other_files(Path(folder), (".png",))
        >>> said.getvalue().endswith("are no images (.png) and are passed over: clip.mp4.\\n")
        True
    """
    others = [
        file.name for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.startswith(".") and not file.name.lower().endswith(known)
    ]  # fmt: skip
    if others:
        named = ", ".join(others[:5]) + (" ..." if len(others) > 5 else "")
        tell(f"{len(others):,} files of {folder} are no images ({', '.join(known)}) and are passed over: {named}.")
