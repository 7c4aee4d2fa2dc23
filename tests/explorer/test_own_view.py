"""A display of another package is a view of the explorer, a kind of the commands, and a picture of every gallery."""

from __future__ import annotations

import json
import sys

import pandas as pd
import pytest
from awaited import awaited
from installed import contributed, lay_package

from rdr_core.errors import RdrError
from rdr_core.runs import list_runs
from rdr_core.runs.archive import shipped
from rdr_viz import make_display
from rdr_viz.displays.base import DISPLAYS, display
from rdr_viz.displays.class_counts import ClassCounts
from rdr_viz.displays.figure import render
from rdr_viz.displays.kinds import kinds
from rdr_viz.explorer import Explorer
from rdr_viz.explorer.drawn import drawn
from rdr_viz.pages.report import write_report


@pytest.fixture
def last_loss(tmp_path, monkeypatch):
    """The package, installed; the kind that it brings."""
    monkeypatch.syspath_prepend(tmp_path)
    lay_package(tmp_path, "rdr_last_loss", contributed("picture"), "rdr.displays")
    DISPLAYS.refresh()
    yield "last-loss"
    DISPLAYS.remove("last-loss")
    sys.modules.pop("rdr_last_loss", None)


@pytest.fixture
def runs():
    """Two methods on digits, two seeds each."""
    return list_runs(shipped(), dataset="digits", noise_rate=0, schedule="cosine", imbalance_factor=50,
                     method=["ce", "rdr"], seed=[0, 1])  # fmt: skip


class Told(Explorer):
    """An explorer without a page; what it would send is kept."""

    def __init__(self):
        self.sent = []
        super().__init__(shipped())

    def send(self, content, buffers=None):
        self.sent.append(content)

    def pictures(self, *asks) -> list[dict]:
        """What comes of asking for these, one ask right after the other."""

        async def asking() -> None:
            for pictures in asks:
                self._asked(self, {"ask": "draw", "pictures": pictures}, None)
            while not self._drawing.done():
                await self._drawing

        awaited(asking())
        return [content for content in self.sent if content["tell"] == "picture"]


def ask(explorer, kind, runs, theme="light", key="k"):
    ids = [explorer._ids[run.path] for run in runs]
    return {"kind": kind, "runs": ids, "theme": theme, "key": key}


def test_the_page_is_told_of_it_after_all_others(last_loss):
    views = json.loads(Told().head)["views"]
    assert list(views)[-1] == last_loss
    assert views[last_loss] == {
        "question": "Which method fits its training images best?",
        "look": "A mark is a run: the further left, the smaller its training loss.",
        "takes": "runs",
    }
    assert (views["counts"]["takes"], views["b-prime"]["takes"]) == ("run", "seeds")


def test_the_kernel_draws_it_in_the_pages_theme(last_loss, runs):
    explorer = Told()
    themes = ("light", "dark")
    told = explorer.pictures([ask(explorer, last_loss, runs, theme, key=theme) for theme in themes])
    expected = make_display(last_loss, runs)
    for one, theme in zip(told, themes, strict=True):
        assert (one["key"], one["alt"], one["finding"]) == (theme, expected.alt, expected.finding)
        pd.testing.assert_frame_equal(pd.DataFrame(one["rows"]), expected.data, rtol=1e-13)
        drawing = render(expected.in_theme(theme), "svg", title=expected.title, description=expected.alt)
        assert one["svg"].encode() == drawing
    assert told[0]["svg"] != told[1]["svg"]


def test_what_is_no_longer_wanted_is_not_drawn(last_loss, runs):
    explorer = Told()
    first, second, third = (ask(explorer, last_loss, runs[:count], key=str(count)) for count in (1, 2, 3))
    assert [told["key"] for told in explorer.pictures([first], [second], [third, second])] == ["3", "2"]


def test_what_is_missing_or_breaks_down_is_a_sentence(runs):
    @display("broken")
    class Broken(ClassCounts):
        @property
        def finding(self):
            return 1 / 0

    try:
        (run, *_) = runs
        assert "has no shares stored; `rdr analyse`" in awaited(drawn("shares", runs, "light"))["sentence"]
        assert awaited(drawn("broken", [run], "light")) == {
            "sentence": "The display 'broken' failed (ZeroDivisionError: division by zero); fix it."
        }
    finally:
        DISPLAYS.remove("broken")
    assert awaited(drawn("accuracy", [], "light"))["sentence"].startswith("no run to draw")


def test_one_without_words_is_refused_where_it_is_registered():
    with pytest.raises(RdrError, match="The display Wordless has no title"):

        @display("wordless")
        class Wordless:
            look = "Look."

    assert "wordless" not in DISPLAYS.all()


def test_the_commands_have_it(last_loss, runs, rdr, tmp_path):
    code, said, _ = rdr("kinds")
    assert code == 0
    words = [" ".join(line.split()) for line in said.splitlines()]
    assert f"{last_loss} runs Which method fits its training images best?" in words
    code, said, _ = rdr("plot", *(str(run.path) for run in runs), "--kind", last_loss)
    assert code == 0
    assert "The smallest training loss is" in said
    assert {path.suffix for path in tmp_path.glob("last-loss.*")} == {".pdf", ".svg", ".png", ".csv"}


def test_a_gallery_has_it(last_loss, runs, tmp_path):
    assert kinds()[-1] == last_loss
    page = write_report(runs, tmp_path, kinds=[last_loss])
    assert "Which method fits its training images best?" in page.read_text()
    assert "There is no picture" not in page.read_text()
