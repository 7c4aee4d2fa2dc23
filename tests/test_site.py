"""The site is built without a warning, no link in it leads nowhere, and it loads nothing from anywhere."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from built_site import builder, work_with_the_paper
from headless import new_page
from once import once
from waiting import WHOLE_TEST, run

import rdr_core
import rdr_viz
import rdr_viz.papers
from rdr_viz.displays.kinds import kinds

ROOT = Path(__file__).resolve().parents[1]
KINDS_OF_ALL = kinds(in_galleries=None)
#: Attributes by which a browser loads something by itself.
LOADS = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src"), ("use", "href"),
         ("object", "data"), ("video", "src"), ("embed", "src")}  # fmt: skip


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The whole site; notebooks without outputs, which tests/notebooks makes."""

    work = work_with_the_paper(tmp_path_factory)

    def make(folder: Path) -> None:
        build = [ROOT / "docs" / "build.py", "--as-stored", "--out", folder / "site", "--work", work]
        built = run([sys.executable, *build], cwd=folder, limit=WHOLE_TEST)
        assert built.returncode == 0, built.stdout + built.stderr
        assert "WARNING" not in built.stderr
        assert "Making paper" not in built.stdout  # it was kept

    return once(tmp_path_factory, "site", make).resolve() / "site"


@dataclass
class Page(HTMLParser):
    """What a page loads, where its links lead, and where links may lead in it."""

    path: Path
    loads: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self):
        super().__init__()
        self.text = self.path.read_text(encoding="utf-8")
        self.feed(self.text)
        self.close()

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if (tag, name) in LOADS:
                self.loads.append(value)
            elif name == "href":
                self.links.append(value)
            elif name == "id" or (tag, name) == ("a", "name"):
                self.anchors.add(value)

    handle_startendtag = handle_starttag


@pytest.fixture(scope="session")
def pages(site) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def pictures_of(gallery: str, kind: str) -> list[str]:
    return re.findall(rf'src="(_images/{kind}(?:-dark)?\.svg)"', gallery)


@pytest.mark.slow
def test_no_link_leads_nowhere(site, pages):
    assert len(pages) > 15
    broken, followed = [], 0
    for path, page in pages.items():
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            followed += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = target.is_file() and target.is_relative_to(site)
            if there and parts.fragment and target.suffix == ".html":
                there = unquote(parts.fragment) in pages[target].anchors
            if not there:
                broken.append((path.name, link))
    assert not broken
    assert followed > 500


@pytest.mark.slow
def test_nothing_is_loaded_from_elsewhere(site, pages):
    assert [load for page in pages.values() for load in page.loads if urlsplit(load).scheme not in ("", "data")] == []
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    styles += re.findall(r"<style.*?</style>", "".join(page.text for page in pages.values()), flags=re.DOTALL)
    addresses = [found for style in styles for found in re.findall(r"url\(['\"]?([^)'\"]+)|@import\s+([^;]+)", style)]
    assert [address for address in addresses if re.match("(https?:)?//", "".join(address))] == []


@pytest.mark.slow
@pytest.mark.parametrize("package", [rdr_core, rdr_viz, rdr_viz.papers], ids=lambda package: package.__name__)
def test_every_public_name_has_its_entry(site, package):
    name = "papers" if package is rdr_viz.papers else package.__name__
    page = (site / "api" / f"{name}.html").read_text(encoding="utf-8")
    for name in package.__all__:
        entry = re.search(rf'<dt[^>]* id="{package.__name__}\.{name}">.*?</dt>\s*<dd>\s*<p>(.*?)</p>', page, re.DOTALL)
        assert entry, name
        assert len(entry[1]) > 20, name


@pytest.mark.slow
def test_signatures_say_the_shapes(site):
    page = (site / "api" / "rdr_core.html").read_text(encoding="utf-8")
    signature = re.search(r'<dt[^>]* id="rdr_core.density_ratio">(.*?)</dt>', page, flags=re.DOTALL)[1]
    assert "features: Float[Tensor, 'B Z']" in unescape(re.sub("<.*?>", "", signature))


@pytest.mark.slow
def test_the_gallery_has_every_kind_of_picture_or_says_why_not(site):
    gallery = (site / "gallery.html").read_text(encoding="utf-8")
    sections = re.split("<h2>", gallery)[1:]
    assert len(sections) == len(KINDS_OF_ALL)
    for kind, section in zip(KINDS_OF_ALL, sections, strict=True):
        assert "highlight-python" in section, kind
        if "Not drawn here:" in section:
            assert re.search(r"has no [\w-]+ stored; .*rdr analyse", section), kind
        else:
            assert len(pictures_of(section, kind)) == 2, kind  # for light and dark pages
            assert {ending for ending in ("pdf", "svg", "png", "csv") if f"/{kind}.{ending}" in section} == {
                "pdf", "svg", "png", "csv",
            }  # fmt: skip
    assert sum("Not drawn here:" in section for section in sections) <= 1


@pytest.mark.slow
def test_notebooks_stand_with_their_formulas(site):
    stored = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert sorted(path.stem for path in (site / "notebooks").glob("*.html")) == stored
    by_hand = (site / "notebooks" / "02_rdr_by_hand.html").read_text(encoding="utf-8")
    assert by_hand.count("<math ") > 10
    assert "$$" not in by_hand


@pytest.mark.slow
def test_every_page_says_licence_and_how_to_cite(pages, site):
    alone = {site / "explorer.html", site / "playground.html"}  # what one can save and mail
    for path, page in pages.items():
        if not path.is_relative_to(site / "paper") and path not in alone:
            assert "MIT licence" in page.text, path
            assert "#how-to-cite" in page.text, path


@pytest.mark.slow
@pytest.mark.parametrize("width", [380, 1280])
def test_pages_open_in_a_browser(site, browser, width):
    tab = new_page(browser, viewport={"width": width, "height": 900})
    said, asked = [], []
    tab.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    for name in ("index", "docs/methods/density-ratio", "gallery", "api/rdr_core", "notebooks/02_rdr_by_hand", "paper"):
        tab.goto((site / f"{name}.html").as_uri(), wait_until="load")
        images = tab.evaluate(
            "[...document.images].map(image => [image.src, image.complete && image.naturalWidth > 0])"
        )
        assert [source for source, loaded in images if not loaded] == []
        assert images or name != "gallery"
        assert tab.locator("iframe.alive").count() == (name == "index")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, name
    assert said == []
    assert {urlsplit(url).scheme for url in asked} <= {"file", "data"}
    tab.close()


@pytest.fixture(scope="module")
def build():
    return builder()


def test_what_takes_long_is_made_again_only_when_what_it_is_made_of_changes(build, tmp_path):
    made, notebook = [], tmp_path / "notebook"

    def make(folder):
        made.append(notebook.read_text())
        (folder / "result").write_text(made[-1])

    for text in ("one", "one", "two", "two"):
        notebook.write_text(text)
        folder = build.kept(tmp_path, "notebook", [notebook], make)
        assert (folder / "result").read_text() == text
    assert made == ["one", "two"]
    assert len(list((tmp_path / "kept").iterdir())) == 1

    def fail(folder):
        (folder / "result").write_text("half")
        raise OSError("no room")

    notebook.write_text("three")
    with pytest.raises(OSError, match="no room"):
        build.kept(tmp_path, "notebook", [notebook], fail)
    assert (build.kept(tmp_path, "notebook", [notebook], make) / "result").read_text() == "three"


@pytest.mark.slow
def test_a_notebook_is_published_with_its_outputs_and_its_controls_in_words(build, tmp_path, capsys):
    notebook = build.with_outputs(ROOT / "notebooks" / "03_explorer.ipynb", tmp_path)
    cells = sum(cell.cell_type == "code" for cell in nbformat.read(notebook, as_version=4).cells)
    told = [f"cell {number} of {cells}" for number in range(1, cells + 1)]  # whoever waits sees how far it is
    assert capsys.readouterr().out.startswith(f"Making 03_explorer ... {', '.join(told)}, ")
    (output,) = (output for cell in nbformat.read(notebook, as_version=4).cells for output in cell.get("outputs", ()))
    assert 'src="../explorer.html"' in "".join(output.data["text/html"])  # which is there, alive
