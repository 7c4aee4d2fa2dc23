"""Recipes: what each name stands for, what overrides it, and that older runs stay what they were."""

from __future__ import annotations

import json

import pytest

import rdr_core
from rdr_core.runs import RunConfig
from rdr_core.runs.command import command_of
from rdr_core.training.augment import AUGMENTATIONS
from rdr_core.training.recipes import RECIPES, VALUES, settings_for
from rdr_core.training.schedule import SCHEDULES


@pytest.mark.parametrize("name", RECIPES)
def test_every_value_of_a_recipe_has_a_source_and_can_be_used(name):
    recipe = RECIPES[name]
    assert set(recipe.sources) == set(VALUES)
    assert recipe.augmentation in AUGMENTATIONS
    assert recipe.schedule in SCHEDULES
    assert set(settings_for("cifar10", name)) == set(VALUES)


def test_on_cifar_the_three_differ_in_what_their_sources_say():
    paper, strong, authors = (settings_for("cifar10", name) for name in ("paper", "strong", "authors"))
    same = {"epochs": 200, "batch_size": 128, "learning_rate": 0.1, "warmup": 0.025}
    assert paper == same | {"augmentation": "plain", "schedule": "cosine", "weight_decay": 2e-4}
    assert strong == paper | {"augmentation": "strong"}
    assert authors == same | {"augmentation": "authors", "schedule": "step", "weight_decay": 1e-4}


def test_the_recipe_of_cdbs_code_is_run_at_small_size(tmp_path):
    assert settings_for("cifar100", "cdb") == {
        "augmentation": "plain", "schedule": "step-cdb", "warmup": 0.0, "weight_decay": 5e-4, "epochs": 240,
        "batch_size": 32, "learning_rate": 0.1,
    }  # fmt: skip
    run = rdr_core.train("digits", imbalance_factor=4, method="cdb:tau=1.5,images=8", recipe="cdb", epochs=24,
                         augmentation="none", runs=tmp_path, progress=False)  # fmt: skip
    rates = run.history.learning_rate.tolist()
    assert rates == pytest.approx([0.1] * 16 + [1e-3] * 5 + [1e-5] * 3)
    assert (run.config.batch_size, run.config.weight_decay) == (32, 5e-4)
    assert "--recipe cdb" in command_of(run.config)


def test_one_value_can_be_ones_own():
    assert settings_for("digits", "authors", augmentation="plain", epochs=None)["augmentation"] == "plain"
    assert settings_for("digits", "authors", augmentation="plain", epochs=None)["epochs"] == 60


def test_a_recipe_names_the_same_run_as_its_values(tmp_path):
    asked = {"imbalance_factor": 50, "method": "ce", "epochs": 1, "runs": tmp_path, "progress": False}
    by_name = rdr_core.train("digits", recipe="authors", augmentation="plain", **asked)
    by_values = rdr_core.train("digits", schedule="step", weight_decay=1e-4, **asked)
    assert by_name.path == by_values.path
    assert by_name.config.schedule == "step"


#: Of a run made before there were recipes, when the augmentation was called so.
OLD = {
    "batch_size": 128, "data_hash": "", "data_seed": 0, "dataset": "cifar10", "epochs": 200,
    "imbalance_factor": 100.0,
    "learning_rate": 0.1, "method": "ce", "model": "resnet32", "momentum": 0.9, "noise": "symmetric",
    "noise_rate": 0.0,
    "precision": "fp32", "profile": "exponential", "recipe": "strong", "seed": 0, "warmup": 0.025,
    "weight_decay": 0.0002,
}  # fmt: skip


def test_older_runs_open_as_what_they_were_and_keep_their_names():
    config = RunConfig.from_dict(json.loads(json.dumps(OLD)))
    assert (config.augmentation, config.schedule) == ("strong", "cosine")
    assert config.name == "cifar10-if100-ce-s0-9ddcaba9a1", "the folder in which it was shipped"
    again = RunConfig.from_dict(config.to_dict())
    assert again == config
