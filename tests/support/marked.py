"""Parts of pages that commands write."""

from __future__ import annotations


def marked(page: str, name: str) -> str:
    """What stands between the marks of that name, ``<!-- name -->`` and ``<!-- end -->``."""
    return page.split(f"<!-- {name} -->")[1].split("<!-- end -->")[0].strip()
