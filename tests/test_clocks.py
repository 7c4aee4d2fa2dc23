"""The guard of `make check`: no test judges by the clock, sleeps, or sets a limit in seconds of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from planted_clocks import PLANTED

ROOT = Path(__file__).resolve().parents[1]


def guard(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, ROOT / ".ci" / "clocks.py", folder], capture_output=True, text=True)


def test_nothing_is_found_in_the_tests():
    looked = guard(ROOT / "tests")
    assert (looked.returncode, looked.stderr) == (0, "")


@pytest.mark.parametrize(
    ("planted", "instead"),
    PLANTED,
)
def test_what_is_planted_is_found_with_its_line_and_what_to_use_instead(planted, instead, tmp_path):
    (tmp_path / "test_planted.py").write_text(planted)
    looked = guard(tmp_path)
    assert looked.returncode == 1
    (told,) = looked.stderr.splitlines()
    assert told.startswith(f"{tmp_path / 'test_planted.py'}:6: ")
    assert instead in told


@pytest.mark.parametrize(
    "right",
    [
        "from waiting import LIMIT as long\nprint(timeout=long)\n",
        "import waiting\nprint(timeout=waiting.LIMIT_MS)\n",
        "import asyncio\nasync def test():\n    await asyncio.sleep(0)\n",
        "','.join(['a'])\n",
        "def test(queue):\n    queue.get(timeout=None)\n",
        "def test(monkeypatch):\n    monkeypatch.setattr('module.time', lambda: 3)\n",
    ],
)
def test_what_is_right_is_let_through(right, tmp_path):
    (tmp_path / "test_right.py").write_text(right)
    (tmp_path / "support").mkdir()
    (tmp_path / "support" / "waiting.py").write_text(PLANTED[0][0])
    assert guard(tmp_path).returncode == 0
