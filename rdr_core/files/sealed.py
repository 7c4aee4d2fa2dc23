"""Files that carry their own checksum, so that a file and its checksum are there together or not at all.

A sealed file has the word ``file_checksum`` in it and, after that, ``xxh3-`` and 32 hexadecimal digits: the 128 bits of
XXH3 (https://xxhash.com) of the whole file with zeros in their place. JSON has them under a key of its object, a table
in the name of a last, empty column, a tree of tensors in its header. Readers drop them. A file that has none, as older
versions wrote them, is read as it is, but in a folder whose config.json has one: there it has lost it.
"""

from __future__ import annotations

import mmap
import re
import stat
from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path

from xxhash import xxh3_128

from rdr_core.errors import Damaged

#: What a sealed file has its checksum under.
KEY = "file_checksum"
#: Where a file that is being written will have its checksum.
BLANK = f"xxh3-{'0' * 32}"
#: The file of a run's folder that has its checksum last, so that where it has one all others have theirs.
LAST = "config.json"
#: Bytes of text that are read at most: a run's largest is the history, of some hundred bytes an epoch.
TEXT_LIMIT = 2**26
_FOUND = re.compile(rf"{KEY}\W{{1,8}}xxh3-([0-9a-f]{{32}})".encode())


def damaged(path: Path, why: object) -> Damaged:
    """The error for a file that can't be believed, with what to do."""
    return Damaged(f"{path} can't be read ({why}); `rdr check --repair` brings back what can be.")


def fill(path: str) -> None:
    """Put a file's checksum where it has a :data:`BLANK`; before anybody else sees the file."""
    with open(path, "r+b") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            at, checksum = content.find(BLANK.encode()), xxh3_128(content).hexdigest()
        file.seek(at + len(BLANK) - len(checksum))
        file.write(checksum.encode())


def open_plain(path: Path, limit: int = TEXT_LIMIT) -> BufferedReader:
    """A file opened to be read: one on disk, not a pipe or a device, which might never end.

    Raises:
        Damaged: it is missing, none, or larger than ``limit`` bytes.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise damaged(path, "it is no plain file")
        if about.st_size > limit:
            raise damaged(path, f"it has {about.st_size / 1e9:.2f} GB, more than such a file can have")
        return path.open("rb")
    except FileNotFoundError:
        raise Damaged(f"{path} is missing; the folder is no complete run.") from None
    except OSError as error:
        raise damaged(path, error) from None


def read_sealed(path: Path, limit: int = TEXT_LIMIT) -> bytes:
    """A file's bytes, which are those that were written.

    Raises:
        Damaged: they are not, or can't be read.
    """
    with open_plain(path, limit) as file:
        try:
            content = file.read(limit + 1)
        except OSError as error:
            raise damaged(path, error) from None
    verify(path, content)
    return content


def verify(path: Path, first: bytes, rest: Iterable[memoryview] = ()) -> None:
    """Compare a file's content with the checksum that it carries, where it carries one.

    Args:
        path: the file, for the message.
        first: its beginning, in which the checksum is.
        rest: what follows, in pieces; all are taken, whether they are compared or not.

    Raises:
        Damaged: another file was written.
    """
    found = _FOUND.search(first)
    if found is None:
        if KEY.encode() in first or b"xxh3-" in first or _should_be_sealed(path):
            raise damaged(path, "its checksum is damaged or gone")
        for _ in rest:
            pass
        return
    begins, ends = found.span(1)
    state = xxh3_128(first[:begins])
    state.update(b"0" * (ends - begins))
    state.update(memoryview(first)[ends:])
    for piece in rest:
        state.update(piece)
    if state.hexdigest() != found[1].decode():
        raise damaged(path, "it is not as it was written: its checksum is another")


def is_sealed(path: Path) -> bool:
    """Whether a file carries a checksum, which is not compared."""
    with open_plain(path, limit=2**63) as file:
        head = file.read(TEXT_LIMIT)
    return _FOUND.search(head) is not None


def _should_be_sealed(path: Path) -> bool:
    """Whether a file belongs to a run whose files all have checksums: analyses lie up to two folders deeper."""
    for folder in [path.parent, *path.parents[1:3]]:
        if (last := folder / LAST).is_file():
            return last != path and is_sealed(last)
    return False
