"""What the weights do: ratios below zero, effective sample size, each group's share of loss and gradient.

Shares come from a replay: a pass over the training set with a kept epoch's network and the run's own weighting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from rdr_core.data.groups import GROUPS
from rdr_core.errors import RdrError
from rdr_core.methods.names import method_label, method_order
from rdr_viz.analysis.catalogue import analysis
from rdr_viz.analysis.predictions import chosen_epoch

if TYPE_CHECKING:
    from torch import Tensor

    from rdr_core.data import LongTailedData
    from rdr_core.methods.contract import Weighing
    from rdr_core.models import Network
    from rdr_core.runs import Run
    from rdr_core.training.inference import Inputs
    from rdr_core.training.state import TrainingState


def effective_sample_size(weights: ArrayLike) -> float:
    """(sum w)^2 / sum w^2 (Kish 1965): how many equally weighted samples would give as steady a mean; 1 to n.

    Divide by n for a share. NaN where all weights are 0.

    Example:
        >>> effective_sample_size([1, 1, 1, 1]), effective_sample_size([1, 0, 0, 0])
        (4.0, 1.0)
    """
    weights = np.asarray(weights, dtype=float)
    squares = (weights**2).sum()
    return float(weights.sum() ** 2 / squares) if squares else np.nan


def ratios_below_zero(runs: Sequence[Run]) -> pd.DataFrame:
    """Share of raw density ratios below 0 in each epoch, which clamping sets to the floor (0: no weight at all).

    Returns:
        ``method``, ``label``, ``seed``, ``epoch``, ``percent`` (NaN for a method without ratios), methods in their
        fixed order, seeds rising.
    """
    tables = []
    for run in in_order(runs):
        history = run.history
        table = method_columns(run, len(history))
        table["epoch"] = history["epoch"].to_numpy()
        table["percent"] = 100 * history["negative_ratios"].to_numpy()
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def replayed_visits(run: Run, *, epoch: int | None = None, data: LongTailedData | None = None) -> pd.DataFrame:
    """Loss and weight of every visit of an epoch, replayed with the network as it was after a kept epoch; stored.

    A run keeps its network, not its weighting's state, so that is built again: images come in the batches of the
    replayed epoch, and RDR's prototypes are gathered in a first pass of the same batches (with the epoch's end, where
    prototypes move only then); weights are those of a second pass, in which prototypes go on following each batch as in
    training. A warm-up counts the steps of training, so a kept epoch inside it has weights of 1. Unlike training: the
    network stands still, in evaluation mode (BatchNorm's running statistics), without augmentation, in float32.

    Args:
        run: a finished run.
        epoch: one of ``run.kept``; None (default) is the last.
        data: where the run was trained on the user's own arrays.

    Returns:
        ``visit``, ``batch``, ``image`` (position in the training set), ``class``, ``group``, ``loss`` (the run's own,
        unweighted), ``weight`` (mean 1 over the batch), ``ratio`` (raw, NaN where the method has none).

    Raises:
        RdrError: an epoch not kept, an unfinished run, or data that are not there.
    """
    epoch = chosen_epoch(run, epoch)
    from rdr_viz.analysis.stored import stored  # loads torch

    def compute() -> pd.DataFrame:
        return _replay(state_at(run, epoch, data), epoch - 1, run)

    return stored(run, "replayed-visits", {"epoch": epoch}, compute, data=data)


@analysis("shares", "share of the loss and of the gradient that each group gets", place=30)
def shares(run: Run, *, epoch: int | None = None, data: LongTailedData | None = None) -> pd.DataFrame:
    """Each group's share of images, weight, loss and gradient, replayed at a kept epoch; stored.

    With g_G the gradient of ``sum over G of w * loss / visits`` by all trainable parameters and g the sum of all g_G
    (weight decay left out), a group has two shares of the gradient: ``gradient`` is ||g_G|| / sum of all ||g_G||,
    how hard it pulls; ``along`` is <g_G, g> / ||g||^2, how much of the step taken is its doing. The latter is below
    0 for a group that the step works against. Late in training, when all is fitted, gradients are small and shares
    of them unsteady.

    Args:
        run, epoch, data: as for :func:`replayed_visits`, which says how a replay differs from training.

    Returns:
        ``group``, ``images``, ``weight``, ``loss``, ``gradient``, ``along``: percent; each column adds up to 100.
        ``norm``: ||g_G||. Groups without classes are left out.
    """
    epoch = chosen_epoch(run, epoch)
    from rdr_viz.analysis.stored import stored  # loads torch

    def compute() -> pd.DataFrame:
        return _shares(state_at(run, epoch, data), replayed_visits(run, epoch=epoch, data=data))

    return stored(run, "shares", {"epoch": epoch}, compute, data=data)


def effective_sizes(run: Run, *, epoch: int | None = None, data: LongTailedData | None = None) -> pd.DataFrame:
    """Effective sample size of the weighted batches and of the weighted epoch, replayed at a kept epoch.

    Args:
        run, epoch, data: as for :func:`replayed_visits`.

    Returns:
        A row for "epoch" and one for "batch" (the mean over batches): ``of``, ``samples`` (visits; mean), ``effective``
        ((sum w)^2 / sum w^2; mean), ``percent`` (effective of samples; mean over the batches of their own).
    """
    visits = replayed_visits(run, epoch=epoch, data=data)
    batches = visits.groupby("batch")["weight"]
    size, effective = batches.size(), batches.apply(effective_sample_size)
    whole = effective_sample_size(visits["weight"])
    return pd.DataFrame(
        {
            "of": ["epoch", "batch"],
            "samples": [float(len(visits)), size.mean()],
            "effective": [whole, effective.mean()],
            "percent": [100 * whole / len(visits), (100 * effective / size).mean()],
        }
    )


def in_order(runs: Sequence[Run]) -> list[Run]:
    """Runs by method in the pictures' order, then by seed.

    Raises:
        RdrError: without runs.
    """
    runs = list(runs)
    if not runs:
        raise RdrError("There is no run to compare; give at least one.")
    return sorted(runs, key=lambda run: (method_order(run.config.method), run.config.seed))


def method_columns(run: Run, rows: int) -> pd.DataFrame:
    """``method``, ``label``, ``seed`` of a run, repeated."""
    method = run.config.method
    return pd.DataFrame({"method": [method] * rows, "label": method_label(method), "seed": run.config.seed})


def state_at(run: Run, epoch: int, data: LongTailedData | None) -> TrainingState:
    """The run's parts as training builds them, with the network of a kept epoch; the user's random state is kept."""
    import torch

    from rdr_core.training.randomness import fold, isolated
    from rdr_core.training.state import TrainingState

    network = run.model(epoch)
    with isolated(fold(run.config.seed, "replay")):
        state = TrainingState(run.config, run.data(data), torch.device("cpu"))
    state.model.load_state_dict(network.state_dict())
    state.model.eval()
    return state


def _replay(state: TrainingState, epoch: int, run: Run) -> pd.DataFrame:
    """``epoch`` counts from 0, as in training."""
    import torch

    from rdr_core.training.inference import Inputs, features_and_logits

    labels, (features, logits) = state.labels, features_and_logits(state.model, Inputs.of(state.data, "train"))
    order = state.sampler.order(epoch)
    batches = order.split(state.config.batch_size)
    gathered: list[Weighing] = []
    with torch.no_grad():
        losses = state.objective.loss(state.model.judged(features, logits), labels)
        for _ in range(2):  # prototypes are gathered in the first
            gathered = weigh_epoch(state, epoch, features, labels, batches)
    weights = torch.cat([weighing.weights for weighing in gathered])
    known = [weighing.ratios for weighing in gathered if weighing.ratios is not None]
    ratios = torch.cat(known) if known else torch.full_like(weights, torch.nan)
    classes = labels[order].numpy()
    return pd.DataFrame(
        {
            "visit": np.arange(len(order)),
            "batch": np.arange(len(order)) // state.config.batch_size,
            "image": order.numpy(),
            "class": classes,
            "group": run.groups.of_class[classes],
            "loss": losses[order].double().numpy(),
            "weight": weights.double().numpy(),
            "ratio": ratios.double().numpy(),
        }
    )


def weigh_epoch(
    state: TrainingState, epoch: int, features: Tensor, labels: Tensor, batches: Sequence[Tensor]
) -> list[Weighing]:
    """Let the weighting weigh the batches of an epoch and learn from them, as training does.

    Args:
        state: whose weighting it is.
        epoch: counts from 0, as in training.
        features, labels: (N, Z) and (N,) of all training images.
        batches: places of each batch's images.
    """
    import torch

    weighting = state.weighting.train()
    for module in weighting.modules():  # a schedule may wrap the weighting that counts steps
        steps = getattr(module, "steps", None)
        if isinstance(steps, torch.Tensor):
            steps.fill_(epoch * state.batches)
    weighting.start_epoch(epoch)
    gathered = [weighting.weigh(features[batch], labels[batch]) for batch in batches]
    weighting.finish_epoch(epoch)
    return gathered


def _shares(state: TrainingState, visits: pd.DataFrame) -> pd.DataFrame:
    import torch

    from rdr_core.training.inference import Inputs

    images, labels = Inputs.of(state.data, "train"), state.labels
    groups = [group for group in GROUPS if (visits["group"] == group).any()]
    losses = partial(_losses, state.model, state.objective.loss)
    parameters = [parameter for parameter in state.model.parameters() if parameter.requires_grad]
    gradients = []
    for group in groups:
        own = visits[visits["group"] == group]
        chosen, weights = (torch.tensor(own[column].to_numpy().copy()) for column in ("image", "weight"))
        gradients.append(weighted_gradient(losses, parameters, images, labels, chosen, weights) / len(visits))
    by_group = visits.assign(weighted=visits["weight"] * visits["loss"]).groupby("group")
    table = pd.DataFrame(
        {
            "group": groups,
            "images": _percent(by_group.size()[groups]),
            "weight": _percent(by_group["weight"].sum()[groups]),
            "loss": _percent(by_group["weighted"].sum()[groups]),
        }
    )
    stacked = torch.stack(gradients)
    norms = stacked.norm(dim=1).numpy()
    along = (stacked @ stacked.sum(0)).numpy()
    table["gradient"], table["along"], table["norm"] = _percent(norms), _percent(along), norms
    return table


def weighted_gradient(
    losses: Callable[[Tensor, Tensor], Tensor],
    parameters: Sequence[Tensor],
    images: Inputs,
    labels: Tensor,
    chosen: Tensor,
    weights: Tensor,
    batch_size: int = 500,
) -> Tensor:
    """Gradient of the weighted sum of losses of chosen images, as one float64 vector (P,).

    Args:
        losses: (images, labels) -> (B,) losses.
        parameters: to differentiate by.
        images, labels: N of each.
        chosen, weights: (V,) positions of the images visited, and their weights.
        batch_size: of a pass; the result does not depend on it where the network is in evaluation mode.
    """
    import torch

    total = [torch.zeros_like(parameter, dtype=torch.float64) for parameter in parameters]
    for part, weight in zip(chosen.split(batch_size), weights.split(batch_size), strict=True):
        value = losses(images[part], labels[part])
        for sum_, gradient in zip(
            total, torch.autograd.grad((weight.to(value) * value).sum(), parameters), strict=True
        ):
            sum_ += gradient
    return torch.cat([gradient.flatten() for gradient in total])


def _losses(model: Network, loss: Callable, images: Tensor, labels: Tensor) -> Tensor:
    return loss(model.judged(*model.features_and_logits(images)), labels)


def _percent(values) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    with np.errstate(invalid="ignore"):
        return 100 * values / values.sum()
