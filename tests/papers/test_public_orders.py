"""How settings agree with public figures: by hand, and with what the shipped runs say."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from marked import marked
from scipy import stats

from rdr_core.methods.grammar import parse

ROOT = Path(__file__).parents[2]


@pytest.fixture
def orders(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    return importlib.import_module("public_orders")


def figures(*rows):
    return pd.DataFrame(rows, columns=["method", "dataset", "accuracy", "source"])


def test_methods_of_two_sources_are_compared_by_what_each_adds_to_its_own_cross_entropy(orders):
    table = figures(
        ("ce", "cifar10", 70.0, "a"), ("la", "cifar10", 77.0, "a"), ("ce", "cifar100", 38.0, "a"),
        ("la", "cifar100", 43.0, "a"), ("ce", "cifar10", 60.0, "b"), ("vs", "cifar10", 68.0, "b"),
        ("ce", "cifar100", 35.0, "b"), ("vs", "cifar100", 41.0, "b"),
    )  # fmt: skip
    points = orders.over_cross_entropy(table)
    assert points["cifar10"].to_dict() == {"vs": 8.0, "la": 7.0, "ce": 0.0}
    assert points["cifar100"].to_dict() == {"vs": 6.0, "la": 5.0, "ce": 0.0}
    assert orders.public_pairs(points) == [("vs", "la"), ("vs", "ce"), ("la", "ce")]  # by a point exactly


def test_a_pair_has_an_order_only_where_both_sets_say_so_by_a_point(orders):
    points = pd.DataFrame({"cifar10": [2.0, 0.5, 0.0], "cifar100": [-2.0, 3.0, 0.0]}, index=["crossed", "near", "ce"])
    assert orders.public_pairs(points) == []


def test_a_setting_keeps_turns_or_leaves_open_by_the_interval_over_seeds_that_both_have(orders):
    ours = {
        "la": {0: 80.0, 1: 81.0, 2: 79.0, 7: 0.0}, "ce": {0: 75.0, 1: 76.5, 2: 74.0, 8: 99.0},
        "inverse": {0: 79.0, 1: 82.5, 2: 78.2},
    }  # fmt: skip
    assert orders.difference(ours, "la", "ce") == pytest.approx([5.0, 4.5, 5.0])
    pairs = [("la", "ce"), ("ce", "inverse"), ("la", "inverse")]
    found = orders.verdicts(pairs, ours)
    for (better, worse), word in found.items():
        each = np.array([ours[better][seed] - ours[worse][seed] for seed in range(3)])
        low, high = stats.ttest_1samp(each, 0).confidence_interval(0.95)
        assert word == ("kept" if low > 0 else "turned round" if high < 0 else "undecided")
    assert list(found.values()) == ["kept", "turned round", "undecided"]
    assert orders.sentence(found) == (
        "Of the 3 public orders, Fashion-MNIST, IF 100 keeps 1 (LA over CE), turns 1 (CE over 1/n) round, and leaves "
        "1 (LA over 1/n) undecided."
    )


def test_each_public_method_is_one_of_ours_and_has_both_sets_from_its_source(orders):
    table = pd.read_csv(orders.PUBLIC)
    for (method, _), rows in table.groupby(["method", "source"]):
        assert parse(method).name == method
        assert sorted(rows["dataset"]) == ["cifar10", "cifar100"]
    assert set(table.loc[table["method"] == "ce", "source"]) == set(table["source"])


def test_the_page_says_what_the_shipped_runs_say(orders):
    """`python docs/public_orders.py` prints it; none is typed."""
    page = (ROOT / "docs" / "fashion_mnist.md").read_text(encoding="utf-8")
    assert marked(page, "public-orders") == orders.page()
