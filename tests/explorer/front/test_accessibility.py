"""What axe-core finds in explorer and playground: nothing serious, in any view, in both themes."""

from __future__ import annotations

import pytest
from axe import serious
from headless import open_file
from published_page import opened

from rdr_viz.explorer.playground import write_playground

pytestmark = pytest.mark.slow

themes = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


@themes
def test_no_serious_fault_in_any_view(browser, published, tmp_path_factory, dark):
    seen = opened(browser, published, dark=dark)
    for view in (*seen.ask("views.map(view => view.name)"), "accuracy"):
        seen.show(view=view, method=["ce", "inverse", "rdr"], seed=0)
        assert serious(seen.page, ".rdr-explorer", tmp_path_factory) == [], view
    seen.page.locator(".rdr-code").click()
    seen.page.locator(".rdr-numbers").click()
    assert serious(seen.page, ".rdr-explorer", tmp_path_factory) == []
    seen.page.locator(".tour").click()
    assert serious(seen.page, ".rdr-explorer", tmp_path_factory) == []
    seen.page.close()


@themes
@pytest.mark.parametrize("world", ["moons", "draw"])
def test_no_serious_fault_in_the_playground(browser, tmp_path, tmp_path_factory, dark, world):
    page, *_ = open_file(browser, write_playground(tmp_path / "page.html"), 1280, "dark" if dark else "light")
    page.get_by_role("radio", name=world.capitalize(), exact=True).click()
    if world != "draw":  # where there are no points yet
        page.get_by_role("button", name="Step", exact=True).click()
    for more in page.locator("summary").all():
        more.click()
    assert serious(page, ".rdr", tmp_path_factory) == []
    page.close()
