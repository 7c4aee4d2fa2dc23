"""Is an image's density ratio its own, or noise of the batches that it came in? Reliability of r, by class and group.

The training set is visited several times with a kept epoch's network, in another random order of batches each time, so
that every image gets several ratios; within each class :func:`rdr_viz.analysis.reliability.reliability` shares out
their variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.errors import RdrError
from rdr_viz.analysis.accuracy import ALL_AND_GROUPS, refuse_unequal
from rdr_viz.analysis.catalogue import analysis
from rdr_viz.analysis.counts import class_table
from rdr_viz.analysis.groups import t_interval
from rdr_viz.analysis.predictions import chosen_epoch
from rdr_viz.analysis.reliability import interval_of_mean, reliability
from rdr_viz.analysis.weights import in_order, method_columns, state_at, weigh_epoch

if TYPE_CHECKING:
    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run
    from rdr_core.training.state import TrainingState

#: Ratios of each image. More of them narrow the intervals of large classes, hardly those of small ones.
PASSES = 8


@analysis(
    "ratios", "how much of a density ratio belongs to the image, by class", results=("ratio-reliability",), place=40
)
def ratio_reliability(
    run: Run, *, epoch: int | None = None, passes: int = PASSES, seed: int = 0, data: LongTailedData | None = None
) -> pd.DataFrame:
    """The share of r's variance within a class that belongs to the image, by class and by group; stored.

    Each image has one raw ratio (before any clamp) a pass. The network stands still, in evaluation mode, without
    augmentation; prototypes are gathered in a first pass, which is not counted, and go on following each batch as in
    training. What differs between an image's ratios is thus which images came with it, and which before. In training
    the network moves too, so that ratios are less reliable there, if anything.

    The interval takes ratios for independent and normal. They are neither quite: images of a class in one batch share
    its noise, and ratios have long tails. It says how sure the share of this network is, nothing of another seed.

    Args:
        run: a finished run.
        epoch: one of ``run.kept``; None (default) is the last.
        passes: ratios of each image, 2 or more (default 8).
        seed: of the orders, beside the run's own (default 0).
        data: where the run was trained on the user's own arrays.

    Returns:
        A row for all classes, for each group and for each class: ``level`` ("all", "group" or "class"), ``class`` (-1
        but for a class), ``name``, ``group``, ``images``, ``passes``, ``ratio`` (mean of r), ``spread`` (standard
        deviation of r within the class), ``reliability`` (1: all of it is the image's, 0: none; an estimate can be
        below 0) and the ends ``low`` and ``high`` of its 95 % interval. Above classes: the means over those that have
        a number. Missing: what a group has no class for; the reliability of a class of one image, or whose ratios do
        not differ; all of it for a method without ratios.

    Raises:
        RdrError: an epoch not kept, an unfinished run, fewer than two passes, or data that are not there.
    """
    epoch, passes = chosen_epoch(run, epoch), int(passes)
    if passes < 2:
        raise RdrError(f"passes is {passes}; an image needs two ratios or more (default {PASSES}).")
    from rdr_viz.analysis.stored import stored  # loads torch

    def compute() -> pd.DataFrame:
        labels, ratios = replayed_ratios(state_at(run, epoch, data), epoch - 1, passes, seed)
        return _by_class_and_group(class_table(run), labels, ratios)

    return stored(run, "ratio-reliability", {"epoch": epoch, "passes": passes, "seed": seed}, compute, data=data)


def replayed_ratios(state: TrainingState, epoch: int, passes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Classes (N,) and raw ratios (N, passes) of the training images, NaN where the method has none.

    Args:
        state: of :func:`rdr_viz.analysis.weights.state_at`; its weighting goes on from there.
        epoch: counts from 0, as in training.
        passes, seed: as for :func:`ratio_reliability`.
    """
    import torch

    from rdr_core.training.inference import Inputs, features_and_logits
    from rdr_core.training.randomness import generator

    labels, (features, _) = state.labels, features_and_logits(state.model, Inputs.of(state.data, "train"))
    ratios = np.full((len(labels), passes), np.nan)
    with torch.no_grad():
        for at in range(-1, passes):  # the first gathers prototypes
            order = torch.randperm(len(labels), generator=generator(state.config.seed, "ratios", seed, at))
            batches = order.split(state.config.batch_size)
            weighed = weigh_epoch(state, epoch, features, labels, batches)
            known = [weighing.ratios for weighing in weighed if weighing.ratios is not None]
            if at >= 0 and known:
                ratios[order.numpy(), at] = torch.cat(known).double().numpy()
    return labels.numpy(), ratios


def reliability_of_methods(
    runs: Sequence[Run], *, epoch: int | None = None, passes: int = PASSES, data: LongTailedData | None = None
) -> pd.DataFrame:
    """Reliability and mean of r of each method, over its seeds.

    Args:
        runs: that differ in method and seed alone.
        epoch, passes, data: as for :func:`ratio_reliability`.

    Returns:
        ``method``, ``label``, the columns of :func:`ratio_reliability` as means over seeds with ``rank`` (place of the
        class, 0 for groups), and ``seeds``. ``low`` and ``high`` are Student's over the seeds, or of one seed its own,
        and ``interval`` says which: "t over seeds" or "F over passes".

    Raises:
        RdrError: runs that cannot be compared.
    """
    runs = list(runs)
    refuse_unequal(runs)
    classes = class_table(*runs).set_index("class")
    tables = []
    for run in in_order(runs):
        found = ratio_reliability(run, epoch=epoch, passes=passes, data=data)
        tables.append(pd.concat([method_columns(run, len(found)), found], axis=1))
    long = pd.concat(tables, ignore_index=True)
    long["name"] = long["class"].map(classes["name"]).fillna(long["name"])
    long.insert(3, "rank", long["class"].map(classes["rank"]).fillna(0).astype(int))
    rows = []
    keys = ["method", "label", "level", "rank", "class", "name", "group", "images", "passes"]
    for key, own in long.groupby(keys, sort=False):
        known = own["reliability"].dropna().to_numpy()
        several = own["seed"].nunique() > 1
        low, high = t_interval(known) if several else own[["low", "high"]].iloc[0]
        means = {name: own[name].mean() for name in ("ratio", "spread", "reliability")}
        how = "t over seeds" if several else "F over passes"
        rows.append(dict(zip(keys, key, strict=True)) | means
                    | {"low": low, "high": high, "seeds": own["seed"].nunique(), "interval": how})  # fmt: skip
    return pd.DataFrame(rows)


def _by_class_and_group(classes: pd.DataFrame, labels: np.ndarray, ratios: np.ndarray) -> pd.DataFrame:
    """Rows for all, groups and classes.

    Args:
        classes: of :func:`rdr_viz.analysis.counts.class_table`.
        labels, ratios: (N,) and (N, passes).
    """
    table = classes.sort_values("class")[["class", "name", "group"]].reset_index(drop=True)
    table.insert(0, "level", "class")
    table["images"] = np.bincount(labels, minlength=len(table))
    table["passes"] = ratios.shape[1]
    own = [ratios[labels == klass] for klass in table["class"]]
    table[["ratio", "spread", "reliability", "low", "high"]] = np.array([reliability(values) for values in own])
    above = [_mean_row(table, own, group) for group in ALL_AND_GROUPS]
    return pd.concat([pd.DataFrame(above), table], ignore_index=True)


def _mean_row(table: pd.DataFrame, ratios: Sequence[np.ndarray], group: str) -> dict[str, object]:
    """The row of a group: means over its classes.

    Args:
        table: of the classes.
        ratios: (images, passes) of each.
        group: a group, or "All".
    """
    own = table if group == "All" else table[table["group"] == group]
    known = own.dropna(subset="reliability")
    low, high = interval_of_mean([ratios[at] for at in own.index])
    return {
        "level": "all" if group == "All" else "group", "class": -1, "name": group, "group": group,
        "images": int(own["images"].sum()), "passes": int(table["passes"].iloc[0]), "ratio": own["ratio"].mean(),
        "spread": known["spread"].mean(), "reliability": known["reliability"].mean(), "low": low, "high": high,
    }  # fmt: skip
