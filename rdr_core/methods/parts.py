"""The parts that methods are composed of, each registered where it is defined.

A part has a name, a kind and parameters with defaults and ranges. Adding a loss or a weighting
is a pure function with the :func:`part` decorator, in a notebook's cell or a file anywhere:

    >>> import torch
    >>> @part("tenth", kind="class weights", summary="a tenth for class 0", formula="w_0 = 0.1", source="")
    ... def tenth(class_counts):
    ...     weights = torch.ones(len(class_counts))
    ...     weights[0] = 0.1
    ...     return weights / weights.mean()
    >>> from rdr_core.methods.grammar import parse
    >>> parse("tenth+la").name
    'tenth+la'
    >>> PARTS.remove("tenth")

`rdr_core.train(method="tenth+la")` trains with it in the same process. For the commands, and for
other people, put the file into a package that names it as an entry point of the group "rdr.parts";
where the package is installed its parts are there as the built-in ones are::

    [project.entry-points."rdr.parts"]
    tenth = "my_package.tenth"
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rdr_core.errors import RdrError, unknown_name
from rdr_core.registry import Registry

F = TypeVar("F", bound=Callable[..., Any])

#: Kinds in the order in which they stand in a method's name, with what one of them takes and gives.
KINDS: dict[str, str] = {
    "weighting": "factory(context, **parameters) -> Weighting",
    "class weights": "w(class_counts, **parameters) -> (d,), mean 1",
    "loss": "f(logits, labels, class_counts, **parameters) -> (B,)",
    "sampler": "factory(context, **parameters) -> Sampler",
    "mixing": "factory(context, **parameters) -> Mixing",
    "schedule": "factory(context, weighting, **parameters) -> Weighting",
    "optimizer": "factory(context, sgd, **parameters) -> Step",
    "second stage": "factory(**parameters) -> SecondStage",
}

#: What a kind of part changes, in the words in which parts are listed; every kind is in one group.
GROUPS: dict[str, tuple[str, ...]] = {
    "data: which images are visited how often, and what is mixed": ("sampler", "mixing"),
    "loss: what each sample costs": ("loss",),
    "weights: how much each sample counts, and from when on": ("class weights", "weighting", "schedule"),
    "optimizer: how a step is made": ("optimizer",),
    "classifier: what is done to it when training is over": ("second stage",),
}


@dataclass(frozen=True)
class Allowed:
    """The values a parameter may take: a test, and the words that say it."""

    test: Callable[[Any], bool]
    words: str


def at_least(low: float) -> Allowed:
    """Finite numbers from ``low`` on."""
    return Allowed(lambda v: low <= v < math.inf, f"{low:g} or larger")


def between(low: float, high: float, ends: str = "[]") -> Allowed:
    """Numbers from ``low`` to ``high``; ``ends`` says which end belongs to it: "[]", "[)", "(]" or "()"."""

    def test(value: float) -> bool:
        above = value >= low if ends[0] == "[" else value > low
        below = value <= high if ends[1] == "]" else value < high
        return above and below

    return Allowed(test, f"in {ends[0]}{low:g}, {high:g}{ends[1]}")


def whole_from(low: int) -> Allowed:
    """Whole numbers from ``low`` on.

    Example:
        >>> whole_from(1).test(25), whole_from(1).test(0.5)
        (True, False)
    """
    return Allowed(lambda v: low <= v < math.inf and v == int(v), f"a whole number, {low} or larger")


def number_or(allowed: Allowed, *words: str) -> Allowed:
    """A number that ``allowed`` takes, or one of a few words.

    Example:
        >>> number_or(at_least(0), "rest").words, number_or(at_least(0), "rest").test("best")
        ("'rest', or a number, 0 or larger", False)
    """
    return Allowed(
        lambda v: v in words if isinstance(v, str) else allowed.test(v),
        f"{' or '.join(map(repr, words))}, or a number, {allowed.words}",
    )


def one_of(*choices: str) -> Allowed:
    """One of a few words, written as they are."""
    return Allowed(lambda v: v in choices, "one of " + ", ".join(choices))


@dataclass(frozen=True)
class Part:
    """A registered part.

    Attributes:
        name: its word in a method's name.
        kind: one of :data:`KINDS`.
        make: the function; what it takes and gives depends on the kind.
        summary, formula, source: for `rdr methods`.
        defaults: parameters and their defaults, read off the function's signature.
        ranges: what each parameter may be.
        prior: to which power the part carries the class prior: a number, or the parameter that says it; 0 for none.
        cosine: the parameter that is the scale of the cosine classifier that the part needs, or "".
        held_out: the parameter that is the number of images of each class to hold out for the part, or "".
        experts: how many the network must have for the part, which a loss makes so; None is any number.
        notes: how it behaves beside others, for readers.
        presets: sets of values under names, of which the parameter ``preset`` picks one; of the first it has defaults.
    """

    name: str
    kind: str
    make: Callable[..., Any]
    summary: str
    formula: str
    source: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    ranges: Mapping[str, Allowed] = field(default_factory=dict)
    prior: str | float = 0.0
    cosine: str = ""
    held_out: str = ""
    experts: int | None = None
    notes: str = ""
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def defaults_under(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """What each parameter is that is not given, which the preset given among them decides."""
        chosen = parameters.get("preset", "")
        return {**self.defaults, **self.presets[chosen], "preset": chosen} if chosen in self.presets else self.defaults

    def shortest(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The fewest parameters that mean the same: what differs from a preset, and the preset if not the first."""
        whole = {**self.defaults_under(parameters), **parameters}
        forms = []
        for preset in self.presets or ("",):
            usual = {**self.defaults, **self.presets.get(preset, {})}
            if preset:
                usual["preset"] = preset
            form = {key: value for key, value in whole.items() if key != "preset" and value != usual[key]}
            if usual.get("preset") != self.defaults.get("preset"):
                form["preset"] = preset
            forms.append(form)
        return min(forms, key=lambda form: len(form.keys() - {"preset"}))

    def check(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with their defaults' types, refused with the reason where they do not fit.

        Raises:
            RdrError: an unknown parameter, a value of the wrong type or outside its range.
        """
        checked = {}
        for key, raw in parameters.items():
            if key not in self.defaults:
                if not self.defaults:
                    raise RdrError(f"{self.name!r} has no parameters, so not {key!r}.")
                raise unknown_name(f"parameter of {self.name!r}", key, self.defaults)
            value = _convert(raw, self.defaults[key])
            allowed = self.ranges.get(key)
            if key == "preset" and value not in self.presets:
                raise unknown_name(f"preset of {self.name!r}", value, self.presets)
            if value is None or (allowed and not allowed.test(value)):
                words = allowed.words if allowed else f"a {type(self.defaults[key]).__name__}"
                raise RdrError(
                    f"{self.name}:{key} is {raw!r}; it must be {words} (default {format_value(self.defaults[key])})."
                )
            checked[key] = value
        return checked


def _convert(raw: Any, default: Any) -> Any:
    """``raw`` as a number, whole where the default is, or as a word where the default is one; None if neither."""
    try:
        value = float(raw)
    except (TypeError, ValueError):
        return str(raw) if isinstance(default, str) else None
    if isinstance(default, int) and value.is_integer():
        return int(value)
    return None if math.isnan(value) else value


def format_value(value: Any) -> str:
    """A parameter's value as it stands in a name: 1.0 is '1'.

    Example:
        >>> format_value(0.9999), format_value(1.0), format_value("step")
        ('0.9999', '1', 'step')
    """
    if isinstance(value, str):
        return value
    return repr(int(value)) if value == int(value) else repr(value)


#: Every part by name: those of this folder, of installed packages, and one's own.
PARTS: Registry[Part] = Registry("part of a method", "rdr.parts", "rdr_core.methods")


def part(
    name: str,
    *,
    kind: str,
    summary: str,
    formula: str,
    source: str,
    ranges: Mapping[str, Allowed] | None = None,
    prior: str | float = 0.0,
    cosine: str = "",
    held_out: str = "",
    experts: int | None = None,
    notes: str = "",
    presets: Mapping[str, Mapping[str, Any]] | None = None,
) -> Callable[[F], F]:
    """Register a function or class as a part of methods; it is itself unchanged.

    Its keyword parameters with defaults become the part's parameters: numbers or words.

    Args:
        name: lower-case word, unused so far.
        kind: one of :data:`KINDS`.
        summary: a sentence for `rdr methods`.
        formula: in plain characters.
        source: paper and equation, or "" for common knowledge.
        ranges: allowed values by parameter.
        prior: the power of the class prior that the part carries, or the name of the parameter that gives it (default:
            none).
        cosine: the parameter, if any, that gives the scale of the cosine classifier that a loss is made for.
        held_out: the parameter, if any, that gives the number of images of each class held out for the part.
        experts: how many the network must have for the part: a loss makes it so, other parts are refused beside a loss
            that makes it otherwise. None (default) is any number, which without such a loss is 1; of a second stage 1.
        notes: how it behaves beside other parts.
        presets: sets of values under names, picked by a parameter ``preset``, whose default is the first of them.

    Raises:
        RdrError: a name that is taken or not a word, or an unknown kind.
    """
    if not (name.isidentifier() and name == name.lower()):
        raise RdrError(f"{name!r} can't name a part of a method; use a lower-case word such as 'rdr'.")
    if kind not in KINDS:
        raise unknown_name("kind of part", kind, KINDS)

    def register(make: F) -> F:
        signature = inspect.signature(make)
        defaults = {
            key: parameter.default
            for key, parameter in signature.parameters.items()
            if isinstance(parameter.default, (int, float, str)) and not isinstance(parameter.default, bool)
        }
        made = Part(
            name, kind, make, summary, formula, source, defaults, dict(ranges or {}), prior, cosine, held_out,
            1 if kind == "second stage" and experts is None else experts, notes, dict(presets or {}),
        )  # fmt: skip
        PARTS.add(name, made, make.__module__)
        return make

    return register
