"""How many faults or inputs a test has tried, for docs/reliability.md."""

from __future__ import annotations

import json
import os


def tried(promise: str, what: str, n: int) -> None:
    """Add a line to the file that ``RDR_TRIED`` names, where it does.

    Args:
        promise: a heading of docs/reliability.md.
        what: faults or inputs, in the plural.
        n: how many of them, more than were tried before in the same test.

    Lines of one run of the tests add up, and of several runs that with most of a thing counts.
    """
    if place := os.environ.get("RDR_TRIED"):
        test = os.environ["PYTEST_CURRENT_TEST"].partition(" ")[0].partition("[")[0]
        with open(place, "a", encoding="utf-8") as file:
            run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
            file.write(json.dumps({"promise": promise, "what": what, "n": n, "test": test, "run": run}) + "\n")
