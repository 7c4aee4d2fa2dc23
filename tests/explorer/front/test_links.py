"""Links to the explorer and to the playground, whatever they hold: a view that there is, and a sentence on the rest."""

from __future__ import annotations

import json
import os
import random
import shutil

import pytest
from mutations import another
from npm import FRONT
from tried import tried
from waiting import run

from rdr_core.runs.archive import shipped
from rdr_viz.explorer.at_hand import Catalogue
from rdr_viz.explorer.head import first_of, head_of

#: Links of each kind, and the first of their seeds.
LINKS, SEED = int(os.environ.get("RDR_FUZZ", "1000")), int(os.environ.get("RDR_STRESS_SEED", "0"))
WHOLE = {
    "explorer": "data=digits&if=50&profile=exponential&method=ce&method=rdr&seed=0&seed=1&epoch=7&view=accuracy"
    "&pinned=data%3Ddigits%26method%3Dinverse%26view%3Dclasses",
    "playground": "world=rings&steps=7&left=rdr%3Agamma%3D0.5&right=inverse&look=features&bayes=0&done=135"
    "&drawn=Aazz9B01",
}

#: Reads links, and what it makes of each once more from the link that says it.
READS = """
import { readFileSync } from "node:fs";
import { fromQuery, toQuery } from "%(front)s/src/explorer/state.js";
import { Source } from "%(front)s/src/explorer/source.js";
import { readState, writeState } from "%(front)s/src/playground/state.js";
const { head, links } = JSON.parse(readFileSync(0, "utf8"));
const source = new Source(head);
// The page's own need packages to draw; of a link only their names and options matter.
const views = ["accuracy", "classes", "counts"].map((name) => ({ name, label: name, options: ["mean", "each"] }));
const base = { ...head.first, beside: null, option: "" };
const told = { explorer: [], playground: [] };
for (const link of links.explorer) {
  const { state, wrong } = fromQuery(link, base, source, views);
  const again = fromQuery(toQuery(state), base, source, views);
  told.explorer.push({ state, wrong, again: again.state, wrongAgain: again.wrong });
}
for (const link of links.playground) {
  const state = readState("#" + link);
  told.playground.push({ state, again: readState("#" + writeState(state, "")) });
}
process.stdout.write(JSON.stringify(told));
"""


@pytest.fixture(scope="module")
def head() -> dict:
    catalogue = Catalogue([shipped()])
    return head_of(dict(enumerate(catalogue.entries)), shipped=shipped(), first=first_of(catalogue.data()))


@pytest.fixture(scope="module")
def told(head, tmp_path_factory) -> dict[str, list]:
    """What becomes of each link."""
    if shutil.which("node") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no node in CI; install Debian's package nodejs")
        pytest.skip("no node here")
    place = tmp_path_factory.mktemp("links")
    (place / "read.mjs").write_text(READS % {"front": FRONT.as_posix()})
    links = {
        name: [whole, *(another(whole.encode(), "query", random.Random(f"{name} {SEED + number}"))[0].decode(
            "utf-8", "replace") for number in range(LINKS))]
        for name, whole in WHOLE.items()
    }  # fmt: skip
    with (place / "links.json").open("w+") as handed:
        handed.write(json.dumps({"head": head, "links": links}))
        handed.seek(0)
        done = run(["node", place / "read.mjs"], stdin=handed)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_whatever_a_link_says_there_is_such_a_view_of_the_explorer(told, head):
    sets = {known["name"]: known for known in head["sets"]}
    assert told["explorer"][0]["wrong"] == ""
    for one in told["explorer"]:
        state = one["state"]
        for shown in filter(None, (state, state["beside"])):
            known = sets[shown["data"]]
            assert any((t["factor"], t["profile"]) == (shown["factor"], shown["profile"]) for t in known["tails"])
            there = {(run["method"], run["seed"]) for tail in known["tails"] for run in tail["runs"]}
            assert set(shown["methods"]) <= {method for method, _ in there}
            assert all(len(set(each)) == len(each) for each in (shown["methods"], shown["seeds"] or []))
            assert shown["seeds"] is None or set(shown["seeds"]) <= {seed for _, seed in there}
            assert shown["epoch"] is None or (isinstance(shown["epoch"], int) and shown["epoch"] >= 1)
        assert one["again"] == state
        assert len(one["wrong"]) < 1_500
        assert one["wrongAgain"] == ""
    tried("Hostile input", "contents: link to the explorer", LINKS)


def test_whatever_a_link_says_there_is_such_a_state_of_the_playground(told):
    for one in told["playground"]:
        assert one["again"] | {"drawn": []} == one["state"] | {"drawn": []}
        assert all(len(point) == 3 for point in one["state"]["drawn"])
    tried("Hostile input", "contents: link to the playground", LINKS)
