"""What a reader chose comes back from a file and from a link, the same."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rdr_core.errors import RdrError
from rdr_viz.explorer.state import State

words = st.text(max_size=8)
alone = st.builds(
    State,
    data=words,
    imbalance_factor=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    profile=st.none() | words,
    methods=st.lists(words, max_size=4).map(tuple),
    seeds=st.lists(st.integers(0, 99), max_size=4).map(tuple),
    epoch=st.none() | st.integers(1, 500),
    view=words,
    option=words,
)
states = st.builds(lambda state, pinned: replace(state, pinned=pinned), alone, st.none() | alone)


@given(states)
def test_a_file_and_a_link_bring_it_back(state):
    assert State.from_json(state.to_json()) == state
    assert State.from_query(state.to_query()) == state
    assert State.from_query(f"?token=secret&{state.to_query()}&theme=dark") == state


@given(st.text(max_size=40))
def test_what_is_no_view_is_told_in_a_sentence(text):
    for read in (State.from_json, State.from_query):
        with pytest.raises(RdrError, match=r"press Share to make one\.$"):
            read(text)


@given(states, st.sampled_from(["data", "view", "methods", "seeds", "epoch", "pinned", "imbalance_factor"]))
@example(State(), "methods")
@example(State(), "seeds")
def test_a_file_that_was_tampered_with_is_told_in_a_sentence(state, name):
    values = json.loads(state.to_json())
    for other in ({**values, name: {"a": [1]}}, {key: value for key, value in values.items() if key != name}):
        with pytest.raises(RdrError, match="no view that the explorer shared"):
            State.from_json(json.dumps(other))


@given(states)
def test_what_is_pinned_has_nothing_pinned_itself(state):
    deep = replace(state, pinned=replace(state, pinned=state))
    for found in (State.from_json(deep.to_json()), State.from_query(deep.to_query())):
        assert found.pinned is not None
        assert found.pinned.pinned is None


@pytest.mark.parametrize(
    ("query", "same"),
    [
        ("data=digits&if=10&method=la&seed=3&view=accuracy", State(imbalance_factor=10.0, methods=("la",), seeds=(3,))),
        ("data=digits&method=la&seed=3&view=accuracy", State(methods=("la",), seeds=(3,))),
        ("data=digits, 5 %25 label noise&view=accuracy", State(data="digits, 5 % label noise")),
        ("view=accuracy", State()),
        ("profile=step&view=accuracy", State(profile="step")),
        ("data=imagenet-lt&view=accuracy", State(data="imagenet-lt", imbalance_factor=None, profile=None)),
        ("data=folder:flowers&view=accuracy", State(data="folder:flowers", imbalance_factor=None, profile=None)),
        ("data=folder:flowers&if=20&view=accuracy", State(data="folder:flowers", imbalance_factor=20.0)),
        ("data=my own&view=accuracy", State(data="my own", imbalance_factor=None, profile=None)),
    ],
)
def test_what_a_link_leaves_out_has_its_default(query, same):
    assert State.from_query(query) == replace(same, view="accuracy")
    if query != "view=accuracy":
        assert State.from_query(query.removesuffix("&view=accuracy")) == same


def test_what_there_is_none_of_is_said_in_a_link():
    none = State(imbalance_factor=None, profile=None, methods=(), seeds=())
    assert State.from_query(none.to_query()) == none


def test_a_pages_own_parameters_are_no_view():
    assert not State.is_in("token=abc&theme=dark")
    assert not State.is_in("%ff=%ff")
    assert State.is_in("token=abc&seed=1")
