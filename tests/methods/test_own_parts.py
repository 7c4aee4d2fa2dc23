"""Parts of other packages: found by their entry point, in use everywhere, and told of where they can't be imported."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

import rdr_core
from rdr_core import RdrError
from rdr_core.methods import catalogue
from rdr_core.methods.grammar import parse
from rdr_core.methods.parts import unregister

PART = """
from rdr_core.methods.parts import at_least, part

@part("temper", kind="loss", summary="cross-entropy at a temperature", formula="CE(z / t)", source="",
      ranges={"t": at_least(0.1)})
def temper(logits, labels, class_counts, t=2.0):
    import torch.nn.functional as F
    return F.cross_entropy(logits / t, labels, reduction="none")
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Lay a package with an entry point where Python finds it, as pip would."""
    monkeypatch.syspath_prepend(tmp_path)

    def lay(code: str, name: str = "rdr_temper") -> None:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(code))
        facts = tmp_path / f"{name}-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(f"[rdr.parts]\n{name} = {name}\n")
        catalogue._import_installed.cache_clear()

    yield lay
    unregister("temper")
    sys.modules.pop("rdr_temper", None)
    catalogue._import_installed.cache_clear()


def test_an_installed_package_brings_a_loss_that_composes_and_trains(install, tmp_path):
    install(PART)
    assert parse("temper:t=4+rdr").name == "rdr+temper:t=4"
    run = rdr_core.train(
        "digits", imbalance_factor=20, method="temper", epochs=1, runs=tmp_path / "runs", progress=False
    )
    assert run.config.method == "temper"


def test_commands_have_it_too(install, tmp_path):
    install(PART)
    command = [sys.executable, "-m", "rdr_core", "methods", "temper:t=4"]
    said = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=_environment(tmp_path))
    assert said.returncode == 0, said.stderr
    assert "cross-entropy at a temperature" in said.stdout
    assert "t = 4 (0.1 or larger; default 2)" in said.stdout


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        (PART.replace('"temper"', '"rdr"'), "RdrError: There is a part named 'rdr' already"),
    ],
)
def test_a_package_that_fails_to_import_is_named_with_the_reason(code, why, install):
    install(code)
    for _ in range(2):  # not only the first time
        with pytest.raises(
            RdrError, match=f"package rdr_temper offers parts of methods in rdr_temper, .*imported .{why}.*uninstall it"
        ):
            parse("ce")


def test_a_failing_package_is_one_sentence_on_the_command_line(install, tmp_path):
    install("1 / 0")
    command = [sys.executable, "-m", "rdr_core", "methods"]
    said = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=_environment(tmp_path))
    assert said.returncode == 2
    assert said.stderr.startswith("rdr: The package rdr_temper offers parts")
    assert "Traceback" not in said.stderr


def _environment(folder) -> dict[str, str]:
    import os
    from pathlib import Path

    root = Path(rdr_core.__file__).parents[1]
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(root)]), "RDR_CHECK_SHAPES": "0"}
