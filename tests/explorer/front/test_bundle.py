"""The bundles in the repository are what their sources and the locked packages make, with all licences beside them."""

from __future__ import annotations

import json
import shutil

import pytest
from npm import FRONT, installed
from waiting import run

pytestmark = pytest.mark.slow


def test_the_bundles_are_those_of_the_sources(tmp_path_factory, tmp_path):
    folder = shutil.copytree(installed(tmp_path_factory), tmp_path / "front", symlinks=True)
    shutil.rmtree(folder / "static")
    done = run(["npm", "run", "build"], cwd=folder)
    assert done.returncode == 0, done.stderr
    built, kept = ({path.name: path.read_bytes() for path in (place / "static").iterdir()} for place in (folder, FRONT))
    assert set(built) == set(kept)
    for name, content in kept.items():
        assert built[name] == content, (
            f"{name} is another; `npm ci && npm run build` in rdr_viz/explorer/front makes it"
        )


def test_each_package_in_the_bundles_has_its_licence_there():
    text = (FRONT / "static" / "LICENCES.txt").read_text(encoding="utf-8")
    declared = json.loads((FRONT / "package.json").read_text())["dependencies"]
    for name, version in declared.items():
        assert f"{name} {version}\n" in text
    assert text.count("Permission to use, copy, modify") >= len(declared)


def test_the_lock_names_no_place_of_its_own():
    """Where packages come from is whoever installs them's own choice."""
    lock = json.loads((FRONT / "package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
