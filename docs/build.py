"""Gather the pages of the site and build it: `make docs` calls it.

The repository's own pages lie in the source tree at their own places, so that the links among them lead where they lead
in the repository. What takes long (the notebooks' outputs, the paper's page, the gallery) is kept until the code, the
shipped runs or the notebook it was made of changes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import nbformat

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.append(str(DOCS))  # the gallery, and what runs the notebooks

#: Where pages of the repository lie in the source tree, and files that they link to.
PLACES = {
    "docs/index.md": "index.md",
    "docs/notebooks.md": "notebooks.md",
    "docs/paper.md": "paper.md",
    "docs/benchmarks.md": "benchmarks.md",
    "docs/api": "api",
    "docs/methods": "docs/methods",
    "docs/curvature.md": "docs/curvature.md",
    "docs/data.md": "docs/data.md",
    "docs/own_loop.md": "docs/own_loop.md",
    "docs/own_data.md": "docs/own_data.md",
    "docs/beyond_images.md": "docs/beyond_images.md",
    "docs/reliability.md": "docs/reliability.md",
    "docs/scaling.md": "docs/scaling.md",
    "docs/fashion_mnist.md": "docs/fashion_mnist.md",
    "docs/architecture.md": "docs/architecture.md",
    "docs/_static/rooms.svg": "docs/_static/rooms.svg",
    "data/measurements": "data/measurements",
    "data/results": "data/results",
    "rdr_viz/explorer/front/README.md": "rdr_viz/explorer/front/README.md",
    **{
        name: name
        for name in (
            "README.md",
            "CHANGELOG.md",
            "CONTRIBUTING.md",
            "LICENSE",
            "CITATION.cff",
            "examples",
            "tests",
            "benchmarks",
        )
    },
}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", type=Path, default=ROOT / "site", help="folder (default: %(default)s)")
    arguments.add_argument("--work", type=Path, default=ROOT / ".cache" / "site",
                           help="folder for what is kept from build to build (default: %(default)s)")  # fmt: skip
    arguments.add_argument("--as-stored", action="store_true", help="notebooks without outputs, in seconds")
    given = arguments.parse_args()
    if given.out.is_dir() and any(given.out.iterdir()) and not (given.out / "objects.inv").is_file():
        arguments.error(f"{given.out} holds something else than a site; name another folder.")
    source, html = given.work / "source", given.work / "html"
    gather(source)
    (source / "speed.md").write_text(speed(), encoding="utf-8")
    (source / "notebooks").mkdir()
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        shutil.copy(notebook if given.as_stored else with_outputs(notebook, given.work), source / "notebooks")
    shutil.copytree(kept(given.work, "gallery", [DOCS / "gallery.py"], gallery), source, dirs_exist_ok=True)
    extra = ",".join(str(kept(given.work, name, [], make)) for name, make in (("paper", paper), ("explorer", explorer)))
    shutil.rmtree(html, ignore_errors=True)  # pages may be no more
    # A process of its own: conf.py decides how rdr_core is imported.
    built = subprocess.run([
        sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "--fresh-env", "-b", "html", "-c", DOCS,
        "-d", given.work / "doctrees", "-D", f"html_extra_path={extra}", source, html,
    ])  # fmt: skip
    if built.returncode == 0:
        shutil.rmtree(given.out, ignore_errors=True)
        shutil.copytree(html, given.out)
        print(f"Open {given.out / 'index.html'} in a browser.")
    return built.returncode


def gather(source: Path) -> None:
    """Copy the repository's own pages into a new source tree."""
    shutil.rmtree(source, ignore_errors=True)
    for page, place in PLACES.items():
        (source / place).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / page).is_dir():
            shutil.copytree(ROOT / page, source / place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / page, source / place)
    # From a clone the README leads into the site, of which it is a page here.
    readme = source / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").replace('href="site/', 'href="'), encoding="utf-8")


def speed() -> str:
    """The table of ratios that `make bench` measured."""
    rows = [
        f"| {row['what']} | {row['value']:.3f} | {row['bound']:g} | {row['detail']} |"
        for row in json.loads((ROOT / "data" / "measurements" / "speed-cpu.json").read_text())["ratios"]
    ]
    head = ["| `make bench`, on two CPU cores | measured | at most | of it |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows, ""])


def gallery(folder: Path) -> None:
    from gallery import write_gallery

    write_gallery(folder)


def paper(folder: Path) -> None:
    """What `rdr paper` writes of the shipped runs alone."""
    from rdr_core.runs.archive import shipped
    from rdr_viz.papers.build import build_papers
    from rdr_viz.papers.folders import paper_names
    from rdr_viz.papers.paper import load_paper
    from rdr_viz.papers.shelf import Shelf

    papers = [load_paper(name) for name in paper_names()]
    build_papers(papers, folder / "paper", Shelf([shipped()]), home="../index.html")


def explorer(folder: Path) -> None:
    """The explorer of the shipped runs, as `rdr publish` writes it, and the playground."""
    from rdr_core.runs import list_runs
    from rdr_core.runs.archive import shipped
    from rdr_viz.explorer.playground import write_playground
    from rdr_viz.explorer.publish import publish

    runs = list_runs(shipped())
    publish(
        runs,
        folder / "explorer.html",
        made=f"Made from the {len(runs)} runs that come with the RDR toolkit (MIT licence).",
    )
    write_playground(folder / "playground.html")


def with_outputs(path: Path, work: Path) -> Path:
    """The notebook with its outputs."""

    def run(folder: Path) -> None:
        from outputs import executed

        nbformat.write(executed(path, folder), folder / path.name)

    return kept(work, path.stem, [path, DOCS / "outputs.py"], run) / path.name


def kept(work: Path, name: str, made_of: Iterable[Path], make: Callable[[Path], None]) -> Path:
    """A folder that ``make`` has filled, anew if a file in ``made_of``, the toolkit or what it ships has changed."""
    code = [path for package in ("rdr_core", "rdr_viz") for path in (ROOT / package).rglob("*") if _is_code(path)]
    shipped = [path for folder in ("runs", "paper") for path in (ROOT / "data" / folder).rglob("*") if path.is_file()]
    hash_ = hashlib.sha256()
    for path in sorted({*made_of, *code, *shipped}):
        hash_.update(path.read_bytes())
    folder = work / "kept" / f"{name}-{hash_.hexdigest()[:16]}"
    if not folder.is_dir():
        for old in folder.parent.glob(f"{name}-{'[0-9a-f]' * 16}"):
            shutil.rmtree(old)
        print(f"Making {name} ...", end=" ", flush=True)
        started = time.perf_counter()
        beside = folder.with_name(f"{folder.name}-unfinished")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        make(beside)
        beside.rename(folder)
        print(f"{time.perf_counter() - started:.0f} s")
    return folder


def _is_code(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


if __name__ == "__main__":
    sys.exit(main())
