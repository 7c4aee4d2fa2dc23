"""Archives of strangers: whatever their members are called and their headers hold, they are refused in a sentence."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import shutil
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strangers import escaping_names, texts
from tried import tried
from waiting import run as run_process

from rdr_core.errors import RdrError
from rdr_core.runs.archive import unpack

FILES = (
    "config.json",
    "history.csv",
    "weights/epoch-0001.safetensors",
    "analysis/curvature-0.csv",
    "model.safetensors",
)
_parts = st.sampled_from(
    ["run", ".jobs", ".lock", ".unpacking-x", "..", ".", "", "weights", "analysis", "x.py", "~", *FILES]
)
names = st.one_of(
    escaping_names,
    texts.map(lambda text: f"{text}/config.json"),
    texts.map(lambda text: f"run/{text}.json"),
    st.lists(_parts, min_size=1, max_size=6).map("/".join),
)
kinds = st.sampled_from([tarfile.REGTYPE] * 6 + [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE,
                        tarfile.GNUTYPE_SPARSE, tarfile.CONTTYPE, tarfile.CHRTYPE, b"Z"])  # fmt: skip
headers = st.dictionaries(
    st.sampled_from(["path", "size", "linkpath", "mtime", "GNU.sparse.major", "GNU.sparse.size", "GNU.sparse.map",
                     "GNU.sparse.numblocks", "hdrcharset", "comment", "uid"]),
    st.one_of(names, st.integers().map(str), st.just("nan")), max_size=3,
)  # fmt: skip


def archive_of(path: Path, members: list[tuple[str, bytes, bytes, dict[str, str]]]) -> Path:
    with (
        lzma.open(path, "wb", preset=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT, errors="surrogatepass") as tar,
    ):
        for name, kind, content, header in members:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.linkname, entry.pax_headers = kind, len(content), "/etc/passwd", header
            try:
                tar.addfile(entry, io.BytesIO(content))
            except (ValueError, OSError):  # what no archive can hold
                continue
    return path


def below(folder: Path) -> list[Path]:
    return [path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()] if folder.exists() else []


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(names, kinds, st.binary(max_size=20), headers), min_size=1, max_size=4))
def test_what_is_unpacked_are_files_of_runs_and_else_nothing_is(tmp_path, members):
    for place in ("runs", "out"):
        shutil.rmtree(tmp_path / place, ignore_errors=True)
    archive, folder = archive_of(tmp_path / "archive.tar.xz", members), tmp_path / "out" / "runs"
    try:
        unpack(archive, folder)
    except RdrError:
        assert below(tmp_path / "out") == []
    for path in below(tmp_path / "out"):
        run, *parts = path.relative_to("runs").parts
        assert not run.startswith(".")
        assert len(parts) == 1 or (len(parts) == 2 and parts[0] in ("weights", "analysis", "evaluations"))
        assert not (tmp_path / "out" / path).is_symlink()
        assert Path(parts[-1]).suffix in (".json", ".csv", ".safetensors") or parts[0] in ("analysis", "evaluations")
    assert {path.name for path in tmp_path.iterdir()} <= {"archive.tar.xz", "out"}
    tried("Hostile input", "members of archives", len(members))


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.lists(st.tuples(st.integers(0, 3 * 512 - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_headers_with_any_bytes_are_a_sentence_or_files_of_runs(tmp_path, at):
    """Checksums of the archive are made anew after the change, so that it is tar's reader that meets it."""
    shutil.rmtree(tmp_path / "runs", ignore_errors=True)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        entry = tarfile.TarInfo("run/config.json")
        entry.size, entry.pax_headers = 2, {"comment": "é"}
        tar.addfile(entry, io.BytesIO(b"{}"))
    content = bytearray(stream.getvalue())
    for place, byte in at:
        content[place] = byte
    for header in (0, 1024):
        block = content[header : header + 512]
        total = 256 + sum(block[:148]) + sum(block[156:])
        content[header + 148 : header + 156] = f"{total:06o}\0 ".encode()
    (tmp_path / "archive.tar.xz").write_bytes(lzma.compress(bytes(content), preset=0))
    try:
        unpack(tmp_path / "archive.tar.xz", tmp_path / "runs")
    except RdrError:
        assert below(tmp_path / "runs") == []
    tried("Hostile input", "headers of archives", 1)


#: Unpacks an archive, and tells the sentence, and by how many MB the process has grown meanwhile.
MEASURED = """
import json, resource, sys
from pathlib import Path
from rdr_core.errors import RdrError
from rdr_core.runs.archive import unpack
try:
    unpack(Path(sys.argv[2]), Path(sys.argv[2]).parent / "first")  # what it imports
except RdrError:
    pass
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    unpack(Path(sys.argv[1]), Path(sys.argv[1]).parent / "runs")
    said = ""
except RdrError as error:
    said = str(error)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([said, grown / 1024]))
"""


def chained(kind: bytes, size: int, count: int = 1) -> bytes:
    """Headers that stand for more of them, each with ``size`` bytes, before a file."""
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = kind, size
    header = entry.tobuf(tarfile.GNU_FORMAT) + b"9 comment" * (size // 9) + bytes(-(9 * (size // 9)) % 512)
    found = header * count
    entry = tarfile.TarInfo("run/config.json")
    entry.size = 1
    return found + entry.tobuf() + b"1".ljust(512, b"\0") + bytes(1024)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a header of 100 MB", lambda: chained(tarfile.XHDTYPE, 100 * 10**6)),
        ("a name of 100 MB", lambda: chained(tarfile.GNUTYPE_LONGNAME, 100 * 10**6)),
        ("a header for all of 100 MB", lambda: chained(tarfile.XGLTYPE, 100 * 10**6)),
        ("100,000 headers of one file", lambda: chained(tarfile.XHDTYPE, 9, 100_000)),
        ("1,000 names of one file", lambda: chained(tarfile.GNUTYPE_LONGNAME, 9, 1_000)),
        ("150,000 empty files", lambda: many(150_000, 0)),
        ("150,000 files", lambda: many(150_000, 1)),
    ],
)
def test_what_would_take_long_or_much_memory_is_refused_early(name, content, tmp_path):
    with lzma.open(tmp_path / "archive.tar.xz", "wb", preset=0) as packed:
        packed.write(content())
    (tmp_path / "no.tar.xz").write_bytes(b"no")
    environment = os.environ | {"RDR_CHECK_SHAPES": "0"}
    done = run_process(
        [sys.executable, "-c", MEASURED, tmp_path / "archive.tar.xz", tmp_path / "no.tar.xz"], env=environment
    )
    assert done.returncode == 0, done.stderr
    said, grown = json.loads(done.stdout)
    assert said, name
    assert grown < 60, f"{name}: {grown:.0f} MB"
    assert below(tmp_path / "runs") == []
    tried("Hostile input", "archives that swell", 1)


def many(count: int, size: int) -> bytes:
    parts = []
    for number in range(count):
        entry = tarfile.TarInfo(f"run{number // 100}/analysis/a-{number}.csv")
        entry.size = size
        parts.append(entry.tobuf() + b"1".ljust(512, b"\0")[: 512 * size])
    return b"".join(parts) + bytes(1024)


def test_another_compression_is_a_sentence(tmp_path):
    (tmp_path / "archive.tar.xz").write_bytes(gzip.compress(many(1, 1)))
    with pytest.raises(RdrError, match="can't be unpacked"):
        unpack(tmp_path / "archive.tar.xz", tmp_path / "runs")
