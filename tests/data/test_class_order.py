"""Which class is rare is drawn too: names, images and labels go with their class, and a seed says which."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rdr_core
from rdr_core.data import load_data
from rdr_core.data.class_order import class_order
from rdr_core.data.load import data_root
from rdr_core.data.sources import load_source
from rdr_core.errors import RdrError
from rdr_core.runs import RunConfig
from rdr_core.runs.command import command_of

ASK = {"imbalance_factor": 20, "epochs": 1, "device": "cpu", "progress": False}


@given(st.integers(0, 2**32 - 1), st.integers(2, 100))
def test_a_seed_draws_each_class_once_and_the_same_again(seed, num_classes):
    order = class_order(seed, num_classes)
    assert sorted(order.tolist()) == list(range(num_classes))
    assert np.array_equal(order, class_order(seed, num_classes))


def test_every_place_is_as_likely():
    """Chi-squared of 10 classes in 10 places over 2,000 seeds: 99.9 % of fair draws have less than 127."""
    counts = np.zeros((10, 10))
    for seed in range(2000):
        counts[np.arange(10), class_order(seed, 10)] += 1
    assert ((counts - 200) ** 2 / 200).sum() < 127


@settings(max_examples=10)
@given(st.permutations(range(10)), st.integers(0, 100))
def test_images_labels_and_names_go_with_their_class(order, seed):
    """Against brute force over the file's own rows."""
    raw = load_source("digits", data_root())
    data = load_data("digits", imbalance_factor=20, seed=seed, class_order=order)
    assert data.class_names == tuple(str(klass) for klass in order)
    assert torch.equal(data.train.inputs, torch.from_numpy(raw.train_inputs[data.indices]))
    assert [order[label] for label in data.train.labels] == raw.train_labels[data.indices].tolist()
    assert [order[label] for label in data.test.labels] == raw.test_labels.tolist()
    assert torch.equal(data.test.inputs, torch.from_numpy(raw.test_inputs))
    smallest = np.bincount(raw.train_labels).min()
    expected = [int(smallest * 20 ** (-place / 9)) for place in range(10)]
    assert data.class_counts.tolist() == expected
    assert sum(len(classes) for _, classes in data.groups.items()) == 10


def test_the_files_own_order_is_what_there_was():
    data, plain = (load_data("digits", imbalance_factor=20, **order) for order in ({"class_order": range(10)}, {}))
    assert data.content_hash == plain.content_hash
    assert load_data("digits", imbalance_factor=20, class_order="file").content_hash == plain.content_hash


def test_seed_subset_and_order_are_three_things(tmp_path):
    """Each changes the run; all three alike give the same bits again, in another folder."""
    ask = {"seed": 1, "data_seed": 2, "class_order": 3}
    run = rdr_core.train("digits", runs=tmp_path, **ASK, **ask)
    again = rdr_core.train("digits", runs=tmp_path / "again", **ASK, **ask)
    assert run.name == again.name
    assert all(torch.equal(value, again.model().state_dict()[name]) for name, value in run.model().state_dict().items())
    others = [rdr_core.train("digits", runs=tmp_path, **ASK, **(ask | {name: 4})) for name in ask]
    assert len({run.name, *(other.name for other in others)}) == 4
    hashes = [other.data().content_hash for other in others]
    assert hashes[0] == run.data().content_hash
    assert len({*hashes}) == 3
    order = class_order(3, 10)
    assert run.class_names == run.data().class_names == tuple(str(klass) for klass in order)
    assert rdr_core.evaluate(run)["top1"] == pytest.approx(run.metrics["top1"])


def test_the_command_says_it(tmp_path):
    run = rdr_core.train("digits", runs=tmp_path, class_order=3, **ASK)
    assert "--class-order 3" in command_of(run.config)
    plain = rdr_core.train("digits", runs=tmp_path, **ASK)
    assert "class-order" not in command_of(plain.config)
    assert RunConfig.from_dict(run.config.to_dict()) == run.config
    old = {key: value for key, value in plain.config.to_dict().items() if key != "class_order"}
    assert RunConfig.from_dict(old).name == plain.name  # of runs made before there was an order


@pytest.mark.parametrize("order", [[0, 1], [0, 0, *range(2, 10)], [*range(9), 10], [0.5, *range(1, 10)], [], [[1]]])
def test_an_order_that_is_none_is_told(order):
    with pytest.raises(RdrError, match=r"class_order is .* must have each class of 0 to 9 once"):
        load_data("digits", imbalance_factor=20, class_order=order)


@pytest.mark.parametrize(("order", "said"), [("rare", "must be 'file', a seed"), (-1, "seed"), (2**32, "seed")])
def test_an_impossible_word_or_seed_is_told(order, said):
    with pytest.raises(RdrError, match=said):
        load_data("digits", imbalance_factor=20, class_order=order)


@pytest.mark.parametrize("order", [True, -1, "rare", 0.5])
def test_a_configuration_with_an_impossible_order_is_refused(order, tmp_path):
    values = rdr_core.train("digits", runs=tmp_path, **ASK).config.to_dict()
    with pytest.raises(RdrError, match=r"class_order is .* must be 'file' or a seed"):
        RunConfig.from_dict(values | {"class_order": order})


def test_where_there_is_no_tail_to_place_it_is_refused(tmp_path):
    with pytest.raises(RdrError, match="class_order"):
        rdr_core.train("imagenet-lt", class_order=1, runs=tmp_path)
    arrays = load_data("digits", imbalance_factor=20)
    with pytest.raises(RdrError, match="leave imbalance_factor"):
        rdr_core.train(arrays, class_order=1, runs=tmp_path)


def test_from_the_command_line(rdr):
    status, _, err = rdr("train", "digits", "-i", "20", "--epochs", "1", "--class-order", "rare")
    assert status == 2
    assert "class_order is 'rare'" in err
