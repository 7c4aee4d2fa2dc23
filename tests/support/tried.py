"""How many inputs and faults tests have tried, for `docs/reliability.md`."""

from __future__ import annotations

import json
import os


def tried(promise: str, what: str, n: int) -> None:
    """Append to the file that ``RDR_TRIED`` names, if any, that a promise was tried so many times.

    Args:
        promise: as `docs/reliability.md` calls it: "Hostile input".
        what: was tried, in the plural: "names of an archive's members".
        n: how many of them.
    """
    if path := os.environ.get("RDR_TRIED"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"promise": promise, "what": what, "n": n}) + "\n")
