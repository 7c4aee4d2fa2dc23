"""Whatever a file holds, its reader tells what was written, or one sentence; `make stress` tries 10,000 of each."""

from __future__ import annotations

import copy
import os
import random
import resource
from pathlib import Path

import pytest
from damage import same
from mutations import another
from readers import Reader, all_readers
from tried import tried

#: Inputs for each reader, and the first of their seeds.
INPUTS, SEED = int(os.environ.get("RDR_FUZZ", "30")), int(os.environ.get("RDR_STRESS_SEED", "0"))
#: Bytes by which a reader may make the process grow, whatever it reads; a photograph may have Pillow's 179 megapixels.
GROWTH, OF_PHOTOGRAPHS = 300 * 2**20, 2**30
#: Letters of a sentence: what it quotes is cut, and what can not be seen is written out.
SENTENCE = 2_100

NAMES = (
    "config.json", "data.json", "env.json", "history.csv", "classes", "indices", "metrics.json", "done.json",
    "replaced.json", "weights", "weights of an epoch", "stage.json", "fork.json", "checkpoint that is gone on from",
    "checkpoint that is told of", "trunk", "predictions, its table", "predictions, how it was made",
    "shares, its table", "shares, how it was made", "evaluation", "pieces of an analysis", "archive", "a job's request",
    "a job's process", "a job's outcome", "notebooks that were copied", "list of images", "photograph, jpg",
    "photograph, png", "photograph, webp", "photograph, gif", "photograph, tif", "photograph, bmp", "photograph, ppm",
    "cache of images, its notes", "cache of images, its checksums", "sheet of images", "a paper's paper.toml",
    "a paper's grids.toml", "a paper's claims.toml", "a paper's figures.toml", "a paper's tables.csv", "method's name",
    "a sweep's grid", "a site of Slurm", "a notice of work",
)  # fmt: skip


@pytest.fixture(scope="module")
def readers(tmp_path_factory) -> dict[str, Reader]:
    found = all_readers(tmp_path_factory.mktemp("readers"))
    assert tuple(found) == NAMES
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_file_holds_is_what_was_written_or_one_sentence(name, readers, tmp_path, record_property):
    reader, refused, harmless = readers[name], 0, 0
    whole = reader.file.read_bytes()
    try:
        right = copy.deepcopy(reader.told(whole))
        assert not isinstance(right, Exception), right
        before = most_memory()
        for number in range(INPUTS):
            content, sealed = another(whole, reader.kind, random.Random(f"{name} {SEED + number}"))
            try:
                found = reader.told(content)
            except Exception as error:
                kept = tmp_path / reader.file.name
                kept.write_bytes(content)
                error.add_note(f"number {number}, kept in {kept}")
                raise
            if isinstance(found, Exception):
                assert reader.errors == (Exception,) or ("\n" not in str(found) and len(str(found)) <= SENTENCE)
                refused += 1
            elif reader.sealed and not sealed:
                assert same(found, right), f"number {number}: damage is believed"
                harmless += 1
        assert most_memory() - before < (OF_PHOTOGRAPHS if name.startswith("photograph") else GROWTH)
        assert same(reader.told(whole), right), "what was read before has changed what is read now"
    finally:
        reader.file.write_bytes(whole)
    record_property("measured", f"{name}: {refused} of {INPUTS} refused, {harmless} of the others changed nothing")
    tried("Hostile input", f"contents: {name}", INPUTS)


def most_memory() -> int:
    """Bytes that the process has had at most; since it was last asked, where the system can forget what was before."""
    try:
        status = Path("/proc/self/status").read_text()
        most = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        Path("/proc/self/clear_refs").write_text("5")
        return 1024 * most
    except OSError:
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
