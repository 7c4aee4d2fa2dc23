"""What a run's network says of each image: predicted class, confidence, probability of the true class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.errors import unknown_name

if TYPE_CHECKING:
    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

SPLITS = ("test", "train")


def predictions(
    run: Run, *, epoch: int | None = None, split: str = "test", data: LongTailedData | None = None
) -> pd.DataFrame:
    """A row per image of a run's test or training set, without augmentation, in evaluation mode; stored.

    Args:
        run: a finished run.
        epoch: one of ``run.kept``; None (default) is the last.
        split: "test" (default) or "train".
        data: what it was trained on, where those are arrays of the user's own; else they are loaded again.

    Returns:
        ``image`` (position in the split), ``label``, ``predicted``, ``confidence`` (largest softmax probability, 0..1),
        ``probability`` (of the true class). Logits are taken as they are, also for a method that shifts them in
        training.

    Raises:
        RdrError: an epoch not kept, another split, an unfinished run, or data that are not there.

    Example:
        >>> table = predictions(run)                         # doctest: +SKIP
        >>> (table["label"] == table["predicted"]).mean()    # doctest: +SKIP
    """
    split, epoch = check_split(split), chosen_epoch(run, epoch)
    made = {"epoch": epoch, "split": split}
    from rdr_viz.analysis.stored import stored  # loads torch

    return stored(run, "predictions", made, lambda: _predict(run, epoch, split, data), data=data)


def chosen_epoch(run: Run, epoch: int | None) -> int:
    """The epoch asked for; None is the run's last."""
    return run.config.epochs if epoch is None else int(epoch)


def check_split(split: str) -> str:
    """The split, refused with RdrError unless one of :data:`SPLITS`."""
    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS)
    return split


def _predict(run: Run, epoch: int, split: str, data: LongTailedData | None) -> pd.DataFrame:
    from rdr_core.training.inference import Inputs, passes

    own = run.data(data)
    labels, start = getattr(own, split).labels.numpy(), 0
    columns = {"predicted": np.empty(len(labels), int), "confidence": np.empty(len(labels)),
               "probability": np.empty(len(labels))}  # fmt: skip
    for logits in passes(run.model(epoch), Inputs.of(own, split)):
        probabilities = logits.double().softmax(1).numpy()
        here = slice(start, start + len(probabilities))
        columns["predicted"][here], columns["confidence"][here] = probabilities.argmax(1), probabilities.max(1)
        columns["probability"][here] = probabilities[np.arange(len(probabilities)), labels[here]]
        start = here.stop
    return pd.DataFrame({"image": np.arange(len(labels)), "label": labels, **columns})
