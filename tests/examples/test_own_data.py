"""A new user's first week: each script goes from data of one's own to a picture and to curvature by class."""

from __future__ import annotations

import importlib
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(path.stem for path in EXAMPLES.glob("own_*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_it_goes_all_the_way(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "path", [str(EXAMPLES), *sys.path])
    made = importlib.import_module(name).main(tmp_path)
    said = capsys.readouterr().out
    if name == "own_vit" and find_spec("timm") is None:
        assert made == {}
        assert said == "timm is missing, so this example is skipped; install it with: pip install timm\n"
        return
    data, runs = made["data"], made["runs"]
    assert all(run.done for run in runs)
    assert [run.class_names for run in runs] == [data.class_names] * len(runs)
    (picture,) = made["picture"].values()
    assert Path(picture).read_bytes().startswith(b"\x89PNG")
    if name != "own_torch_dataset":  # ten million weights take minutes
        assert made["curvature"][["lambda_max", "trace"]].notna().all(axis=None)
    assert "over all classes" in said.lower()
    if name not in ("own_torch_dataset", "own_vit"):  # those are too short to learn much
        assert max(run.metrics["top1"] for run in runs) > 1.5 * 100 / data.num_classes


def test_each_is_short_and_listed():
    listed = re.findall(r"\]\((\w+)\.py\)", (EXAMPLES / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(path.stem for path in EXAMPLES.glob("*.py"))
    assert all(len((EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()) < 75 for name in SCRIPTS)
