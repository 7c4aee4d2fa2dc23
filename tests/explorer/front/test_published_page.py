"""The published page as its readers meet it: by mouse and keyboard, from the disk, in both themes, on phones."""

from __future__ import annotations

import csv
import io
import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from published_page import CLOTHES, digits, opened
from waiting import wait_on

import rdr_core
from rdr_core.errors import RdrError
from rdr_core.files.whole import read_json, write_json
from rdr_core.runs import Run
from rdr_viz.analysis.predictions import predictions
from rdr_viz.explorer.publish import publish
from rdr_viz.pages.glossary import glossary

pytestmark = pytest.mark.slow


def few(method: str, factor: float = 50, seeds=(0, 1, 2)) -> str:
    """Accuracy on the smallest classes, from the runs themselves, as the picture says it."""
    return f"{np.mean([run.metrics['few'] for run in digits(method, factor=factor, seeds=seeds)]):.0f}"


def labels(seen) -> str:
    return " ".join(seen.page.locator(".panel:not([hidden]) .picture > svg text").all_text_contents())


def test_the_imbalance_is_moved_by_keyboard(seen):
    seen.show(view="accuracy", method=["ce", "rdr"])
    assert f"CE {few('ce')}" in labels(seen)
    seen.page.locator(".rdr-if").focus()
    seen.page.keyboard.press("ArrowLeft")
    assert f"CE {few('ce', 10)}" in labels(seen)
    assert "IF 10" in seen.page.locator(".rail output").inner_text()
    assert "if=10" in seen.page.url


def test_methods_seeds_and_views_are_chosen(seen):
    seen.show(view="accuracy", method=["ce"])
    seen.page.locator('.rdr-methods .chip[data-key="la"]').press("Enter")
    assert seen.ask("state.methods") == ["ce", "la"]
    assert f"LA {few('la')}" in labels(seen)
    seen.page.locator('.rdr-seeds .chip[data-key="1"]').click()
    assert f"LA {few('la', seeds=(1,))}" in labels(seen)
    seen.page.locator('.rdr-seeds .chip[data-key="all"]').click()
    assert seen.ask("state.seeds") is None
    seen.page.get_by_role("button", name="By class", exact=True).press("Enter")
    assert seen.page.locator(".panel h2").last.inner_text() == "Which classes does a method serve?"


def test_epochs_are_scrubbed_and_played(seen):
    seen.show(view="accuracy", method=["ce"])
    seen.page.locator(".rdr-epoch").focus()
    seen.page.keyboard.press("Home")
    assert seen.ask("state.epoch") == 1
    runs = digits("ce")
    first = np.mean([run.history["few"].iloc[0] for run in runs])
    assert f"CE {first:.0f}" in labels(seen)
    seen.page.locator(".play").click()
    wait_on(seen.page, lambda: seen.ask("state.epoch") is None, "the last epoch")
    assert f"CE {few('ce')}" in labels(seen)


def test_words_are_explained(seen):
    seen.page.locator(".rdr-words").click()
    told = dict(zip(seen.page.locator(".words dt").all_inner_texts(), seen.page.locator(".words dd").all_inner_texts(),
                    strict=True))  # fmt: skip
    assert told == dict(glossary())


def test_undo_redo_and_reset(seen):
    seen.show(view="accuracy", method=["ce"])
    for key in ("la", "rdr"):
        seen.page.locator(f'.rdr-methods .chip[data-key="{key}"]').click()
    seen.page.locator(".rdr-undo").click()
    assert seen.ask("state.methods") == ["ce", "la"]
    seen.page.keyboard.press("Control+z")
    assert seen.ask("state.methods") == ["ce"]
    seen.page.keyboard.press("Control+y")
    assert seen.ask("state.methods") == ["ce", "la"]
    seen.page.locator(".rdr-reset").click()
    assert seen.ask("state.data") == CLOTHES
    seen.page.locator(".rdr-undo").click()
    assert seen.ask("state.methods") == ["ce", "la"]


def test_two_views_side_by_side(seen):
    seen.show(view="accuracy", method=["ce", "rdr"])
    seen.page.locator(".rdr-compare").click()
    seen.page.get_by_role("button", name="By class", exact=True).click()
    asked = seen.page.locator(".panel:not([hidden]) h2").all_inner_texts()
    assert asked == ["Which method serves which group?", "Which classes does a method serve?"]
    again = opened(seen.page.context.browser, seen_path(seen), query=seen.page.url.partition("#")[2])
    assert again.page.locator(".panel:not([hidden]) h2").all_inner_texts() == asked
    again.page.close()
    seen.page.locator(".rdr-compare").click()
    assert seen.page.locator(".panel:not([hidden])").count() == 1


def seen_path(seen):
    return Path(unquote(urlsplit(seen.page.url).path))


def test_a_link_is_the_view_and_a_wrong_one_is_a_sentence(seen):
    seen.show(view="weights", method=["inverse", "rdr"], seed=1, epoch=20)
    address = seen.page.url.partition("#")[2]
    shown = labels(seen)
    again = opened(seen.page.context.browser, seen_path(seen), query=address)
    assert labels(again) == shown
    again.page.close()
    for query, said in (
        ("data=digits&if=50&profile=pie&view=counts", "There is no imbalance factor '50' of profile 'pie' on Digits"),
        ("data=nowhere&view=counts", "There are no runs of 'nowhere' here."),
        ("view=pie", "There is no view named 'pie'; there are counts, accuracy"),
        ("method=nothing&view=counts", "There is no method named 'nothing' here."),
        ("view=accuracy&epoch=-3", "An epoch is a number from 1, not '-3'."),
    ):
        seen.page.evaluate("query => { location.hash = query; }", query)
        wait_on(seen.page, lambda said=said: said in seen.notice, said)


def test_the_tour_sets_the_choices_and_says_what_to_see(seen):
    seen.page.locator(".tour").click()
    stops = []
    while True:
        stops.append(
            (seen.page.locator(".guide b").inner_text(), seen.ask("state.view"), tuple(seen.ask("state.methods")))
        )
        assert seen.ask("panel.context") is not None or seen.ask("panel.targets.length") >= 0
        assert seen.page.locator(".panel:not([hidden]) .picture > svg .line, .panel:not([hidden]) .mark").count() > 0
        following = seen.page.locator(".rdr-next")
        if following.is_disabled():
            break
        following.click()
    assert [view for _, view, _ in stops] == ["learning", "accuracy", "weights", "accuracy", "classes", "density"]
    assert stops[0][0].startswith("1 of 6: Why CE's loss looks fine")
    assert "inverse+drw" in stops[3][2]
    seen.page.get_by_role("button", name="Leave the tour").click()
    assert seen.page.locator(".guide").is_hidden()


def test_exact_values_by_mouse_by_keyboard_and_as_a_table(seen):
    seen.show(view="accuracy", method=["ce", "rdr"])
    target = seen.ask("panel.targets.find(target => target.text.startsWith('RDR, Few'))")
    box = seen.page.locator(".panel:not([hidden]) .picture > svg").bounding_box()
    seen.page.mouse.move(box["x"] + target["x"], box["y"] + target["y"])
    assert seen.page.locator(".tip:not([hidden])").inner_text() == target["text"]
    mean = np.mean([run.metrics["few"] for run in digits("rdr")])
    assert target["text"].startswith(f"RDR, Few: {mean:.1f} %, 95 % interval ")
    seen.page.locator(".panel:not([hidden]) .picture > svg").focus()
    said = []
    for _ in range(8):
        seen.page.keyboard.press("ArrowRight")
        said.append(seen.page.locator(".panel:not([hidden]) .unseen").inner_text())
    assert len(set(said)) == 8
    assert any(words.startswith("CE, Many") for words in said)
    seen.page.locator(".rdr-numbers").press("Enter")
    assert seen.page.locator(".table tbody tr").count() == len(seen.rows) == 24


def test_saved_files_open_and_the_code_makes_the_picture(seen):
    seen.show(view="classes", method=["ce", "rdr"], seed=0)
    seen.page.locator(".rdr-save").click()
    kept = {}
    for kind in ("svg", "png", "csv"):
        with seen.page.expect_download() as download:
            seen.page.locator(f'.details [data-kind="{kind}"]').click()
        assert download.value.suggested_filename == f"classes-digits-if50-ce-rdr.{kind}"
        kept[kind] = Path(download.value.path()).read_bytes()
    root = ElementTree.fromstring(kept["svg"])
    assert root.tag.endswith("svg")
    assert b"var(" not in kept["svg"]
    assert min(Image.open(io.BytesIO(kept["png"])).size) > 600
    rows = list(csv.DictReader(io.StringIO(kept["csv"].decode())))
    assert [float(row["mean"]) for row in rows] == pytest.approx([row["mean"] for row in seen.rows])
    seen.page.locator(".rdr-code").click()
    lines = seen.page.locator(".rdr-lines").inner_text()
    made: dict = {}
    exec(lines, made)
    assert [run.name for run in made["runs"]] == [run.name for run in digits("ce", "rdr", seeds=(0,))]
    assert type(made["shown"]).__name__ == "AccuracyByClass"


def test_every_view_shows_its_code_or_says_it_has_none(seen):
    for view in seen.ask("views.map(view => [view.name, view.kind])"):
        seen.show(view=view[0], method=["ce", "rdr"], seed=0)
        lines = seen.ask("buttons.code.disabled")
        assert lines == (view[1] is None), view


def test_what_a_button_opened_stays_while_numbers_come_and_closes_with_another_choice(seen):
    field = seen.page.locator(".rdr-share-open")
    seen.show(view="accuracy", method=["ce", "rdr"], seed=0)
    seen.page.locator(".rdr-link").click()
    assert field.is_visible()
    seen.ask("_show()")  # as where a run's numbers have come, which a kernel sends one by one
    assert field.is_visible()
    seen.show(view="accuracy", method=["ce"], seed=0)
    assert not field.is_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(380, 760), (1280, 720), (1920, 1080)])
def test_every_view_stands_whole_on_the_screen(browser, published, width, height, dark):
    seen = opened(browser, published, width=width, height=height, dark=dark)
    for view in seen.ask("views.map(view => view.name)"):
        seen.show(view=view, method=["ce", "inverse", "rdr"], seed=0)
        outside = seen.page.evaluate(
            "() => [...document.querySelectorAll('.rdr-explorer :is(button, select, .picture > svg)')]"
            ".filter(e => e.offsetParent !== null && !e.closest('.questions'))"
            ".filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 90))"
        )
        assert outside == [], view
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width, view
        if width >= 1280:  # question, picture, epochs and buttons, without scrolling
            assert seen.page.locator(".actions").bounding_box()["y"] < height, view
        ground = seen.page.evaluate("getComputedStyle(document.querySelector('.rdr-explorer')).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 300) == dark
    assert seen.errors == []
    seen.page.close()


def test_whatever_strings_a_run_has_they_are_only_text(browser, tmp_path):
    hostile = [
        '</script><script>document.title="in"</script>',
        '<img src=x onerror="document.title=`in`">',
        "${alert(1)}",
    ]
    run = rdr_core.train("digits:7-9-3", imbalance_factor=20, epochs=2, runs=tmp_path, progress=False)
    write_json(run.path / "data.json", read_json(run.path / "data.json") | {"class_names": hostile})
    evil = shutil.copytree(run.path, tmp_path / "<b>run")
    page = publish(
        [Run.open(evil)],
        tmp_path / "page.html",
        title='</title><script>document.title="in"</script>',
        made="<img src=x onerror=alert(1)>",
    )
    seen = opened(browser, page, query="view=classes&method=ce")
    assert seen.page.title().startswith("</title>")
    assert [row["name"] for row in seen.rows] == hostile
    for view in seen.ask("views.map(view => view.name)"):
        seen.page.evaluate("view => { location.hash = `view=${view}`; }", view)
    assert seen.page.locator("img").count() == 0
    assert seen.errors == []
    seen.page.close()


def test_what_cannot_be_published_is_a_sentence(tmp_path):
    with pytest.raises(RdrError, match="There is no run to publish"):
        publish([], tmp_path / "page.html")
    run = rdr_core.train("digits:7-9", imbalance_factor=20, epochs=2, runs=tmp_path, progress=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(RdrError, match=r"can't be written .* choose another place"):
        publish([run], tmp_path / "file" / "page.html")
    (run.path / "done.json").unlink()
    with pytest.raises(RdrError, match=r"is not finished; continue it with `rdr resume .*`"):
        publish([Run.open(run.path)], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_views_that_a_kernel_draws_are_left_out_and_a_link_to_one_is_told_why(seen):
    assert "norms" not in seen.ask("views.map(view => view.name)")
    seen.show(view="norms")
    assert "The view 'norms' is drawn by a kernel, and this page has none" in seen.notice
    seen.show(view="nonsense")
    assert "There is no view named 'nonsense'" in seen.notice


def test_samples_that_are_no_images_are_called_what_they_are(browser, tmp_path):
    """In every view, in words, picture and table; but where a class has the word in its name nothing is changed."""
    draw = np.random.default_rng(0)
    labels = np.repeat(["low", "middle", "high"], [60, 40, 40])
    table = pd.DataFrame(draw.normal(size=(140, 4)) + (labels == "low")[:, None], columns=list("abcd"))
    for name in ("low", "an image"):
        data = rdr_core.from_frame(table.assign(label=np.where(labels == "low", name, labels)), "label",
                                   imbalance_factor=8, name=f"with {name}")  # fmt: skip
        options = {"epochs": 3, "runs": tmp_path / "runs", "progress": False}
        runs = [rdr_core.train(data, method=method, **options) for method in ("ce", "rdr")]
        for run in runs:
            predictions(run, data=data)
        seen = opened(browser, publish(runs, tmp_path / "page.html", made="Made for a test."))
        words = []
        for view in seen.page.locator(".rdr-view").all():
            view.click()
            panel = seen.page.locator(".panel:not([hidden])").last
            words += [panel.inner_text(), " ".join(panel.locator("svg text").all_text_contents())]
            words += [
                panel.locator("svg").first.get_attribute("aria-label") or "",
                *seen.ask("panel.targets.map(one => one.text)"),
            ]
        everything = " ".join(words)
        assert ("image" in everything) == (name == "an image")
        assert ("32 rows, 8 times" in everything) == (name == "low")
        assert seen.errors == []
