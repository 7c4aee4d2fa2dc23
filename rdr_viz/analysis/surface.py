"""Filter-normalised loss surfaces around a trained network, in one or two directions (Li et al. 2018).

Raw loss along a random direction says little: a network with ReLU and BatchNorm can be rescaled without changing what
it computes. So each filter of the direction is given the norm of the network's own filter, and what has no filters
(biases, BatchNorm's scale and shift) does not move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.data.groups import GROUPS
from rdr_core.errors import RdrError
from rdr_viz.analysis.catalogue import analysis
from rdr_viz.analysis.predictions import check_split, chosen_epoch

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run
    from rdr_core.training.inference import Inputs


def filter_direction(model: nn.Module, seed: int, number: int = 0) -> dict[str, Tensor]:
    """A random direction in the space of parameters, by parameter's name, normalised filter by filter.

    Normal numbers from a private generator, the same for every network of a shape; each filter (a row of a parameter
    of two or more dimensions: an output channel's kernel, a class's row of the classifier) is scaled to the norm of
    the network's own; parameters of fewer dimensions get 0.

    Args:
        model: whose filters set the norms.
        seed: of the generator.
        number: of the direction: 0 for the first axis, 1 for the second.

    Example:
        >>> import torch
        >>> found = filter_direction(torch.nn.Linear(3, 2), seed=0)
        >>> found["bias"].tolist()
        [0.0, 0.0]
    """
    import torch

    from rdr_core.training.randomness import generator

    draw = generator(seed, "direction", number)
    direction = {}
    for name, parameter in model.named_parameters():
        values = parameter.detach()
        random = torch.randn(values.shape, generator=draw).to(values)
        if values.ndim < 2:
            direction[name] = torch.zeros_like(values)
            continue
        own, drawn = values.flatten(1).norm(dim=1), random.flatten(1).norm(dim=1)
        scale = own / drawn.clamp_min(torch.finfo(values.dtype).tiny)
        direction[name] = random * scale.view(-1, *[1] * (values.ndim - 1))
    return direction


def class_losses(
    model: nn.Module,
    images: Inputs,
    labels: Tensor,
    steps: Sequence[tuple[float, ...]],
    directions: Sequence[Mapping[str, Tensor]],
    num_classes: int,
    batch_size: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean cross-entropy and share of errors of each class at points around the network.

    The network itself is never changed: it is called with other parameters. It runs in evaluation mode, with
    BatchNorm's running statistics as they were stored at the centre, and its mode is restored.

    Args:
        model: gives logits.
        images, labels: N of each.
        steps: S points, each a coefficient per direction.
        directions: of :func:`filter_direction`.
        num_classes: d.
        batch_size: images a pass (default: what suits the device); the result does not depend on it.

    Returns:
        Two (S, d) float64 arrays, NaN for a class without an image.
    """
    import torch
    import torch.nn.functional as F
    from torch.func import functional_call

    from rdr_core.training.inference import passes

    centre = {name: parameter.detach() for name, parameter in model.named_parameters()}
    counts = torch.bincount(labels, minlength=num_classes).double()
    losses = torch.zeros(len(steps), num_classes, dtype=torch.float64)
    errors = torch.zeros_like(losses)
    for row, step in enumerate(steps):
        moved = {
            name: value + sum(a * direction[name] for a, direction in zip(step, directions, strict=True))
            for name, value in centre.items()
        }
        start = 0
        for logits in passes(model, images, partial(functional_call, model, moved), batch_size):
            truth = labels[start : start + len(logits)]
            losses[row].index_add_(0, truth, F.cross_entropy(logits, truth, reduction="none").double())
            errors[row].index_add_(0, truth, (logits.argmax(1) != truth).double())
            start += len(logits)
    return (losses / counts).numpy(), (errors / counts).numpy()


@analysis("surface", "the loss around the trained weights, by class", results=("loss-surface",), place=60)
def loss_surface(
    run: Run,
    *,
    dimensions: int = 1,
    span: float = 1.0,
    points: int = 21,
    epoch: int | None = None,
    split: str = "train",
    seed: int = 0,
    data: LongTailedData | None = None,
) -> pd.DataFrame:
    """Cross-entropy of each class on a line or a square around a run's network, along random directions; stored.

    Plain cross-entropy, unweighted, whatever the run minimised, so that methods compare; images without augmentation;
    the network in evaluation mode.

    Args:
        run: a finished run.
        dimensions: 1 (default), a line, or 2, a square.
        span: from ``-span`` to ``span`` in each direction; 1 (default) moves each filter by its own norm.
        points: on each axis, odd so that 0, the network itself, is one (default 21).
        epoch: one of ``run.kept``; None (default) is the last.
        split: "train" (default) or "test".
        seed: of the directions, not the run's: the same for all runs, so that methods compare (default 0). Another
            seed shows how much of a shape is the direction's.
        data: where the run was trained on the user's own arrays.

    Returns:
        ``a``, ``b`` (the steps; b is 0 on a line), ``class``, ``group``, ``images``, ``loss`` (mean cross-entropy in
        nats), ``error`` (percent).

    Raises:
        RdrError: dimensions other than 1 and 2, an even or too small number of points, a span not above 0.

    Example:
        >>> loss_surface(run).groupby("a")["loss"].mean()  # doctest: +SKIP
    """
    if dimensions not in (1, 2):
        raise RdrError(f"dimensions is {dimensions}; a surface is drawn in 1 or 2.")
    if points < 3 or points % 2 == 0:
        raise RdrError(f"points is {points}; it must be an odd number, 3 or larger, so that 0 is one of them.")
    if not span > 0:
        raise RdrError(f"span is {span}; it must be above 0 (1 moves each filter by its own norm).")
    split, epoch = check_split(split), chosen_epoch(run, epoch)
    made = {
        "dimensions": dimensions, "span": float(span), "points": points, "epoch": epoch, "split": split, "seed": seed,
    }  # fmt: skip

    def compute() -> pd.DataFrame:
        from rdr_core.training.inference import Inputs

        own = run.data(data)
        images, labels = Inputs.of(own, split), getattr(own, split).labels
        model, d = run.model(epoch), len(run.class_counts)
        axis = span * np.arange(-(points // 2), points // 2 + 1) / (points // 2)
        steps = [(a, b) for a in axis for b in (axis if dimensions == 2 else [0.0])]
        directions = [filter_direction(model, seed, number) for number in range(2)]
        losses, errors = class_losses(model, images, labels, steps, directions, d)
        a, b = np.repeat(steps, d, axis=0).T
        return pd.DataFrame(
            {
                "a": a,
                "b": b,
                "class": np.tile(np.arange(d), len(steps)),
                "group": np.tile(run.groups.of_class, len(steps)),
                "images": np.tile(np.bincount(labels, minlength=d), len(steps)),
                "loss": losses.ravel(),
                "error": 100 * errors.ravel(),
            }
        )

    from rdr_viz.analysis.stored import stored  # loads torch

    return stored(run, "loss-surface", made, compute, data=data)


def surface_by_group(surface: pd.DataFrame) -> pd.DataFrame:
    """A surface by class put together by group: the mean over its classes, as everywhere; "All" is over all images.

    Args:
        surface: of :func:`loss_surface`.

    Returns:
        ``a``, ``b``, ``group`` ("All", Many, Medium, Few; those without classes left out), ``images``, ``loss``,
        ``error``.
    """
    known = surface.dropna(subset="loss")
    groups = known.groupby(["group", "a", "b"], as_index=False).agg(
        images=("images", "sum"), loss=("loss", "mean"), error=("error", "mean")
    )
    of_images = known.assign(loss=known["loss"] * known["images"], error=known["error"] * known["images"])
    all_ = of_images.groupby(["a", "b"], as_index=False)[["images", "loss", "error"]].sum().assign(group="All")
    all_[["loss", "error"]] = all_[["loss", "error"]].div(all_["images"], axis=0)
    both = pd.concat([all_, groups], ignore_index=True)
    place = {name: i for i, name in enumerate(("All", *GROUPS))}
    order = both.assign(place=both["group"].map(place)).sort_values(["place", "a", "b"]).index
    return both.loc[order, ["a", "b", "group", "images", "loss", "error"]].reset_index(drop=True)
