"""The two-class test of CDB-loss: which images a draw has, what is compared, and how far it is measured."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from marked import marked

from rdr_core.errors import RdrError

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def two_classes(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("two_classes")


def made_up(two_classes, draws: int) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame([
        {"share": share, "draw": draw, "method": method, "nines": random.uniform(0, 1), "fours": random.uniform(1, 9)}
        for share in two_classes.SHARES for draw in range(draws) for method in two_classes.METHODS
    ])  # fmt: skip


def test_draws_are_what_they_say(two_classes, mnist_root):
    """5,000 images with the share asked for, the same again by the same seed, and none that is held out."""
    first, again, other = (two_classes.two_classes(0.99, draw) for draw in (0, 0, 1))
    assert first.class_counts.tolist() == other.class_counts.tolist() == [4950, 50]
    assert list(first.class_names) == ["9", "4"]
    assert torch.equal(first.train.inputs, again.train.inputs)
    assert torch.equal(first.train.labels, again.train.labels)
    assert not torch.equal(first.train.inputs, other.train.inputs)
    shown, hidden = ({bytes(image.numpy()) for image in part.inputs} for part in (first.train, first.held_out))
    assert len(hidden) == 2 * two_classes.HELD_OUT
    assert not shown & hidden


@pytest.mark.parametrize("share", [0.0, 1.0, 0.99995, 1.5, -1.0, float("nan")])
def test_a_share_that_leaves_a_class_empty_is_refused(two_classes, share, mnist_root):
    with pytest.raises(
        RdrError, match=r"share is .*; of 5000 images it must leave each class at least one: .* 0\.99\."
    ):
        two_classes.two_classes(share, 0)


def test_only_whole_draws_are_compared(two_classes):
    """And their means and intervals are those of a plain calculation."""
    found = made_up(two_classes, draws=4)
    half = found.assign(draw=9)[found["draw"] == 0].iloc[1:]
    said = two_classes.markdown(found)
    assert two_classes.markdown(pd.concat([found, half])) == said
    at = found[found["share"] == 0.99].sort_values("draw")
    rdr, ce = ((of["nines"] + of["fours"]).to_numpy() / 2 for of in (at[at["method"] == m] for m in ("rdr", "ce")))
    gain = (rdr - ce).mean()
    width = 3.182446 * (rdr - ce).std(ddof=1) / 2  # Student's with three degrees of freedom
    cell = f"{rdr.mean():.1f} ({gain:+.1f} [{gain - width:+.1f}, {gain + width:+.1f}])"
    row = next(line for line in said.splitlines() if line.startswith("| RDR |"))
    assert row.split(" | ")[4] == cell
    cdb, rival = (of.set_index("draw") for of in (at[at["method"] == m] for m in ("cdb:tau=1", "inverse")))
    beyond = ((cdb["nines"] + cdb["fours"] - rival["nines"] - rival["fours"]) / 2).mean()
    row = next(line for line in said.splitlines() if line.startswith("| CDB (τ=1) less 1/n |"))
    assert row.split(" | ")[4].startswith(f"{beyond:+.1f} [")


def test_the_page_is_what_was_measured(two_classes):
    """`python docs/difficulty_picture.py` writes it; none is typed."""
    page = (ROOT / "docs" / "methods" / "what-difficulty-adds.md").read_text(encoding="utf-8")
    errors, weights = two_classes.read()
    assert marked(page, "two-classes") == two_classes.markdown(errors)
    whole = two_classes.whole_draws(errors)
    assert whole["draw"].nunique() >= 3
    cdb = weights[(weights["draw"] == 0) & (weights["method"] == "cdb:tau=1")]["weight"]
    count = weights[(weights["draw"] == 0) & (weights["method"] == "inverse")]["weight"]
    assert cdb.max() - cdb.min() > 50  # what the page says of the picture: one swings, the other hardly moves
    assert count.std() < 0.1 * count.mean()
    # And of the last two rows: CDB is ahead of 1/n at 98 % nines, and its intervals hold no difference from RDR.
    error = whole.assign(error=(whole["nines"] + whole["fours"]) / 2)
    table = error.pivot_table(index="draw", columns=["share", "method"], values="error")
    assert two_classes.t_interval(table[0.98, "cdb:tau=1"] - table[0.98, "inverse"])[1] < 0
    for share in two_classes.SHARES:
        low, high = two_classes.t_interval(table[share, "cdb:tau=1"] - table[share, "rdr"])
        assert low < 0 < high


def test_what_is_missing_goes_draw_by_draw(two_classes):
    found = made_up(two_classes, draws=2).drop(index=[3, 30])
    left = list(two_classes.missing(found))
    assert len(left) == 2 + (two_classes.DRAWS - 2) * len(two_classes.SHARES) * len(two_classes.METHODS)
    assert [cell.draw for cell in left] == sorted(cell.draw for cell in left)


def test_the_picture_of_it_draws(two_classes, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    picture = importlib.import_module("difficulty_picture")
    weights = pd.DataFrame([
        {"draw": draw, "method": method, "epoch": epoch, "weight": 50.0 + draw}
        for draw in (0, 1) for method in two_classes.METHODS for epoch in range(1, 4)
    ])  # fmt: skip
    *panels, last = picture.drawn(made_up(two_classes, draws=2), weights).axes
    assert [panel.get_title(loc="left") for panel in panels] == ["1/n", "RDR", "CDB (τ=1)"]
    assert all(panel.lines[0].get_ydata().tolist() == [50.0] * 3 for panel in panels)
    assert len(last.lines) == len(picture.ERRORS)
