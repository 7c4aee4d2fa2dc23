"""The house: a file uses its own room and the rooms below it, no two files each other, and the picture shows it."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))

from rooms import DOORS, PICTURE, ROOMS, arrows, draw, imports_of, modules, words  # noqa: E402


def test_no_room_uses_one_above_it():
    order = list(ROOMS)
    upwards = [use for (room, used), uses in arrows().items() if order.index(used) > order.index(room) for use in uses]
    assert upwards == []


def test_no_files_use_each_other():
    """Imports for type checkers count: a reader follows them too."""
    known = modules()
    graph = {
        module: {target for target, _ in imports_of(path, known) if target in known and target != module}
        for module, path in known.items()
        if module not in DOORS and module != "rdr_viz"
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these files use each other in a circle: {error.args[1]}")


def test_the_core_never_uses_what_draws():
    for module, path in modules().items():
        if module.startswith("rdr_core"):
            assert [target for target, _ in imports_of(path, modules()) if target.startswith("rdr_viz")] == [], module


def test_numbers_know_nothing_of_drawing():
    for module, path in modules().items():
        if module.startswith(("rdr_core", "rdr_viz.analysis")):
            drawn = {"matplotlib", "seaborn", "IPython", "ipywidgets", "jinja2"}
            used = {target.partition(".")[0] for target, _ in imports_of(path, modules())}
            assert used & drawn == set(), module


def test_a_file_name_stands_once_in_a_package():
    for package in ("rdr_core", "rdr_viz"):
        names = Counter(
            path.name for module, path in modules().items() if module.startswith(package) and path.stem[:2] != "__"
        )
        assert [name for name, times in names.items() if times > 1] == []


def test_the_picture_is_of_the_rooms_as_they_are():
    """Compared in words, since other versions of matplotlib draw other bytes; `docs/rooms.py` draws it anew."""
    described = re.search(r"<dc:description>(.*?)</dc:description>", PICTURE.read_text(encoding="utf-8"), re.DOTALL)
    assert " ".join(described.group(1).split()) == words(arrows())


def test_every_folder_of_code_is_a_room():
    folders = {
        f"{path.parent.parent.name}.{path.parent.name}"
        for package in ("rdr_core", "rdr_viz")
        for path in (ROOT / package).glob("*/__init__.py")
    }
    assert folders == {room for room in ROOMS if "." in room}


def test_the_check_sees_an_import_that_goes_up(tmp_path):
    """The tests above can fail: laid in a house of two files, an import hidden in a function is found."""
    for name, code in {"data/table.py": "", "data/__init__.py": "", "runs/__init__.py": ""}.items():
        (tmp_path / "rdr_core" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "rdr_core" / name).write_text(code)
    (tmp_path / "rdr_core" / "data" / "table.py").write_text(
        dedent("""
        def load():
            from rdr_core.runs import run
    """)
    )
    assert arrows(tmp_path) == {("rdr_core.data", "rdr_core.runs"): ["rdr_core.data.table uses rdr_core.runs"]}


def test_the_picture_has_a_dot_for_each_use():
    (ax,) = draw(arrows()).axes
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert len(dots) == len(arrows())
    assert all(line.get_xdata()[0] < line.get_ydata()[0] for line in dots), "all on one side of the diagonal"


def test_attributes_are_born_where_a_class_begins():
    """In its body or in ``__init__``, so that what an object consists of stands in one place."""
    late = []
    for module, path in modules().items():
        classes = [
            node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ClassDef)
        ]
        bases = {node.name: node for node in classes}
        for node in classes:
            born = set().union(
                *(_born(bases[base]) for base in [node.name, *map(ast.unparse, node.bases)] if base in bases)
            )
            late += [f"{module}.{node.name}.{name}" for name in _set(node) - born - INHERITED.get(node.name, set())]
    assert late == []


#: Set by classes whose base, in another file, declares them.
INHERITED = {"TrunkState": {"weighting"}, "SecondStageState": {"step", "sampler"}}


def _born(node: ast.ClassDef) -> set[str]:
    body = [inner for inner in node.body if isinstance(inner, (ast.Assign, ast.AnnAssign))]
    names = {target.id for inner in body for target in _targets(inner) if isinstance(target, ast.Name)}
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
            names |= _attributes(inner)
    return names


def _set(node: ast.ClassDef) -> set[str]:
    return set().union(*(_attributes(inner) for inner in node.body if isinstance(inner, ast.FunctionDef)), set())


def _attributes(function: ast.FunctionDef) -> set[str]:
    found = (target for inner in ast.walk(function) for target in _targets(inner))
    return {one.attr for one in found if isinstance(one, ast.Attribute) and ast.unparse(one.value) == "self"}


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
        targets = [node.target]
    else:
        return []
    return [inner for target in targets for inner in (target.elts if isinstance(target, ast.Tuple) else [target])]


def test_no_file_is_longer_than_three_screens_of_code():
    long = {module: lines for module, path in modules().items() if (lines := len(path.read_text().splitlines())) > 350}
    assert long == {}


#: Functions that take more than eight arguments, and the object behind each that says what they are.
LONG_SIGNATURES = {
    "rdr_core.cli.train": "RunConfig",
    "rdr_core.data.datasets.dataset": "Source",
    "rdr_core.data.load.load_data": "LongTailedData",
    "rdr_core.methods.parts.part": "Part",
    "rdr_core.methods.rdr.__init__": "RDRWeights",
    "rdr_core.methods.rdr.rdr": "RDRWeights",
    "rdr_core.runs.requests.train": "RunConfig",
    "rdr_viz.analysis.curvature.by_class.class_curvature": "Request",
    "rdr_viz.analysis.curvature.by_class.class_density": "Request",
    "rdr_viz.analysis.curvature.hessian.__init__": "Hessian",
    "rdr_viz.analysis.curvature.losses.class_loss": "Request",
    "rdr_viz.analysis.curvature.request.__init__": "Request",
}


def test_a_long_signature_has_an_object_behind_it():
    found, classes = set(), set()
    for module, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                classes.add(node.name)
            elif isinstance(node, ast.FunctionDef):
                taken = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                if len([one for one in taken if one.arg not in ("self", "cls")]) > 8:
                    found.add(f"{module}.{node.name}")
    assert found == set(LONG_SIGNATURES)
    assert set(LONG_SIGNATURES.values()) <= classes
