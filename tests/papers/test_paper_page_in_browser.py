"""The paper's page in a real browser: pictures there, nothing cut off, every word legible in both themes."""

from __future__ import annotations

from pathlib import Path

import pytest
from headless import new_page, open_file
from made_up_paper_page import claim, made_up_page, measured
from once import once

pytestmark = pytest.mark.slow

#: Claims that are shown, from above downwards.
SHOWN = """() => [...document.querySelectorAll('.claim')].filter(e => e.checkVisibility())
  .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
  .map(e => e.querySelector('summary').textContent)"""
#: Settings that are shown, and whether each mark lies in its plot, beyond no edge of the window.
SETTINGS = """() => [...document.querySelectorAll('.setting')].filter(e => e.checkVisibility()).map(e => {
  const plot = e.querySelector('.plot').getBoundingClientRect();
  const marks = [...e.querySelectorAll('.plot svg > *')].map(m => m.getBoundingClientRect());
  const middle = marks.map(m => (m.left + m.right) / 2);
  return [plot.width, middle.every(x => plot.left - 1 <= x && x <= plot.right + 1), plot.right <= innerWidth]; })"""
#: Contrast (WCAG 2.1) of every visible text with the nearest ground under it; a list of [contrast, text].
CONTRASTS = """() => {
  const parse = color => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } };
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  for (let node; node = words.nextNode();) {
    const e = node.parentElement;
    if (!node.data.trim() || !e.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), node.data.trim()]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory) -> Path:
    return once(tmp_path_factory, "made-up-page", made_up_page) / "index.html"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1280, 1920])
def test_page(browser, page_file, width, theme):
    page, said, asked = open_file(browser, page_file, width, theme)
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = !e.closest('.cells'))")
    page.evaluate("document.querySelector('.cells details').open = true")
    pictures = page.evaluate(
        "Promise.all([...document.images].map(i => i.decode().then(() => [i.naturalWidth, i.currentSrc])))"
    )
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    # A table fits, or scrolls in its own box; the first column stays where it is.
    cut = page.evaluate(
        "[...document.querySelectorAll('.cells')].filter(t => t.offsetWidth > t.parentElement.clientWidth + 1"
        " && getComputedStyle(t.parentElement).overflowX != 'auto').length"
    )
    page.evaluate("document.querySelectorAll('.wide').forEach(e => e.scrollLeft = 300)")
    off = page.evaluate(
        "[...document.querySelectorAll('.cells tbody th')].map(e => [e, e.closest('.wide'), e.closest('table')]"
        ".map(e => e.getBoundingClientRect().left)).map(([e, box, table]) => Math.abs(e - Math.max(box, table)))"
    )
    contrasts = page.evaluate(CONTRASTS)
    page.close()
    assert len(pictures) == 3
    assert all(size > 0 for size, _ in pictures)
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [page_file.as_uri()]
    assert overflow <= 0
    assert cut == 0
    assert max(off) <= 1
    assert len(contrasts) > 500
    assert [(round(ratio, 2), words) for ratio, words in contrasts if ratio < 4.5] == []


def test_pictures_follow_the_theme_and_commands_unfold_from_the_keyboard(browser, page_file):
    sources = []
    for theme in ("light", "dark"):
        page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=theme)
        page.goto(page_file.as_uri())
        sources.append(page.evaluate("document.images[0].currentSrc"))
        command = page.locator(".cells details code").first
        for summary in ("#table-1 > summary", ".cells details summary"):
            assert not command.is_visible()
            page.locator(summary).first.focus()
            page.keyboard.press("Enter")
        assert command.is_visible()
        assert command.inner_text().startswith("rdr train ")
        assert len(page.pdf(format="A4")) > 10_000
        page.close()
    assert sources[0] != sources[1]


def test_claims_are_filtered_and_sorted_from_the_keyboard(browser, page_file):
    page = new_page(browser, viewport={"width": 1280, "height": 900})
    page.goto(page_file.as_uri())
    assert page.evaluate(SHOWN) == ["One beats two.", "Two flattens three.", "Weights fall."]
    page.locator("#asks-all").focus()
    page.keyboard.press("ArrowRight")  # the first question that is asked
    assert page.locator("#asks-better").is_checked()
    assert page.evaluate(SHOWN) == ["One beats two."]
    page.locator("#said-all").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator("#said-fails").is_checked()
    assert len(page.evaluate(SETTINGS)) == 1
    assert not page.locator(".none").is_visible()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(SHOWN) == []
    assert page.locator(".none").is_visible()
    assert page.locator(".forest:visible").count() == 0
    page.close()


@pytest.mark.parametrize("width", [380, 1280])
def test_every_mark_lies_in_its_plot(browser, page_file, width):
    page = new_page(browser, viewport={"width": width, "height": 900})
    page.goto(page_file.as_uri())
    settings = page.evaluate(SETTINGS)
    page.close()
    assert len(settings) == 6
    assert all(wide > 100 and inside and in_window for wide, inside, in_window in settings)


def test_sorting_moves_what_fails_to_the_top(browser, tmp_path):
    claims = [claim(f"{word} here.", measured("digits", word)) for word in ("holds", "undecided", "fails")]
    page = new_page(browser, viewport={"width": 1280, "height": 900})
    page.goto(made_up_page(tmp_path, claims=claims).as_uri())
    for sort, first in (("question", "holds"), ("fails", "fails"), ("holds", "holds")):
        page.locator(f"#sort-{sort}").check(force=True)
        assert page.evaluate(SHOWN)[0] == f"{first} here."
    page.close()
