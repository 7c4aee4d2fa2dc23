"""What the page is told of all runs before their numbers: data sets, tails, methods, seeds, and how methods look."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from matplotlib.colors import to_hex

from rdr_core.data.datasets import DATASETS
from rdr_core.data.kinds import IMAGES as PICTURES
from rdr_core.data.samples import IMAGES, read_sheet, sheet
from rdr_core.errors import RdrError
from rdr_core.methods.names import method_order
from rdr_core.runs.command import command_of
from rdr_viz.analysis.words import dataset_name
from rdr_viz.displays.base import DISPLAYS
from rdr_viz.displays.kinds import averages_seeds, compares_runs, kinds
from rdr_viz.displays.palette import GROUP_COLORS, darken, known_methods, method_style
from rdr_viz.displays.spoken import spoken_kind
from rdr_viz.displays.theme import turned
from rdr_viz.explorer.at_hand import Entry
from rdr_viz.pages.glossary import glossary

if TYPE_CHECKING:
    from pathlib import Path

    from rdr_core.runs import Run, RunConfig

#: The first view of the shipped runs.
FASHION = {
    "data": "fashion-mnist, recipe authors, subset and class order drawn by the seed, augmentation plain",
    "factor": 100, "methods": ["ce", "inverse+drw", "rdr:preset=released"], "view": "accuracy",
}  # fmt: skip
#: Stands in a command for the seed that a reader chooses.
_SEED = 987654321
_T95 = 60  # degrees of freedom of which Student's quantile is told


def first_of(data: Collection[str]) -> dict[str, Any]:
    """What is shown first of these data: what one knows by sight and ten thousand test images, where there are such."""
    if FASHION["data"] in data:
        return FASHION
    return {"methods": ["ce", "inverse", "rdr"], "view": "accuracy"}


def head_of(
    entries: Mapping[int, Entry],
    *,
    shipped: Path | None = None,
    first: Mapping[str, Any],
    command: Callable[[RunConfig], str] = lambda config: "",
) -> dict[str, Any]:
    """The list of finished runs, by data set and tail.

    Args:
        entries: of :class:`rdr_viz.explorer.at_hand.Catalogue` by their ids; unfinished ones are left out.
        shipped: the folder of the shipped runs, so that code finds them elsewhere (default: none).
        first: what is shown first, parts of a state of ``src/explorer/state.js``.
        command: of a run, that makes others of its tail (:func:`training_command`); default: none, where a kernel does.

    Returns:
        What ``src/explorer/source.js`` reads.
    """
    names: dict[tuple[str, ...], int] = {}
    sets: dict[str, dict[str, Any]] = {}
    methods = set(known_methods())
    for id_, entry in entries.items():
        if not entry.done:
            continue
        config, run = entry.config, entry.run
        methods.add(config.method)
        known = sets.setdefault(entry.data, _set_of(run, entry.data))
        known["drawn"] |= config.drawn
        key = (config.imbalance_factor, config.profile)
        tail = known["tails"].setdefault(key, {
            "factor": config.imbalance_factor, "profile": config.profile, "counts": run.class_counts.tolist(),
            "groups": [str(group) for group in run.groups.of_class], "command": command(config), "runs": {},
        })  # fmt: skip
        if config.drawn and not any(seed for _, seed in tail["runs"]):  # seed 0 does not tell that seeds draw subsets
            tail["command"] = command(config)
        own = names.setdefault(tuple(map(str, run.class_names)), len(names))
        there = tail["runs"].get((config.method, config.seed))
        if there and len(there["results"]) >= len(entry.results):
            continue  # the same run in two folders: the one that was analysed is taken, else the first
        tail["runs"][config.method, config.seed] = {
            "id": id_, "name": run.name, "method": config.method, "seed": config.seed, "names": own,
            "epochs": run.epochs, "results": sorted(entry.results), "shipped": run.path.parent == shipped,
            "path": str(run.path), "ratios": has_ratios(config.method),
        }  # fmt: skip
    order = sorted(sets, key=lambda name: -sum(len(tail["runs"]) for tail in sets[name]["tails"].values()))
    told = [sets[name] | {"tails": _tails(sets[name]["tails"].values())} for name in order]
    return {
        "sets": told,
        "names": [list(own) for own in names],
        "styles": {method: _style(method) for method in sorted(methods, key=method_order)},
        "groups": GROUP_COLORS,
        "views": {kind: _about(kind) for kind in kinds()},
        "sheets": {one["sheet"]: _sheet(one["sheet"]) for one in told if one["sheet"]},
        "t95": _quantiles(),
        "words": glossary(),
        "first": {"data": "", "factor": 50, "profile": "exponential", "methods": [], "seeds": None, "epoch": None,
                  "view": "accuracy", "option": "", **first},
    }  # fmt: skip


def _set_of(run: Run, words: str) -> dict[str, Any]:
    config, kind = run.config, spoken_kind(run.kind, run.class_names)
    drawn = ", subset and class order drawn by the seed"
    rest = words.removeprefix(config.dataset).replace(drawn, "").replace("recipe authors", "authors' schedule")
    return {
        "name": words, "title": heading(config.dataset) + rest, "drawn": config.drawn,
        "sheet": config.dataset if sheet(config.dataset) else None, "tails": {},
        "samples": None if kind is PICTURES else [kind.one, kind.name],
    }  # fmt: skip


def heading(dataset: str) -> str:
    """A data set's name as a heading; that of one's own arrays, or of a few classes, stays as it is."""
    name = dataset_name(dataset)
    return name[:1].upper() + name[1:] if DATASETS.get(dataset) else name


def has_ratios(method: str) -> bool:
    """Whether a method weighs by density ratios, told by its name: reading its parts would take PyTorch.

    Example:
        >>> has_ratios("rdr:gamma=0.5+la"), has_ratios("inverse+drw")
        (True, False)
    """
    return any(part.partition(":")[0] == "rdr" for part in method.split("+"))


def training_command(config: RunConfig) -> str:
    """How a run of this tail is trained; METHOD and SEED stand for what a reader chooses; "" where no command does.

    A data set may be called so that a method would stand in the middle of its name, as no command has it.
    """
    try:
        command = command_of(replace(config.with_seed(_SEED), method="ce"))
    except (RdrError, ModuleNotFoundError):  # on arrays, say; or nothing here can train
        return ""
    if command.count("-m ce") != 1 or "METHOD" in command:
        return ""
    return command.replace("-m ce", "-m METHOD").replace(str(_SEED), "SEED")


def _tails(tails: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rising, with their runs in the order of methods and seeds."""
    found = [tail | {"runs": sorted(tail["runs"].values(), key=_place)} for tail in tails]
    return sorted(found, key=lambda tail: (tail["profile"] or "", tail["factor"] or 0.0))


def _place(run: dict[str, Any]) -> tuple[object, int]:
    return method_order(run["method"]), run["seed"]


def _style(method: str) -> dict[str, Any]:
    style = method_style(method)
    return {
        "label": style.label, "marker": style.marker, "dash": _dashes(style.linestyle), "filled": style.filled,
        "light": {"color": style.color, "edge": style.edge, "text": darken(style.color)},
        "dark": {"color": to_hex(turned(style.color)), "edge": to_hex(turned(style.edge)),
                 "text": to_hex(turned(style.color, text=True))},
    }  # fmt: skip


def _dashes(linestyle: Any) -> list[float]:
    """A matplotlib line style as lengths drawn and left out, in widths of the line; none for a whole line."""
    named = {"-": [], "--": [3.7, 1.6], "-.": [6.4, 1.6, 1.0, 1.6], ":": [1.0, 1.65]}
    return named[linestyle] if isinstance(linestyle, str) else [float(part) for part in linestyle[1]]


def _about(kind: str) -> dict[str, str]:
    takes = "runs" if compares_runs(kind) else "seeds" if averages_seeds(kind) else "run"
    return {"question": DISPLAYS[kind].title, "look": DISPLAYS[kind].look, "takes": takes}


def _sheet(dataset: str) -> dict[str, Any]:
    path = sheet(dataset)
    if path is None:
        raise RdrError(f"There is not a sheet of test images of {dataset}.")
    images = read_sheet(path)
    size = next(iter(images.values())).shape[1]
    address = f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
    return {"url": address, "classes": list(images), "images": IMAGES, "size": size}


def _quantiles() -> list[float]:
    from scipy.special import stdtrit

    return [round(float(stdtrit(freedom, 0.975)), 6) for freedom in range(1, _T95 + 1)]
