"""The playground's file: one page with all in it, and one sentence where it can't be written."""

from __future__ import annotations

import json
import re

import pytest

from rdr_core import RdrError
from rdr_viz.displays.palette import method_style
from rdr_viz.explorer.playground import in_script, method_styles, write_playground


def test_equal_bytes_and_nothing_from_elsewhere(tmp_path):
    first, second = (write_playground(tmp_path / name / "page.html").read_text("utf-8") for name in ("a", "b"))
    assert first == second
    assert "default-src 'none'" in first
    assert not re.search(r'(src|href)="(?!data:)', first)


def test_methods_look_as_in_every_picture(tmp_path):
    page = write_playground(tmp_path / "page.html").read_text("utf-8")
    (told,) = re.findall(r'<script type="application/json" id="styles">(.*?)</script>', page)
    assert json.loads(told) == method_styles()
    for method, style in method_styles().items():
        expected = method_style(method)
        assert (style["label"], style["color"], style["marker"]) == (expected.label, expected.color, expected.marker)


def test_what_a_script_holds_cannot_end_it():
    evil = {"label": "</script><script>alert(1)</script>"}
    assert "<" not in in_script(evil)
    assert json.loads(in_script(evil)) == evil


def test_the_command(rdr, tmp_path):
    status, out, err = rdr("playground", "-o", "deep/page.html")
    assert (status, err) == (0, "")
    assert "deep/page.html" in out
    assert (tmp_path / "deep" / "page.html").is_file()


@pytest.mark.parametrize("place", ["folder", "file/page.html"])
def test_a_place_that_cannot_be_written_is_one_sentence(rdr, tmp_path, place):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    status, out, err = rdr("playground", "--out", place)
    assert (status, out) == (2, "")
    assert err.startswith("rdr: ")
    assert len(err.strip().splitlines()) == 1
    assert place in err
    with pytest.raises(RdrError):
        write_playground(tmp_path / place)
