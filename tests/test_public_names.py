"""The public names: loaded on first use, seen by editors, told in the reference, and all that the notebooks need."""

from __future__ import annotations

import ast
import importlib
import re
from importlib.metadata import version
from pathlib import Path

import pytest

import rdr_core
import rdr_viz
from rdr_viz.displays.base import DISPLAYS

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("rdr_core", "rdr_core.data", "rdr_viz", "rdr_viz.analysis.curvature", "rdr_viz.explorer", "rdr_viz.papers")
PUBLIC = {"rdr_core", "rdr_viz", "rdr_viz.papers"}


def source(package: str) -> ast.Module:
    return ast.parse((ROOT / package.replace(".", "/") / "__init__.py").read_text(encoding="utf-8"))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there_and_where_it_is_said_to_be(package):
    module = importlib.import_module(package)
    assert list(module.__all__) == list(module._HOMES)
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is getattr(importlib.import_module(module._HOMES[name]), name)
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nonsense'"):
        _ = module.nonsense


def test_the_version_is_that_of_the_package_and_of_the_citation():
    assert version("rdr-toolkit") == rdr_core.__version__
    assert f"version: {rdr_core.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_every_display_is_public():
    assert {made.__name__ for made in DISPLAYS.all().values()} <= set(rdr_viz.__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_editors_see_the_names_that_are_loaded_later(package):
    """What is imported for type checkers is what is loaded on first use, from the same places."""
    (block,) = [node for node in source(package).body if isinstance(node, ast.If)]
    seen = {name.name: node.module for node in block.body for name in node.names}
    assert seen == importlib.import_module(package)._HOMES


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda path: path.stem)
def test_notebooks_need_nothing_deeper(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module.startswith(("rdr_core", "rdr_viz")):
            assert node.module in PUBLIC, f"{path.name}: {ast.unparse(node)}"
            names = importlib.import_module(node.module).__all__
            assert {name.name for name in node.names} <= set(names), ast.unparse(node)
        elif isinstance(node, ast.Import):
            for name in node.names:
                assert not name.name.startswith(("rdr_core.", "rdr_viz.")), ast.unparse(node)


def test_the_readmes_python_needs_nothing_deeper():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    used = re.findall(r"^(?:from|import) (rdr_(?:core|viz)[\w.]*)", readme, flags=re.MULTILINE)
    assert used
    assert set(used) <= PUBLIC
