"""What a user has set for a whole process changes no picture and no number."""

from __future__ import annotations

import dataclasses
import locale
import warnings
from contextlib import contextmanager

import matplotlib as mpl
import matplotlib.style
import numpy as np
import pandas as pd
import pytest
import torch
from made_up_runs import make_run

import rdr_core
from rdr_viz import Confusion, GroupAccuracy, LossShares, WeightAndBPrime, WeightsByClass
from rdr_viz.analysis.curvature import class_density
from rdr_viz.displays.base import Display
from rdr_viz.displays.figure import FORMATS, rdr_style, render

#: What a parameter of matplotlib might be set to, whatever it is: the first that it takes and that is not its default.
OTHERS = (
    True, False, 3.0, 7, 0.25, "red", "--", "o", "lower", "right", "tight", "serif", "large", "both", "out", "minor",
    "inner", "miter", "bold", "italic", "nearest", "stixsans", "viridis", "x", "major", "dark_background", "none",
    (3.0, 2.0), [1.0, 2.0], ["red"], ["DejaVu Serif"], "C3", 2, 90, 1.5, "phi", "cyclic", "dvipng",
)  # fmt: skip
#: Of the process, not of pictures.
NOT_OF_PICTURES = {
    "backend", "backend_fallback", "interactive", "toolbar", "timezone", "tk.window_focus", "webagg.port",
    "webagg.address", "webagg.open_in_browser", "webagg.port_retries", "docstring.hardcopy", "date.epoch",
    "savefig.directory", "figure.max_open_warning", "figure.raise_window",
}  # fmt: skip


def hostile() -> dict[str, object]:
    """Another value for every parameter that pictures could depend on."""
    found, defaults = {}, mpl.rcParamsDefault
    for name in defaults:
        if name in NOT_OF_PICTURES or name.startswith("keymap."):
            continue
        for other in OTHERS:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")  # of what is about to go
                    value = mpl.rcParams.validate[name](other)
                    with mpl.rc_context({name: value}):
                        pass
            except (Warning, ValueError, TypeError, KeyError, RuntimeError, AttributeError):
                continue
            if value != defaults[name]:
                found[name] = value
                break
    return found


@pytest.fixture(scope="module")
def displays() -> list[Display]:
    runs = [make_run(method, seed=seed) for method in ("ce", "rdr") for seed in (0, 1)]
    return [GroupAccuracy.from_runs(runs), WeightsByClass.from_run(runs[2]), WeightAndBPrime.from_run(runs[2])]


@pytest.fixture(scope="module")
def drawn(displays) -> list[bytes]:
    """What is to come out, whatever is set."""
    return pictures(displays)


def pictures(displays: list[Display]) -> list[bytes]:
    return [render(display.in_theme(theme), kind) for display in displays for theme in ("light", "dark")
            for kind in FORMATS]  # fmt: skip


def inside() -> dict[str, object]:
    with rdr_style():
        return {name: mpl.rcParams[name] for name in mpl.rcParams if name not in NOT_OF_PICTURES}


def test_every_parameter_one_at_a_time_is_ours_where_pictures_are_drawn():
    expected, others = inside(), hostile()
    assert len(others) > 250
    for name, value in others.items():
        with mpl.rc_context({name: value}):
            assert mpl.rcParams[name] == value
            assert inside() == expected, name


def test_pictures_have_the_same_bytes_under_all_of_them_at_once(displays, drawn):
    with mpl.rc_context(hostile()):
        assert pictures(displays) == drawn


@pytest.mark.parametrize("style", ["bmh", "dark_background", "ggplot", "grayscale", "seaborn-v0_8-talk"])
def test_pictures_have_the_same_bytes_under_any_style(displays, drawn, style):
    with matplotlib.style.context(style):
        assert pictures(displays[:1]) == drawn[: 2 * len(FORMATS)]


@pytest.mark.parametrize("backend", ["agg", "pdf", "svg", "template"])
def test_pictures_have_the_same_bytes_under_any_backend(displays, drawn, backend):
    before = mpl.rcParams["backend"]
    try:
        mpl.use(backend, force=True)
        assert pictures(displays[:1]) == drawn[: 2 * len(FORMATS)]
    finally:
        mpl.use(before, force=True)


ASK = {"imbalance_factor": 20, "method": "rdr+la", "epochs": 2, "device": "cpu", "progress": False}


@contextmanager
def default_dtype():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@contextmanager
def default_device():
    torch.set_default_device("meta")
    yield
    torch.set_default_device(None)


@contextmanager
def comma():
    before = locale.setlocale(locale.LC_ALL)
    names = ("de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8")
    locale.setlocale(locale.LC_ALL, next(name for name in names if is_there(name)))
    yield
    locale.setlocale(locale.LC_ALL, before)


def is_there(name: str) -> bool:
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, name)
    except locale.Error:
        return False
    locale.setlocale(locale.LC_ALL, before)
    return True


#: What a process can be set to.
SETTINGS = {
    "default dtype": default_dtype,
    "default device": default_device,
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "seterr": lambda: np.errstate(all="raise"),
    "locale": comma,
}


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """Everything from training to pictures' numbers, in a folder of its own, by the setting that it is made under."""

    def make(name: str) -> list:
        folder = tmp_path_factory.mktemp("runs")
        run = rdr_core.train("digits:7-9", runs=folder, **ASK)
        again = rdr_core.evaluate(run, test="reversed", imbalance_factor=5)
        tables = [
            run.history.drop(columns="seconds"),
            run.classes,
            LossShares.from_runs([run]).data,
            Confusion.from_runs([run]).data,
            class_density(run, classes=[1], probes=2, steps=8, progress=False),
        ]
        return [again, {key: value.numpy() for key, value in run.model().state_dict().items()}, *tables]

    return make


@pytest.fixture(scope="module")
def expected(numbers):
    return numbers("as it is")


@pytest.mark.parametrize("setting", SETTINGS)
def test_numbers_are_the_same_bits_under_any_setting(setting, numbers, expected):
    with SETTINGS[setting]():
        found = numbers(setting)
    assert found[0] == expected[0]
    assert all(np.array_equal(value, expected[1][name]) for name, value in found[1].items())
    assert {value.dtype for value in found[1].values()} == {value.dtype for value in expected[1].values()}
    for table, other in zip(found[2:], expected[2:], strict=True):
        pd.testing.assert_frame_equal(table, other, check_exact=True)


def test_the_working_folder_is_nobodys_business(tmp_path, monkeypatch, expected):
    run = rdr_core.train("digits:7-9", runs=tmp_path / "runs", **ASK)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    pd.testing.assert_frame_equal(run.history.drop(columns="seconds"), expected[2], check_exact=True)
    shares = LossShares.from_runs([run]).data
    pd.testing.assert_frame_equal(shares, expected[4], check_exact=True)


NUMBERS = {
    "NumPy": lambda value: np.int64(value) if isinstance(value, int) else np.float64(value),
    "small NumPy": lambda value: np.uint8(value) if isinstance(value, int) else np.float16(value),
    "torch": torch.tensor,
    "0-d arrays": np.array,
    "a row of a table": lambda value: pd.DataFrame([{"a": value, "b": 0.5}]).iloc[0]["a"],
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_scalars_of_any_kind_are_the_numbers_that_they_are(kind, tmp_path):
    as_kind = NUMBERS[kind]
    plain = {"imbalance_factor": 20, "epochs": 2, "seed": 1, "batch_size": 64, "learning_rate": 0.125, "data_seed": 1}
    here = {"runs": tmp_path, "method": "rdr", "device": "cpu", "progress": False}
    run = rdr_core.train("digits:7-9", **{name: as_kind(value) for name, value in plain.items()}, **here)
    assert run.config == rdr_core.train("digits:7-9", **plain, **here).config
    found = rdr_core.evaluate(run, test="reversed", imbalance_factor=as_kind(4))
    assert found == rdr_core.evaluate(run, test="reversed", imbalance_factor=4)
    if (
        kind == "a row of a table"
    ):  # whose numbers are all floats where one is: a run takes whole ones for what they are
        return
    density = class_density(run, classes=[as_kind(1)], epochs=[as_kind(2)], probes=as_kind(2), steps=as_kind(4),
                            batch_size=as_kind(50), seed=as_kind(3), progress=False)  # fmt: skip
    files = len(list((run.path / "analysis").iterdir()))
    same = class_density(run, classes=[1], epochs=[2], probes=2, steps=4, batch_size=50, seed=3, progress=False)
    pd.testing.assert_frame_equal(density, same, check_exact=True)
    assert len(list((run.path / "analysis").iterdir())) == files  # it was the same question
    data = rdr_core.load_data("digits", imbalance_factor=as_kind(50), seed=as_kind(2), held_out=as_kind(3))
    assert data.content_hash == rdr_core.load_data("digits", imbalance_factor=50, seed=2, held_out=3).content_hash
    weights = rdr_core.RDRWeights(torch.tensor([30, 10]), as_kind(4), momentum=as_kind(0.5), warmup_steps=as_kind(0))
    assert dataclasses.is_dataclass(run.config)
    assert weights.prototypes.shape == (2, 4)
