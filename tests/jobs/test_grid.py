"""A grid's runs are all the combinations of its values, and what is wrong in it is named with its line."""

from __future__ import annotations

from itertools import product

import pytest

import rdr_core
from rdr_core.errors import RdrError
from rdr_core.jobs.grid import grid_configs
from rdr_core.jobs.sweep import note_failures, states_of, tasks_of_grid
from rdr_core.runs.requests import configure

GRID = """
dataset = "digits"
imbalance_factor = [10, 50.0]
method = ["ce", "rdr"]
seed = [0, 1]
epochs = 1
"""


def written(path, text: str):
    (path / "grid.toml").write_text(text)
    return path / "grid.toml"


def test_all_combinations_each_once_as_train_names_them(tmp_path):
    configs = grid_configs(written(tmp_path, GRID))
    expected = {
        configure("digits", imbalance_factor=factor, method=method, seed=seed, epochs=1)
        for factor, method, seed in product((10, 50), ("ce", "rdr"), (0, 1))
    }
    assert set(configs) == expected
    assert len(configs) == 8
    assert [config.seed for config in configs] == [0] * 4 + [1] * 4
    run = rdr_core.train("digits", imbalance_factor=10, method="ce", epochs=1, runs=tmp_path, progress=False)
    assert run.config in configs
    # By another name the same method is the same run.
    assert len(grid_configs({"dataset": "digits", "method": ["ce", "inverse:gamma=1", "inverse"]})) == 2


def test_a_seed_draws_what_it_is_told_to():
    grid = {"dataset": "digits", "seed": [3, 5], "draws": ["data_seed", "class_order"]}
    assert [(c.seed, c.data_seed, c.class_order) for c in grid_configs(grid)] == [(3, 3, 3), (5, 5, 5)]


def test_further_grids_have_what_stands_above(tmp_path):
    more = GRID + '[[grid]]\nmethod = "cb"\nseed = 7\n[[grid]]\nimbalance_factor = 5\nmethod = "ce"\n'
    extra = set(grid_configs(written(tmp_path, more))) - set(grid_configs(written(tmp_path, GRID)))
    assert {(c.method, c.imbalance_factor, c.seed, c.epochs) for c in extra} == {
        ("cb", 10, 7, 1), ("cb", 50, 7, 1), ("ce", 5, 0, 1), ("ce", 5, 1, 1)
    }  # fmt: skip
    only = 'method = "ce"\nepochs = 1\n[[grid]]\ndataset = "digits"\n[[grid]]\ndataset = "digits"\nseed = 1'
    assert len(grid_configs(written(tmp_path, only))) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("datset = 1", "line 1: There is no setting named 'datset'; did you mean 'dataset'"),
        ("epochs = 1\ndataset = 3", "line 2: dataset is 3; it must be text, or a list of such."),
        ('dataset = "digits"\n\nmethod = ["ce", "rdrr"]', "method = 'rdrr': There is no part of a method"),
        ('dataset = "digits"\nseed = []', "has no runs: a list in it is empty"),
        ('dataset = "digits"\nseed = true', "line 2: seed is True; it must be a number"),
        ('dataset = "digits"\nseed = nan', "line 2: dataset = 'digits', seed = nan: seed is nan; it must be a whole"),
        ('dataset = "digits"\nepochs = [5, -1]', "line 2: dataset = 'digits', epochs = -1: epochs is -1; it must"),
        ('dataset = "digits"\nimbalance_factor = 1e9', "lines 1, 2: dataset = 'digits', imbalance_factor = 1"),
        ('dataset = "digits"\n[imbalance_factor]\na = 1', "line 2: imbalance_factor is {'a': 1}; it must be a"),
        ('dataset = "imagenet-lt"\nimbalance_factor = 10', "lines 1, 2: .*imagenet-lt comes long-tailed"),
        ('dataset = "nowhere"', "line 1: dataset = 'nowhere': There is no data set named 'nowhere'"),
        ("dataset = [", "it is no TOML"),
        ("grid = 3", "line 1: grid is 3; it must be a list of tables"),
        ("epochs = 3", "names no data set"),
        ('dataset = "digits"\ndraws = "noise"', "line 2: There is no draw of a seed named 'noise'"),
        ('dataset = "digits"\ndraws = "data_seed"\ndata_seed = 1', "lines 2, 3: data_seed is drawn by the seed"),
        ('dataset = "digits"\n[[grid]]\nmodle = "small"', "line 3: There is no setting named 'modle'; did you mean"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(text, told, tmp_path):
    with pytest.raises(RdrError, match=told) as caught:
        grid_configs(written(tmp_path, text))
    assert str(tmp_path / "grid.toml") in str(caught.value)


def test_a_file_that_cant_be_read_is_named(tmp_path):
    (tmp_path / "b").write_bytes(b"\xff\xfe")
    for path, why in ((tmp_path / "a", "No such file"), (tmp_path / "b", "it is no text"), (tmp_path, "directory")):
        with pytest.raises(RdrError, match=why):
            grid_configs(path)


def test_the_longest_come_first_and_one_seed_before_the_next(tmp_path):
    grid = {"dataset": ["digits", "cifar10"], "imbalance_factor": [50, 10], "method": ["ce", "rdr"], "seed": [0, 1]}
    order = [(t.config.dataset, t.config.imbalance_factor, t.config.seed, t.config.method)
             for t in tasks_of_grid(grid_configs(grid), tmp_path)]  # fmt: skip
    assert order == [
        (data, factor, seed, method)
        for data in ("cifar10", "digits")
        for factor in (10, 50)
        for seed in (0, 1)
        for method in ("ce", "rdr")
    ]


def test_what_fails_is_kept_with_its_reason_until_it_is_made(tmp_path):
    grid = {"dataset": "digits", "method": "ce", "learning_rate": [0.1, 1e30], "epochs": 1}
    outcome = rdr_core.sweep(grid, runs=tmp_path, parallel=1, progress=False)
    assert (len(outcome.finished), len(outcome.failed)) == (1, 1)
    states = {state.what: state for state in states_of(tasks_of_grid(grid_configs(grid), tmp_path))}
    assert states.keys() == {"finished", "failed"}
    bad = states["failed"]
    assert bad.why == outcome.failed[0].sentence
    assert "Try a lower learning rate" in bad.why
    note_failures(outcome.__class__((bad.name,), (), (), (), (), 0, None), tmp_path)
    assert not list((tmp_path / ".failed").iterdir())
