"""The page, by its controls' Python side: what is chosen is what is shown, and whatever goes wrong is a sentence."""

from __future__ import annotations

import base64
import gc
import html
import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import ipywidgets as widgets
import matplotlib.pyplot as plt
import pandas as pd
import psutil
import pytest
from opened_files import opened_files
from PIL import Image

from rdr_core.errors import RdrError
from rdr_core.runs import Run
from rdr_viz.explorer import Explorer, State
from rdr_viz.explorer import widget as module
from rdr_viz.explorer.catalogue import data_words
from rdr_viz.explorer.jobs import Estimate
from rdr_viz.explorer.jobs_panel import JobsPanel, curves_html, time_words
from rdr_viz.explorer.views import VIEWS, plan
from rdr_viz.numbers.accuracy import accuracy_by_group

STATE = State(methods=("ce", "rdr"), seeds=(0, 1), view="accuracy")


@pytest.fixture
def explorer(stored, tmp_path, monkeypatch) -> Explorer:
    monkeypatch.chdir(tmp_path)
    return Explorer(["runs", stored], state=STATE)


def alts(explorer: Explorer) -> list[str]:
    return [html.unescape(alt) for alt in re.findall(r'alt="([^"]*)"', explorer.picture.value)]


def sentence(explorer: Explorer) -> str:
    return html.unescape(re.sub("<[^>]*>", "", explorer.status.value))


def shown(widget: widgets.Widget) -> bool:
    return widget.layout.display != "none"


def texts(widget: widgets.Widget) -> str:
    """All that a box says."""
    said = [str(getattr(widget, name)) for name in ("value", "description") if hasattr(widget, name)]
    return " ".join([*said, *map(texts, getattr(widget, "children", ()))])


def test_each_control_changes_the_picture_to_the_runs_it_says(explorer):
    def few(**changed) -> str:
        state = replace(explorer.state, **changed)
        (request,) = plan(state, explorer.catalogue).requests
        table = accuracy_by_group(request.runs, epoch=request.epoch)
        means = table[table["group"] == "Few"].groupby("label", sort=False)["accuracy"].mean()
        return [f"{label} {value:.1f}" for label, value in means.items()]

    controls = explorer.controls
    steps = [
        (controls.imbalance, 10.0, "imbalance_factor", 10.0),
        (controls.methods, ("la", "rdr"), "methods", ("la", "rdr")),
        (controls.seeds, (2,), "seeds", (2,)),
        (controls.epoch, 12, "epoch", 12),
        (controls.data, "digits, 5 % label noise", "data", "digits, 5 % label noise"),
    ]
    before = alts(explorer)
    for control, value, name, expected in steps:
        control.value = value
        assert getattr(explorer.state, name) == expected
        (alt,) = alts(explorer)
        assert alt != before
        before = alt
        for words in few():
            assert words in alt, name
    assert sentence(explorer) == ""


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_is_shown_with_alt_text_and_a_finding(explorer, view):
    explorer.controls.view.value = view
    assert alts(explorer)
    assert all(alts(explorer))
    findings = re.findall(r"<figcaption>(.+?)</figcaption>", explorer.picture.value)
    assert len(findings) == len(alts(explorer))
    player = explorer.controls
    assert player.epoch.disabled == player.play.disabled == (not VIEWS[view].epochs)
    assert bool(player.play_words.value) == player.epoch.disabled
    assert shown(player.option) == bool(VIEWS[view].options)


def test_an_option_and_an_epoch_are_shown_and_kept_over_views(explorer):
    explorer.controls.view.value = "b-prime"
    usual = alts(explorer)
    explorer.controls.option.value = "low quantile"
    assert all("low quantile" in alt for alt in alts(explorer))
    explorer.controls.epoch.value = 30
    assert "At epoch 30 " in explorer.picture.value
    explorer.controls.view.value = "confusion"
    explorer.controls.view.value = "b-prime"
    assert explorer.state == replace(STATE, view="b-prime", epoch=30)
    assert alts(explorer) == usual  # the option was the other view's
    explorer.controls.epoch.value = 60
    assert explorer.state.epoch is None


def test_one_choice_draws_once(explorer, monkeypatch):
    draws = []
    draw = explorer._draw
    monkeypatch.setattr(explorer, "_draw", lambda: draws.append(draw()))
    explorer.controls.data.value = "digits, 5 % label noise"  # which changes what all others offer
    explorer.controls.view.value = "weights"
    explorer.controls.epoch.value = 3
    assert len(draws) == 3


def test_pictures_follow_the_pages_theme(explorer):
    light = explorer.picture.value
    explorer.theme.dark = True
    assert explorer.picture.value != light
    explorer.theme.dark = False
    assert explorer.picture.value == light


def test_compare_pins_a_view_beside_the_next_ones(explorer):
    (accuracy,) = alts(explorer)
    explorer.buttons["compare"].click()
    explorer.controls.view.value = "counts"
    pinned, now = alts(explorer)
    assert pinned == accuracy
    assert now.startswith("Bar chart of training images")
    assert explorer.state.pinned == STATE
    explorer.controls.imbalance.value = 10.0
    assert alts(explorer)[0] == accuracy
    explorer.buttons["compare"].click()
    assert len(alts(explorer)) == 1


def test_a_shared_view_comes_back_by_link_file_and_text(explorer, stored):
    explorer.controls.view.value = "weights"
    explorer.controls.epoch.value = 20
    explorer.buttons["compare"].click()
    explorer.controls.methods.value = ("inverse",)
    explorer.buttons["share"].click()
    link, file, other = explorer.details.children
    text = base64.b64decode(re.search(r'base64,([^"]*)', file.value)[1]).decode()
    Path("rdr-view.json").write_text(text)
    for given in (link.value, text, "rdr-view.json", explorer.state):
        again = Explorer([stored], state=given)
        assert again.state == explorer.state
        assert again.picture.value == explorer.picture.value
    before = explorer.state
    other.value = State(view="counts", methods=("ce",)).to_json()
    assert explorer.state.view == "counts"
    explorer.buttons["share"].click()
    explorer.details.children[2].value = f"http://127.0.0.1:8866/?token=x&{before.to_query()}"
    assert explorer.state == before


def test_a_pages_link_says_what_is_shown_first(stored, monkeypatch):
    monkeypatch.setenv("QUERY_STRING", f"token=abc&{STATE.to_query()}")
    assert Explorer([stored]).state == STATE
    monkeypatch.setenv("QUERY_STRING", "token=abc")
    first = Explorer([stored])
    assert alts(first)
    assert sentence(first) == ""


def test_a_link_that_leaves_the_tail_out_shows_runs_and_offers_no_training(stored, monkeypatch):
    for query in ("token=abc&data=digits&method=ce&method=rdr&seed=0&seed=1&view=accuracy", "seed=0&seed=1"):
        monkeypatch.setenv("QUERY_STRING", query)
        explorer = Explorer([stored])
        assert replace(explorer.state, view="accuracy") == STATE
        assert alts(explorer)
        assert sentence(explorer) == ""
        assert not explorer.jobs.offers


#: What a link may ask for that can't be, and what is answered.
IMPOSSIBLE = {
    "profile=pie": "There is no profile named 'pie'. Known: exponential, step.",
    "profile=exponental": "did you mean 'exponential'?",
    "if=50&without=profile": "A tail of imbalance factor 50 needs a profile: exponential or step.",
    "without=if&profile=step": "A tail of step profile needs an imbalance factor",
    "if=0.5": "An imbalance factor is largest over smallest class, 1 or more, not 0.5.",
    "if=nan": "1 or more, not nan.",
    "view=pie": "There is no view named 'pie'",
    "pinned=view%3Dcounts%26profile%3Dpie": "There is no profile named 'pie'",
}


def test_a_link_that_asks_for_what_cannot_be_is_refused_when_it_is_opened(explorer, stored, monkeypatch):
    before = explorer.state, explorer.picture.value
    for query, words in IMPOSSIBLE.items():
        explorer.buttons["share"].click()
        explorer.details.children[2].value = f"?data=digits&method=ce&{query}"
        assert words in sentence(explorer)
        assert (explorer.state, explorer.picture.value) == before  # and it goes on from there
        assert not explorer.jobs.offers
    monkeypatch.setenv("QUERY_STRING", "token=abc&data=digits&method=ce&profile=pie")
    opened = Explorer([stored])
    assert IMPOSSIBLE["profile=pie"] in sentence(opened)
    assert alts(opened)  # what is shown first
    assert not opened.jobs.offers
    opened.controls.imbalance.value = 10.0
    assert sentence(opened) == ""


def test_a_tail_for_data_that_come_with_one_is_refused(stored, tmp_path):
    config = replace(Run.open(next(stored.glob("digits-*"))).config, dataset="places-lt", imbalance_factor=None,
                     profile=None)  # fmt: skip
    folder = tmp_path / config.name
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"format": 1, "config": config.to_dict()}))
    explorer = Explorer([tmp_path, stored])
    data = data_words(config)
    explorer.show(State(data=data))
    assert sentence(explorer) == f"{data} comes long-tailed; leave the imbalance factor and the profile out."
    explorer.show(State(data=data, imbalance_factor=None, profile=None))
    assert "There is no finished run of CE" in sentence(explorer)


def test_what_is_not_there_is_a_sentence(explorer, stored):
    explorer.show(replace(STATE, data="cifar10"))
    assert sentence(explorer) == "There are no runs of 'cifar10' here; this shows digits."
    assert alts(explorer)
    explorer.show(replace(STATE, view="pie"))
    assert "There is no view named 'pie'" in sentence(explorer)
    with pytest.raises(RdrError, match=r"nowhere\.json can't be read"):
        Explorer([stored], state="nowhere.json")
    explorer.show(replace(STATE, methods=("vs",)))
    assert "There is no finished run of VS" in sentence(explorer)
    assert explorer.picture.value.count("<img") == 0
    assert explorer.buttons["save"].disabled
    assert explorer.buttons["code"].disabled
    explorer.controls.methods.value = ("ce",)
    assert sentence(explorer) == ""
    assert not explorer.buttons["save"].disabled


def test_a_breakdown_is_a_sentence_and_the_next_choice_works(explorer, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(module, "plan", lambda *_: 1 / 0)
        explorer.controls.view.value = "counts"
    assert "The explorer broke down (ZeroDivisionError" in sentence(explorer)
    explorer.controls.view.value = "accuracy"
    assert sentence(explorer) == ""
    assert alts(explorer)


def test_saved_files_are_there_and_in_the_page(explorer):
    explorer.controls.view.value = "weights"
    explorer.controls.epoch.value = 20
    explorer.buttons["save"].click()
    (said,) = explorer.details.children
    files = dict(re.findall(r'download="([^"]*)" href="data:;base64,([^"]*)"', said.value))
    stems = {"weights-digits-if50-ce-epoch20", "weights-digits-if50-rdr-epoch20"}
    assert set(files) == {f"{stem}.{kind}" for stem in stems for kind in ("pdf", "svg", "png", "csv")}
    for name, content in files.items():
        assert Path("rdr-pictures", name).read_bytes() == base64.b64decode(content)
    assert len(pd.read_csv("rdr-pictures/weights-digits-if50-ce-epoch20.csv")) == 600
    with Image.open("rdr-pictures/weights-digits-if50-rdr-epoch20.png") as png:
        assert png.width == 1100
    explorer.buttons["code"].click()
    assert "mark_epoch(figure, 20)" in texts(explorer.details)
    explorer.buttons["code"].click()
    assert explorer.details.children == ()


def test_a_folder_that_cant_be_written_is_a_sentence(explorer):
    Path("rdr-pictures").write_text("a file")
    explorer.buttons["save"].click()
    assert "rdr-pictures can't be written" in sentence(explorer)


def test_every_control_has_a_name_and_a_class_of_its_own(explorer):
    def within(widget: widgets.Widget):
        yield widget
        for child in getattr(widget, "children", ()):
            yield from within(child)

    explorer.buttons["share"].click()
    explorer.controls.view.value = "b-prime"
    explorer.buttons["share"].click()
    controls = [
        widget for widget in within(explorer.box)
        if isinstance(widget, (widgets.ValueWidget, widgets.Button))
        and not isinstance(widget, (widgets.HTML, widgets.FloatProgress))
    ]  # fmt: skip
    classes = [name for control in controls for name in control._dom_classes if name.startswith("rdr-")]
    assert len(classes) == len(set(classes)) == len(controls)
    for control in controls:
        assert control.description or control.tooltip or control is explorer.controls.view, control


@pytest.mark.slow
def test_kept_pictures_are_not_made_again_memory_stays_flat_and_no_figure_is_left(explorer, monkeypatch):
    process = psutil.Process()
    factors = [10.0, 50.0, 100.0, 50.0]
    methods = [("ce",), ("rdr",), ("la",)]

    def moves(count: int) -> list[str]:
        pictures = []
        for move in range(count):
            explorer.controls.methods.value = methods[move // 4 % 3]
            explorer.controls.imbalance.value = factors[move % 4]
            pictures.append(explorer.picture.value)
        return pictures

    explorer.controls.view.value = "bound"
    every_one_once = moves(12)
    assert len(set(every_one_once)) == 9  # each method at each factor
    monkeypatch.setattr(explorer.pictures, "_draw", None)  # nothing is drawn from now on
    monkeypatch.setattr(explorer.pictures, "display", None)
    moves(24)
    gc.collect()
    before = process.memory_info().rss
    with opened_files() as opened:
        again = moves(300)
    gc.collect()
    assert again == every_one_once * 25
    assert opened == []  # and no run is read
    assert process.memory_info().rss < 1.05 * before
    assert plt.get_fignums() == []
    assert sentence(explorer) == ""


@dataclass
class FakeJob:
    id: str = "1"
    title: str = "RDR on digits, IF 50, seed 9"
    state: str = "running"
    error: str = ""
    share: float = 0.25
    seconds_left: float | None = 100.0
    tasks: tuple[tuple[str, str], ...] = ()
    asked: list = field(default_factory=list)

    def curves(self) -> pd.DataFrame:
        return pd.DataFrame({"loss": [2.0, 1.0], "accuracy": [10.0, 50.0]})

    def stop(self) -> None:
        self.asked.append("stop")
        self.state = "stopped"

    def resume(self) -> None:
        self.asked.append("resume")
        self.state = "running"


class FakeJobs:
    """Jobs that go as the test says."""

    def __init__(self) -> None:
        self.found: list[FakeJob] = []
        self.answers = [Estimate(None, True), Estimate(12.0, False)]
        self.asked: list = []

    def all(self) -> list[FakeJob]:
        return self.found

    def under_way(self) -> set[tuple[str, str]]:
        return {task for job in self.found if job.state == "running" for task in job.tasks}

    def estimate(self, configs) -> Estimate:
        return self.answers.pop(0)

    def train(self, configs) -> FakeJob:
        self.asked.append(configs)
        self.found = [FakeJob(tasks=tuple((config.name, "") for config in configs))]
        return self.found[0]

    def analyse(self, run, what) -> FakeJob:
        self.asked.append((run, what))
        self.found = [*self.found, FakeJob(id=what + run.name, tasks=((run.name, what),))]
        return self.found[-1]


def test_a_training_is_offered_followed_stopped_and_ends_in_a_new_look(explorer):
    jobs, said, looks = FakeJobs(), [], []
    panel = JobsPanel(jobs, lambda config, what: None, said.append, lambda: looks.append(1))
    assert not shown(panel.train)
    untrained = plan(replace(STATE, methods=("vs",), seeds=(0,)), explorer.catalogue).untrained
    panel.offer(untrained, (), "")
    assert shown(panel.train)
    assert not shown(panel.analyse)
    panel.estimate()
    assert panel.train.description == "Train (measuring the time)"
    panel.estimate()
    assert panel.train.description == "Train (about 12 s)"
    panel.train.click()
    assert jobs.asked == [list(untrained)]
    (job,) = jobs.found
    assert looks
    panel.offer(untrained, (), "")  # it is at it
    assert not shown(panel.train)
    assert not panel.offers
    assert "2 min left" in texts(panel.box)
    assert "running" in texts(panel.box)
    assert "test accuracy (%) from 10 to 50, epochs 1 to 2" in texts(panel.box)
    row = panel._list.children[0]
    stop, resume, hide = (child for child in row.children if isinstance(child, widgets.Button))
    stop.click()
    panel.look()
    panel.offer(untrained, (), "")
    assert (job.asked, shown(stop), shown(resume), shown(hide)) == (["stop"], False, True, True)
    assert shown(panel.train)
    resume.click()
    assert (job.asked, shown(stop), shown(resume)) == (["stop", "resume"], True, False)
    assert looks  # it may have saved what was not there before
    job.state = "done"
    panel.look()
    assert panel._list.children == ()
    assert said == ["Done: RDR on digits, IF 50, seed 9."]


def test_a_job_that_failed_says_why_and_those_of_earlier_visits_are_not_told_again():
    jobs = FakeJobs()
    jobs.found = [
        FakeJob("a", state="failed", error="No data."),
        FakeJob("b", state="stopped"),
        FakeJob("c", state="done"),
    ]
    panel = JobsPanel(jobs, lambda config, what: None, print, lambda: None)
    assert len(panel._list.children) == 1
    assert "stopped" in texts(panel.box)
    jobs.found[1].state, jobs.found[1].error = "failed", "The disk <is> full."
    panel.look()
    assert "The disk &lt;is&gt; full." in texts(panel.box)
    (row,) = panel._list.children
    next(child for child in row.children if "rdr-hide" in child._dom_classes).click()
    panel.look()
    assert panel._list.children == ()


def test_a_missing_analysis_is_offered_for_its_runs(explorer, monkeypatch):
    explorer.controls.view.value = "density"
    explorer.controls.methods.value = ("ce", "cb")
    assert "Spectral density of CB: not analysed yet" in sentence(explorer)
    assert shown(explorer.jobs.analyse)
    jobs = FakeJobs()
    monkeypatch.setattr(explorer.jobs, "_jobs", jobs)
    explorer.jobs.estimate()  # its weights were not shipped, so it is trained again first
    assert explorer.jobs.analyse.description == "Analyse (measuring the time)"
    explorer.jobs.estimate()
    config = explorer.catalogue.find("digits", 50.0, "exponential", "cb", 0).config
    seconds = explorer.catalogue.seconds(config, ("density", "curvature"))
    assert explorer.jobs.analyse.description == f"Analyse (about {time_words(12 + seconds)})"
    explorer.jobs.analyse.click()
    ((run, what),) = jobs.asked
    assert (run.config.method, what) == ("cb", "curvature")
    assert not shown(explorer.jobs.analyse)
    explorer.controls.methods.value = ("cb",)
    assert "It is being made" in explorer.picture.value


def test_an_error_of_a_job_is_a_sentence_in_the_page_and_the_offer_stays(explorer, monkeypatch):
    def refuse(configs):
        raise RdrError("The folder can't be written.")

    jobs = FakeJobs()
    monkeypatch.setattr(jobs, "train", refuse)
    monkeypatch.setattr(explorer.jobs, "_jobs", jobs)
    explorer.controls.methods.value = ("vs",)
    for _ in range(2):
        explorer.say("")
        explorer.jobs.train.click()
        assert sentence(explorer) == "The folder can't be written."
        assert shown(explorer.jobs.train)


def test_a_second_click_on_train_or_analyse_does_nothing(explorer, monkeypatch):
    jobs = FakeJobs()
    monkeypatch.setattr(explorer.jobs, "_jobs", jobs)
    begin, analyse = jobs.train, jobs.analyse

    def click_meanwhile(start, button):
        def starting(*what):
            button.click()
            return start(*what)

        return starting

    monkeypatch.setattr(jobs, "train", click_meanwhile(begin, explorer.jobs.train))
    monkeypatch.setattr(jobs, "analyse", click_meanwhile(analyse, explorer.jobs.analyse))
    explorer.controls.methods.value = ("vs",)
    for _ in range(2):
        explorer.jobs.train.click()
    assert len(jobs.asked) == 1
    assert "There is no finished run of VS" in sentence(explorer)
    assert "It is being made" in explorer.picture.value
    explorer.controls.view.value = "density"
    explorer.controls.methods.value = ("cb",)
    for _ in range(2):
        explorer.jobs.analyse.click()
    assert [what for _, what in jobs.asked[1:]] == ["curvature"]
    assert "Spectral density of CB: not analysed yet" in sentence(explorer)
    explorer.controls.methods.value = ("ce",)
    assert sentence(explorer) == ""
    assert alts(explorer)


def test_a_curve_of_one_epoch_is_none_and_a_level_one_is_drawn():
    assert curves_html(pd.DataFrame({"loss": [1.0], "accuracy": [1.0]})) == ""
    assert "nan" not in curves_html(pd.DataFrame({"loss": [1.0, 1.0], "accuracy": [1.0, 2.0]}))


def test_without_widgets_there_is_a_still_picture(explorer, monkeypatch):
    outputs = []
    monkeypatch.setattr("IPython.display.display", outputs.append)
    explorer._ipython_display_()
    box, still = outputs
    assert box is explorer.box
    assert explorer.picture.value in still.data
    assert 'class="rdr-static"' in still.data
    assert ".rdr-static { display: none; }" in texts(explorer.box)


def test_with_no_runs_at_all_it_offers_to_train(tmp_path):
    explorer = Explorer(tmp_path / "runs")
    assert "There is no finished run" in sentence(explorer)
    assert shown(explorer.jobs.train)
    assert explorer.controls.data.options == ("digits",)
    explorer.controls.imbalance.value = 100.0
    assert "imbalance factor 100" in sentence(explorer)
