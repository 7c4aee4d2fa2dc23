"""Claims are judged by intervals over seeds; tables set the paper's numbers beside ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rdr_core.methods.grammar import parse
from rdr_viz.papers.cells import compared_cells
from rdr_viz.papers.claims import DEPENDS, FAILS, HOLDS, NOT_MEASURED, UNDECIDED, criterion, decide, overall
from rdr_viz.papers.finding import finding
from rdr_viz.papers.judging import Judge
from rdr_viz.papers.paper import load_paper

PAPER = load_paper("rdr")
CIFAR = PAPER.grids["cifar"]
RUNS = Path("runs")


class MadeUp:
    """A shelf whose runs are numbers: {(dataset, factor, method, measure): values by seed}."""

    def __init__(self, numbers):
        self.numbers = {(d, f, parse(m).name, name): values for (d, f, m, name), values in numbers.items()}

    def by_seed(self, grid, request, name):
        values = self.numbers.get((request.dataset, request.imbalance_factor, request.method, name), {})
        return dict(values) if isinstance(values, dict) else dict(enumerate(values))

    def find(self, config):
        return None


def claim(says: str):
    return next(c for c in PAPER.claims if c.says.startswith(says))


def judge(claim, shelf):
    """As the only claim of its paper."""
    return Judge(replace(PAPER, claims=(claim,)), shelf).of(claim, CIFAR)


def beats(rdr, ce, factor=100):
    only = replace(claim("RDR beats cross-entropy over all"), datasets=("cifar10-lt",), factors=(factor,))
    shelf = MadeUp({("cifar10-lt", factor, "rdr", "all"): rdr, ("cifar10-lt", factor, "ce", "all"): ce})
    return judge(only, shelf)[0]


def test_the_interval_is_students_over_paired_seeds():
    found = beats([81.0, 82.5, 81.5], [75.0, 76.0, 76.5])
    reference = stats.ttest_rel([81.0, 82.5, 81.5], [75.0, 76.0, 76.5]).confidence_interval(0.95)
    assert found.mean == pytest.approx(np.mean([6.0, 6.5, 5.0]))
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high))
    assert (found.seeds, found.verdict) == (3, HOLDS)
    assert found.paper == pytest.approx(81.9 - 75.6)


def test_verdicts_by_where_the_interval_lies():
    assert beats([70.0, 71.0, 70.5], [75.0, 76.0, 76.5]).verdict == FAILS
    assert beats([75.0, 77.0, 75.5], [75.2, 76.0, 76.1]).verdict == UNDECIDED
    assert beats([81.0], [75.0]).verdict == UNDECIDED  # one seed decides nothing
    assert beats([100.0, 100.0, 100.0], [100.0, 100.0, 100.0]).verdict == UNDECIDED  # nor does a ceiling
    assert beats([], [75.0]).verdict == NOT_MEASURED


def test_only_seeds_with_both_methods_count():
    found = beats({0: 80.0, 2: 82.0, 5: 99.0}, {0: 75.0, 1: 10.0, 2: 76.0})
    assert (found.seeds, found.mean) == (2, 5.5)


def test_a_ratio_is_judged_on_its_logarithm():
    numbers = {("cifar10-lt", 100, "rdr", "trace_few"): [1.0, 4.0], ("cifar10-lt", 100, "ce", "trace_few"): [4.0, 4.0]}
    found = judge(claim("RDR makes the loss on the Few classes flatter: the trace"), MadeUp(numbers))[0]
    assert found.mean == pytest.approx(0.5)  # the geometric mean of 1/4 and 1
    assert found.low * found.high == pytest.approx(found.mean**2)
    assert found.paper == pytest.approx(126.96 / 286.84)


def test_a_number_that_the_tables_lack_is_the_claims_own():
    said = claim("At IF 100 the weights of Many fall")
    numbers = {("cifar10-lt", 100, "rdr", "change of the weight of many"): [-12.0, -13.0, -14.0]}
    found = judge(said, MadeUp(numbers))[0]
    assert (found.paper, found.verdict) == (-13.5, HOLDS)


def test_noise_does_not_borrow_the_clean_tables_number():
    found = judge(claim("RDR helps with 5 %"), MadeUp({}))
    assert all(np.isnan(setting.paper) for setting in found)


def test_every_rival_and_setting_is_judged_by_itself():
    said = claim("With SAM, RDR loses less")
    found = judge(said, MadeUp({}))
    assert {(s.request.dataset, s.factor, s.against) for s in found} == {
        (d, f, a) for d in ("cifar10-lt", "cifar100-lt") for f in (10, 100) for a in ("ce+imbsam", "ce+ccsam+crt")
    }
    by = {(s.request.dataset, s.factor, s.against): s.paper for s in found}
    assert by["cifar10-lt", 100, "ce+imbsam"] == pytest.approx(91.8 - 94.6)  # the paper's own table says otherwise
    assert overall(said, found) == NOT_MEASURED


def test_a_claim_fails_with_a_setting_and_holds_with_all_only():
    said = claim("RDR beats cross-entropy on the Few")
    settings = judge(said, MadeUp({}))
    holds, fails, open_ = (replace(settings[0], verdict=verdict) for verdict in (HOLDS, FAILS, UNDECIDED))
    assert overall(said, [holds, holds]) == HOLDS
    assert overall(said, [holds, fails, open_]) == FAILS
    assert overall(said, [holds, open_]) == UNDECIDED
    assert overall(said, [holds, settings[0]]) == UNDECIDED  # one is not measured yet


def test_readings_that_part_make_a_claim_depend_on_the_reading():
    said = claim("RDR improves logit adjustment")
    assert said.readings
    here = replace(said, datasets=("cifar10-lt",), factors=(100,))
    one, other = (replace(setting, verdict=HOLDS) for setting in judge(here, MadeUp({}))[:2])
    assert overall(said, [one, other]) == HOLDS
    for verdict in (FAILS, UNDECIDED):
        assert overall(said, [one, replace(other, verdict=verdict)]) == DEPENDS
    assert overall(said, [replace(one, verdict=FAILS), replace(other, verdict=FAILS)]) == FAILS
    assert overall(said, [one, replace(other, verdict=NOT_MEASURED)]) == UNDECIDED
    assert overall(said, [replace(one, verdict=NOT_MEASURED), replace(other, verdict=NOT_MEASURED)]) == NOT_MEASURED


def test_the_more_is_asked_the_more_it_takes():
    one = replace(claim("RDR beats cross-entropy over all"), datasets=("cifar10-lt",), factors=(100,))
    numbers = {
        ("cifar10-lt", 100, "rdr", "all"): [81.0, 82.5, 81.5],
        ("cifar10-lt", 100, "ce", "all"): [79.0, 79.7, 79.5],
    }
    alone = judge(one, MadeUp(numbers))[0]
    assert (alone.verdict, alone.level) == (HOLDS, 0.05)
    # 19 other questions without an answer.
    rng = np.random.default_rng(0)
    others = [replace(one, says=f"{place}", against=(f"focal:gamma={place + 1}",)) for place in range(19)]
    for place in range(19):
        made_up = [81.0, 82.5, 81.5] - rng.normal(size=3)
        numbers["cifar10-lt", 100, f"focal:gamma={place + 1}", "all"] = made_up - (made_up - [81.0, 82.5, 81.5]).mean()
    many = Judge(replace(PAPER, claims=(one, *others)), MadeUp(numbers)).of(one, CIFAR)[0]
    assert (many.low, many.high, many.p) == (alone.low, alone.high, alone.p)
    assert (many.verdict, many.level) == (UNDECIDED, 0.05 / 20)
    assert many.wide_low < 0 < many.low


ends = st.floats(-100, 100)


@given(ends, ends, ends, ends)
def test_a_verdict_never_contradicts_its_interval(a, b, c, d):
    (low, high), (least, most) = sorted((a, b)), sorted((c, d))
    verdict = decide(low, high, (least, most))
    inside = [least < value < most for value in (low, high)]
    if verdict == HOLDS:
        assert all(inside)
    if verdict == FAILS:
        assert not any(inside)
        assert not (low < least and high > most)


def test_criteria_name_measure_methods_and_where():
    words = [criterion(c) for c in PAPER.claims]
    assert all(w.startswith("Measured: ") and "widened for all questions" in w for w in words)
    assert (
        "of RDR over CE, seed by seed. Holds where the interval of the geometric mean over seeds, widened for all "
        "questions of the setting, is below 1"
        in (criterion(claim("RDR makes the loss on the Few classes flatter: the trace")))
    )
    assert "between -27 and -6.7" in criterion(claim("At IF 100 the weights of Many"))


def table(numbers, name="1", grid=CIFAR):
    cells = compared_cells(PAPER, name, grid, MadeUp(numbers), RUNS)
    return cells.set_index(["dataset", "imbalance_factor", "method", "group"])


def test_cells_have_mean_spread_and_difference():
    cells = table({("cifar10-lt", 100, "rdr", "all"): [81.0, 82.0, 83.0], ("cifar10-lt", 100, "ce", "all"): [70.0]})
    rdr = cells.loc[("cifar10-lt", 100, "rdr", "all")]
    assert (rdr.ours, rdr.ours_sd, rdr.seeds, rdr.command) == (82.0, 1.0, 3, "")
    assert rdr.difference == pytest.approx(82.0 - 81.9)
    assert rdr.within is True
    ce = cells.loc[("cifar10-lt", 100, "ce", "all")]
    assert (ce.seeds, ce.within) == (1, False)  # 5.6 away, and the paper's spread is 0.8
    assert np.isnan(ce.ours_sd)


def test_an_empty_cell_says_what_fills_it():
    cells = table({})
    assert len(cells) == 24  # six methods, two data sets, two factors; the large sets are another grid's
    commands = cells["command"]
    assert commands["cifar10-lt", 100, "rdr+la", "all"] == "rdr train cifar10 -m rdr+la --recipe strong"  # not -i 100
    assert commands["cifar100-lt", 10, "focal", "all"] == "rdr train cifar100 -i 10 -m focal --recipe strong"
    assert cells["ours"].isna().all()
    assert (cells["seeds"] == 0).all()


def test_at_another_scale_nothing_is_set_against_the_paper():
    cells = table({("cifar10-lt", 100, "rdr", "all"): [90.0, 91.0]}, grid=PAPER.grids["digits"])
    rdr = cells.loc[("cifar10-lt", 100, "rdr", "all")]
    assert (rdr.ours, rdr.scale) == (90.5, "digits")
    assert np.isnan(rdr.difference)
    assert rdr.within is None


def test_an_order_is_compared_method_by_method_in_each_seed():
    only = replace(claim("The order of the methods"), method=("ce", "inverse", "rdr", "la"), factors=(100,))
    last = {"ce": [70, 71], "inverse": [72, 73], "rdr": [74, 75], "la": [76, 77]}
    best = {"ce": [75, 71.5], "inverse": [72.5, 73.5], "rdr": [74.5, 75.5], "la": [76.5, 77.5]}
    numbers = {("cifar10-lt", 100, name, "all"): values for name, values in last.items()}
    numbers |= {("cifar10-lt", 100, name, "all at the best epoch"): values for name, values in best.items()}
    (found,) = judge(only, MadeUp(numbers))
    # Of the six pairs two change places in the first seed: CE overtakes 1/n and RDR.
    assert found.mean == pytest.approx(((4 - 2) / 6 + 1) / 2)
    assert (found.seeds, found.verdict) == (2, UNDECIDED)
    (shifted,) = judge(only, MadeUp(numbers | {("cifar10-lt", 100, "ce", "all"): [74.9, 71.2]}))
    assert shifted.mean == pytest.approx(1.0)
    assert shifted.verdict == UNDECIDED  # seeds without any spread decide nothing
    (half,) = judge(only, MadeUp({key: v for key, v in numbers.items() if key[2] != "la"}))
    assert (half.seeds, half.verdict) == (0, NOT_MEASURED)
    assert "Kendall's rank correlation" in criterion(only)


def test_a_claim_shows_the_fair_control_beside_the_method():
    only = replace(claim("RDR beats cross-entropy over all"), datasets=("cifar10-lt",), factors=(100,))
    numbers = {
        ("cifar10-lt", 100, "rdr", "all"): [81.0, 82.0], ("cifar10-lt", 100, "ce", "all"): [75.0, 76.5],
        ("cifar10-lt", 100, "inverse", "all"): [80.0, 80.0],
    }  # fmt: skip
    (found,) = judge(only, MadeUp(numbers))
    assert (found.control, found.of_control) == ("inverse", pytest.approx((5.0 + 3.5) / 2))
    rival = replace(claim("RDR beats 1/n over all"), datasets=("cifar10-lt",), factors=(100,))
    (found,) = judge(rival, MadeUp(numbers))
    assert found.control == ""  # it is the rival
    cells = compared_cells(PAPER, "1", CIFAR, MadeUp(numbers), RUNS)
    (cell,) = cells[cells["over_control"].notna()].to_dict("records")
    assert (cell["method"], cell["imbalance_factor"]) == ("rdr", 100)
    assert (cell["control"], cell["over_control"]) == ("1/n", pytest.approx(1.5))


def test_by_the_authors_code_rdr_is_the_released_one():
    grid = PAPER.grids["cifar-authors"]
    request = claim("RDR beats cross-entropy over all").requests[0]
    config = grid.config(request, seed=0)
    assert config.method == "rdr:preset=released"
    assert (config.schedule, config.augmentation, config.weight_decay) == ("step", "authors", 1e-4)
    assert grid.config(request._replace(method="rdr+la"), seed=0) is None  # their code has no logit adjustment


@pytest.mark.parametrize(
    ("released", "deferred", "says"),
    [
        ([80.0, 81.0, 80.5], [78.0, 79.1, 78.4], "so over all classes the ratio helps. Deferring"),
        ([80.0, 81.0, 80.5], [80.1, 80.9, 80.5], "so these runs do not show that the ratio helps. Deferring"),
        ([76.0, 77.0, 76.5], [78.0, 79.1, 78.4], "so over all classes the ratio does not help. Deferring"),
        ([80.0, 81.0, 80.5], [80.0, 81.0, 80.5], "from that control by 0.0 points in each seed, so these runs do"),
        ([80.0], [78.0], "RDR differs from that control by +2.0 points, so these runs do not show"),
    ],
)
def test_the_finding_falls_as_the_runs_do(released, deferred, says):
    numbers = {
        ("cifar10-lt", 100, "rdr", "all"): released,
        ("cifar10-lt", 100, "rdr:preset=released", "all"): released,
        ("cifar10-lt", 100, "inverse+drw", "all"): deferred,
        ("cifar10-lt", 100, "inverse", "all"): [70.0, 71.0, 70.5],
        ("cifar10-lt", 100, "ce", "all"): [60.0, 61.0, 60.3],
    }
    of_the_ratio = [c for c in PAPER.claims if "rdr" in c.method[0] or c.method == ("inverse+drw",)]
    paper = replace(PAPER, claims=tuple(c for c in of_the_ratio if c.measure == ("all",) and not c.between))
    found = finding(paper, MadeUp(numbers)).replace("\N{NO-BREAK SPACE}", " ")
    assert found.startswith("On Fashion-MNIST at imbalance factor 100, trained by the schedule of the authors' code")
    assert says in found
    assert found.count(". ") == 2  # three sentences
    assert finding(PAPER, MadeUp({})) == ""
    fewer = numbers | {("cifar10-lt", 100, "rdr:preset=released,ratio=permuted", "all"): released[:2]}
    told = finding(paper, MadeUp(fewer))
    assert "permuted within their class" in told
    assert ("(2 seeds)" in told) == (len(released) > 2)
