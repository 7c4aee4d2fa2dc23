"""The explorer's views: what each shows of which runs, and what is missing for it.

A view draws with the displays of :mod:`rdr_viz.kinds`, from what is stored: nothing here computes an analysis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rdr_core.data.profiles import PROFILES
from rdr_core.errors import RdrError, unknown_name
from rdr_core.runs import Run, RunConfig
from rdr_viz.analysis import only_stored
from rdr_viz.explorer.catalogue import Catalogue, Entry
from rdr_viz.explorer.state import State
from rdr_viz.kinds import display_class, make_display
from rdr_viz.palette import GROUPS, method_order, method_style

if TYPE_CHECKING:
    from rdr_viz.displays.base import Display

#: Pictures that fit side by side.
SIDE_BY_SIDE = 3

_READINGS = {
    "smallest true-class logit": {"reading": "b_prime"},
    "smallest true-class probability": {"reading": "b_prime_probability"},
    "smallest in each batch, averaged": {"reading": "b_prime_batch"},
    "low quantile": {"reading": "b_prime_quantile"},
}


@dataclass(frozen=True)
class View:
    """One way to look at runs.

    Attributes:
        label: on its button.
        kind: of :data:`rdr_viz.kinds.KINDS`, which draws it.
        of: what a picture is of: ``"data"``, any run of these data; ``"each method"``, a picture for each, of its first
            seed; ``"methods"``, all in one, of their first seeds; ``"seeds"``, all methods and seeds in one.
        analysis: name of the analysis (:data:`rdr_viz.analyses.ANALYSES`) that it needs; "" for none.
        result: what that analysis stores.
        epochs: whether the epoch is ``"marked"`` in the picture, the picture is ``"as of"`` it, or plays no part ("").
        arguments: of the display, from a run.
        asks: what its options are of; "" where it has none.
        options: by their words the arguments of the display; the first is the default.
        choose: picks what is shown out of the display.
        at: from the display and an epoch to a sentence with the numbers there.
    """

    label: str
    kind: str
    of: Literal["data", "each method", "methods", "seeds"]
    analysis: str = ""
    result: str = ""
    epochs: Literal["", "marked", "as of"] = ""
    arguments: Callable[[Run], Mapping[str, Any]] = lambda run: {}
    asks: str = ""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    choose: Callable[[Display], Display] = lambda display: display
    at: Callable[[Display, int], str] = lambda display, epoch: ""

    @property
    def question(self) -> str:
        """What it answers."""
        return display_class(self.kind).title


def _all_classes(run: Run) -> dict[str, Any]:
    """As `rdr analyze` stores densities."""
    return {"classes": range(len(run.class_counts))}


def smallest_class(display: Any) -> Any:
    """A display of class spectra, less those of all classes but the one with the fewest images."""
    rows = display.data
    return replace(display, data=rows[rows["class"] == rows.loc[rows["images"].idxmin(), "class"]])


def _weights_at(display: Any, epoch: int) -> str:
    from rdr_viz.numbers.words import listed, short

    rows = display.data[display.data["epoch"] == epoch]
    means = rows.groupby("group", sort=False)["weight"].mean()
    return f"At epoch {epoch} the mean weight is {listed([f'{short(v)} on {g}' for g, v in means.items()])}."


def _b_prime_at(display: Any, epoch: int) -> str:
    from rdr_viz.numbers.words import listed, short

    rows = display.data[display.data["epoch"] == epoch]
    parts = [f"{short(row.weight)} and {short(row.b_prime)} on {row.group}" for row in rows.itertuples()]
    return f"At epoch {epoch} weight and B′ are {listed(parts)}."


def _bound_at(display: Any, epoch: int) -> str:
    from rdr_viz.numbers.words import listed, short

    rows = display.data[(display.data["epoch"] == epoch) & (display.data["group"] == "All")]
    means = rows.groupby("label", sort=False)["terms"].mean()
    return f"At epoch {epoch} the sum is {listed([f'{short(v)} for {label}' for label, v in means.items()])}."


#: By name, in the order of the page.
VIEWS: dict[str, View] = {
    "counts": View("Class counts", "counts", "data"),
    "accuracy": View("Accuracy by group", "accuracy", "seeds", epochs="as of"),
    "classes": View("Accuracy by class", "classes", "seeds", epochs="as of"),
    "weights": View(
        "Weights by class", "weights", "each method", epochs="marked", asks="Scale",
        options={"one for all": {}, "one for each group": {"groups": GROUPS}}, at=_weights_at,
    ),
    "b-prime": View(
        "Weights and B′", "b-prime", "each method", epochs="marked", asks="B′ by", options=_READINGS, at=_b_prime_at,
    ),
    "bound": View(
        "Bound terms", "bound", "seeds", epochs="marked", asks="B′ by", options=_READINGS, at=_bound_at,
    ),
    "confusion": View("Confusion", "confusion", "methods", "groups", "predictions"),
    "density": View(
        "Spectral density", "density", "methods", "curvature", "density", arguments=_all_classes,
        choose=smallest_class,
    ),
    "eigenvalues": View(
        "Eigenvalues", "eigenvalues", "each method", "curvature", "curvature", arguments=lambda run: {"by": "class"},
    ),
    "surface": View(
        "Loss surface", "surface", "methods", "surface", "loss-surface", arguments=lambda run: {"span": 1.0},
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """A picture that is asked for.

    Attributes:
        view: name of it.
        paths: of the runs.
        option: of the view.
        epoch: None is the last.
    """

    view: str
    paths: tuple[Path, ...]
    option: str = ""
    epoch: int | None = None

    @property
    def base(self) -> Request:
        """The picture without the mark at its epoch, which alone differs from epoch to epoch."""
        return replace(self, epoch=None) if VIEWS[self.view].epochs == "marked" else self

    @property
    def runs(self) -> list[Run]:
        return [Run.open(path) for path in self.paths]

    @property
    def arguments(self) -> dict[str, Any]:
        """Of the display, besides the runs."""
        view = VIEWS[self.view]
        chosen = {**view.arguments(self.runs[0]), **(view.options[self.option] if self.option else {})}
        return chosen | ({"epoch": self.epoch} if view.epochs == "as of" and self.epoch is not None else {})

    def display(self) -> Display:
        """The display, from stored numbers.

        Raises:
            NotStored: the analysis that it needs is not there with the view's parameters.
            RdrError: the runs have no such numbers, or can't share a picture.
        """
        view = VIEWS[self.view]
        with only_stored():
            return view.choose(make_display(view.kind, self.runs, **self.arguments))


@dataclass(frozen=True)
class Plan:
    """What a state asks for.

    Attributes:
        requests: pictures, side by side; none where nothing can be shown.
        notes: sentences on what is not shown, and why.
        untrained: runs that the view would show.
        unanalysed: runs whose analysis it would show.
        epochs: of the runs; 0 without any.
    """

    requests: tuple[Request, ...] = ()
    notes: tuple[str, ...] = ()
    untrained: tuple[RunConfig, ...] = ()
    unanalysed: tuple[Run, ...] = ()
    epochs: int = 0


def plan(state: State, catalogue: Catalogue) -> Plan:
    """Which pictures show a state, and what is missing for it.

    Raises:
        RdrError: an unknown view or option, or data of which nobody knows how to train.
    """
    view = _known_view(state)
    where = state.data, state.imbalance_factor, state.profile
    if not (state.methods and state.seeds) and view.of != "data":
        return Plan(notes=("Choose at least one method and one seed.",))
    if view.of == "data" and (any_run := catalogue.any(*where)):
        return Plan((Request(state.view, (any_run.run.path,), state.option),), epochs=any_run.run.epochs)

    chosen, untrained = _chosen(state, catalogue, all_seeds=view.of == "seeds")
    notes = [_untrained_words(state, untrained)] if untrained else []
    without = [entry for entry in chosen if view.result and view.result not in entry.results]
    if without:
        labels = _labels(entry.config.method for entry in without)
        notes.append(f"{view.label} of {labels}: not analysed yet at {_tail_words(state)}.")
    shown = [entry for entry in chosen if entry not in without]
    epochs = min((entry.run.epochs for entry in shown), default=0)
    epoch = _epoch(state, view, shown, epochs)

    groups = [[entry] for entry in shown] if view.of == "each method" else [shown] if shown else []
    if len(groups) > SIDE_BY_SIDE:
        left_out = _labels(entry.config.method for (entry,) in groups[SIDE_BY_SIDE:])
        notes.append(f"{SIDE_BY_SIDE} methods fit side by side; {left_out} not shown.")
    requests = [
        Request(state.view, tuple(entry.run.path for entry in group), state.option, epoch)
        for group in groups[:SIDE_BY_SIDE]
    ]
    unanalysed = tuple(entry.run for entry in without)
    return Plan(tuple(requests), tuple(notes), tuple(untrained), unanalysed, epochs)


def neighbours(state: State, catalogue: Catalogue) -> Iterator[State]:
    """The states that a reader is likely to ask for next, the likeliest first: one step from here."""
    state = state.alone()
    tails = catalogue.imbalances(state.data, state.profile)
    if state.imbalance_factor in tails:
        at = tails.index(state.imbalance_factor)
        for step in sorted(set(range(len(tails))) - {at}, key=lambda other: abs(other - at)):
            yield replace(state, imbalance_factor=tails[step])
    if VIEWS[state.view].epochs and state.epoch is not None:
        for step in (1, -1, 2, 3):
            if state.epoch + step >= 1:
                yield replace(state, epoch=state.epoch + step)
    if VIEWS[state.view].of != "data":
        there = [
            method
            for method in catalogue.methods(state.data)
            if any(_find(state, catalogue, method, seed) for seed in state.seeds)
        ]
        for method in there:  # an arrow key chooses one alone
            yield replace(state, methods=(method,))
        for method in there:  # with Ctrl it joins or leaves the others
            others = [other for other in state.methods if other != method]
            yield replace(state, methods=tuple(others if method in state.methods else [*others, method]))
    for name in VIEWS:
        yield replace(state, view=name, option="")


def _find(state: State, catalogue: Catalogue, method: str, seed: int) -> Entry | None:
    where = state.data, state.imbalance_factor, state.profile
    return catalogue.find(*where, method, seed, VIEWS[state.view].result)


def refuse_impossible(state: State, catalogue: Catalogue) -> None:
    """Tell of a state from elsewhere what no reader could choose here, before anything is trained for it.

    Raises:
        RdrError: an unknown view, option or profile, or a tail that nothing has, or not these data.
    """
    if state.pinned is not None:
        refuse_impossible(state.pinned, catalogue)
    _known_view(state)
    factor, profile = state.imbalance_factor, state.profile
    if catalogue.any(state.data, factor, profile):
        return
    if profile is not None and profile not in PROFILES:
        raise unknown_name("profile", profile, PROFILES)
    if profile is None and factor is not None:
        raise RdrError(f"A tail of imbalance factor {factor:g} needs a profile: {' or '.join(PROFILES)}.")
    if profile is not None and factor is None:
        raise RdrError(f"A tail of {profile} profile needs an imbalance factor; 100 is usual.")
    if factor is not None and not 1 <= factor < math.inf:
        raise RdrError(f"An imbalance factor is largest over smallest class, 1 or more, not {factor:g}.")
    if factor is not None and catalogue.profiles(state.data) == [None] and _comes_long_tailed(state.data):
        raise RdrError(f"{state.data} comes long-tailed; leave the imbalance factor and the profile out.")


def _comes_long_tailed(data: str) -> bool:
    from rdr_core.data.sources import SOURCES  # brings torch, that pictures don't need

    name = data.partition(",")[0]
    return name in SOURCES and SOURCES[name].long_tailed


def _known_view(state: State) -> View:
    if state.view not in VIEWS:
        raise unknown_name("view", state.view, VIEWS)
    view = VIEWS[state.view]
    if state.option and state.option not in view.options:
        raise RdrError(
            f"{view.label} has no option {state.option!r}; it has {', '.join(map(repr, view.options)) or 'none'}."
        )
    return view


def _chosen(state: State, catalogue: Catalogue, *, all_seeds: bool) -> tuple[list[Entry], list[RunConfig]]:
    """The finished runs of a state, in the pictures' order, and the configurations of those that are not there."""
    where = state.data, state.imbalance_factor, state.profile
    there, lacking = [], []
    for method in sorted(state.methods, key=method_order):
        found = {seed: _find(state, catalogue, method, seed) for seed in sorted(state.seeds)}
        done = [entry for entry in found.values() if entry]
        there += done if all_seeds else done[:1]
        missing = [seed for seed, entry in found.items() if not entry]
        if not all_seeds:
            missing = [] if done else missing[:1]
        lacking += [catalogue.config(*where, method, seed) for seed in missing]
    return there, lacking


def _epoch(state: State, view: View, shown: Sequence[Entry], epochs: int) -> int | None:
    """The epoch of the pictures; None for the last, or where it plays no part."""
    if not view.epochs or not shown:
        return None
    if state.epoch is not None and state.epoch < epochs:
        return state.epoch
    if view.kind != "classes":
        return None
    # The interval of one seed is over its test images, at the end: where nobody analysed those, it has none.
    methods = [entry.config.method for entry in shown]
    alone = [entry for entry in shown if methods.count(entry.config.method) == 1]
    return None if all("predictions" in entry.results for entry in alone) else epochs


def _untrained_words(state: State, untrained: Sequence[RunConfig]) -> str:
    seeds = {}
    for config in untrained:
        seeds.setdefault(config.method, []).append(str(config.seed))
    runs = [f"{method_style(method).label} (seed {', '.join(of)})" for method, of in seeds.items()]
    return f"There is no finished run of {'; '.join(runs)} on {state.data} at {_tail_words(state)}."


def _tail_words(state: State) -> str:
    from rdr_viz.numbers.words import factor

    profile = "" if state.profile in (None, "exponential") else f", {state.profile} profile"
    return factor(state.imbalance_factor) + profile


def _labels(methods: Any) -> str:
    from rdr_viz.numbers.words import listed

    return listed([method_style(method).label for method in dict.fromkeys(methods)])
