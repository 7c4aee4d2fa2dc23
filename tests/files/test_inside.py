"""No name that a file tells leads out of the folder that it is of, neither by itself nor by a link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strangers import escaping_names
from tried import tried

from rdr_core.errors import RdrError
from rdr_core.files.inside import below, inside

ASKED = 1000


@settings(max_examples=ASKED)
@given(escaping_names)
def test_names_that_lead_out_are_refused_in_a_sentence(name):
    for ask in (below, inside):
        with pytest.raises(RdrError, match="in which it must stay") as refused:
            ask(Path("runs"), name)
        assert str(refused.value).isprintable()
        assert len(str(refused.value)) < 400
    tried("Hostile input", "names that lead out of a folder", 1)


@settings(max_examples=ASKED)
@given(st.text(max_size=30))
def test_whatever_is_taken_lies_below(name):
    """By the operating system's own rules: joined, and taken apart again."""
    try:
        place = below(Path("runs"), name)
    except RdrError:
        return
    assert os.path.normpath(place).split(os.sep)[0] == "runs"
    assert os.path.normpath(place) != "runs" or set(name) <= {".", "/"}


@pytest.mark.parametrize("name", [None, 5, ["a"], {"a": 1}, 1.5, True])
def test_what_is_no_text_is_no_name(name):
    with pytest.raises(RdrError, match="in which it must stay"):
        inside(Path("runs"), name)


def test_links_out_of_the_folder_are_refused_and_those_within_it_taken(tmp_path):
    folder, elsewhere = tmp_path / "runs", tmp_path / "elsewhere"
    (folder / "a" / "b").mkdir(parents=True)
    elsewhere.mkdir()
    (folder / "out").symlink_to(elsewhere)
    (folder / "up").symlink_to("..")
    (folder / "dangling").symlink_to(elsewhere / "nothing")
    (folder / "circle").symlink_to("circle")
    (folder / "a" / "deep").symlink_to("../../elsewhere")
    (folder / "within").symlink_to("a/b")
    for name in ("out", "up", "dangling", "circle", "a/deep", "out/x/y", "a/deep/x", "up/elsewhere"):
        with pytest.raises(RdrError, match="in which it must stay"):
            inside(folder, name)
        assert below(folder, name) == folder / name
    assert inside(folder, "within/c") == folder / "within" / "c"
    assert inside(folder, "a/new") == folder / "a" / "new"


def test_the_folder_itself_may_be_a_link_and_need_not_be_there(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "runs").symlink_to("disk")
    assert inside(tmp_path / "runs", "a") == tmp_path / "runs" / "a"
    assert inside(tmp_path / "none", "a/b") == tmp_path / "none" / "a" / "b"
