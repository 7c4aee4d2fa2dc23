"""All that a reader has chosen, as a value: what a link or a small file brings back elsewhere."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import parse_qs, urlencode

from rdr_core.errors import RdrError

#: Of a link, by what they hold; a page may have others of its own.
_PARAMETERS = frozenset({"data", "if", "profile", "method", "seed", "epoch", "view", "option", "pinned", "without"})


@dataclass(frozen=True, kw_only=True)
class State:
    """A view of the explorer, whole.

    Attributes:
        data: what the runs were trained on, as :func:`rdr_viz.explorer.catalogue.data_words` says it.
        imbalance_factor: None for data taken as they are.
        profile: of the tail; None for data taken as they are.
        methods: canonical names, in the order of the choice.
        seeds: of the runs.
        epoch: that pictures over epochs mark, or that they are as of; None (default) is the last.
        view: a name of :data:`rdr_viz.explorer.views.VIEWS`.
        option: of the view; "" (default) is its first.
        pinned: what is shown beside it, to compare; None (default) is nothing. It has none itself.

    Example:
        >>> state = State(data="digits", imbalance_factor=50.0, methods=("ce", "rdr"), view="accuracy")
        >>> state.to_query()
        'data=digits&if=50&profile=exponential&method=ce&method=rdr&seed=0&view=accuracy'
        >>> State.from_query(state.to_query()) == State.from_json(state.to_json()) == state
        True
    """

    data: str = "digits"
    imbalance_factor: float | None = 50.0
    profile: str | None = "exponential"
    methods: tuple[str, ...] = ("ce", "rdr")
    seeds: tuple[int, ...] = (0,)
    epoch: int | None = None
    view: str = "counts"
    option: str = ""
    pinned: State | None = None

    def alone(self) -> State:
        """The same, with nothing beside it."""
        return replace(self, pinned=None)

    def to_json(self) -> str:
        """The text of a small file."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> State:
        """Undo of :meth:`to_json`.

        Raises:
            RdrError: it is no such file.
        """
        try:
            return cls._from_dict(json.loads(text))
        except (ValueError, TypeError, KeyError) as error:
            raise RdrError(f"This is no view that the explorer shared ({error}); press Share to make one.") from None

    def to_query(self) -> str:
        """The parameters of a link, without the question mark.

        What a state has none of is named by ``without``: what a link doesn't mention at all has its default.

        Example:
            >>> State(imbalance_factor=None, profile=None, methods=("rdr",)).to_query()
            'data=digits&method=rdr&seed=0&view=counts&without=if&without=profile'
        """
        pairs: list[tuple[str, object]] = [("data", self.data)]
        if self.imbalance_factor is not None:
            pairs.append(("if", f"{self.imbalance_factor:.17g}"))
        if self.profile is not None:
            pairs.append(("profile", self.profile))
        pairs += [("method", method) for method in self.methods]
        pairs += [("seed", seed) for seed in self.seeds]
        if self.epoch is not None:
            pairs.append(("epoch", self.epoch))
        pairs.append(("view", self.view))
        if self.option:
            pairs.append(("option", self.option))
        if self.pinned is not None:
            pairs.append(("pinned", self.pinned.to_query()))
        there = {name for name, _ in pairs}
        pairs += [("without", name) for name in ("if", "profile", "method", "seed") if name not in there]
        return urlencode(pairs)

    @classmethod
    def from_query(cls, query: str) -> State:
        """Undo of :meth:`to_query`; parameters that are none of a view's, as a page's own, play no part.

        What the link leaves out has its default; the tail's is none where data come as they are.

        Raises:
            RdrError: it holds no view.

        Example:
            >>> State.from_query("?method=rdr&view=accuracy") == State(methods=("rdr",), view="accuracy")
            True
        """
        try:
            if not cls.is_in(query):
                raise ValueError("it has no such parameters")
            found = _parameters(query, errors="strict")
            one = {name: values[0] for name, values in found.items()}
            without, epoch, pinned = found.get("without", ()), one.get("epoch"), one.get("pinned")
            data = one.get("data", cls.data)
            factor = float(one["if"]) if "if" in one else None if "if" in without else _usual_imbalance(data)
            profile = one.get("profile", None if factor is None or "profile" in without else cls.profile)
            return cls(
                data=data,
                imbalance_factor=factor,
                profile=profile,
                methods=tuple(found.get("method", () if "method" in without else cls.methods)),
                seeds=tuple(map(int, found.get("seed", () if "seed" in without else cls.seeds))),
                epoch=None if epoch is None else int(epoch),
                view=one.get("view", cls.view),
                option=one.get("option", ""),
                pinned=None if pinned is None else cls.from_query(pinned).alone(),
            )
        except ValueError as error:
            raise RdrError(f"This link holds no view of the explorer ({error}); press Share to make one.") from None

    @classmethod
    def is_in(cls, query: str) -> bool:
        """Whether a link says anything of a view.

        Example:
            >>> State.is_in("token=abc&theme=dark"), State.is_in("token=abc&seed=3")
            (False, True)
        """
        return not _PARAMETERS.isdisjoint(_parameters(query, errors="replace"))

    @classmethod
    def _from_dict(cls, values: dict[str, Any]) -> State:
        """KeyError, TypeError or ValueError where they are of no view."""
        if not isinstance(values, dict) or set(values) != {field.name for field in fields(cls)}:
            raise ValueError("it has other parts")
        if not (isinstance(values["methods"], list) and isinstance(values["seeds"], list)):
            raise ValueError("methods and seeds are lists")
        factor, epoch, pinned = values["imbalance_factor"], values["epoch"], values["pinned"]
        words = [values["data"], values["view"], values["option"], *values["methods"]]
        if not all(isinstance(word, str) for word in [*words, values["profile"] or ""]):
            raise ValueError("names are texts")
        return cls(
            data=values["data"],
            imbalance_factor=None if factor is None else float(factor),
            profile=values["profile"],
            methods=tuple(values["methods"]),
            seeds=tuple(map(int, values["seeds"])),
            epoch=None if epoch is None else int(epoch),
            view=values["view"],
            option=values["option"],
            pinned=None if pinned is None else cls._from_dict(pinned).alone(),
        )


def _parameters(query: str, *, errors: str) -> dict[str, list[str]]:
    """Of a link; ``errors`` is what to do where it holds no text, as for :meth:`bytes.decode`."""
    return parse_qs(query.removeprefix("?"), keep_blank_values=True, errors=errors)


def _usual_imbalance(data: str) -> float | None:
    """The default's, for data that can be given one; None for others: those that come long-tailed, and a user's own."""
    from rdr_core.data.sources import find_source  # brings torch, that a whole link doesn't need

    try:
        source, _ = find_source(data.partition(",")[0])
    except RdrError:
        return None
    return None if source.usual_imbalance is None else State.imbalance_factor
