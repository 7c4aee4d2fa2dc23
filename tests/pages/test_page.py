"""The page is one file, escapes what it is given, and tells every picture in words."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from made_up_runs import make_run
from once import once

from rdr_core import RdrError
from rdr_core.errors import MissingData
from rdr_viz.displays.kinds import make_display
from rdr_viz.pages import report
from rdr_viz.pages.report import KINDS_OF_REPORT, write_report

HOSTILE = '"><script>alert(1)</script>{{ 7*7 }}'


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def parse(path):
    elements = Elements()
    elements.feed(path.read_text())
    return elements


COMMAND = "rdr demo --out demo --seed 0"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """One for all tests here, in all processes: drawing takes longest."""
    runs = [make_run(method) for method in ("rdr", "ce", "inverse")]
    return once(tmp_path_factory, "page-of-three", lambda out: write_report(runs, out, command=COMMAND)) / "index.html"


def test_nothing_is_loaded_from_anywhere(page):
    found = parse(page).found
    addresses = [a[key] for _, a in found for key in ("src", "href", "srcset", "action", "data") if a.get(key)]
    assert addresses
    assert all(address.startswith("data:") for address in addresses)
    assert not {tag for tag, _ in found} & {"script", "iframe", "object", "embed", "base", "form"}
    style = page.read_text().split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_every_picture_has_words_and_is_the_file_beside(page):
    images = [a for tag, a in parse(page).found if tag == "img"]
    assert len(images) == 4
    for image, name in zip(images, KINDS_OF_REPORT, strict=True):
        assert len(image["alt"]) > 60
        svg = base64.b64decode(image["src"].split(",")[1])
        assert svg == (page.parent / "figures" / f"{name}.svg").read_bytes()


def test_downloads_are_the_plotted_data(page):
    links = [a for tag, a in parse(page).found if tag == "a"]
    assert len(links) == 4
    for link in links:
        expected = (page.parent / "figures" / link["download"]).read_text()
        assert unquote(link["href"].split(",", 1)[1]) == expected


def test_headings_are_in_order_and_ids_unique(page):
    found = parse(page).found
    headings = [tag for tag, _ in found if tag in ("h1", "h2", "h3")]
    assert headings == ["h1", *["h2"] * 6]
    ids = [a["id"] for _, a in found if "id" in a]
    assert len(ids) == len(set(ids))
    assert all(a["aria-labelledby"] in ids for _, a in found if "aria-labelledby" in a)


def test_numbers_and_command_are_there(page):
    text = " ".join(parse(page).text)
    assert "124 images of its largest class (class 0) but 2 images of its smallest (class 9)" in text
    assert "Three networks were trained on it for 20 epochs" in text
    assert "rdr demo --out demo --seed 0" in text
    assert "47.5" in text


def test_a_hostile_class_name_is_only_a_name(tmp_path):
    names = (HOSTILE, *map(str, range(1, 10)))
    page = write_report([make_run(m, class_names=names) for m in ("ce", "rdr")], tmp_path)
    elements = parse(page)
    assert "script" not in {tag for tag, _ in elements.found}
    assert HOSTILE in " ".join(elements.text)
    assert any(HOSTILE in (a.get("alt") or "") for _, a in elements.found)


def test_a_missing_group_is_a_dash_not_a_zero(tmp_path):
    page = write_report([make_run(m, few=False) for m in ("ce", "rdr")], tmp_path, kinds=("accuracy",))
    assert "A dash: no class in this group." in page.read_text()
    cells = page.read_text().split("<tbody>")[1].split("</tbody>")[0]
    assert cells.count("<td>–</td>") == 2


def test_what_cannot_be_drawn_is_named_and_the_rest_drawn(tmp_path, monkeypatch):
    def make(kind, runs):
        if kind == "surface":
            raise MissingData("CIFAR-10 is not complete in <here>.")
        return make_display(kind, runs)

    monkeypatch.setattr(report, "make_display", make)
    page = write_report([make_run("ce")], tmp_path, kinds=("counts", "surface", "weights"))
    assert len([1 for tag, _ in parse(page).found if tag == "img"]) == 2
    text = page.read_text()
    assert "One network was trained on it for 20 epochs by CE." in text
    missing = text.split('id="missing"')[1]
    assert (
        "<dt>How sharp is the minimum, and for which group?</dt><dd>CIFAR-10 is not complete in &lt;here&gt;.</dd>"
        in missing
    )
    with pytest.raises(RdrError, match="did you mean 'weights'"):
        write_report([make_run("ce")], tmp_path, kinds=("weigths",))
    assert "Not drawn" not in write_report([make_run("rdr")], tmp_path).read_text()


def test_each_picture_has_a_twin_for_dark_pages(page):
    """The same shapes and words in other colours: a white ground's black letters are light there."""
    found = parse(page).found
    light = [base64.b64decode(a["src"].split(",")[1]).decode() for tag, a in found if tag == "img"]
    dark = [base64.b64decode(a["srcset"].split(",")[1]).decode() for tag, a in found if tag == "source"]
    assert len(light) == len(dark) == 4
    color = re.compile("#[0-9a-f]{6}")
    for one, other in zip(light, dark, strict=True):
        assert color.sub("", one).count("<path") == color.sub("", other).count("<path")
        assert "#222222" in one
        assert "#222222" not in other


def test_the_same_runs_give_the_same_page(page, three_runs, tmp_path):
    again = write_report(three_runs[::-1], tmp_path / "again", command=COMMAND)
    assert again.read_bytes() == page.read_bytes()
