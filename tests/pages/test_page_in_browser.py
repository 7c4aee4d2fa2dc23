"""The page in a real browser: nothing missing, nothing asked of the network, nothing cut off."""

from __future__ import annotations

from pathlib import Path

import pytest
from headless import new_page, open_file
from made_up_runs import make_run

from rdr_viz.pages.report import write_report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page_file(tmp_path_factory) -> Path:
    runs = [make_run(method, seed=seed) for method in ("ce", "inverse", "rdr") for seed in (0, 1)]
    return write_report(runs, tmp_path_factory.mktemp("page"), command="rdr demo --out demo --seed 0")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1280, 1920])
def test_page(browser, page_file, width, theme):
    page, said, asked = open_file(browser, page_file, width, theme)
    pictures = page.evaluate(
        "Promise.all([...document.images].map(i => i.decode().then("
        "() => [i.naturalWidth, i.naturalHeight, i.getBoundingClientRect().width])))"
    )
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    page.close()
    assert len(pictures) == 4
    assert all(min(sizes) > 0 for sizes in pictures)
    assert min(sizes[2] for sizes in pictures) >= 450  # 8 pt letters stay above 9 px
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [page_file.as_uri()]
    assert overflow <= 0


def test_the_page_works_from_the_keyboard_and_prints(browser, page_file):
    page = new_page(browser, viewport={"width": 380, "height": 900})
    page.goto(page_file.as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "region"
    assert len(page.pdf(format="A4")) > 10_000
    page.close()
