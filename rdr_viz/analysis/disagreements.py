"""Which test images one method answers rightly and another wrongly, and what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.errors import RdrError
from rdr_core.methods.names import method_label
from rdr_viz.analysis.accuracy import refuse_unequal
from rdr_viz.analysis.counts import class_table
from rdr_viz.analysis.predictions import predictions
from rdr_viz.analysis.weights import in_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run


def pair(runs: Sequence[Run]) -> tuple[Run, Run] | tuple[Run]:
    """The runs to set against each other: of the first seed that all methods have, the first method and the last.

    One alone where there is one method.

    Raises:
        RdrError: without runs, or methods that have no seed in common.
    """
    runs = in_order(runs)
    by_method: dict[str, dict[int, Run]] = {}
    for run in runs:
        by_method.setdefault(run.config.method, {})[run.config.seed] = run
    ends = list(dict.fromkeys((next(iter(by_method)), list(by_method)[-1])))
    seeds = set.intersection(*(set(by_method[method]) for method in ends))
    if not seeds:
        raise RdrError(f"{' and '.join(ends)} have no seed in common; give runs of one seed.")
    first, last = (by_method[method][min(seeds)] for method in (ends[0], ends[-1]))
    found = (first, last) if len(ends) > 1 else (first,)
    refuse_unequal(found)
    return found


def disagreements(first: Run, second: Run | None = None, *, data: LongTailedData | None = None) -> pd.DataFrame:
    """The test images that one of two runs answers rightly and the other wrongly; of one run, each with its answer.

    Args:
        first, second: finished runs on the same data.
        data: what they were trained on, where those are arrays of the user's own.

    Returns:
        ``image`` (position in the test set), ``class``, ``right`` (which is right: 0 for the first run, 1 for the
        second; of one run 0 where it is right, 1 where it is not), ``taken_for`` (the class that the wrong one takes
        it for; its own where one run is right), in the test set's order.
    """
    said = predictions(first, data=data)
    label, ours = said["label"], said["predicted"]
    if second is None:
        table = said[["image", "label"]].assign(right=(ours != label).astype(int), taken_for=ours)
    else:
        theirs = predictions(second, data=data)["predicted"]
        apart = (ours == label) != (theirs == label)
        right = (theirs == label).astype(int)
        taken_for = ours.where(right == 1, theirs)
        table = said[["image", "label"]].assign(right=right, taken_for=taken_for)[apart]
    return table.rename(columns={"label": "class"}).reset_index(drop=True)


def pictures_of(run: Run, data: LongTailedData | None = None) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Test images that can be shown: those of the shipped sheet of the run's data set, else the whole test set.

    Args:
        run: with stored predictions, by which the images of a sheet are found in the test set.
        data: what it was trained on, where those are arrays of the user's own.

    Returns:
        (n,) positions in the test set, rising, and (n, H, W, C) pixels.

    Raises:
        RdrError: the data set is not at hand, its samples are no images, or they are of many sizes.
    """
    from rdr_core.data.kinds import IMAGES
    from rdr_core.data.samples import read_sheet, sheet

    path = sheet(run.config.dataset) if data is None else None
    if path is None:
        own = run.data(data)
        if own.kind is not IMAGES:
            raise RdrError(f"{run.path} was trained on {own.kind}, not on images that could be shown; the confusion of "
                           "classes tells of any samples.")  # fmt: skip
        pixels = np.asarray(own.test.inputs[:])
        return np.arange(len(pixels)), pixels.transpose(0, 2, 3, 1)
    by_name, labels = read_sheet(path), predictions(run)["label"].to_numpy()
    at = [np.flatnonzero(labels == klass) for klass in range(len(run.class_names))]
    images = [by_name[str(name)] for name in run.class_names]
    positions = np.concatenate([where[: len(shown)] for where, shown in zip(at, images, strict=True)])
    order = positions.argsort()
    return positions[order], np.concatenate(images)[order]


def shown_disagreements(
    runs: Sequence[Run], *, per_class: int, classes: int, data: LongTailedData | None = None
) -> tuple[pd.DataFrame, NDArray[np.uint8]]:
    """By class how many test images each side alone answers rightly, and the first of them in the test set.

    Args:
        runs: see :func:`pair`.
        per_class: images to show of each class and side.
        classes: of data with more, half of it are the classes with the most images and half those with the fewest.
        data: what the runs were trained on, where those are arrays of the user's own.

    Returns:
        A row an image: ``rank``, ``class``, ``name``, ``count`` (training images), ``group``, ``right``, ``method`` and
        ``label`` (of whose answer is right; of one run its own), ``seed``, ``images`` (of the class that are so),
        ``tested`` (test images of the class), ``image``, ``taken_for`` (a class's name); a class without any has one
        with image -1. And (rows, H, W, C) pixels, zeros for -1.
    """
    both = pair(runs)
    positions, pixels = pictures_of(both[0], data)
    found = disagreements(*both, data=data)
    table = class_table(both[0])
    if len(table) > classes:
        table = pd.concat([table.head(classes - classes // 2), table.tail(classes // 2)])
    at = pd.Series(np.arange(len(positions)), index=positions)
    tested = predictions(both[0], data=data)["label"].value_counts()
    names = [str(name) for name in both[0].class_names]
    rows, chosen = [], []
    for klass in table.rename(columns={"class": "number"}).itertuples():
        for right in (1, 0) if len(both) > 1 else (0, 1):
            of_class = found[(found["class"] == klass.number) & (found["right"] == right)]
            shown = of_class[of_class["image"].isin(at.index)].head(per_class)
            config = both[right if len(both) > 1 else 0].config
            common = {
                "rank": klass.rank, "class": klass.number, "name": klass.name, "count": klass.count,
                "group": klass.group, "right": right, "method": config.method,
                "label": method_label(config.method), "seed": config.seed, "images": len(of_class),
                "tested": int(tested.get(klass.number, 0)),
            }  # fmt: skip
            for image, taken_for in shown[["image", "taken_for"]].itertuples(index=False):
                rows.append({**common, "image": image, "taken_for": names[taken_for]})
                chosen.append(pixels[at[image]])
            if shown.empty:
                rows.append({**common, "image": -1, "taken_for": ""})
                chosen.append(np.zeros_like(pixels[0]))
    return pd.DataFrame(rows), np.stack(chosen)
