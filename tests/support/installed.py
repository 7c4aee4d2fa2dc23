"""Packages with an entry point, laid where Python finds them, as pip would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import rdr_core

CONTRIBUTED = Path(__file__).resolve().parents[1] / "contributed"


def contributed(name: str) -> str:
    """The code of a contributor's file (tests/contributed)."""
    return (CONTRIBUTED / f"{name}.py").read_text(encoding="utf-8")


def lay_package(folder: Path, name: str, code: str, group: str) -> None:
    """A package of one file, which it names in the group, as if installed into ``folder``."""
    (folder / f"{name}.py").write_text(dedent(code).lstrip())
    facts = folder / f"{name}-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(f"[{group}]\n{name} = {name}\n")


def rdr_beside(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of rdr's, in ``folder`` and with the packages there installed."""
    places = os.pathsep.join([str(folder), str(Path(rdr_core.__file__).parents[1])])
    command = [sys.executable, "-m", "rdr_core", *arguments]
    set_to = os.environ | {"PYTHONPATH": places, "RDR_CHECK_SHAPES": "0"}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=set_to)
