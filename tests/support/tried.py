"""What tests tried to break a promise with, noted for docs/reliability.md."""

from __future__ import annotations

import json
import os


def tried(promise: str, what: str, n: int) -> None:
    """Append a line of JSON to the file that ``RDR_TRIED`` names; nothing where it names none.

    Args:
        promise: by its name in docs/reliability.md: "Numbers".
        what: was tried: "batches with broken features".
        n: how many of them.
    """
    name = os.environ.get("RDR_TRIED")
    if name:
        with open(name, "a", encoding="utf-8") as file:
            file.write(json.dumps({"promise": promise, "what": what, "n": n}) + "\n")
