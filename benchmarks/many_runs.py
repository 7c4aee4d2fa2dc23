"""What checksums and long lists cost: python benchmarks/many_runs.py [--runs 2000].

Copies shipped runs, gives them their checksums, and prints the processor seconds of `rdr runs` on them and of the
explorer's catalogue; then what comparing its checksum adds to the loading of a network, as a share of it.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from rdr_core.files.sealed import KEY
from rdr_core.files.trees import load_tree, save_tree
from rdr_core.models import build_model
from rdr_core.runs.archive import shipped
from rdr_core.runs.checking import check_run
from rdr_core.runs.trained_network import trained_network
from rdr_viz.explorer.at_hand import Catalogue

NETWORKS = {"small": (10, 1), "resnet32": (100, 3), "resnet50": (1000, 3)}


def copies(folder: Path, count: int) -> None:
    """So many runs with checksums, without analyses, which no list reads."""
    sources = sorted(path.parent for path in shipped().glob("*/config.json"))
    for number in range(count):
        source, round_ = sources[number % len(sources)], number // len(sources)
        place = folder / f"{source.name}-{round_}"
        first = folder / f"{source.name}-0"
        skipped = shutil.ignore_patterns("analysis", "evaluations", ".lock")
        shutil.copytree(first if round_ else source, place, ignore=skipped)
        if not round_:
            check_run(place)


def processor_seconds(command: list[str]) -> float:
    """Of a process, its imports included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def least(work: Callable[[], object], times: int = 9) -> float:
    """Processor seconds of the fastest of some tries."""
    found = []
    for _ in range(times):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=2000)
    count = parser.parse_args().runs
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        copies(runs, count)
        listed = processor_seconds([sys.executable, "-m", "rdr_core", "runs", str(runs)])
        print(f"rdr runs on {count:,} runs: {listed:.1f} s of the processor")
        print(f"the explorer's catalogue of them: {least(lambda: Catalogue([runs]), 1):.1f} s")
        for name, (classes, channels) in NETWORKS.items():
            sealed, bare = (Path(folder) / f"{name}-{kind}.safetensors" for kind in ("sealed", "bare"))
            save_tree(sealed, {"model": build_model(name, num_classes=classes, channels=channels).state_dict()})
            # Its words for the checksum misspelt, a file is one of an older version, of the same size.
            content = sealed.read_bytes().replace(KEY.encode(), KEY[::-1].encode(), 1)
            bare.write_bytes(content.replace(b"xxh3", b"none", 1))
            added = least(lambda path=sealed: load_tree(path)) - least(lambda path=bare: load_tree(path))
            whole = least(lambda path=bare: trained_network(path, name, classes, channels))  # noqa: B023
            print(f"{name}: its checksum takes {100 * added / whole:.1f} % of the time to load it")


if __name__ == "__main__":
    main()
