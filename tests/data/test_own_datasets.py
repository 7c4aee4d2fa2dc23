"""Data sets of other packages and of notebooks: found by their entry point, in use everywhere, refused in a sentence.

The package that is laid here is the file that `docs/data.md` shows.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from installed import lay_package, rdr_beside

import rdr_core
from rdr_core import MissingData, RdrError
from rdr_core.data import DATASETS, RawData, dataset, load_data
from rdr_core.data.datasets import ARRAYS
from rdr_core.data.settings import settings_of
from rdr_core.jobs.cost import seconds_of
from rdr_core.jobs.size import data_size, made_up
from rdr_core.runs import RunConfig

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
(RINGS,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
GROUP = "rdr.datasets"


@pytest.fixture
def install(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)

    def lay(code: str) -> None:
        lay_package(tmp_path, "rings", code, GROUP)
        DATASETS.refresh()

    yield lay
    DATASETS.remove("rings")
    sys.modules.pop("rings", None)


@pytest.fixture
def registered():
    """Register data sets as a notebook's cell does, and forget them afterwards."""
    names = []

    def register(name="squares", load=None, **told):
        def squares(root):
            return squares_of([30, 20], [4, 6])

        names.append(name)
        load = load or squares
        load.__module__ = "__main__"
        dataset(name, "squares", **{"num_classes": 2, "image_shape": (1, 6, 10)} | told)(load)

    yield register
    for name in names:
        if name not in ("digits", "mnist"):
            DATASETS.remove(name)


def squares_of(train, test, shape=(1, 6, 10)) -> RawData:
    labels, tests = (np.repeat(np.arange(len(counts)), counts) for counts in (train, test))
    images = [np.full((len(each), *shape), 100, np.uint8) + each.astype(np.uint8)[:, None, None, None] * 50
              for each in (labels, tests)]  # fmt: skip
    names = tuple(map(str, range(len(train))))
    return RawData(images[0], labels, images[1], tests, names, (0.4,) * shape[0], (0.2,) * shape[0])


def config(dataset="squares", factor=5.0, **settings) -> RunConfig:
    usual = {"method": "ce", "epochs": 4, "model": "small", "batch_size": 8, "learning_rate": 0.1}
    profile = "exponential" if factor else None
    return RunConfig(dataset=dataset, imbalance_factor=factor, profile=profile, **usual | settings)


def test_the_docs_file_is_short():
    assert len(RINGS.splitlines()) <= 30
    assert f'[project.entry-points."{GROUP}"]\nrings = "rings"' in PAGE


def test_an_installed_package_brings_a_data_set(install):
    install(RINGS)
    data = load_data("rings", imbalance_factor=20)
    assert data.class_counts.tolist() == [200, 44, 10]
    assert data.test.inputs.shape == (150, 1, 12, 12)
    assert load_data("rings:2-0", imbalance_factor=20).class_names == ("large", "small")
    assert settings_of("rings") == replace(ARRAYS, epochs=20, padding=1, flip=True)
    (seconds,) = seconds_of([config("rings", 20.0)], "cpu").values()
    assert seconds > 0


def test_commands_have_it_too(install, tmp_path):
    install(RINGS)
    listed = rdr_beside(tmp_path, "datasets")
    assert listed.returncode == 0, listed.stderr
    rows = [line.split() for line in listed.stdout.splitlines() if line.startswith(" ") and line.strip()]
    names = [row[0] for row in rows if len(row) > 6 and row[3] == "x"]
    assert names[-2:] == ["folder:FOLDER", "rings"]
    trained = rdr_beside(tmp_path, "train", "rings", "-i", "20", "-m", "rdr", "--epochs", "1", "--device", "cpu")
    assert trained.returncode == 0, trained.stderr
    (run,) = rdr_core.list_runs(tmp_path / "runs")
    assert run.done
    assert run.class_names == ("small", "middle", "large")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        (RINGS.replace('"rings"', '"digits"'), "RdrError: There is a data set named 'digits' already"),
        (RINGS.replace("num_classes=3, ", ""), "RdrError: The data set 'rings' has num_classes None"),
    ],
)
def test_a_package_that_fails_to_import_is_named_and_left_out(code, why, install, capfd):
    install(code)
    with pytest.raises(RdrError, match="no data set named 'no-such-data'"):
        load_data("no-such-data")
    assert re.search(f"package rings offers a data set in rings, .*imported .{why}.*left out", capfd.readouterr().err)
    assert load_data("digits").name == "digits"


def test_a_failing_package_is_one_sentence_on_the_command_line(install, tmp_path):
    install("1 / 0")
    said = rdr_beside(tmp_path, "datasets")
    assert said.returncode == 0
    assert "digits" in said.stdout
    assert said.stderr.startswith("rdr: The package rings offers a data set")
    assert "Traceback" not in said.stderr


def test_a_cell_may_define_its_own_anew_but_not_the_toolkits(registered):
    registered(num_classes=3)
    registered(num_classes=2)
    assert DATASETS["squares"].num_classes == 2
    code = """
import rdr_core.data
try:
    @rdr_core.data.dataset("mnist", "mine", num_classes=2, image_shape=(1, 8, 8))
    def mine(root): ...
except rdr_core.RdrError as error:
    print(error)
"""  # in a process where nobody has asked for a data set yet
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "There is a data set named 'mnist' already; choose another name.\n"


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ({"name": "My set"}, "'My set' can't name a data set; use lower-case letters, digits and hyphens"),
        ({"name": "a:b"}, "'a:b' can't name a data set"),
        ({"num_classes": None}, "'squares' has num_classes None; it must be a whole number, 2 or larger"),
        ({"num_classes": 1}, "num_classes 1; it must be a whole number, 2 or larger"),
        ({"n_max": 0}, "n_max 0; it must be a whole number, 1 or larger"),
        ({"image_shape": (32, 32, 3)}, r"image_shape \(32, 32, 3\); it must be \(channels, height, width\)"),
        ({"image_shape": (1, 0, 8)}, r"image_shape \(1, 0, 8\); it must be"),
        ({"load": lambda: None}, "which must take one argument, the data root"),
        ({"asks": "FILE"}, "is read by squares, which must take the data root and what follows the colon"),
        ({"name": "digits"}, "There is a data set named 'digits' already; choose another name"),
    ],
)
def test_what_no_data_set_can_be_is_refused_at_registration(told, complaint, registered):
    with pytest.raises(RdrError, match=complaint):
        registered(**told)


def test_values_of_wrong_types_are_refused_too():
    """In a process of its own: here the checker of shapes would be first."""
    code = """
from rdr_core.data import dataset
for wrong in ({"n_train": 10.5}, {"n_test": "all"}, {"image_shape": (8, 8)},
              {"image_shape": [1, 8, 8]}, {"settings": {"epochs": 3}}):
    try:
        dataset("squares", "squares", **{"num_classes": 2, "image_shape": (1, 6, 10)} | wrong)(lambda root: None)
    except ValueError as error:
        print(type(error).__name__, error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_users())
    shape = "it must be (channels, height, width), as in (3, 32, 32)."
    assert said.stdout.splitlines() == [
        f"RdrError The data set 'squares' has {words}"
        for words in (
            "n_train 10.5; it must be a whole number, 1 or larger.",
            "n_test 'all'; it must be a whole number, 1 or larger.",
            f"image_shape (8, 8); {shape}",
            f"image_shape [1, 8, 8]; {shape}",
            "settings {'epochs': 3}; give rdr_core.data.Settings(...), or leave them out.",
        )
    ]


def test_images_that_are_not_as_registered_are_refused(registered):
    registered(num_classes=3)
    with pytest.raises(RdrError, match="squares has 2 classes, but is registered with num_classes 3"):
        load_data("squares")
    registered(image_shape=(1, 10, 6))
    with pytest.raises(RdrError, match=r"squares has images of \(1, 6, 10\), but .* image_shape \(1, 10, 6\)"):
        load_data("squares")
    registered(load=lambda root: (1, 2, 3))
    with pytest.raises(RdrError, match=r"which reads squares, gives tuple; it must give rdr_core\.data\.RawData"):
        load_data("squares")


def test_a_file_that_is_missing_is_told_with_the_data_root(registered, tmp_path):
    registered(load=lambda root: np.load(root / "squares.npy"))
    with pytest.raises(MissingData, match=f"squares can't be read .FileNotFoundError.*{tmp_path}"):
        load_data("squares", root=tmp_path)


def test_what_a_data_set_does_not_say_is_counted_in_its_data(registered, monkeypatch, tmp_path):
    monkeypatch.setenv("RDR_DATA", str(tmp_path))
    registered()
    counted, whole = data_size(config()), data_size(config(factor=None))
    data = load_data("squares", imbalance_factor=5)
    assert counted.counts.tolist() == data.class_counts.tolist() == [20, 4]
    assert (counted.tested, counted.image, counted.photographs) == (10, (1, 6, 10), False)
    assert whole.counts.tolist() == [25, 25]

    def never(root):
        raise AssertionError("what is said need not be read")

    registered(load=never, n_max=20, n_train=50, n_test=10)
    for made, factor in ((counted, 5.0), (whole, None)):
        said = data_size(config(factor=factor))
        assert said.counts.tolist() == made.counts.tolist()
        assert replace(said, counts=None) == replace(made, counts=None)


def test_one_that_is_oblong_and_says_nothing_is_costed(registered, tmp_path, monkeypatch):
    monkeypatch.setenv("RDR_DATA", str(tmp_path / "one"))
    registered()
    (seconds,) = seconds_of([config()], "cpu").values()
    assert seconds > 0
    made = made_up(config(), data_size(config()), tested=4)
    assert made.train.inputs.shape[1:] == (1, 6, 10)


def test_one_whose_files_are_not_there_costs_nobody_knows_what(registered, tmp_path, monkeypatch):
    monkeypatch.setenv("RDR_DATA", str(tmp_path / "other"))
    registered(load=lambda root: np.load(root / "squares.npy"))
    assert seconds_of([config()], "cpu") == {config(): None}


def test_one_that_comes_long_tailed_trains_as_it_is(registered, tmp_path):
    registered(long_tailed=True)
    run = rdr_core.train("squares", method="ce", epochs=1, runs=tmp_path, device="cpu", progress=False)
    assert run.config.imbalance_factor is None
    assert run.class_counts.tolist() == [30, 20]
    with pytest.raises(RdrError, match="comes long-tailed"):
        load_data("squares", imbalance_factor=3)
    assert torch.equal(run.data().class_counts, load_data("squares").class_counts)


def test_papers_grids_stand_on_it(registered):
    from rdr_viz.papers.grids import Request
    from rdr_viz.papers.paper import load_paper

    grid = replace(load_paper("rdr").grids["digits"], datasets={"cifar10-lt": "squares"}, only_factors=())
    registered()
    assert grid.config(Request("cifar10-lt", 100, "rdr"), seed=0).dataset == "squares"
    registered(n_max=10)
    other = replace(grid)
    assert other.config(Request("cifar10-lt", 100, "rdr"), seed=0) is None
    assert other.config(Request("cifar10-lt", 10, "rdr"), seed=0).imbalance_factor == 10


def test_pictures_and_the_explorer_have_its_title(registered):
    from rdr_viz.analysis.words import dataset_name
    from rdr_viz.explorer.at_hand import data_words
    from rdr_viz.explorer.head import heading

    registered(title="Squares I")
    assert dataset_name("squares") == heading("squares") == "Squares I"
    registered()
    assert (dataset_name("squares"), heading("squares")) == ("squares", "Squares")
    assert (dataset_name("digits"), heading("digits"), heading("digits:9-4")) == ("digits", "Digits", "digits:9-4")
    usual = SimpleNamespace(**vars(ARRAYS))
    assert data_words(config(epochs=usual.epochs, batch_size=usual.batch_size)) == "squares"


def test_how_it_is_trained_is_asked_without_torch():
    code = """
import sys
from rdr_core.data.settings import settings_of
print(settings_of("places-lt").model, settings_of("arrays").model, "torch" in sys.modules)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_users())
    assert said.stdout == "resnet152-imagenet small False\n"


def _users() -> dict[str, str]:
    import os

    return {name: value for name, value in os.environ.items() if name != "RDR_CHECK_SHAPES"}
