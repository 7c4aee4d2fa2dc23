"""How many faults or inputs a test has tried, for the page that lists the promises."""

from __future__ import annotations

import json
import os


def tried(promise: str, what: str, n: int) -> None:
    """Add a line to the file that ``RDR_TRIED`` names, where it does."""
    if place := os.environ.get("RDR_TRIED"):
        with open(place, "a", encoding="utf-8") as file:
            file.write(json.dumps({"promise": promise, "what": what, "n": n}) + "\n")
