"""Pictures by name, in Python and on the command line."""

from __future__ import annotations

import inspect
import re
from functools import partialmethod

import numpy as np
import pandas as pd
import pytest
from headless import new_page
from made_up_runs import make_run
from matplotlib.figure import Figure
from matplotlib.text import Text

import rdr_core
from rdr_core import RdrError
from rdr_core.data.kinds import KINDS
from rdr_viz.analysis.catalogue import analyses
from rdr_viz.analysis.curvature import Hessian
from rdr_viz.displays.base import DISPLAYS, Display
from rdr_viz.displays.kinds import compares_runs, kinds, make_display
from rdr_viz.displays.shared import class_ticks
from rdr_viz.displays.spoken import called


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_is_a_display_that_answers_a_question(kind):
    found = DISPLAYS[kind]
    assert issubclass(found, Display)
    assert found.title.endswith("?")
    assert compares_runs(kind) or hasattr(found, "from_run")


def test_a_kind_draws_one_run_or_several():
    assert make_display("weights", [make_run("rdr")]).method == "rdr"
    methods = make_display("accuracy", [make_run("rdr"), make_run("ce")]).data.method
    assert set(methods) == {"ce", "rdr"}
    with pytest.raises(RdrError, match="'weights' draws one run, not 2; name one of them"):
        make_display("weights", [make_run("rdr"), make_run("ce")])
    assert make_display("b-prime", [make_run("rdr", seed=seed) for seed in (0, 1)]).data["seed"].nunique() == 2
    with pytest.raises(RdrError, match="no run to draw"):
        make_display("accuracy", [])
    with pytest.raises(RdrError, match="no kind of picture named 'weigths'; did you mean 'weights'"):
        make_display("weigths", [make_run()])


def test_plot_draws_a_stored_run_to_files(rdr, tmp_path):
    run = rdr_core.train("digits", imbalance_factor=20, epochs=3, runs="runs", progress=False)
    status, out, _ = rdr("plot", str(run.path), "--kind", "weights", "--out", "figures/w")
    assert status == 0
    assert "Mean weight in epoch" in out
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {"w.pdf", "w.svg", "w.png", "w.csv"}
    rdr("plot", str(run.path), "--kind", "weights", "--out", "new/")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        f"weights.{e}" for e in ("pdf", "svg", "png", "csv")
    }
    rdr("plot", str(run.path), "--kind", "weights", "--out", "figures")  # which is there
    assert (tmp_path / "figures" / "weights.pdf").is_file()
    _, out, _ = rdr("plot", str(run.path), "--kind", "weights", "--out", "talk/tail.png")
    assert [path.name for path in (tmp_path / "talk").iterdir()] == ["tail.png"]
    assert "Written: talk/tail.png" in out
    assert not {path.name for path in tmp_path.iterdir()} - {"runs", "figures", "new", "talk"}
    status, out, err = rdr("plot", "nowhere")
    assert (status, out) == (2, "")
    assert err.startswith("rdr: nowhere is not a run's folder")


def test_analyze_computes_once_and_keeps(rdr, tmp_path):
    run = rdr_core.train("digits", imbalance_factor=20, epochs=2, runs="runs", progress=False)
    status, out, _ = rdr("analyse", str(run.path), "--what", "groups, shares")
    assert status == 0
    assert re.findall(r": (\w+), [\d,]+ rows", out) == ["groups", "shares"]
    kept = {path: path.stat().st_mtime_ns for path in (run.path / "analysis").iterdir()}
    assert {path.name.split("-")[0] for path in kept} == {"predictions", "replayed", "shares"}
    assert rdr("analyse", str(run.path), "-w", "groups,shares")[0] == 0
    assert {path: path.stat().st_mtime_ns for path in (run.path / "analysis").iterdir()} == kept
    status, out, err = rdr("analyse", str(run.path), "--what", "groups,curvatur")
    assert (status, out) == (2, "")
    assert "did you mean 'curvature'" in err


@pytest.fixture
def rough_traces(monkeypatch):
    """Traces of few probes: tests/analysis/curvature is about their exactness, and a thousand take most of the time."""
    monkeypatch.setattr(Hessian, "trace", partialmethod(Hessian.trace, maximum=20))


@pytest.mark.slow
@pytest.mark.usefixtures("rough_traces")
def test_every_analysis_can_be_asked_for_and_the_gallery_shows_every_kind_in_a_browser(rdr, browser, tmp_path):
    runs = [
        rdr_core.train("digits:7-9", imbalance_factor=20, method=method, epochs=2, runs=tmp_path, progress=False)
        for method in ("ce", "rdr")
    ]
    status, out, _ = rdr("analyse", str(runs[1].path), "--what", ",".join(analyses()))
    assert status == 0
    assert re.findall(r": (\w+), [\d,]+ rows", out) == analyses()
    status, out, _ = rdr("gallery", *(str(run.path) for run in runs), "--out", str(tmp_path / "page"))
    assert status == 0
    assert "Open " in out
    for theme in ("light", "dark"):
        page = new_page(browser, viewport={"width": 1280, "height": 900}, color_scheme=theme)
        said = []
        page.on("console", lambda message, said=said: said.append(message.text))
        page.on("pageerror", lambda error, said=said: said.append(str(error)))
        page.goto((tmp_path / "page" / "index.html").as_uri())
        shown = page.evaluate(
            "Promise.all([...document.images].map(i => i.decode().then(() => [i.naturalWidth, i.currentSrc == i.src])))"
        )
        headings = page.evaluate("[...document.querySelectorAll('main section:has(img) h2')].map(h => h.textContent)")
        links = page.evaluate("[...document.querySelectorAll('nav a')].map(a => !!document.querySelector(a.hash))")
        page.close()
        assert headings == [DISPLAYS[kind].title for kind in kinds()]
        assert len(shown) == len(kinds()) == len(links)
        assert all(width > 0 and plain == (theme == "light") for width, plain in shown)
        assert all(links)
        assert said == []


def test_kinds_lists_each_with_its_question(rdr):
    _, out, _ = rdr("kinds")
    for kind in kinds():
        assert re.search(rf"^{kind} .*\?$", out, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def of_rows(tmp_path_factory):
    """Data of the user's own, no images, and two runs on them."""
    draw = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [60, 40, 40])
    table = pd.DataFrame(draw.normal(labels[:, None], 1.0, (140, 4)), columns=list("abcd")).assign(label=labels)
    data = rdr_core.from_frame(table, "label", imbalance_factor=8, name="rows")
    folder = tmp_path_factory.mktemp("rows")
    runs = [rdr_core.train(data, method=method, epochs=4, runs=folder, progress=False) for method in ("ce", "rdr")]
    return data, runs


#: Kinds that say why not: no images, no two classes, no parameter with two values.
NOT_OF_ROWS = {"answers": "was trained on rows, not on images", "rare": "need two", "sweep": "A sweep shows one"}


@pytest.mark.usefixtures("rough_traces")
@pytest.mark.parametrize("kind", kinds())
def test_every_kind_draws_runs_on_ones_own_data_whatever_these_are(kind, of_rows):
    data, runs = of_rows
    make = DISPLAYS[kind]
    make = make.from_runs if compares_runs(kind) else make.from_run
    given = {"data": data} if "data" in inspect.signature(make).parameters else {}
    chosen = runs if compares_runs(kind) else runs[1:]
    if kind in NOT_OF_ROWS:
        with pytest.raises(RdrError, match=NOT_OF_ROWS[kind]):
            make_display(kind, chosen, **given)
        return
    shown = make_display(kind, chosen, **given)
    figure = shown.figure()
    figure.canvas.draw()
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert shown.finding
    for words in (shown.finding, shown.alt, shown.title, shown.look, *texts):
        assert "image" not in words.lower()


def test_words_are_put_right_but_never_a_classs_name(of_rows):
    data, runs = of_rows
    shown = make_display("confusion", runs, data=data)
    assert "of the Few rows were taken for Many" in shown.finding
    for by_name in ({"runs": runs}, {"runs": iter(runs)}):
        assert len(DISPLAYS["confusion"].from_runs(data=data, **by_name).data) == len(shown.data)
    assert "Few rows" in DISPLAYS["confusion"].from_run(data=data, run=runs[0]).finding
    shown.data.loc[shown.data.index[0], "true"] = "moving images"
    assert "of the Few images were taken for Many" in shown.finding
    assert called("Each image's own image", KINDS["texts"]) == "Each text's own text"
    assert called("Imagery of images", KINDS["series"]) == "Imagery of series"


@pytest.mark.parametrize(("names", "told"), [
    (("Barolo", "Barbera", "Grignolino"), ["Barolo", "Barbera", "Grignolino"]),
    (("a name that is long", "another that is", "short"), ["1", "2", "3"]),
])  # fmt: skip
def test_few_classes_are_named_or_numbered_by_whole_numbers(names, told):
    axes = Figure(figsize=(6, 3)).subplots()
    classes = pd.DataFrame({"rank": [1, 2, 3], "name": names, "count": [9, 5, 2], "group": "Many"})
    axes.set_xlim(0.5, 3.5)
    class_ticks(axes, classes)
    low, high = axes.get_xlim()
    inside = [
        label.get_text() for at, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True) if low < at < high
    ]
    assert [label.split("\n")[0] for label in inside] == told
