"""Draw the house: which room of the two packages uses which, as their files import each other.

.venv/bin/python docs/rooms.py    # writes docs/_static/rooms.svg, in a second

``tests/test_rooms.py`` holds the order below, and the picture.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rdr_core.files.whole import write_whole
from rdr_viz.displays.figure import new_figure, rdr_style, render

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "_static" / "rooms.svg"

#: The rooms from the ground up, with what each holds: a file uses its own room and those before it.
ROOMS = {
    "rdr_core": "words: errors, shapes, plain numbers, registries",
    "rdr_core.files": "files that are whole or not there",
    "rdr_core.data": "data sets with a long tail",
    "rdr_core.measures": "numbers of predictions, and of B'",
    "rdr_core.models": "networks",
    "rdr_core.methods": "losses, weights, density ratio; their names",
    "rdr_core.training": "the loop and its state",
    "rdr_core.runs": "runs on disk, and what makes one",
    "rdr_core.jobs": "many runs: tasks, here or on a cluster; cost",
    "rdr_viz.analysis": "numbers of runs, curvature",
    "rdr_viz.displays": "pictures, one per question",
    "rdr_viz.pages": "pages and tables of pictures",
    "rdr_viz.papers": "grids, claims, verdicts, a paper's page",
    "rdr_viz.explorer": "the explorer, in notebooks and as a page",
    "rdr_viz": "doors: commands, demo, what notebooks share",
}
#: Files beside the rooms: the doors of rdr_core, through which everything is reached; they may use all of it.
DOORS = {"rdr_core", "rdr_core.cli", "rdr_core.printed", "rdr_core.__main__"}


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Every module of the two packages, by its dotted name."""
    files = [path for package in ("rdr_core", "rdr_viz") for path in sorted((root / package).rglob("*.py"))]
    return {".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def imports_of(path: Path, known: dict[str, Path]) -> Iterator[tuple[str, bool]]:
    """The modules that a file imports, anywhere in it, and whether for type checkers alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                yield whole if whole in known else node.module, id(node) in typing_only
        elif isinstance(node, ast.Import):
            yield from ((name.name, id(node) in typing_only) for name in node.names)


def room_of(module: str) -> str:
    """The room that a module is in.

    Example:
        >>> room_of("rdr_core.methods.rdr"), room_of("rdr_core.errors"), room_of("rdr_viz.cli")
        ('rdr_core.methods', 'rdr_core', 'rdr_viz')
    """
    head = ".".join(module.split(".")[:2])
    return head if head in ROOMS else module.split(".")[0]


def arrows(root: Path = ROOT) -> dict[tuple[str, str], list[str]]:
    """(room, room that it uses) -> the imports, as ``"file uses file"``; the doors' are left out."""
    known, found = modules(root), {}
    for module, path in known.items():
        if module in DOORS:
            continue
        for target, _ in imports_of(path, known):
            if target in known and target not in DOORS and room_of(target) != room_of(module):
                found.setdefault((room_of(module), room_of(target)), []).append(f"{module} uses {target}")
    return found


def words(found: dict[tuple[str, str], list[str]]) -> str:
    """The picture in words: a line for each room, with the rooms that it uses."""
    order = list(ROOMS)
    lines = []
    for room in order:
        used = sorted((target for source, target in found if source == room), key=order.index)
        lines.append(f"{room} uses {', '.join(used) or 'nothing'}")
    return "; ".join(lines)


def draw(found: dict[tuple[str, str], list[str]]) -> Figure:
    """A row for each room, the ground floor at the bottom; a dot in the column of each room that it uses.

    Dots stand on one side of the diagonal alone where no room uses one above it.
    """
    order = list(ROOMS)
    with rdr_style():
        figure = new_figure(7.4, 4.6)
        # Vector files have no ground of their own, and pages may be dark.
        ground = Rectangle((0, 0), 1, 1, transform=figure.transFigure, facecolor="white", zorder=-1)
        ground.set_in_layout(False)
        figure.add_artist(ground)
        ax = figure.add_subplot()
        for at, room in enumerate(order):
            ax.axhline(at, color="#E8E8EE", linewidth=0.8, zorder=0)
            ax.plot(at, at, marker="s", color="#2E1A47", markersize=9, zorder=2)
            ax.text(-0.9, at, room, ha="right", va="center", fontsize=8.5, family="monospace")
            ax.text(len(order) - 0.3, at, ROOMS[room], ha="left", va="center", fontsize=8)
        for source, target in found:
            ax.plot(order.index(target), order.index(source), marker="o", color="#6A4C9C", markersize=6, zorder=3)
        ax.set(xlim=(-0.6, len(order) - 0.4), ylim=(-0.6, len(order) - 0.4), yticks=[])
        ax.set_xticks(range(len(order)), [room.rpartition(".")[2] for room in order], rotation=60, ha="right")
        ax.tick_params(axis="x", labelsize=7.5, length=0)
        ax.set_xlabel("uses", fontsize=8)
        ax.spines[:].set_visible(False)
        return figure


def main() -> None:
    found = arrows()
    picture = render(draw(found), "svg", title="The rooms of the house", description=words(found))
    write_whole(PICTURE, lambda beside: Path(beside).write_bytes(picture))
    print(f"Wrote {PICTURE.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
