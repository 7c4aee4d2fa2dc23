"""Write the tables of docs/reliability.md: how many faults and inputs the tests of each promise have tried.

RDR_TRIED=$PWD/tried.jsonl make test slow stress   each test adds what it tried (tests/support/tried.py)
python docs/reliability.py tried.jsonl             sums it up in data/measurements/reliability.csv, writes the tables
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


#: What the contents of a reader's file are called, before its name.
CONTENTS = "contents: "
#: What is summed up by itself: in words, and how what a test tries begins that is of this kind.
KINDS = {
    "processes killed": ("SIGKILL", "kills"),
    "changed bytes, bits and pieces": ("bits, bytes", "changed bytes"),
    "calls to the disk that failed": ("single failed calls",),
}


def summed(lines: pd.DataFrame) -> pd.DataFrame:
    """What was tried, a row for each promise, thing and test, in the order of the page.

    Args:
        lines: ``promise``, ``what``, ``n``, ``test``, ``run``; many of each. Those of a run of the tests add up; of
            several runs that counts in which a test tried most.
    """
    each = lines.groupby(["promise", "what", "test", "run"], as_index=False)["n"].sum()
    found = each.groupby(["promise", "what", "test"], as_index=False)["n"].max()
    return found.sort_values(
        ["promise", "test", "what"],
        key=lambda column: column.map(PROMISES.index) if column.name == "promise" else column,
    )


def markdown(found: pd.DataFrame) -> str:
    """A table with a row for each promise, what counts most in a sentence, and each promise's tests."""
    contents = found[found["what"].str.startswith(CONTENTS)]
    lines = ["| promise | faults and inputs tried | by tests |", "| --- | --- | --- |"]
    lines += [f"| {promise} | {of['n'].sum():,} | {of['test'].nunique()} |"
              for promise, of in found.groupby("promise", sort=False)]  # fmt: skip
    said = [f"{_count(found, begins):,} {words}" for words, begins in KINDS.items() if _count(found, begins)]
    if len(contents):
        names = "; ".join(sorted(name.removeprefix(CONTENTS) for name in contents["what"]))
        said.append(f"{contents['n'].min():,} contents or more for each of {len(contents)} readers ({names})")
    lines += ["", f"Among them: {'; '.join(said)}.", ""]
    lines += ["| promise | tried | how many | test |", "| --- | --- | --- | --- |"]
    merged = found.assign(what=found["what"].where(~found.index.isin(contents.index), "contents of files"))
    for (promise, what, test), n in merged.groupby(["promise", "what", "test"], sort=False)["n"].sum().items():
        path, _, name = test.partition("::")
        lines.append(f"| {promise} | {what} | {n:,} | [`{name}`](../{path}) |")
    return "\n".join(lines)


def _count(found: pd.DataFrame, begins: tuple[str, ...]) -> int:
    return int(found.loc[found["what"].str.startswith(begins), "n"].sum())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tried", type=Path, nargs="+", help="the files that RDR_TRIED named while the tests ran")
    asked = parser.parse_args()
    found = summed(pd.concat([pd.read_json(tried, lines=True, dtype={"run": str}) for tried in asked.tried]))
    found.to_csv(RESULTS, index=False)
    before, rest = PAGE.read_text(encoding="utf-8").split(MARKS[0])
    PAGE.write_text(f"{before}{MARKS[0]}{markdown(found)}{MARKS[1]}{rest.split(MARKS[1])[1]}", encoding="utf-8")
    print(found.groupby("promise", sort=False)["n"].sum().to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
