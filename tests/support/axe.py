"""What axe-core finds in a page that is open: https://github.com/dequelabs/axe-core, of the version in the lock."""

from __future__ import annotations

import pytest
from npm import installed
from playwright.sync_api import Page

_RUN = """
async css => (await axe.run(css)).violations.map(v => [v.impact, v.id, v.nodes[0].html.slice(0, 160)])
"""


def serious(page: Page, css: str, tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """Serious and critical faults below what ``css`` names: how bad, which rule, and the first element."""
    if not page.evaluate("typeof axe === 'object'"):
        script = installed(tmp_path_factory) / "node_modules" / "axe-core" / "axe.min.js"
        page.evaluate(script.read_text(encoding="utf-8"))
    return [fault for fault in page.evaluate(_RUN, css) if fault[0] in ("serious", "critical")]
