"""The paragraph of verdict says what is measured, and turns around where the numbers do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_up_paper_page import PAPER, claim, measured, unmeasured

from rdr_core.methods.grammar import parse
from rdr_viz.papers.verdict import answer

FASHION, DIGITS = "Fashion-MNIST, authors' schedule", "digits, authors' schedule"
CONTROL, PERMUTED = parse("inverse+drw").name, parse("rdr:preset=released,ratio=permuted").name


def ratio(verdict, mean=-0.3, *, scale=FASHION, measure="all", against=CONTROL, half=0.2, **values):
    """A claim that the released RDR beats a control."""
    dataset = scale.partition(",")[0].capitalize()
    one = measured(scale, verdict, data=f"{dataset}, IF 100", mean=mean, low=mean - half, high=mean + half,
                   against=against, **values)  # fmt: skip
    return claim("The ratio helps.", one, measure=measure, method=("rdr:preset=released",), against=(against,))


@pytest.mark.parametrize(
    ("verdicts", "headline"),
    [
        (["holds", "holds"], "Yes: in the strongest setting"),
        (["holds", "fails"], "In part: the density ratio helps beside some of its controls, and does worse beside"),
        (["holds", "undecided"], "In part: the density ratio helps beside some of its controls; beside others our"),
        (["fails", "undecided"], "Our runs do not show that the density ratio helps."),
        (["undecided", "undecided"], "Our runs cannot tell whether the density ratio helps."),
    ],
)
def test_the_headline_follows_the_verdicts(verdicts, headline):
    assert answer(PAPER, [ratio(verdict) for verdict in verdicts]).headline.startswith(headline)


def test_the_reasons_have_the_numbers_of_the_strongest_setting_first():
    claims = [
        ratio("undecided", 0.0, scale=DIGITS, half=0.0),
        ratio("undecided", -0.26, seeds=5),
        ratio("fails", -1.39, measure="few", half=1.0, seeds=5),
        ratio("undecided", 0.05, against=PERMUTED, seeds=5),
    ]
    reasons = answer(PAPER, claims).reasons
    assert reasons.startswith(
        "The strongest test so far is Fashion-MNIST by the schedule of the authors' code (10,000 test images, a small "
        "network, 50 epochs): of 3 comparisons of RDR with a control without its ratio, none favours the ratio, 1 "
        "goes against it and 2 leave it open."
    )
    assert (
        "The released RDR differs from its fair control, 1/n deferred by the same schedule, by −0.3"
        "\N{NO-BREAK SPACE}points [−0.5 to −0.1] over all classes and −1.4\N{NO-BREAK SPACE}points [−2.4 to −0.4] on "
        "Few (5 seeds)." in reasons
    )
    assert (
        "On digits by the authors' schedule the released RDR equals its fair control, 1/n deferred by the same "
        "schedule, in each of 3 seeds." in reasons
    )


def test_a_rival_that_differs_in_more_than_the_ratio_is_no_control():
    """Where the released RDR stands for the paper's, 1/n from the start is not the same less the ratio."""
    row = claim("RDR beats 1/n.", measured(FASHION, "holds", against=parse("inverse").name, control="1/n+DRW"),
                method=("rdr",), against=("inverse",))  # fmt: skip
    assert answer(PAPER, [row]).headline == ""
    assert answer(PAPER, [replace(row, verdicts=[replace(row.verdicts[0], control="")])]).headline.startswith("Yes")


def test_what_re_weighting_gains_stands_beside_its_control():
    beats = claim("RDR beats CE.", measured(FASHION, "holds", control="1/n+DRW", of_control=2.4))
    reasons = answer(PAPER, [ratio("undecided"), beats]).reasons
    assert reasons.endswith(
        "RDR differs from cross-entropy by +2.0\N{NO-BREAK SPACE}points [+1.0 to +3.0], its control by +2.4."
    )


def test_claims_are_counted_by_scale():
    claims = [
        claim("A.", measured("digits", "holds"), unmeasured(10)),
        claim("B.", measured("digits", "holds"), measured("digits", "fails", 100), unmeasured(10)),
        claim("C.", measured("digits", "undecided"), unmeasured(10)),
    ]
    found = answer(PAPER, claims)
    assert (found.headline, found.reasons) == ("", "")
    assert found.counts == (
        "Of 3 claims, on digits 1 holds, 1 fails and 1 is undecided. None is measured yet in the paper's own setting."
    )
    assert answer(PAPER, []).counts == ""
    readings = [measured("digits", "holds", method="rdr+la"), measured("digits", "fails", method="rdr:prior=1+la")]
    found = answer(PAPER, [*claims, claim("D.", *readings, readings=True)])
    assert "1 is undecided and 1 depends on the reading." in found.counts
