"""Code that the page makes of names holds each as one literal, whatever a run, a data set or a method is called."""

from __future__ import annotations

import ast
import json
import os
import shlex
import shutil
from unicodedata import category

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from npm import FRONT
from tried import tried
from waiting import run

#: Names made one by one; a list of them goes to one process.
LISTS, NAMES = 20, 100
NASTY = st.sampled_from(
    ["it's", '"); evil("', "'); evil('", "a\nevil()", "a\r\nevil()", "\\", '\\"', "\u2028evil()", "\x00", "#", '"""',
     "\u202eevil", "\ud800", "{evil()}", "${evil()}", "`evil`", "$(evil)", "; evil", "$&", "</script>", "\U000e0001"]
)  # fmt: skip
names = st.one_of(NASTY, st.text(max_size=12), st.lists(NASTY, min_size=2, max_size=3).map("".join))

CODE = """
import { readFileSync } from "node:fs";
import { codeOf } from "%(front)s/src/explorer/code.js";
import { shell } from "%(front)s/src/explorer/literals.js";
const views = [{ name: "classes", kind: "classes", of: "methods" },
               { name: "weights", kind: "weights", of: "each method" }];
const made = JSON.parse(readFileSync(0, "utf8")).map((name) => views.map((view) => codeOf({
  view, state: { option: "" }, set: { title: name }, epoch: null,
  tail: {}, chosen: [{ runs: [{ run: { name, path: name, shipped: false } },
                              { run: { name, path: name, shipped: true } }] }],
})).concat(shell(name)));
process.stdout.write(JSON.stringify(made));
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    if shutil.which("node") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no node in CI; install Debian's package nodejs")
        pytest.skip("no node here")
    path = tmp_path_factory.mktemp("code") / "code.mjs"
    path.write_text(CODE % {"front": FRONT.as_posix()})
    return path


@settings(max_examples=LISTS, phases=[Phase.generate], suppress_health_check=[HealthCheck.large_base_example])
@given(given_names=st.lists(names, min_size=NAMES, max_size=NAMES))
def test_a_name_in_code_is_one_literal_and_no_code(script, given_names):
    with script.with_suffix(".in").open("w+") as handed:
        handed.write(json.dumps(given_names))
        handed.seek(0)
        done = run(["node", script], stdin=handed)
    assert done.returncode == 0, done.stderr
    for name, (several, each, word) in zip(given_names, json.loads(done.stdout), strict=True):
        for code in (several, each):
            tree = ast.parse(code)
            literals = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
            assert literals.count(utf16(name)) >= 2
            called = {
                node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and hasattr(node.func, "id")
            }
            assert called <= {"shipped", "make_display", "picture", "display"}
            seen = {category(sign) for sign in code if sign != "\n"}
            assert not seen & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        assert shlex.split(word) == [name]
    tried("Hostile input", "names in code that the page shows", 2 * len(given_names))


def utf16(text: str) -> str:
    """As JavaScript has it: two surrogates that stand side by side are one sign."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
