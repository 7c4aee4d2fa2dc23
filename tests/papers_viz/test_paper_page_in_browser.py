"""The paper's page in a real browser: pictures there, nothing cut off, every word legible in both themes."""

from __future__ import annotations

from pathlib import Path

import pytest
from headless import open_file
from made_up_paper_page import made_up_page
from once import once

pytestmark = pytest.mark.slow

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
    page.evaluate("document.querySelectorAll('.claims details').forEach(e => e.open = true)")
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
    assert len(pictures) == 2
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
        assert not command.is_visible()
        page.locator(".cells details summary").first.focus()
        page.keyboard.press("Enter")
        assert command.is_visible()
        assert command.inner_text().startswith("rdr train ")
        assert len(page.pdf(format="A4")) > 10_000
        page.close()
    assert sources[0] != sources[1]
