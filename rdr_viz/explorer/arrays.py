"""The numbers of a run that pictures in the page are drawn from: arrays in one buffer, and where each lies in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rdr_core.data.groups import GROUPS
from rdr_core.errors import RdrError
from rdr_viz.analysis.over_epochs import READINGS, mean_one_over_classes, warm_up_epochs
from rdr_viz.analysis.stored import NotStored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdr_core.runs import Run

#: Bytes that every array begins at a multiple of.
ALIGNED = 4
_KINDS = {np.dtype(np.float32): "f4", np.dtype(np.uint8): "u1", np.dtype(np.uint16): "u2"}


@dataclass(frozen=True)
class Numbers:
    """The numbers of one run.

    Attributes:
        layout: ``arrays`` (name -> kind "f4", "u1" or "u2", shape, offset), ``warm_up`` (epochs), and what else the
            views ask of the run's analyses.
        buffer: the arrays, little-endian, each at a multiple of four bytes.
    """

    layout: dict[str, Any]
    buffer: bytes


def numbers_of(run: Run) -> Numbers:
    """The numbers of a finished run; of its analyses those that are stored.

    Arrays: ``loss`` (epochs,), ``groups`` (epochs, 4: accuracy over all classes, on Many, Medium and Few, percent, NaN
    where missing), ``accuracy`` and ``weight`` (epochs, d; weights with mean 1 over classes) and ``b_prime``
    (4, epochs, d: the readings of B'), and of methods that have them raw ``ratio`` (epochs, d).

    With predictions ``labels`` and ``predicted`` (N,), ``reliability`` (groups, bins, 3: images, confidence, accuracy)
    and ``ece`` (groups, 2: error and overconfidence, 0..1). With curvature of each class ``density_grid`` and
    ``density_height`` (P,) of the class with the fewest images, ``lambda_max``, ``lambda_min`` and ``mean_loss`` (kept
    epochs, classes; NaN where the loss is not stored). With ratios replayed ``ratio_classes`` (d, 4: mean of r, its
    reliability, the ends of that one's interval) and ``ratio_groups`` (4, 4: over all classes, on Many, Medium, Few).
    With the loss surface ``surface_a`` (P,) and ``surface_loss`` (groups, P).

    Raises:
        RdrError: the run can't be read.
    """
    arrays, layout = _training(run)
    for read in (_predictions, _density, _curvature, _ratios, _surface):
        try:
            found, more = read(run.as_stored)
        except (NotStored, FileNotFoundError):
            continue
        arrays |= found
        layout |= more
    return _packed(arrays, layout)


def _training(run: Run) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    history, classes = run.history, run.classes
    d, epochs = len(run.class_counts), len(run.history)
    weight = mean_one_over_classes(classes).to_numpy()
    arrays = {
        "loss": history["loss"].to_numpy(),
        "groups": history[["accuracy", "many", "medium", "few"]].to_numpy(),
        "accuracy": classes["accuracy"].to_numpy().reshape(epochs, d),
        "weight": weight.reshape(epochs, d),
        "b_prime": np.stack([classes[reading].to_numpy().reshape(epochs, d) for reading in READINGS]),
    }
    if classes["ratio"].notna().any():
        arrays["ratio"] = classes["ratio"].to_numpy().reshape(epochs, d)
    return arrays, {"warm_up": warm_up_epochs(classes)}


def _predictions(run: Run) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    from rdr_viz.analysis.groups import calibration
    from rdr_viz.analysis.predictions import predictions

    said = predictions(run)
    table = calibration(run)
    panels = list(dict.fromkeys(table["group"]))
    kind = np.uint8 if len(run.class_counts) <= 256 else np.uint16
    bins = table[["images", "confidence", "accuracy"]].to_numpy().reshape(len(panels), -1, 3)
    ece = table.drop_duplicates("group")[["ece", "overconfidence"]].to_numpy()
    arrays = {
        "labels": said["label"].to_numpy().astype(kind), "predicted": said["predicted"].to_numpy().astype(kind),
        "reliability": bins, "ece": ece,
    }  # fmt: skip
    return arrays, {"panels": panels}


def _density(run: Run) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    from rdr_viz.analysis.curvature import class_density

    table = class_density(run, classes=range(len(run.class_counts)))
    smallest = table.loc[table["images"].idxmin(), "class"]
    rows = table[table["class"] == smallest]
    # A number that is none has no JSON.
    ends = {name: None if np.isnan(rows[name].iloc[0]) else float(rows[name].iloc[0])
            for name in ("lambda_min", "lambda_max")}  # fmt: skip
    arrays = {"density_grid": rows["grid"].to_numpy(), "density_height": rows["density"].to_numpy()}
    return arrays, {"density": {"class": int(smallest), **ends}}


def _curvature(run: Run) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    from rdr_viz.analysis.curvature import class_curvature

    table = class_curvature(run, by="class")
    table = table[table["rank"] == 1]
    names = ("lambda_max", "lambda_min", "mean_loss")
    found = {name: table.pivot(index="epoch", columns="class", values=name) for name in names}
    axes = found["lambda_max"]
    where = {"epochs": axes.index.astype(int).tolist(), "classes": axes.columns.astype(int).tolist()}
    return {name: values.to_numpy() for name, values in found.items()}, {"curvature": where}


def _ratios(run: Run) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    from rdr_viz.analysis.replayed_ratios import ratio_reliability

    table = ratio_reliability(run)
    by_class = table["level"] == "class"
    numbers = table[["ratio", "reliability", "low", "high"]].to_numpy()
    return {"ratio_classes": numbers[by_class], "ratio_groups": numbers[~by_class]}, {}


def _surface(run: Run) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    from rdr_viz.analysis.surface import loss_surface, surface_by_group

    table = surface_by_group(loss_surface(run, span=1.0))
    table = table[table["b"] == 0]
    groups = [group for group in ("All", *GROUPS) if group in set(table["group"])]
    by = table.pivot(index="group", columns="a", values="loss").loc[groups]
    return {"surface_a": by.columns.to_numpy(), "surface_loss": by.to_numpy()}, {"surface": {"groups": groups}}


def _packed(arrays: dict[str, np.ndarray], layout: dict[str, Any]) -> Numbers:
    parts, where, offset = [], {}, 0
    for name, array in arrays.items():
        kept = np.ascontiguousarray(array if array.dtype in _KINDS else array.astype(np.float32))
        where[name] = (_KINDS[kept.dtype], list(kept.shape), offset)
        content = kept.tobytes()
        content += bytes(-len(content) % ALIGNED)
        parts.append(content)
        offset += len(content)
    return Numbers({"arrays": where, **layout}, b"".join(parts))


def readable(runs: list[Run]) -> Iterator[tuple[int, Numbers]]:
    """The place and the numbers of each run; a damaged one is passed over."""
    for place, run in enumerate(runs):
        try:
            yield place, numbers_of(run)
        except RdrError:
            continue
