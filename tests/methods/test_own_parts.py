"""Parts of other packages: found by their entry point, in use everywhere, and left out where they can't be imported."""

from __future__ import annotations

import signal
import sys

import pytest
from installed import contributed, lay_package, rdr_beside

import rdr_core
from rdr_core import RdrError
from rdr_core.methods.grammar import parse
from rdr_core.methods.parts import PARTS

PART = contributed("loss")


@pytest.fixture
def install(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)

    def lay(code: str) -> None:
        lay_package(tmp_path, "rdr_temper", code, "rdr.parts")
        PARTS.refresh()

    yield lay
    PARTS.remove("temper")
    sys.modules.pop("rdr_temper", None)


def test_an_installed_package_brings_a_loss_that_composes_and_trains(install, tmp_path):
    install(PART)
    assert parse("temper:t=4+rdr").name == "rdr+temper:t=4"
    run = rdr_core.train(
        "digits", imbalance_factor=20, method="temper", epochs=1, runs=tmp_path / "runs", progress=False
    )
    assert run.config.method == "temper"


def test_commands_have_it_too(install, tmp_path):
    install(PART)
    said = rdr_beside(tmp_path, "methods", "temper:t=4")
    assert said.returncode == 0, said.stderr
    assert "cross-entropy at a temperature" in said.stdout
    assert "t = 4 (0.1 or larger; default 2)" in said.stdout


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise KeyboardInterrupt('mine')", "KeyboardInterrupt: mine"),
        ("raise BaseException('\\x1b[2J')", r"BaseException: \x1b[2J"),
        ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
        ("x = (", "SyntaxError: "),
        (PART.replace('"temper"', '"rdr"'), "RdrError: There is a part of a method named 'rdr' already"),
        (PART + "\nraise SystemExit", "SystemExit: "),
    ],
)
def test_a_package_that_fails_to_import_is_named_with_the_reason_and_left_out(code, why, install, capfd):
    install(code)
    assert parse("ce").name == "ce"
    said = capfd.readouterr().err
    assert said.startswith("rdr: The package rdr_temper offers a part of a method in rdr_temper, which can't be")
    assert why in said
    assert said.endswith("so it is left out; fix or uninstall it.\n")
    assert "temper" not in PARTS.all()
    assert capfd.readouterr().err == "", "said once"
    with pytest.raises(RdrError, match="temper"):
        parse("temper")


def test_ctrl_c_while_a_package_is_imported_is_the_users(install):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is deaf to it
    install("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nfor _ in range(10**6): pass")
    try:
        with pytest.raises(KeyboardInterrupt):
            parse("ce")
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_failing_package_leaves_the_command_line_as_it_is(install, tmp_path):
    install("raise SystemExit(0)")
    said = rdr_beside(tmp_path, "methods")
    assert said.returncode == 0
    assert "cross-entropy" in said.stdout
    assert said.stderr.startswith("rdr: The package rdr_temper offers a part of a method")
    assert "Traceback" not in said.stderr
