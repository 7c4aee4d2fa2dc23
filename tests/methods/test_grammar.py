"""Names of methods: one canonical form for each, and refusals that say why."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rdr_core import RdrError
from rdr_core.methods.grammar import parse
from rdr_core.methods.parts import GROUPS, KINDS, PARTS, part


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("ce", "ce"),
        ("rdr", "rdr"),
        ("ce+rdr", "rdr"),
        ("la", "la"),
        ("la+rdr", "rdr+la"),
        (" rdr + la ", "rdr+la"),
        ("inverse", "inverse"),
        ("focal", "focal"),
        ("cb", "cb"),
        ("focal+cb", "cb+focal"),
        ("inverse+la", "inverse+la"),
        ("rdr:gamma=1.0", "rdr"),
        ("rdr:momentum=0.90,gamma=.5", "rdr:gamma=0.5,momentum=0.9"),
        ("focal:gamma=2", "focal"),
        ("rdr:ridge=1e-3", "rdr:ridge=0.001"),
        ("rdr:prior=1+la", "rdr:prior=1+la"),
        ("rdr:prior=rest+la", "rdr+la"),
        ("rdr:ratio=class", "rdr:ratio=class"),
        ("drw+ldam+cb", "cb+ldam+drw"),
        ("drw:start=0.80+rdr", "rdr+drw"),
        ("vs:tau=0.0,gamma=0.3", "vs:tau=0"),
        ("cdb:tau=paper,images=25", "cdb"),
        ("balanced_softmax+cdb:tau=1.50,images=1e1", "cdb:images=10,tau=1.5+balanced_softmax"),
        ("la:tau=0.9+drw+inverse:gamma=0.1", "inverse:gamma=0.1+la:tau=0.9+drw"),
    ],
)
def test_canonical_names(written, canonical):
    spec = parse(written)
    assert spec.name == canonical
    assert parse(spec.name) == spec


@given(
    gamma=st.floats(0, 10).map(lambda v: round(v, 4)),
    momentum=st.floats(0, 0.99).map(lambda v: round(v, 4)),
    tau=st.floats(0, 3).map(lambda v: round(v, 4)),
)
def test_a_canonical_name_parses_to_itself_with_the_same_numbers(gamma, momentum, tau):
    spec = parse(f"la:tau={tau}+rdr:gamma={gamma},momentum={momentum}")
    assert parse(spec.name) == spec
    assert spec.get("weighting").arguments["gamma"] == gamma
    assert spec.get("weighting").arguments["momentum"] == momentum
    assert spec.get("loss").arguments["tau"] == tau


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rd", r"no part of a method named 'rd'; did you mean 'rdr'"),
        (
            "rdr+xyz",
            r"named 'xyz'\. Known: agreement, balanced_sampling, balanced_softmax, cb, .*inverse, la, .*ldam, .*rdr",
        ),
        ("", "'' is not a method; try 'ce', 'rdr' or 'rdr\\+la'"),
        ("rdr+", "named ''"),
        ("ce+focal", "two losses, 'ce' and 'focal'; a sample has one loss"),
        ("la+focal", "two losses, 'focal' and 'la'"),
        ("rdr+inverse", "two weightings, 'inverse' and 'rdr'; RDR's weights are the density ratio times 1/n already"),
        ("inverse+cb", "two weightings, 'cb' and 'inverse'; their product would correct the imbalance twice"),
        ("rdr+rdr", "names 'rdr' twice"),
        ("ce:gamma=1", "'ce' has no parameters, so not 'gamma'"),
        ("rdr:gama=1", "no parameter of 'rdr' named 'gama'; did you mean 'gamma'"),
        ("rdr:gamma=-1", r"rdr:gamma is '-1'; it must be 0 or larger \(default 1\)"),
        ("rdr:gamma=nan", "rdr:gamma is 'nan'"),
        ("rdr:gamma=inf", "rdr:gamma is 'inf'"),
        ("rdr:gamma=big", "rdr:gamma is 'big'; it must be 0 or larger"),
        ("rdr:momentum=1", r"rdr:momentum is '1'; it must be in \[0, 1\)"),
        ("rdr:ratio=median", r"rdr:ratio is 'median'; it must be one of sample, class"),
        ("rdr:prior=inf", "rdr:prior is 'inf'; it must be 'rest', or a number, 0 or larger"),
        ("RDR", "named 'RDR'; did you mean 'rdr'"),
        ("rdr:prior=some", "rdr:prior is 'some'; it must be 'rest', or a number, 0 or larger"),
        ("rdr:gamma", "'gamma' in method 'rdr:gamma' is not a parameter; write it as in 'rdr:gamma=0.5'"),
        ("rdr:gamma=1,gamma=2", "gives rdr:gamma twice"),
        ("cb:beta=1", r"cb:beta is '1'; it must be in \[0, 1\)"),
        ("drw", r"'drw' defers weights but has none; add a weighting, as in 'inverse\+drw'"),
        ("la+drw", "defers weights but has none"),
        ("inverse+drw+drw", "names 'drw' twice"),
        ("drw:start=1+rdr", r"drw:start is '1'; it must be in \[0, 1\)"),
        ("ldam+la", "two losses, 'la' and 'ldam'"),
        ("balanced_softmax+la", "two losses, 'balanced_softmax' and 'la'"),
        ("cdb+rdr", "two weightings, 'cdb' and 'rdr'; RDR's weights are the density ratio times 1/n already"),
        ("cdb+cb", "two weightings, 'cb' and 'cdb'; their product would correct the imbalance twice"),
        ("cdb:tau=readme", "cdb:tau is 'readme'; it must be 'paper' or 'code', or a number, 0 or larger"),
        ("cdb:images=2.5", "cdb:images is '2.5'; it must be a whole number, 1 or larger"),
        ("cdb:images=0", "cdb:images is '0'; it must be a whole number"),
        ("ldam:scale=0", r"ldam:scale is '0'; it must be in \(0, inf\)"),
        ("ldam+taunorm", "taunorm changes a linear classifier, but ldam trains a cosine classifier"),
        ("cb+ldam+drw+crt", "crt changes a linear classifier"),
        ("balanced_softmax+posthoc", r"twice, in training \(balanced_softmax\) and after it \(posthoc\)"),
        ("vs+posthoc", "takes the prior out of the logits twice"),
        ("balanced_softmax:tau=1", "'balanced_softmax' has no parameters"),
    ],
)
def test_nonsense_is_refused_with_the_reason(name, said):
    with pytest.raises(RdrError, match=said):
        parse(name)


@pytest.mark.parametrize(
    ("name", "weights", "loss"),
    [
        ("ce", 0, 0),
        ("inverse", 1, 0),
        ("inverse:gamma=0.5", 0.5, 0),
        ("la", 0, 1),
        ("rdr", 1, 0),
        ("rdr+la", 0, 1),
        ("rdr+la:tau=0.8", 0.2, 0.8),
        ("rdr+la:tau=1.5", 0, 1.5),
        ("rdr:prior=1+la", 1, 1),
        ("rdr:prior=0", 0, 0),
        ("rdr:gamma=0.5", 0.5, 0),
        ("rdr:gamma=0.5+la:tau=0.5", 0.25, 0.5),
        ("balanced_softmax", 0, 1),
        ("rdr+balanced_softmax", 0, 1),
        ("inverse+balanced_softmax", 1, 1),
        ("vs", 0, 1),
        ("vs:tau=0", 0, 0),
        ("rdr+vs:tau=0.75", 0.25, 0.75),
        ("inverse:gamma=0.1+la:tau=0.9+drw", 0.1, 0.9),
        ("ldam", 0, 0),
        ("rdr+ldam+drw", 1, 0),
        ("cb", math.nan, 0),
        ("cdb+la", math.nan, 1),
        ("focal", 0, 0),
    ],
)
def test_which_part_carries_the_prior(name, weights, loss):
    """Unless told otherwise RDR's weights carry what the loss leaves, so v + tau = 1 (Wang et al. 2023)."""
    spec = parse(name)
    assert spec.prior_in_weights == pytest.approx(weights, nan_ok=True)
    assert spec.prior_in_loss == pytest.approx(loss)


@pytest.mark.parametrize(
    ("name", "scale", "images", "after"),
    [
        ("ce", None, 0, 0),
        ("ldam", 30, 0, 0),
        ("cb+ldam:scale=20+drw", 20, 0, 0),
        ("cdb", None, 25, 0),
        ("cdb:images=5+ldam", 30, 5, 0),
        ("ce+posthoc:tau=0.5", None, 0, 0.5),
        ("cdb+crt", None, 25, 0),
    ],
)
def test_what_a_method_wants_of_network_data_and_second_stage(name, scale, images, after):
    spec = parse(name)
    assert (spec.cosine_scale, spec.held_out, spec.prior_after) == (scale, images, after)


def test_every_part_says_what_it_is():
    for known in PARTS.all().values():
        assert known.kind in KINDS
        assert sum(known.kind in kinds for kinds in GROUPS.values()) == 1
        assert known.summary
        assert known.formula
        for key, default in known.defaults.items():
            assert known.ranges[key].test(default), f"{known.name}:{key}"


def test_ones_own_part_in_a_dozen_lines():
    @part("sqrt", kind="class weights", summary="square root of 1/n", formula="n^-0.5", source="")
    def square_root(class_counts):
        weights = class_counts.double().rsqrt()
        return (weights / weights.mean()).float()

    try:
        assert parse("la+sqrt").name == "sqrt+la"
        with pytest.raises(RdrError, match="two weightings, 'rdr' and 'sqrt'"):
            parse("sqrt+rdr")
        with pytest.raises(RdrError, match="a part of a method named 'sqrt' already"):
            part("sqrt", kind="loss", summary="", formula="", source="")(lambda logits: logits)
    finally:
        PARTS.remove("sqrt")
    with pytest.raises(RdrError, match="named 'sqrt'"):
        parse("sqrt")
    assert square_root(torch.tensor([4, 4])).tolist() == [1, 1]


def test_odd_names_and_kinds_are_refused():
    with pytest.raises(RdrError, match="'My Loss' can't name a part"):
        part("My Loss", kind="loss", summary="", formula="", source="")
    with pytest.raises(RdrError, match="no kind of part named 'los'; did you mean 'loss'"):
        part("mine", kind="los", summary="", formula="", source="")
