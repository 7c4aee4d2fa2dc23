"""Test images that one method gets right and another wrong, by brute force; and the sheet of images that is shipped."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rdr_core
from rdr_core.data import samples
from rdr_core.data.load import data_root
from rdr_core.data.sources import load_source
from rdr_core.errors import RdrError
from rdr_viz.analysis.disagreements import disagreements, pair, pictures_of, shown_disagreements
from rdr_viz.analysis.words import class_name
from rdr_viz.displays.answers import CLASSES, PER_CLASS, Answers

pytestmark = pytest.mark.filterwarnings("error")


def answers_of(run) -> list[int]:
    data = run.data()
    mean, std = (torch.tensor(value)[:, None, None] for value in (data.mean, data.std))
    with torch.no_grad():
        return run.model().eval()((data.test.inputs[:] / 255 - mean) / std).argmax(1).tolist()


def test_each_image_on_which_two_runs_part_is_there_once_with_the_wrong_answer(one_seed):
    ce, _, rdr = one_seed
    labels = ce.data().test.labels.tolist()
    expected = []
    for image, (label, a, b) in enumerate(zip(labels, answers_of(ce), answers_of(rdr), strict=True)):
        if a == label != b:
            expected.append((image, label, 0, b))
        elif b == label != a:
            expected.append((image, label, 1, a))
    assert expected
    found = disagreements(ce, rdr)
    assert list(found[["image", "class", "right", "taken_for"]].itertuples(index=False, name=None)) == expected


def test_of_one_run_every_image_is_right_or_wrong(rdr_run):
    labels = rdr_run.data().test.labels.tolist()
    found = disagreements(rdr_run)
    assert found["class"].tolist() == labels
    assert found["taken_for"].tolist() == answers_of(rdr_run)
    assert found["right"].tolist() == [int(a != b) for a, b in zip(labels, answers_of(rdr_run), strict=True)]


def test_the_first_images_of_each_class_and_side_are_shown_with_their_own_pixels(one_seed):
    ce, _, rdr = one_seed
    table, pixels = shown_disagreements([rdr, ce], per_class=3, classes=10)
    found, images = disagreements(ce, rdr), ce.data().test.inputs
    assert table["class"].unique().tolist() == list(range(10))
    for (klass, right), rows in table.groupby(["class", "right"]):
        of_class = found[(found["class"] == klass) & (found["right"] == right)]
        shown = of_class["image"].tolist()[:3]
        assert rows["image"].tolist() == (shown or [-1])
        assert set(rows["images"]) == {len(of_class)}
        assert set(rows["tested"]) == {50}
        assert set(rows["method"]) == {["ce", "rdr"][right]}
        for index, image in zip(rows.index, shown, strict=False):
            assert np.array_equal(pixels[index], images[image].numpy().transpose(1, 2, 0))
        if shown:
            names = [str(ce.class_names[taken]) for taken in of_class["taken_for"][:3]]
            assert rows["taken_for"].tolist() == names


def test_of_many_classes_those_with_the_most_and_the_fewest_images_are_shown(one_seed):
    table, _ = shown_disagreements(one_seed, per_class=1, classes=5)
    assert table["rank"].unique().tolist() == [1, 2, 3, 9, 10]


def test_the_first_method_is_set_against_the_last_at_their_first_common_seed(trained):
    ce, _, rdr, later = trained
    assert pair(trained) == (ce, rdr)
    assert pair([later, rdr]) == (rdr,)
    with pytest.raises(RdrError, match="ce and rdr have no seed in common; give runs of one seed"):
        pair([ce, later])


def test_runs_on_other_data_are_refused(rdr_run, two_classes):
    runs, _ = two_classes
    with pytest.raises(RdrError, match="These runs cannot share a picture"):
        pair([runs[0], rdr_run])


def test_the_words_have_the_pictures_numbers(one_seed):
    made = Answers.from_runs(one_seed)
    found = disagreements(one_seed[0], one_seed[2])
    few = [7, 8, 9]
    won, lost = (int(((found["right"] == right) & found["class"].isin(few)).sum()) for right in (1, 0))
    assert f"{won} only RDR gets right and {lost} only CE gets right on Few" in made.finding
    figure = made.figure()
    words = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert words[-2:] == ["Only RDR gets right", "Only CE gets right"] or "Only RDR gets right" in words
    assert {class_name(str(name)) for name in made.data["name"]} <= set(words)
    assert sum(len(ax.images) for ax in figure.axes) == int((made.data["image"] >= 0).sum()) <= 2 * PER_CLASS * CLASSES
    with pytest.raises(RdrError, match="There are no images of 'eleven' here; choose one of 0, 1"):
        made.plot(name="eleven")


def test_the_shipped_sheet_has_the_first_images_of_each_class_to_the_byte():
    raw = load_source("fashion-mnist", data_root())
    found = samples.read_sheet(samples.sheet("fashion-mnist"))
    assert list(found) == list(raw.class_names)
    for klass, images in enumerate(found.values()):
        first = np.flatnonzero(raw.test_labels == klass)[: samples.IMAGES]
        assert np.array_equal(images, raw.test_inputs[first].transpose(0, 2, 3, 1))


def test_a_run_of_drawn_classes_finds_its_images_on_the_sheet(tmp_path):
    """By name: the run numbers its classes by their places."""
    run = rdr_core.train(
        "fashion-mnist", imbalance_factor=1000, class_order=3, epochs=1, model="small", runs=tmp_path, progress=False
    )
    positions, pixels = pictures_of(run)
    assert len(positions) == 1000
    assert (np.diff(positions) > 0).all()
    assert np.array_equal(pixels, run.data().test.inputs[:].numpy()[positions].transpose(0, 2, 3, 1))


def test_a_sheet_that_is_none_is_one_sentence(tmp_path):
    for name, content in (("cut", samples.sheet("fashion-mnist").read_bytes()[:999]), ("none", b"")):
        path = tmp_path / f"{name}.png"
        path.write_bytes(content)
        with pytest.raises(RdrError, match=rf"{name}\.png is not a sheet of test images .* install the toolkit again"):
            samples.read_sheet(path)
    with pytest.raises(RdrError, match="0 has 50 test images, not 51; ask for fewer"):
        samples.write_sheet(load_source("digits", tmp_path), tmp_path / "digits.png", images=51)
    assert not (tmp_path / "digits.png").exists()
