"""Accuracy over one parameter of a method, found in the runs' names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rdr_core.errors import RdrError
from rdr_core.methods.names import method_order
from rdr_viz.analysis.accuracy import accuracy_by_group
from rdr_viz.analysis.words import listed

if TYPE_CHECKING:
    import pandas as pd

    from rdr_core.methods.grammar import MethodSpec
    from rdr_core.runs import Run


class Sweep(NamedTuple):
    """The one parameter in which methods of the same parts differ.

    Attributes:
        part: The part's name, ``"rdr"``.
        parameter: Its parameter, ``"momentum"``.
        base: The methods' common name, with the parameter's default: ``"rdr+la"``.
        values: The parameter's value by method, rising; a default counts as its value.
        references: The methods of other parts, in the pictures' order.
    """

    part: str
    parameter: str
    base: str
    values: dict[str, float]
    references: tuple[str, ...]


def find_sweep(methods: Iterable[str]) -> Sweep:
    """The parameter that methods sweep; methods of which there is no second one of the same parts are references.

    Raises:
        RdrError: no two methods differ in one parameter alone, or the parameter's values are words.

    Example:
        >>> find_sweep(["rdr", "rdr:momentum=0.9", "ce"]).values
        {'rdr': 0.5, 'rdr:momentum=0.9': 0.9}
    """
    from rdr_core.methods.grammar import parse

    families: dict[tuple[str, ...], dict[str, MethodSpec]] = {}
    for spec in map(parse, methods):
        families.setdefault(tuple(used.part.name for used in spec.used), {})[spec.name] = spec
    swept = [family for family in families.values() if len(family) > 1]
    if len(swept) != 1:
        found = "several methods with several values" if swept else "no method with two values"
        names = listed(sorted(name for family in families.values() for name in family)) if families else "none"
        raise RdrError(
            f"A sweep shows one parameter of one method, and there is {found} among: {names}; "
            "give runs such as rdr:momentum=0.3 and rdr:momentum=0.9, with others of one value each."
        )
    arguments = {name: _arguments(spec) for name, spec in swept[0].items()}
    differ = [key for key in next(iter(arguments.values())) if len({values[key] for values in arguments.values()}) > 1]
    if len(differ) > 1:
        words = listed([f"{part}:{parameter}" for part, parameter in differ])
        raise RdrError(
            f"These methods differ in {words}; a sweep shows one parameter, so choose runs that differ in one."
        )
    part, parameter = differ[0]
    values = {name: found[differ[0]] for name, found in arguments.items()}
    spoken = [value for value in values.values() if isinstance(value, str)]
    if spoken:
        raise RdrError(
            f"{part}:{parameter} takes words here ({listed(sorted(set(spoken)))}), which have no place on an axis; "
            "compare these runs with the kind 'accuracy'."
        )
    base = _without(next(iter(swept[0].values())), part, parameter)
    references = sorted(
        (name for family in families.values() if family is not swept[0] for name in family), key=method_order
    )
    numbers = {name: value for name, value in values.items() if not isinstance(value, str)}
    return Sweep(part, parameter, base, dict(sorted(numbers.items(), key=lambda item: item[1])), tuple(references))


def accuracy_over_parameter(runs: Sequence[Run]) -> tuple[pd.DataFrame, Sweep]:
    """A row per run and group: ``method``, ``label``, ``value``, ``seed``, ``group``, ``accuracy`` (percent).

    ``value`` is the parameter's, rising; NaN for references, which come last. The rest is as
    :func:`rdr_viz.analysis.accuracy.accuracy_by_group` has it.

    Raises:
        RdrError: as :func:`find_sweep` and :func:`~rdr_viz.analysis.accuracy.accuracy_by_group` say.
    """
    data = accuracy_by_group(runs)
    sweep = find_sweep(dict.fromkeys(data["method"]))
    data.insert(2, "value", data["method"].map(sweep.values).astype(float))
    return data.sort_values("value", kind="stable", ignore_index=True), sweep


def pooled_sd(accuracy: pd.Series, by: pd.Series) -> float:
    """The standard deviation within groups of runs alike but for the seed, pooled; NaN without a second seed.

    The square root of the squared deviations from the groups' means, summed, over (runs - groups).
    """
    within = accuracy - accuracy.groupby(by).transform("mean")
    freedom = accuracy.count() - by[accuracy.notna()].nunique()
    return float(np.sqrt((within**2).sum() / freedom)) if freedom > 0 else float("nan")


def _arguments(spec: MethodSpec) -> dict[tuple[str, str], float | str]:
    return {(used.part.name, key): value for used in spec.used for key, value in used.arguments.items()}


def _without(spec: MethodSpec, part: str, parameter: str) -> str:
    """The method's name with the parameter at its default."""
    used = []
    for one in spec.used:
        others = {key: value for key, value in one.parameters.items() if (one.part.name, key) != (part, parameter)}
        used.append(replace(one, parameters=others))
    return replace(spec, used=tuple(used)).name
