"""A run's command, typed into a shell, asks for that very run."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdr_core import RdrError, RunConfig
from rdr_core.data.settings import settings_of
from rdr_core.runs.command import command_of
from rdr_core.training.recipes import settings_for

METHODS = ("rdr", "ce", "rdr+sam", "inverse:gamma=0.5", "rdr:momentum=0.9+la:tau=0.3", "ce+crt", "cb+ldam+drw")
positive = st.floats(1e-6, 1e3, allow_nan=False)


@st.composite
def configs(draw) -> RunConfig:
    """Any run that the command line can ask for, its values the defaults as often as not."""
    dataset = draw(st.sampled_from(["digits", "digits:9-4", "cifar100", "imagenet-lt", "folder:my photos"]))
    long_tailed, asks = dataset == "imagenet-lt", dataset.startswith("folder:")
    factor = None if long_tailed else draw(st.sampled_from([100.0, 50.0]) | st.floats(1, 500))
    factor = draw(st.sampled_from([None, factor])) if asks else factor
    usual = settings_of(dataset)

    def some(default, other):
        return draw(st.just(default) | other)

    return RunConfig(
        dataset=dataset,
        imbalance_factor=factor,
        method=draw(st.sampled_from(METHODS)),
        epochs=some(usual.epochs, st.integers(1, 10**6)),
        seed=some(0, st.integers(0, 2**40)),
        profile=None if factor is None else some("exponential", st.just("step")),
        noise_rate=some(0.0, st.floats(0, 0.99)),
        noise=some("symmetric", st.just("prior")),
        data_seed=some(0, st.integers(0, 2**32 - 1)),
        model=some(usual.model, st.sampled_from(["small", "resnet32"])),
        batch_size=some(usual.batch_size, st.integers(1, 4096)),
        learning_rate=some(usual.learning_rate, positive),
        weight_decay=some(2e-4, st.sampled_from([1e-4, 0.0])),
        warmup=some(0.025, st.floats(0, 0.99)),
        schedule=some("cosine", st.just("step")),
        augmentation=some("plain", st.sampled_from(["strong", "none", "authors"])),
        precision=some("fp32", st.just("bf16")),
    )


class Asked(Exception):
    """What training would start with."""


def asked_by(command: str) -> tuple[Path, RunConfig]:
    """The folder and the configuration that a command line asks for, read by the real commands."""
    import typer

    import rdr_core.runs.session
    from rdr_core.cli import app

    def stop(session):
        raise Asked(session.path, session.config)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rdr_core.runs.session.Session, "run", stop)
        with pytest.raises(Asked) as said:
            typer.main.get_command(app)(shlex.split(command)[1:], standalone_mode=False)
    return said.value.args


@given(config=configs(), runs=st.none() | st.sampled_from(["kept/runs", "my runs", "it's; rm -r $HOME"]))
def test_the_command_asks_for_the_same_run(config, runs):
    command = command_of(config, None if runs is None else Path(runs))
    assert asked_by(command) == (Path(runs or "runs") / config.name, config)


DIGITS = {"dataset": "digits", "imbalance_factor": 50, "method": "rdr", "epochs": 60, "model": "small",
          "batch_size": 32, "learning_rate": 0.1}  # fmt: skip


def test_only_what_differs_is_said():
    assert command_of(RunConfig(**DIGITS)) == "rdr train digits -i 50 -m rdr"
    assert command_of(RunConfig(**DIGITS | {"imbalance_factor": 100})) == "rdr train digits -m rdr"
    places = {"imbalance_factor": None, "profile": None, "model": "resnet152-imagenet", "epochs": 30, "batch_size": 256}
    assert command_of(RunConfig(**DIGITS | places | {"dataset": "places-lt"})) == "rdr train places-lt -m rdr"


def test_a_recipe_stands_for_its_values():
    strong = RunConfig(**DIGITS | {"augmentation": "strong"})
    assert command_of(strong) == "rdr train digits -i 50 -m rdr --recipe strong"
    authors = RunConfig(**DIGITS | settings_for("digits", "authors", epochs=9))
    assert command_of(authors) == "rdr train digits -i 50 -m rdr --recipe authors --epochs 9"
    own = RunConfig(**DIGITS | settings_for("digits", "authors", augmentation="plain"))
    assert command_of(own) == "rdr train digits -i 50 -m rdr --recipe authors --augmentation plain"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"momentum": 0.8}, "no option for momentum = 0.8"),
        ({"data_hash": "ab"}, "no option for data_hash = 'ab'"),
        ({"imbalance_factor": None, "profile": None}, "can't use digits with its own imbalance"),
        ({"imbalance_factor": None}, "can't use digits with its own imbalance"),
        ({"dataset": "places-lt"}, "places-lt comes long-tailed"),
        ({"dataset": "mine"}, "no data set named 'mine'"),
    ],
)
def test_what_the_command_line_cannot_say_is_refused(change, says):
    with pytest.raises(RdrError, match=says):
        command_of(RunConfig(**DIGITS | change))
