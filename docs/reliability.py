"""Write the table of docs/reliability.md: how many faults and inputs the tests of each promise have tried.

RDR_TRIED=tried.jsonl pytest ...             each test adds what it tried (tests/support/tried.py)
python docs/reliability.py tried.jsonl       sums it up in data/measurements/reliability.csv, and writes the table
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "data" / "measurements" / "reliability.csv"
PAGE = ROOT / "docs" / "reliability.md"
MARKS = ("<!-- tried -->\n\n", "\n\n<!-- end -->")
#: The promises, in the page's order.
PROMISES = ("Damage", "Faults", "Hostile input", "Servers", "Versions", "Numbers", "Long")


def summed(lines: pd.DataFrame) -> pd.DataFrame:
    """What was tried, a row for each promise, thing and test, in the order of the page.

    Args:
        lines: ``promise``, ``what``, ``n``, ``test``; many of each.
    """
    found = lines.groupby(["promise", "what", "test"], as_index=False)["n"].sum()
    return found.sort_values(
        ["promise", "test", "what"],
        key=lambda column: column.map(PROMISES.index) if column.name == "promise" else column,
    )


def markdown(found: pd.DataFrame) -> str:
    """A row for each thing that was tried."""
    lines = ["| promise | tried | how many | test |", "| --- | --- | --- | --- |"]
    for row in found.itertuples():
        path, _, name = str(row.test).partition("::")
        lines.append(f"| {row.promise} | {row.what} | {row.n:,} | [`{name}`](../{path}) |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tried", type=Path, help="the file that RDR_TRIED named while the tests ran")
    asked = parser.parse_args()
    found = summed(pd.read_json(asked.tried, lines=True))
    found.to_csv(RESULTS, index=False)
    before, rest = PAGE.read_text(encoding="utf-8").split(MARKS[0])
    PAGE.write_text(f"{before}{MARKS[0]}{markdown(found)}{MARKS[1]}{rest.split(MARKS[1])[1]}", encoding="utf-8")
    print(found.groupby("promise", sort=False)["n"].sum().to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
