"""The playground as its readers meet it, in a real browser: by mouse, by keyboard, from a link, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from headless import new_page, open_file

from rdr_viz.explorer.playground import write_playground

pytestmark = pytest.mark.slow

#: Names for what stands on the page.
SHOWN = """
    const shown = rdrPlayground.shown, {pair, state} = shown;
    const numbers = learner => learner.parameters.map(values => Array.from(values));
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    return write_playground(tmp_path_factory.mktemp("play") / "page.html")


@pytest.fixture
def opened(browser, file):
    """Open the page with a state, at 1280 x 720; in the end nothing was said and nothing asked for."""
    pages, said, asked = [], [], []

    def open_page(state: str = "", **options):
        page = new_page(browser, **{"viewport": {"width": 1280, "height": 720}} | options)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{file.as_uri()}#{state}")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert said == []
    assert {url.partition("#")[0] for url in asked if not url.startswith("data:")} <= {file.as_uri()}


def look(page, expression: str):
    """Of the page's pair, state and parameters (`numbers(pair.left)`)."""
    return page.evaluate(f"() => {{ {SHOWN} return {expression}; }}")


def steps(page) -> int:
    return look(page, "pair.steps")


def until(page, expression: str) -> None:
    page.wait_for_function(f"() => {{ {SHOWN} return {expression}; }}")


def some_frames(page) -> None:
    """As long as a loop that still ran would take to show it."""
    page.evaluate("async () => { for (let i = 0; i < 5; i++) await new Promise(requestAnimationFrame); }")


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1280])
def test_page_in_both_themes_on_phones_and_projectors(browser, file, width, theme):
    page, said, asked = open_file(browser, file, width, theme)
    page.set_viewport_size({"width": width, "height": 720})
    assert page.locator(".rdr").get_attribute("data-theme") == theme
    press(page, "Train")
    until(page, "pair.steps > 20")
    press(page, "Pause")
    page.get_by_role("radio", name="Feature space").click()
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    high = page.evaluate("document.documentElement.scrollHeight - innerHeight")
    tops = [page.locator(selector).first.bounding_box()["y"] for selector in ("canvas", "aside")]
    sizes = [canvas.bounding_box() for canvas in page.locator("canvas").all()]
    page.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert wide <= 0
    assert len(sizes) == 2
    assert all(min(size["width"], size["height"]) > 150 for size in sizes)
    if width == 1280:
        assert high <= 0, "whole without scrolling"
    else:
        assert tops[0] < 720 < tops[1], "pictures first, choices below"


def test_train_pause_step_reset_by_mouse(opened):
    page = opened()
    start = look(page, "numbers(pair.left)")
    press(page, "Train")
    until(page, "pair.steps > 40")
    press(page, "Pause")
    at = steps(page)
    some_frames(page)
    assert steps(page) == at
    assert look(page, "numbers(pair.left)") != start
    press(page, "Step")
    assert steps(page) == at + 1
    assert f"step {at + 1}," in page.locator(".at").inner_text()
    press(page, "Reset")
    assert steps(page) == 0
    assert look(page, "numbers(pair.left)") == start


def test_all_of_it_by_keyboard(opened):
    page = opened()
    reached = []
    while not reached or (reached[-1] and reached.count(reached[-1]) == 1):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(
            "document.activeElement === document.body ? '' : [document.activeElement.tagName, "
            "document.activeElement.name, document.activeElement.textContent.trim(), "
            "document.activeElement.closest('[data-side]')?.dataset.side].join(' ')"
        ))  # fmt: skip
    for wanted in (
        "Blobs",
        "factor",
        "noise",
        "More",
        "Copy link",
        "Train",
        "Step",
        "Reset",
        "plane",
        "CE left",
        "RDR right",
    ):
        assert any(wanted in found for found in reached), (wanted, reached)
    page.get_by_role("button", name="Train", exact=True).focus()
    page.keyboard.press("Enter")
    until(page, "pair.steps > 10")
    page.keyboard.press("Space")
    at = steps(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert steps(page) == at + 1
    page.locator("[data-side=right] [role=radio][aria-checked=true]").focus()
    page.keyboard.press("ArrowLeft")
    assert look(page, "state.right.kind") == "power"
    page.locator("input[name=right-gamma]").focus()
    page.keyboard.press("ArrowLeft")
    assert look(page, "state.right.value") == 0.45
    page.locator("input[name=factor]").focus()
    page.keyboard.press("End")
    assert look(page, "state.factor") == 200


def test_both_sides_have_one_start_and_the_same_batches(opened):
    page = opened("left=rdr&right=rdr")
    assert look(page, "JSON.stringify(numbers(pair.left)) === JSON.stringify(numbers(pair.right))")
    press(page, "Train")
    until(page, "pair.steps > 60")
    press(page, "Pause")
    assert look(page, "JSON.stringify(numbers(pair.left)) === JSON.stringify(numbers(pair.right))")
    assert "both sides are the same" in page.locator(".say").inner_text()
    page.locator("[data-side=left]").get_by_role("radio", name="CE", exact=True).click()
    assert steps(page) == 0
    assert look(page, "JSON.stringify(numbers(pair.left)) === JSON.stringify(numbers(pair.right))")
    press(page, "Step")
    same = "JSON.stringify([...pair.left.visits.labels]) === JSON.stringify([...pair.right.visits.labels])"
    assert look(page, same)


def test_imbalance_changes_the_points_and_begins_anew(opened):
    page = opened()
    press(page, "Step")
    page.locator("input[name=factor]").focus()
    page.keyboard.press("Home")
    assert look(page, "pair.data.counts") == [600, 600, 600]
    assert steps(page) == 0
    page.keyboard.press("End")
    assert look(page, "pair.data.counts") == [600, 42, 3]
    assert "only 3 of C" in page.locator(".say").inner_text()
    for classes in (2, 5):
        page.get_by_role("radio", name=f"{classes} classes").click()
        assert len(look(page, "pair.data.counts")) == classes
        assert page.locator("[data-side=left] .bars tbody tr").count() == classes


def test_points_by_hand_with_mouse_and_keyboard(opened):
    page = opened("world=drawn")
    train = page.get_by_role("button", name="Train", exact=True)
    assert train.is_disabled()
    box = page.locator("[data-side=left] canvas").bounding_box()
    for letter, height in (("A", 0.25), ("B", 0.75)):
        page.get_by_role("radio", name=f"class {letter}").click()
        page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + height * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + height * box["height"], steps=40)
        page.mouse.up()
    a, b = look(page, "pair.data.counts")
    assert min(a, b) > 5
    page.locator("[data-side=right] canvas").focus()
    for key in ("3", "ArrowUp", "ArrowRight", "Space", "ArrowRight", "Enter", "Backspace"):
        page.keyboard.press(key)
    assert look(page, "pair.data.counts") == [a, b, 1]
    assert look(page, "state.drawn.at(-1)") == pytest.approx([2, 0.05, 0.05], abs=0.002)
    train.click()
    until(page, "pair.steps > 30")
    press(page, "Pause")
    link = told_by_address(page)
    again = opened(link)
    until(again, f"pair.steps === {steps(page)}")
    assert look(again, "state.drawn") == look(page, "state.drawn")
    assert look(again, "numbers(pair.right)") == look(page, "numbers(pair.right)")
    page.get_by_role("button", name="Undo").click()
    assert look(page, "pair.data.counts") == [a, b]
    page.get_by_role("button", name="Clear").click()
    assert train.is_disabled()


def told_by_address(page) -> str:
    """The address's part after #, once it says where training stands."""
    page.wait_for_function("() => location.hash.includes(`steps=${rdrPlayground.shown.pair.steps}`)")
    return page.evaluate("location.hash.slice(1)")


def test_a_link_leads_to_the_very_picture(opened):
    page = opened("world=spirals&classes=4&factor=20&noise=0.4&left=inverse:gamma=0.5&right=la&seed=7&look=features")
    press(page, "Train")
    until(page, "pair.steps > 50")
    press(page, "Pause")
    link = told_by_address(page)
    again = opened(link)
    until(again, f"pair.steps === {steps(page)}")
    assert look(again, "state") == look(page, "state")
    for side in ("left", "right"):
        assert look(again, f"numbers(pair.{side})") == look(page, f"numbers(pair.{side})")
    again.evaluate("location.hash = 'world=rings'")
    until(again, "state.world === 'rings' && pair.steps === 0")


def test_an_address_may_say_anything(opened):
    page = opened("world=__proto__&classes=99&factor=x&left=constructor&right=rdr:gamma=7&steps=-4&drawn=Zz!&task=9")
    assert look(page, "[state.world, state.classes, state.factor, state.left.kind, state.right.value]") == [
        "blobs", 3, 50, "ce", 1,
    ]  # fmt: skip
    assert steps(page) == 0


#: By task, an address that solves it and one that does not.
LESSON = {
    1: ("factor=200&noise=0.9&steps=400", "factor=1&steps=400"),
    2: ("factor=200&noise=0.9&right=inverse&steps=400", "factor=200&noise=0.9&right=ce&steps=400"),
    3: (
        "right=inverse&world=moons&noise=0.3&points=50&factor=10&rate=0.3&batch=16&steps=400",
        "right=inverse&factor=200&noise=0.9&steps=400",
    ),
    4: ("left=inverse:gamma=0.9&steps=400", "left=inverse:gamma=0&factor=200&steps=400"),
    5: ("right=la&noise=0.4&steps=400", "left=ce&right=ce&factor=200&noise=0.9&steps=400"),
}


@pytest.mark.parametrize("task", LESSON)
def test_the_lesson_accepts_what_is_right_and_nothing_else(opened, task):
    right, wrong = LESSON[task]
    page = opened(f"{wrong}&task={task}")
    until(page, "pair.steps >= 400")
    stands = page.locator(".stands")
    assert "Solved" not in stands.inner_text()
    assert look(page, "state.done") == ""
    page.evaluate("address => { location.hash = address; }", f"{right}&task={task}")
    page.locator(".stands.solved").wait_for()
    assert look(page, "state.done") == str(task)
    page.get_by_role("radio", name=f"Task {task}").and_(page.locator("[aria-label$=solved]")).wait_for()
    press(page, "Reset")
    assert "300 steps" in stands.inner_text()
    assert look(page, "state.done") == str(task), "once solved, solved"


def test_who_listens_hears_the_sentence_once_things_rest(opened):
    page = opened()
    press(page, "Train")
    until(page, "pair.steps > 30")
    press(page, "Pause")
    page.wait_for_function("() => document.querySelector('[aria-live=polite]').textContent.includes('After')")
    assert page.locator("[aria-live=polite]").inner_text() == page.locator(".say").inner_text()
    for side in ("left", "right"):
        told = page.locator(f"[data-side={side}] canvas").get_attribute("aria-label")
        assert "class C, 12 points" in told
        assert "epochs" in page.locator(f"[data-side={side}] .chart").first.get_attribute("aria-label")


def test_who_wants_less_motion_gets_fewer_pictures_and_as_many_steps(opened):
    page = opened(reduced_motion="reduce")
    page.evaluate("""() => {
        window.pictures = 0;
        const draw = CanvasRenderingContext2D.prototype.drawImage;
        CanvasRenderingContext2D.prototype.drawImage = function (...given) {
            window.pictures++;
            draw.apply(this, given);
        };
    }""")
    press(page, "Train")
    until(page, "pair.steps > 100")
    drawn, at = page.evaluate("window.pictures"), steps(page)
    press(page, "Pause")
    assert drawn < at / 4 * 2, "two pictures would have been drawn every four steps"
