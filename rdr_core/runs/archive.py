"""Runs shipped as archives: packed small, unpacked once into a cache.

An archive is an xz-compressed tar of runs' folders, RUN/FILE. One solid stream is smaller than a zip, which compresses
each small file alone: 20 runs of digits (60 epochs) took 17.7 KB each, as a deflated zip 24.8 KB, of 45.9 KB on disk.
What equals in all runs (indices, configurations) then costs next to nothing. 15.3 KB of the 17.7 are the doubles of
classes.safetensors: means over batches, of which an archive keeps 13 binary digits, an error of at most 1/8,192. Curves
of spectral densities, a thousand points a class, are as much again; of them it keeps nine digits, of a history seven,
of what a network says of each test image six.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, BinaryIO

from rdr_core.errors import RdrError
from rdr_core.files.inside import inside
from rdr_core.files.places import own_place, papers_folder
from rdr_core.files.tables import SEAL, names_of, read_exactly, read_table
from rdr_core.files.trees import load_tree, save_tree
from rdr_core.files.whole import write_sealed, write_whole
from rdr_core.runs import Run
from rdr_core.shapes import Float
from rdr_core.visible import NAME, visible

if TYPE_CHECKING:
    from torch import Tensor

SUFFIX = ".tar.xz"
#: Bytes that an archive may unpack to, and files; it may have come from anywhere. A run has some twenty.
LIMIT, FILES = 2**30, 50_000
#: Bytes of all headers of one file, of which tarfile keeps every one in memory.
_HEADERS = 2**20
#: Files of a run's folder that are always packed, those that are its weights, and those that a resume needs.
_BY_CLASS = "classes.safetensors"
_ALWAYS = ("*.json", "history.csv", _BY_CLASS, "indices.safetensors", "analysis/*", "evaluations/*")
_WEIGHTS = ("model.safetensors", "weights/*.safetensors")
_RESUME = ("checkpoint.safetensors", "weights/*.safetensors")
#: Kept with so many digits: a history, whose seconds are the machine's; estimates, of which nine are more than their
#: probes know; and what a network says of each test image, in probabilities.
_DIGITS = {"history.csv": 7, "analysis/density-*.csv": 9, "analysis/predictions-*.csv": 6}
#: Analyses of hundreds of numbers an image, made from the weights; what is told of them has results of its own.
_LARGE = ("analysis/features-*", "analysis/replayed-visits-*")
# Floats, four bytes each, are most of an archive: the coder's context is a byte's place in its float.
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6 | lzma.PRESET_EXTREME, "lc": 0, "lp": 2, "pb": 2}]
#: Binary digits of a number by class and epoch that are left out, of the 23 after its first.
_DROPPED = 11
#: Memory that decompressing may take; the preset's dictionary needs 9 MiB.
_MEMORY = 128 * 2**20


def pack(runs: Sequence[Run], path: Path, *, weights: Collection[str] = (), unfinished: bool = False) -> None:
    """Write runs' folders to one archive; equal runs give equal bytes.

    Of finished runs, numbers by class and epoch (:attr:`Run.classes`) go in with 13 binary digits, those of the history
    with seven decimal ones, of spectral densities with nine, predictions with six, all else whole.

    Args:
        runs: with different names; without their weights, and without features and replayed visits, which need them.
        path: of the archive, as "digits.tar.xz"; replaced if it is there.
        weights: names of the runs whose weights, features and replayed visits are packed too (default: none).
        unfinished: whether to take unfinished runs, with all that a resume needs (default: they are refused).

    Raises:
        RdrError: two runs of one name, an unfinished run, or weights that are not there.

    Example:
        >>> import tempfile, rdr_core
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     folder = Path(folder)
        ...     run = rdr_core.train("digits", imbalance_factor=50, epochs=1, runs=folder / "runs", progress=False)
        ...     pack([run], folder / "digits.tar.xz")
        ...     unpack(folder / "digits.tar.xz", folder / "again")
        ...     again = Run.open(folder / "again" / run.name)
        ...     again.metrics == run.metrics, again.has_weights
        (True, False)
    """
    by_name = {run.name: run for run in runs}
    if len(by_name) < len(runs):
        raise RdrError("Two of these runs have the same name; pack one of them.")
    for name in weights:
        if name not in by_name or not by_name[name].has_weights:
            raise RdrError(f"Weights of {name!r} are asked for, but no run of that name with its weights is given.")
    members = [(file, run) for run in by_name.values() for file in _files(run, run.name in weights, unfinished)]
    # Numbers first, then file by file across runs: what is alike lies side by side.
    members.sort(key=lambda member: (not member[0].endswith(".safetensors"), member[0], member[1].name))

    def write(beside: str) -> None:
        with (
            lzma.open(beside, "wb", format=lzma.FORMAT_XZ, filters=_FILTERS) as compressed,
            tarfile.open(fileobj=compressed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            for file, run in members:
                content = _packed(run, file)
                entry = tarfile.TarInfo(f"{run.name}/{file}")  # its date is 1970, its owner nobody, its mode 644
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))

    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, write)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive's runs into a folder; a run that is there already is left as it is.

    Each run appears whole or not at all. The archive may be from anywhere: nothing outside the folder is written.

    Args:
        archive: that :func:`pack` wrote.
        folder: of runs; made if it is not there.

    Raises:
        RdrError: no such archive, one that is damaged, that holds anything but runs' files, or more of them than
            :data:`LIMIT` bytes or :data:`FILES`.
    """
    if not archive.is_file():
        raise RdrError(f"There is no archive {archive}; give one that was packed.")
    try:
        for _ in _entries(archive):  # all of it is looked at before anything is written
            pass
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".unpacking-") as beside:
            for name, content in _entries(archive):
                path = inside(Path(beside), name)
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as file:  # a name that comes twice is refused
                    shutil.copyfileobj(content, file)
            for run in sorted(Path(beside).iterdir()):
                _put(run, folder / run.name)
    except RdrError:
        raise
    except (
        tarfile.TarError,
        lzma.LZMAError,
        EOFError,
        OSError,
        RecursionError,
        ValueError,
        LookupError,
        ArithmeticError,
    ) as error:  # fmt: skip - the last three are tarfile's, of numbers in headers that are none
        raise RdrError(
            f"{archive} can't be unpacked into {folder} ({error}); fetch it again if it is damaged."
        ) from None


def shipped(folder: Path | None = None) -> Path:
    """The folder of all runs shipped with the toolkit, unpacked on first use.

    They are in ``$RDR_CACHE/shipped/HASH``, or else in ``~/.cache/rdr/shipped/HASH``, with the hash of the archives. If
    two archives hold the same run, the first archive by name counts.

    Args:
        folder: of archives (default: data/runs of the checkout or of the installed package).

    Raises:
        RdrError: no such folder, or an archive that can't be unpacked (:func:`unpack`).
    """
    folder = papers_folder().parent / "runs" if folder is None else folder
    if not folder.is_dir():
        raise RdrError(f"There is no folder {folder}; give one that holds archives of runs.")
    archives = sorted(folder.glob(f"*{SUFFIX}"))
    hash_ = hashlib.sha256()
    for archive in archives:
        hash_.update(hashlib.sha256(archive.read_bytes()).digest())
    cache = own_place(os.environ.get("RDR_CACHE") or "~/.cache/rdr", "RDR_CACHE") / "shipped"
    there = cache / hash_.hexdigest()[:16]
    if there.is_dir():
        return there
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".unpacking-") as beside:
            whole = Path(beside) / "runs"
            whole.mkdir()
            for archive in archives:
                unpack(archive, whole)
            _put(whole, there)
    except OSError as error:
        raise RdrError(f"{cache} can't be written ({error}); set RDR_CACHE to a folder that can.") from None
    return there


def _files(run: Run, weights: bool, unfinished: bool) -> Iterator[str]:
    """Names of the files to pack, below the run's folder."""
    if not run.done and not unfinished:
        raise RdrError(f"{run.path} is not finished; continue it first, leave it out, or pack with unfinished=True.")
    patterns = (*_ALWAYS, *(_WEIGHTS if weights else ()), *(() if run.done else _RESUME))
    large = {path for pattern in _LARGE if not weights for path in run.path.glob(pattern)}
    for path in sorted({path for pattern in patterns for path in run.path.glob(pattern)} - large):
        if not path.name.startswith("."):  # half written
            yield path.relative_to(run.path).as_posix()


def _packed(run: Run, file: str) -> bytes:
    """The file as it is packed."""
    path = run.path / file
    if run.done and file == _BY_CLASS:
        with tempfile.TemporaryDirectory() as beside:
            save_tree(Path(beside) / file, {name: rounded(column.float()) for name, column in load_tree(path).items()})
            return (Path(beside) / file).read_bytes()
    digits = next((number for pattern, number in _DIGITS.items() if path.match(pattern)), None)
    if run.done and digits:
        text = read_table(path, LIMIT)
        table = read_exactly(io.StringIO(text), usecols=names_of(text)).assign(**{SEAL: ""})
        with tempfile.TemporaryDirectory() as folder:
            beside_it = Path(folder) / path.name
            write_sealed(beside_it, lambda beside: table.to_csv(
                beside, index=False, float_format=f"%.{digits}g", na_rep="nan", lineterminator="\n"))  # fmt: skip
            return beside_it.read_bytes()
    return path.read_bytes()


def rounded(numbers: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Numbers of single precision to 13 binary digits: they move by at most 1/8,192 and pack to two thirds.

    Example:
        >>> import torch
        >>> rounded(torch.tensor([1 / 3, 1.0, -0.0, float("inf"), float("nan")]))
        tensor([0.3333, 1.0000, -0.0000,    inf,    nan])
    """
    import torch

    bits = numbers.contiguous().view(torch.int32)
    # Half of the last digit is added to the size, whatever the sign; what overflows into the exponent is right too.
    kept = ((bits + (1 << (_DROPPED - 1))) >> _DROPPED << _DROPPED).view(torch.float32)
    return torch.where(numbers.isfinite(), kept, numbers)


def _entries(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Each file of an archive, by name, and its content, after looking at what it is and where it would go."""
    with archive.open("rb") as file:
        stream, count = _Decompressed(file, archive), 0
        with tarfile.open(fileobj=stream, mode="r|") as tar:  # type: ignore[call-overload] # only read() is asked
            for entry in tar:
                count, shown = count + 1, f"{archive} holds {visible(entry.name, NAME)!r}"
                if count > FILES:
                    raise RdrError(f"{archive} holds more than {FILES:,} files; nothing was unpacked.")
                if not _is_of_a_run(entry.name):
                    raise RdrError(f"{shown}, which is not a file of a run's folder; nothing was unpacked.")
                content = tar.extractfile(entry) if entry.isreg() and not entry.issparse() and entry.size else None
                if content is None:
                    raise RdrError(f"{shown}, which is not a plain file, or an empty one; nothing was unpacked.")
                stream.until_next_file = entry.size + _HEADERS
                yield entry.name, content
        stream.until_next_file = LIMIT
        while stream.read(2**16):  # to its end, where the checksums are that tell what was damaged
            pass


def _is_of_a_run(name: str) -> bool:
    """Whether a file is one that a run's folder is packed with: in a folder that is seen, and named as they are."""
    run, *parts = PurePosixPath(name).parts or ("",)
    plain = all(re.fullmatch(r"[\w+=,~-][\w+=,~. -]{0,199}", part) for part in parts)
    file = PurePosixPath(*parts)
    known = any(
        file.match(pattern) and len(parts) == len(PurePosixPath(pattern).parts)
        for pattern in (*_ALWAYS, *_WEIGHTS, *_RESUME)
    )
    seen = len(run) <= 255 and visible(run) == run and not run.startswith((".", "/")) and "\\" not in run
    return bool(parts) and plain and known and seen and name == f"{run}/{file}"


def _put(source: Path, place: Path) -> None:
    """Rename a folder into its place, unless there is one already, such as another process's."""
    try:
        source.rename(place)
    except OSError:
        if not place.is_dir():
            raise


class _Decompressed:
    """An archive's bytes, decompressed as they are read: at most LIMIT of them, in at most _MEMORY bytes.

    Attributes:
        until_next_file: bytes that may be read before the next file is told of: the rest of one, and headers.
    """

    def __init__(self, file: BinaryIO, archive: Path) -> None:
        self.until_next_file = _HEADERS
        self._file, self._archive, self._read = file, archive, 0
        self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)

    def read(self, size: int) -> bytes:
        parts, missing = [], size
        while missing and not self._decompressor.eof:
            fresh = self._file.read(2**16) if self._decompressor.needs_input else b""
            if self._decompressor.needs_input and not fresh:
                raise EOFError("it ends early")
            parts.append(self._decompressor.decompress(fresh, missing))
            missing -= len(parts[-1])
        self._read += size - missing
        if self._read > LIMIT:
            raise RdrError(f"{self._archive} unpacks to more than {LIMIT / 2**30:g} GiB; nothing was unpacked.")
        self.until_next_file -= size - missing
        if self.until_next_file < 0:
            raise RdrError(f"{self._archive} has headers of more than {_HEADERS // 2**20} MiB; nothing was unpacked.")
        return b"".join(parts)
