"""Text that was read from files is text on every way out: terminal, picture, page, file name, error."""

from __future__ import annotations

import io
import shutil
import sys
import warnings
from contextlib import redirect_stdout
from html.parser import HTMLParser
from pathlib import Path
from unicodedata import category
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, example, given, settings
from matplotlib.text import Text
from strangers import NASTY, texts
from tried import tried

import rdr_core
from rdr_core.errors import RdrError, unknown_name
from rdr_core.files.whole import read_json, write_json
from rdr_core.methods.names import method_label
from rdr_core.printed import add_row, show, table_of
from rdr_core.runs import Run
from rdr_core.visible import NAME, say, tell, visible
from rdr_viz.analysis.words import class_name, dataset_name
from rdr_viz.displays.base import DISPLAYS
from rdr_viz.displays.figure import render
from rdr_viz.displays.kinds import compares_runs, kinds, make_display
from rdr_viz.explorer.publish import publish
from rdr_viz.pages.template import filled

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def seen(text: str, keep: str = "\n") -> bool:
    return all(sign in keep or category(sign) not in UNSEEN for sign in text)


@settings(max_examples=2000)
@given(texts)
def test_what_is_visible_can_be_written_anywhere_and_said_again(text):
    shown = visible(text)
    assert seen(shown, keep="")
    shown.encode("utf-8")
    assert visible(shown) == shown
    if seen(text, keep=""):
        assert shown == text
    assert len(visible(text, 20)) <= 20 * 10
    tried("Hostile input", "texts made visible", 1)


@settings(max_examples=500)
@given(texts)
@example("x" * 100_000)
def test_labels_and_sentences_are_short_and_visible(text):
    for shown in (method_label(text), class_name(text), dataset_name(text)):
        assert seen(shown, keep="")
        assert len(shown) <= 10 * NAME
    for error in (RdrError(f"{text} is no run."), unknown_name("method", text, ["ce", "rdr"])):
        assert seen(str(error), keep="")
        assert len(str(error)) <= 20_000
    assert len(method_label("x" * 100_000)) == NAME


@settings(max_examples=500)
@given(texts, texts)
def test_a_terminal_is_told_text_alone(name, sentence):
    out = io.StringIO()
    with redirect_stdout(out):
        from rich.console import Console

        table = table_of("run", "method")
        add_row(table, name, sentence)
        Console(file=out, force_terminal=True, width=200, color_system=None).print(table)
        say(sentence)
    plain = out.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert seen(plain)
    plain.encode("utf-8")
    if name and name.isascii() and name.isprintable() and len(name) < 100 and name.strip() == name:
        assert name in plain, "markup stays text"
    tell(sentence)


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_nobody_to_tell_is_no_error(monkeypatch, stream):
    if stream is not None:
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    tell("all is well")


@settings(max_examples=300)
@given(texts, texts)
def test_a_page_holds_names_as_text(title, name):
    html = page_of(title, f"x{name}")
    html.encode("utf-8")
    assert seen(html, keep="\n\t")
    parser = Tags()
    parser.feed(html)
    plain = Tags()
    plain.feed(page_of("t", "n"))
    assert parser.tags == plain.tags
    tried("Hostile input", "names on pages", 1)


class Tags(HTMLParser):
    """The elements of a page, with the names of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))


def page_of(title: str, name: str) -> str:
    return filled(
        "pages/page.html.j2", title=title, lead=name, sections=[], header=["Method", name], rows=[], several=False,
        groupless=False, glossary=[(name, title)], missing=[(title, name)], command=name,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> list[Run]:
    runs = tmp_path_factory.mktemp("runs")
    request = {"imbalance_factor": 50, "epochs": 2, "runs": runs, "progress": False}
    return [rdr_core.train("digits", method=method, **request) for method in ("ce", "rdr")]


def called(trained: list[Run], folder: Path, name: str) -> list[Run]:
    """Runs whose methods, data set, classes and folders are called so, as far as a folder can be."""
    made = []
    for number, run in enumerate(trained):
        own = name.replace("/", "-").replace("\0", "-")[:60]
        try:
            place = folder / f"{number}{own}"
            shutil.copytree(run.path, place)
        except (UnicodeEncodeError, OSError):
            place = folder / str(number)
            shutil.copytree(run.path, place)
        stored = read_json(place / "config.json")
        stored["config"] |= {"method": name if number else f"rdr+{name}", "dataset": name}
        write_json(place / "config.json", stored)
        data = read_json(place / "data.json")
        data["class_names"] = [f"{name[:3]}{c}" if c % 2 else f"{name}{c}" for c in range(10)]
        write_json(place / "data.json", data)
        made.append(Run.open(place))
    return made


def fresh(tmp_path: Path) -> Path:
    shutil.rmtree(tmp_path / "runs", ignore_errors=True)
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=texts)
def test_runs_of_any_name_are_listed(trained, tmp_path, name):
    out = io.StringIO()
    with redirect_stdout(out):
        show(*called(trained, fresh(tmp_path), name))
    assert seen(out.getvalue())
    out.getvalue().encode("utf-8")
    tried("Hostile input", "runs of any name listed", 2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", kinds(in_galleries=None))
def test_every_picture_takes_any_name(trained, tmp_path, kind):
    """Its texts are seen and short, none is mathematics that a name brought in, and its file is one of XML."""
    drawn = 0
    for name in NASTY:
        runs = called(trained, fresh(tmp_path), name)
        try:
            shown = make_display(kind, [run.as_stored for run in (runs if compares_runs(kind) else runs[1:])])
        except RdrError:  # nothing stored, say
            continue
        figure = shown.figure()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing|.*constrained_layout", UserWarning)
            svg = render(figure, "svg", title=DISPLAYS[kind].title, description=shown.alt)
        ElementTree.fromstring(svg)
        for text in figure.findobj(Text):
            assert seen(text.get_text())
            assert len(text.get_text()) < 1000
            assert "$" not in text.get_text() or "mathdefault" in text.get_text() or not text.get_parse_math()
        say(shown.finding)
        say(shown.alt)
        drawn += 1
    tried("Hostile input", "pictures of runs of any name", drawn)


@pytest.mark.slow
def test_a_published_page_of_runs_of_any_name_is_one_page(trained, tmp_path):
    for name in NASTY:
        page = publish(called(trained, fresh(tmp_path), name), tmp_path / "page.html", title=name, made=name)
        html = page.read_bytes().decode("utf-8")
        parser = Tags()
        parser.feed(html)
        assert [tag for tag, _ in parser.tags].count("script") == 3
        assert html.count("<script") == html.count("</script") == 3
    tried("Hostile input", "published pages of runs of any name", len(NASTY))


def test_plot_names_no_file_by_what_it_reads(trained, tmp_path, rdr):
    runs = called(trained, fresh(tmp_path), "../../$x^{$\x1b")
    status, out, err = rdr("plot", *(str(run.path) for run in runs), "--kind", "accuracy", "--out", "pictures/")
    assert (status, err) == (0, "")
    assert seen(out)
    assert {path.name for path in Path("pictures").iterdir()} == {f"accuracy.{e}" for e in ("pdf", "svg", "png", "csv")}
