"""Refuse tests that judge by the clock: `python .ci/clocks.py [FOLDER ...]`, a part of `make check`.

Machines differ and are shared, so a test asserts what happened, never how long it took. What waits does so through
tests/support/waiting.py, whose one limit only a hang reaches; what is to be fast is measured in benchmarks/. Over the
syntax trees of the tests, tests/support left out, this finds

- readings of a clock, which is where every verdict by the clock begins,
- sleeping, which hopes that something will have happened meanwhile,
- limits in seconds that are not waiting.py's.

Programs that stand in a test as text, for a process of their own, are read too.
"""

from __future__ import annotations

import ast
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
#: What reads a clock, by module; `datetime.now` and the like by the class's name.
CLOCKS = {
    "time": {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time",
             "process_time_ns", "thread_time", "thread_time_ns"},
    "timeit": {"timeit", "default_timer", "repeat", "Timer"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}  # fmt: skip
SLEEPS = {"sleep", "wait_for_timeout", "usleep"}
#: Keywords whose value is a limit in time.
LIMITS = {"timeout", "timeouts", "time_limit", "patience", "default_timeout"}
#: Methods that take a limit in time as their first argument.
WAITS = {"wait", "join", "communicate", "settimeout", "set_default_timeout", "set_default_navigation_timeout"}

CLOCK = "reads a clock; assert what happened (steps, files, calls, order), and measure speed in benchmarks/"
SLEEP = "sleeps; wait for what you wait for with waiting.wait_for or waiting.wait_until"
LIMIT = "sets a limit in seconds; take waiting.ended, waiting.run, waiting.LIMIT or waiting.LIMIT_MS"


class Fault(NamedTuple):
    """A line that judges by the clock, and what to do instead."""

    path: Path
    line: int
    says: str


def faults(path: Path, source: str) -> Iterator[Fault]:
    """In a test's source, line by line.

    Example:
        >>> [fault.line for fault in faults(Path("a"), "import time\\nassert time.monotonic() - t < 3")]
        [2]
    """
    tree = ast.parse(source, str(path))
    origin = _imported(tree)
    for node in ast.walk(tree):
        says = _said_of(node, origin)
        if says:
            yield Fault(path, node.lineno, says)
        if script := _script(node):
            yield from (fault._replace(line=node.lineno + fault.line - 1) for fault in faults(path, script))


def _script(node: ast.AST) -> str:
    """The program that a text of several lines is, for a process that a test starts; "" of all else."""
    if isinstance(node, ast.JoinedStr):
        text = "".join(part.value if isinstance(part, ast.Constant) else "_" for part in node.values)
    else:
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    text = textwrap.dedent(text)
    try:
        return text if "\n" in text and ast.parse(text) else ""
    except (SyntaxError, ValueError):
        return ""


def _said_of(node: ast.AST, origin: dict[str, tuple[str, str]]) -> str | None:
    if isinstance(node, ast.Attribute | ast.Name):
        module, name = _named(node, origin)
        if name in CLOCKS.get(module, ()):
            return CLOCK
    if isinstance(node, ast.Call):
        module, name = _named(node.func, origin)
        nothing = len(node.args) == 1 and _number(node.args[0]) == 0  # asyncio.sleep(0) gives way to others, no more
        if name in SLEEPS and not (module == "asyncio" and nothing):
            return SLEEP
        if name in WAITS and node.args and _number(node.args[0]) is not None:
            return LIMIT
        if name == "timeout" and node.args:  # pytest.mark.timeout, asyncio.timeout
            return None if _of_waiting(node.args[0], origin) else LIMIT
        if any(_bounds(keyword, origin) for keyword in node.keywords):
            return LIMIT
    return None


def _bounds(keyword: ast.keyword, origin: dict[str, tuple[str, str]]) -> bool:
    given = keyword.value
    unbounded = isinstance(given, ast.Constant) and given.value is None
    return keyword.arg in LIMITS and not unbounded and not _of_waiting(given, origin)


def _of_waiting(value: ast.expr, origin: dict[str, tuple[str, str]]) -> bool:
    """Whether it is what waiting.py says, and nothing computed from it."""
    return isinstance(value, ast.Attribute | ast.Name) and _named(value, origin)[0] == "waiting"


def _named(node: ast.expr, origin: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """The module, or what stands before the last dot, and the name, whatever it was imported as."""
    if isinstance(node, ast.Name):
        return origin.get(node.id, ("", node.id))
    if isinstance(node, ast.Attribute):
        owner = node.value
        before = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
        module, name = origin.get(before, ("", before))
        return name or module, node.attr
    return "", ""


def _imported(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """By the name that it has here: the module and, of `from ... import`, the name there; a module has none."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: (alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: (node.module or "", alias.name) for alias in node.names}
    return found


def _number(node: ast.expr) -> float | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int | float) else None


def main() -> int:
    folders = [Path(given).resolve() for given in sys.argv[1:]] or [ROOT / "tests"]
    found = [
        fault
        for folder in folders
        for path in sorted(folder.rglob("*.py"))
        if "support" not in path.relative_to(folder).parts
        for fault in faults(path, path.read_text(encoding="utf-8"))
    ]
    for fault in found:
        print(f"{fault.path}:{fault.line}: {fault.says}", file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
