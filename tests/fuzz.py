"""Guided by coverage, look for contents that a reader does not answer to: python tests/fuzz.py [READER ...]

It drives the readers of `tests/support/readers.py` by atheris (https://github.com/google/atheris: pip install atheris),
which goes on from contents that reach lines none had reached. `tests/test_fuzzed_readers.py` tries the same readers
without it. What fails is kept and named; status 1 then.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "support"))
#: Bytes of an input at most.
LARGEST = 2**20


def drive(name: str, seconds: int, folder: Path) -> None:
    """Fuzz one reader, for so long; the process ends with it. Without a name, print the readers' names."""
    import atheris

    with atheris.instrument_imports(include=["rdr_core", "rdr_viz"]):
        from mutations import another, corpus, resealed
        from readers import all_readers
    readers = all_readers(folder / "files")
    if not name:
        print(*readers, sep="\n")
        return
    reader = readers[name]
    whole = reader.file.read_bytes()
    corpus(whole, reader.kind, folder / "corpus", 50)

    def change(content: bytes, most: int, seed: int) -> bytes:
        draw = random.Random(seed)
        changed = (
            another(content or whole, reader.kind, draw)[0] if draw.random() < 0.5 else atheris.Mutate(content, most)
        )
        return (resealed(bytes(changed)) if draw.random() < 0.7 else bytes(changed))[:most]

    options = [f"-max_total_time={seconds}", f"-max_len={max(LARGEST, 2 * len(whole))}", "-rss_limit_mb=4096",
               "-timeout=60", "-print_final_stats=1", f"-artifact_prefix={folder}/failed-"]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(folder / "corpus")], reader.told, custom_mutator=change)
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("readers", nargs="*", help="their names (default: all)")
    parser.add_argument("--seconds", type=int, default=60, help="for each reader")
    parser.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.folder:
        drive("".join(asked.readers), asked.seconds, asked.folder)
        return 0
    with suppress(ImportError):
        import atheris  # noqa: F401
    if "atheris" not in sys.modules:
        print("atheris is not installed; pip install atheris installs it where there is a wheel.", file=sys.stderr)
        return 2
    failed = 0
    for name in asked.readers or _child([], asked).stdout.splitlines():
        done = _child([name], asked)
        said = [line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        print(f"{name}: {said[0] if said else '?'} inputs, {'fails' if done.returncode else 'holds'}", flush=True)
        if done.returncode:
            failed += 1
            print(done.stdout[-3000:], done.stderr[-6000:], file=sys.stderr)
    return int(failed > 0)


def _child(names: list[str], asked: argparse.Namespace) -> subprocess.CompletedProcess:
    folder = Path(tempfile.mkdtemp(prefix="rdr-fuzz-"))
    command = [sys.executable, __file__, *names, "--seconds", str(asked.seconds), "--in", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if not done.returncode:  # else what failed is there
        shutil.rmtree(folder)
    return done


if __name__ == "__main__":
    sys.exit(main())
