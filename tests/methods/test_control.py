"""Fair controls: one thing differs, and the control of a control comes to an end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.methods.control import control_of
from rdr_core.methods.explain import explain
from rdr_core.methods.grammar import parse


@pytest.mark.parametrize(
    ("method", "control"),
    [
        ("rdr", "inverse"),
        ("rdr:gamma=0.5", "inverse:gamma=0.5"),
        ("rdr:momentum=0.9,ridge=0", "inverse"),
        ("rdr:preset=released", "inverse+drw"),
        ("rdr:preset=text", "inverse"),
        ("rdr:warmup=0.5", "inverse+drw:start=0.5"),
        ("rdr+drw", "inverse+drw"),
        ("rdr+sam", "inverse+sam"),
        ("rdr+la+sam", "la+sam"),
        ("rdr+la:tau=0.5", "inverse:gamma=0.5+la:tau=0.5"),
        ("rdr:prior=1+la", "inverse+la"),
        ("rdr:prior=0.5,gamma=0.5", "inverse:gamma=0.25"),
        ("inverse+drw", "inverse"),
        ("cb+ldam+drw", "cb+ldam"),
        ("inverse+imbsam", "ce+imbsam"),
        ("cdb", "cdb:tau=0"),
        ("cdb:tau=code,images=10+la", "cdb:images=10,tau=0+la"),
        ("cdb+drw", "cdb"),
        ("cdb:tau=0", None),
        ("la", None),
        ("ce+sam", None),
    ],
)
def test_each_has_its_own(method, control):
    assert control_of(method) == control


@given(
    weights=st.sampled_from(["rdr", "rdr:preset=released", "rdr:gamma=0.3", "inverse", "cb", "inverse:gamma=0.5"]),
    schedule=st.sampled_from(["", "+drw", "+drw:start=0.5"]),
    others=st.sampled_from(["", "+la", "+focal", "+sam", "+la+sam", "+ldam+ccsam"]),
)
def test_all_but_weights_and_schedule_stay_and_controls_end(weights, schedule, others):
    method = weights + schedule + others
    seen = []
    while method is not None:
        before, method = method, control_of(method)
        assert method not in seen
        seen.append(method)
        if method is not None:
            mine, theirs = (
                {u for u in map(str, parse(name).used) if u.partition(":")[0] not in ("rdr", "inverse", "cb", "drw")}
                for name in (before, method)
            )
            assert mine == theirs
    assert len(seen) <= 4


def test_explaining_a_method_names_its_control():
    assert "control   inverse+drw, which differs only in what this method adds." in explain("rdr:preset=released")
    assert "control" not in explain("la")
