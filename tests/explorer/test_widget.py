"""The kernel's side of the explorer: what it tells the page, and what it does when the page asks."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import pytest

from rdr_core.errors import RdrError
from rdr_core.jobs.notice import Notice
from rdr_core.runs import list_runs
from rdr_core.runs.archive import shipped
from rdr_viz.explorer import Explorer
from rdr_viz.explorer.alike import Estimate
from rdr_viz.explorer.arrays import numbers_of
from rdr_viz.explorer.jobs import Jobs
from rdr_viz.explorer.widget import WAIT_EVERY

CLOTHES = "fashion-mnist, recipe authors, subset and class order drawn by the seed, augmentation plain"


class Told(Explorer):
    """An explorer without a page; what it would send is kept."""

    def __init__(self, *given, **options):
        self.sent = []
        super().__init__(*given, **options)

    def send(self, content, buffers=None):
        self.sent.append((content, buffers))

    def ask(self, **content):
        self._asked(self, content, None)


@pytest.fixture
def few(tmp_path):
    """A folder with three runs of digits, two of them analysed."""
    folder = tmp_path / "runs"
    for method in ("ce", "rdr", "la"):
        (run,) = list_runs(shipped(), dataset="digits", noise_rate=0, schedule="cosine", imbalance_factor=50,
                           method=method, seed=0)  # fmt: skip
        shutil.copytree(run.path, folder / run.name)
    shutil.rmtree(next(folder.glob("*-la-*")) / "analysis")
    return folder


def runs_of(explorer):
    head = json.loads(explorer.head)
    return {run["id"]: run for one in head["sets"] for tail in one["tails"] for run in tail["runs"]}


def test_the_page_is_told_of_every_run_by_data_and_tail(few):
    explorer = Told(few)
    head = json.loads(explorer.head)
    (one,) = head["sets"]
    (tail,) = one["tails"]
    assert (one["name"], one["title"], one["drawn"]) == ("digits", "Digits", False)
    assert (tail["factor"], tail["profile"], tail["counts"][0], tail["counts"][-1]) == (50.0, "exponential", 124, 2)
    assert [run["method"] for run in tail["runs"]] == ["ce", "la", "rdr"]
    assert "predictions" in tail["runs"][0]["results"]
    assert tail["runs"][1]["results"] == []
    assert head["kernel"] is True
    assert head["styles"]["rdr"]["marker"] == "D"
    assert tail["command"] == ""  # the kernel trains


def test_of_the_shipped_runs_those_on_ten_thousand_test_images_come_first():
    head = json.loads(Told().head)
    assert head["first"]["data"] == CLOTHES
    (one,) = [one for one in head["sets"] if one["name"] == CLOTHES]
    assert one["drawn"]
    assert head["sheets"]["fashion-mnist"]["images"] == 100
    assert sum(len(tail["runs"]) for one in head["sets"] for tail in one["tails"]) == len(list_runs(shipped()))


def test_numbers_are_handed_over_when_they_are_asked_for(few):
    explorer = Told(few)
    ids = [id_ for id_, run in runs_of(explorer).items() if run["method"] in ("ce", "rdr")]
    explorer.ask(ask="need", runs=ids)
    ((content, buffers),) = explorer.sent
    assert [run["id"] for run in content["runs"]] == ids
    for id_, buffer, told in zip(ids, buffers, content["runs"], strict=True):
        expected = numbers_of(explorer._entries[id_].run)
        assert (buffer, told["layout"]) == (expected.buffer, expected.layout)
    explorer._rest({"digits"})
    assert len(explorer.sent) == 2
    assert [run["id"] for run in explorer.sent[1][0]["runs"]] == [id_ for id_ in runs_of(explorer) if id_ not in ids]
    explorer._rest({"digits"})
    assert len(explorer.sent) == 2  # there are no more


def test_a_run_in_two_folders_is_there_once_the_one_that_was_analysed(few, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(few, other)
    shutil.rmtree(next(few.glob("*-ce-*")) / "analysis")
    found = runs_of(Told([few, other]))
    assert len(found) == 3
    (ce,) = [run for run in found.values() if run["method"] == "ce"]
    assert ce["path"].startswith(str(other))


def test_a_damaged_run_is_a_sentence_and_the_others_are_there(few):
    explorer = Told(few)
    broken = next(few.glob("*-ce-*"))
    (broken / "history.csv").write_text("epoch,loss\n1,x\n")
    explorer.ask(ask="need", runs=list(runs_of(explorer)))
    (sentence, _), (content, buffers) = explorer.sent
    assert sentence["tell"] == "sentence"
    assert "history.csv can't be read" in sentence["sentence"]
    assert len(content["runs"]) == len(buffers) == 2


def missing(method="ce", seed=7, **more):
    return {
        "missing": [{"method": method, "seed": seed}],
        "data": "digits",
        "factor": 50.0,
        "profile": "exponential",
        **more,
    }


def test_a_training_is_asked_for_once_however_often_one_clicks(few, monkeypatch):
    explorer, begun = Told(few), []
    monkeypatch.setattr(Jobs, "train", lambda self, configs: begun.append(configs) or SimpleNamespace(id="a"))
    monkeypatch.setattr(Jobs, "under_way", lambda self: {(config.name, "") for configs in begun for config in configs})
    explorer.ask(ask="train", **missing())
    explorer.ask(ask="train", **missing())
    ((config,),) = begun
    assert (config.method, config.seed, config.imbalance_factor, config.epochs) == ("ce", 7, 50.0, 60)


def test_an_analysis_is_asked_for_of_what_lacks_it(few, monkeypatch):
    explorer, begun = Told(few), []
    monkeypatch.setattr(
        Jobs, "analyse", lambda self, run, what: begun.append((run.config.method, what)) or SimpleNamespace(id="a")
    )
    ids = [id_ for id_, run in runs_of(explorer).items() if run["method"] == "la"]
    explorer.ask(ask="analyse", runs=[*ids, 999], what="groups")
    assert begun == [("la", "groups")]


def test_how_long_it_would_take_is_told_and_told_again_when_it_is_measured(few, monkeypatch):
    explorer = Told(few)
    answers = iter([Estimate(None, measuring=True), Estimate(12.5, measuring=False, bytes=3e6)])
    monkeypatch.setattr(Jobs, "estimate", lambda self, configs: next(answers))
    later = []
    monkeypatch.setattr(explorer, "_later", lambda name, seconds, call: later.append(call))
    explorer.ask(ask="estimate", **missing(runs=[], what="", key="k"))
    told = {"tell": "estimate", "key": "k", "train": "measuring the time", "disk": None, "analyse": None}
    assert explorer.sent[-1][0] == told
    later.pop()()
    assert explorer.sent[-1][0] == told | {"train": 12.5, "disk": 3e6}
    assert later == []


def test_runs_that_a_job_has_made_are_told_of_with_ids_that_stay(few, tmp_path):
    explorer = Told(few)
    before = runs_of(explorer)
    (run,) = list_runs(shipped(), dataset="digits", noise_rate=0, schedule="cosine", imbalance_factor=50,
                       method="inverse", seed=0)  # fmt: skip
    shutil.copytree(run.path, few / run.name)
    la = next(few.glob("*-la-*"))
    shutil.copytree(next(few.glob("*-ce-*")) / "analysis", la / "analysis")
    explorer._given = set(before)
    explorer._read_again()
    after = runs_of(explorer)
    assert {id_: run["name"] for id_, run in before.items()} == {id_: after[id_]["name"] for id_ in before}
    (fresh,) = set(after) - set(before)
    assert after[fresh]["method"] == "inverse"
    (changed,) = json.loads(explorer.head)["changed"]
    assert after[changed]["method"] == "la"
    assert changed not in explorer._given


def test_a_command_that_fills_the_folder_is_shown_and_its_runs_when_they_are_done(few):
    explorer, later = Told(few), {}
    explorer._later = lambda name, seconds, call: later.update({name: (seconds, call)})
    explorer._look()
    assert json.loads(explorer.jobs) == []
    assert later["look"][0] == WAIT_EVERY

    before = runs_of(explorer)
    sweep = Notice(few, "Sweep of grid.toml", ("a", "b", "c", "d"))
    sweep.put([1.0, 0.5, 0.0, 0.0], 90.0)
    later["look"][1]()
    (job,) = json.loads(explorer.jobs)
    assert (job["title"], job["state"]) == ("Sweep of grid.toml, 1 of 4 done", "running")
    assert (job["share"], job["left"], job["elsewhere"]) == (0.375, 90.0, True)

    (run,) = list_runs(shipped(), dataset="digits", noise_rate=0, schedule="cosine", imbalance_factor=50,
                       method="inverse", seed=0)  # fmt: skip
    shutil.copytree(run.path, few / run.name)
    sweep.put([1.0, 0.9, 0.0, 0.0], 80.0)
    later["look"][1]()
    assert runs_of(explorer) == before  # read anew where one more is done
    sweep.put([1.0, 1.0, 0.0, 0.0], 60.0)
    later["look"][1]()
    assert len(runs_of(explorer)) == len(before) + 1
    sweep.take_down()
    later["look"][1]()
    assert json.loads(explorer.jobs) == []
    assert explorer.sent[-1][0]["sentence"] == "Sweep of grid.toml has ended."


def test_a_closed_explorer_looks_no_more(few):
    explorer, cancelled = Told(few), []
    explorer._timers = {"look": SimpleNamespace(cancel=lambda: cancelled.append("look"))}
    explorer.close()
    assert cancelled == ["look"]


def test_what_goes_wrong_is_a_sentence(few, monkeypatch):
    explorer = Told(few)

    def refuse(self, configs):
        raise RdrError("The folder can't be written.")

    monkeypatch.setattr(Jobs, "train", refuse)
    explorer.ask(ask="train", **missing())
    explorer.ask(ask="stop", job="nothing")
    explorer.ask(ask="dance")
    told = [content["sentence"] for content, _ in explorer.sent]
    assert told[0] == "The folder can't be written."
    assert told[1].startswith("There is no job 'nothing'")
    assert len(told) == 2


def test_what_is_shown_first_is_a_links_choice(few, monkeypatch):
    assert Told(few, state="?method=ce&view=classes").query == "method=ce&view=classes"
    monkeypatch.setenv("QUERY_STRING", "token=abc&method=la")
    assert Told(few).query == "token=abc&method=la"


def test_the_runs_of_an_explorer_are_published(few, tmp_path):
    page = Told(few).publish(tmp_path / "page.html")
    text = page.read_text()
    assert text.count("digits-if50-") >= 3
    assert str(few) not in text  # places on this machine are nobody's business
