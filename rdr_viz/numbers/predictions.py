"""What a run's network says of each image: predicted class, confidence, probability of the true class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.errors import unknown_name

if TYPE_CHECKING:
    from torch import Tensor

    from rdr_core.data import LongTailedData
    from rdr_core.models import Network
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
    from rdr_viz.analysis import stored  # loads torch

    return stored(run, "predictions", made, lambda: _predict(run, epoch, split, data), data=data)


def chosen_epoch(run: Run, epoch: int | None) -> int:
    """The epoch asked for; None is the run's last."""
    return run.config.epochs if epoch is None else int(epoch)


def check_split(split: str) -> str:
    """The split, refused with RdrError unless one of :data:`SPLITS`."""
    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS)
    return split


def normalised(data: LongTailedData, split: str) -> tuple[Tensor, Tensor]:
    """A split's images as the network takes them, (N, C, H, W) float32 without augmentation, and its labels (N,)."""
    import torch

    from rdr_core.training.augment import normalise

    part = getattr(data, split)
    return normalise(part.images[:], torch.tensor(data.mean), torch.tensor(data.std)), part.labels


def forward_all(model: Network, images: Tensor, batch_size: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, Z) and logits (N, d) of all images, float32, in evaluation mode, which is undone afterwards."""
    import torch

    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            both = [model.features_and_logits(batch) for batch in images.split(batch_size)]
    finally:
        model.train(was_training)
    features, logits = (torch.cat(part).float().cpu().numpy() for part in zip(*both, strict=True))
    return features, logits


def _predict(run: Run, epoch: int, split: str, data: LongTailedData | None) -> pd.DataFrame:
    from scipy.special import softmax

    images, labels = normalised(data or run.load_data(), split)
    _, logits = forward_all(run.model(epoch), images)
    probabilities = softmax(logits.astype(np.float64), axis=1)
    labels = labels.numpy()
    return pd.DataFrame(
        {
            "image": np.arange(len(labels)),
            "label": labels,
            "predicted": probabilities.argmax(1),
            "confidence": probabilities.max(1),
            "probability": probabilities[np.arange(len(labels)), labels],
        }
    )
