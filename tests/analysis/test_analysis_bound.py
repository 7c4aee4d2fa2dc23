"""Bound terms and correlations against loops over the run's table, and over the visits themselves."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr, spearmanr

import rdr_core
from rdr_core.errors import RdrError
from rdr_viz.analysis.bound import bound_sums, bound_terms, weight_b_prime_correlations
from rdr_viz.analysis.over_epochs import READINGS


def test_terms_by_loops(rdr_run):
    found = bound_terms(rdr_run).set_index(["reading", "epoch", "class"])
    classes = rdr_run.classes
    assert len(found) == 4 * 10 * 10
    for reading in READINGS:
        for epoch in (1, 4, 10):
            rows = classes[classes["epoch"] == epoch]
            for _, row in rows.iterrows():
                weight = row["weight"] / (sum(rows["weight"]) / len(rows))
                got = found.loc[(reading, epoch, row["class"])]
                assert got["term"] == pytest.approx(weight * row[reading], rel=1e-12)
                assert (got["count"], got["group"]) == (row["count"], row["group"])


def test_sums_by_loops_and_the_runs_own(rdr_run):
    sums = bound_sums(rdr_run, readings=["b_prime"], scale="batch")
    whole = sums[sums["group"] == "All"]
    np.testing.assert_allclose(whole["terms"], rdr_run.history["bound_terms"], rtol=1e-12)
    counts = rdr_run.class_counts
    np.testing.assert_allclose(whole["scaled"], whole["terms"] / (10 * min(counts) / sum(counts)), rtol=1e-12)
    groups = sums[sums["group"] != "All"].groupby("epoch")["terms"].sum()
    np.testing.assert_allclose(groups, whole["terms"], rtol=1e-12)
    assert sums["group"].unique().tolist() == ["All", "Many", "Medium", "Few"]


def test_b_prime_and_term_of_a_visit_by_visit_loop(tmp_path, monkeypatch):
    """The whole chain: what one epoch's visits showed, by plain Python, is what the tables hold."""
    from rdr_core.training.visits import Visits

    seen = {}
    by_class = Visits.by_class

    def spy(self, priors):
        seen.update(
            logit=self["logit"].tolist(), probability=self["probability"].tolist(), weight=self["weight"].tolist(),
            labels=self.labels.tolist(), priors=priors.tolist(), batch_size=self.batch_size,
        )  # fmt: skip
        return by_class(self, priors)

    monkeypatch.setattr(Visits, "by_class", spy)
    run = rdr_core.train(
        "digits", imbalance_factor=10, method="inverse", epochs=1, runs=tmp_path, progress=False, batch_size=50
    )
    weights = [np.mean([w for w, y in zip(seen["weight"], seen["labels"], strict=True) if y == k]) for k in range(10)]
    found = bound_terms(run).set_index(["reading", "class"])
    visits = list(zip(seen["labels"], seen["logit"], seen["probability"], range(len(seen["labels"])), strict=True))
    for k in range(10):
        own = [visit for visit in visits if visit[0] == k]
        in_batches: dict[int, list[float]] = {}
        for _, _, probability, at in own:
            in_batches.setdefault(at // seen["batch_size"], []).append(probability)
        ranked = sorted(probability for _, _, probability, _ in own)
        softmax = {
            "b_prime": min(own, key=lambda visit: visit[1])[2],
            "b_prime_probability": min(ranked),
            "b_prime_batch": np.mean([min(values) for values in in_batches.values()]),
            "b_prime_quantile": ranked[math.floor(0.1 * (len(ranked) - 1))],
        }
        for reading, value in softmax.items():
            b_prime = math.sqrt(seen["priors"][k]) * (1 - value)
            assert found.loc[(reading, k), "b_prime"] == pytest.approx(b_prime, rel=1e-6)
            assert found.loc[(reading, k), "term"] == pytest.approx(b_prime * weights[k] / np.mean(weights), rel=1e-6)


@pytest.mark.parametrize("drift", [False, True])
def test_correlations_by_loops(rdr_run, drift):
    found = weight_b_prime_correlations(rdr_run, readings=["b_prime_batch"], resamples=50, drift=drift)
    terms = bound_terms(rdr_run, readings=["b_prime_batch"])
    after = terms[~terms["warm_up"]]
    assert len(found) == (3 + 10) * 2
    for row in found.itertuples():
        rows = after[after["class"] == row[2]] if row.level == "class" else after[after["group"] == row.group]
        weight = [part["weight"].mean() for _, part in rows.groupby("epoch")]
        b_prime = [part["b_prime"].mean() for _, part in rows.groupby("epoch")]
        if not drift:
            weight, b_prime = ([s[t] - (s[t - 1] + s[t + 1]) / 2 for t in range(1, 9)] for s in (weight, b_prime))
        oracle = {"spearman": spearmanr, "pearson": pearsonr}[row.coefficient](weight, b_prime).statistic
        assert row.value == pytest.approx(oracle, abs=1e-6)
        assert row.epochs == len(weight) == (10 if drift else 8)
        assert row.low <= row.value <= row.high


def test_the_warm_up_is_left_out(rdr_run):
    classes = rdr_run.classes
    classes.loc[classes["epoch"] <= 2, "weight"] = 1.0
    warm = SimpleNamespace(
        classes=classes, class_names=rdr_run.class_names, class_counts=rdr_run.class_counts, groups=rdr_run.groups
    )
    found = weight_b_prime_correlations(warm, readings=["b_prime"], resamples=50, drift=True)
    assert (found["epochs"] == 8).all()
    row = found[(found["class"] == 0) & (found["coefficient"] == "pearson")].iloc[0]
    scaled = classes["weight"] / classes.groupby("epoch")["weight"].transform("mean")
    kept = classes.assign(weight=scaled)[(classes["epoch"] > 2) & (classes["class"] == 0)]
    assert row["value"] == pytest.approx(pearsonr(kept["weight"], kept["b_prime"]).statistic)


def test_ces_weights_have_no_correlation(trained):
    found = weight_b_prime_correlations(trained[0], readings=["b_prime"])
    assert found["value"].isna().all()


def test_unknown_words_are_refused(rdr_run):
    with pytest.raises(RdrError, match="reading"):
        bound_terms(rdr_run, readings=["logits"])
    with pytest.raises(RdrError, match="scale"):
        bound_terms(rdr_run, scale="sum")


def test_torch_and_tables_agree(rdr_run):
    from rdr_core.measures.bound import bound_terms as of_one_epoch

    rows = rdr_run.classes.query("epoch == 10")
    whole = of_one_epoch(
        torch.tensor(rows["weight"].to_numpy().copy()), torch.tensor(rows["b_prime"].to_numpy().copy())
    )
    sums = bound_sums(rdr_run, readings=["b_prime"], scale="batch").query("group == 'All' and epoch == 10")
    assert sums["terms"].item() == pytest.approx(whole.item())
