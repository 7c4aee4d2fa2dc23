"""The training loop: epochs of batches, then a look at the test set, a row of history and a checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from rdr_core.errors import TrainingDiverged
from rdr_core.measures.predictions import accuracies
from rdr_core.training.bar import progress_bar
from rdr_core.training.feed import feed
from rdr_core.training.inference import accuracy_by_class, predict
from rdr_core.training.interrupt import TrainingStopped, stop_requests
from rdr_core.training.kernels import fastest_convolutions
from rdr_core.training.mixed import mixed
from rdr_core.training.ranks import LOOK_EVERY
from rdr_core.training.recorded import recorded_steps
from rdr_core.training.state import TrainingState


class Keeper(Protocol):
    """What keeps a training's state: a run's folder.

    Attributes:
        path: where.
    """

    path: Path

    def checkpoint(self, tree: dict[str, Any]) -> None:
        """Keep the state's tree in place of the one before."""
        ...


def train_to_end(
    state: TrainingState, keeper: Keeper, *, go_on: str, progress: bool = True, deadline: float | None = None,
    until: int | None = None,
) -> None:  # fmt: skip
    """Train from where the state is to the last epoch, saving after each.

    Args:
        state: what is trained.
        keeper: where it is saved.
        go_on: the command that goes on with it after an interrupt.
        progress: show a bar.
        deadline: when to stop by itself (:func:`rdr_core.training.interrupt.stop_requests`).
        until: the epoch after which to end; None (default) is the last.

    Raises:
        TrainingDiverged: the loss is no finite number; the last epoch's checkpoint stays.
        TrainingStopped: Ctrl-C, SIGTERM or the deadline, after saving in the middle of the epoch.
    """
    last = state.config.epochs if until is None else until
    bar = progress_bar(
        f"{state.config.dataset} {state.config.method}" + ("" if until is None else f", the first {until} epochs"),
        total=last * state.batches,
        done=state.epoch * state.batches + state.batch,
        shown=progress and state.ranks.first,
    )
    with bar, stop_requests(deadline) as stop, fastest_convolutions(state.device):
        while state.epoch < last:
            started = time.perf_counter() - state.seconds
            train_epoch(state, tick=bar.update, stop=stop)
            state.seconds = time.perf_counter() - started
            refuse_divergence(state, keeper)
            if state.batch < state.batches:
                if state.ranks.first:
                    keeper.checkpoint(state.tree())
                raise TrainingStopped(
                    f"Stopped in epoch {state.epoch + 1} of {state.config.epochs}, after step "
                    f"{state.batch} of {state.batches}; saved. Continue with: {go_on}"
                )
            close_epoch(state)
            row = state.history[-1]
            row["seconds"] = time.perf_counter() - started
            if state.ranks.first:
                keeper.checkpoint(state.tree())
            bar.set_postfix({"epoch": state.epoch, "accuracy": f"{row['accuracy']:.1f}"}, refresh=False)


def train_epoch(state: TrainingState, *, tick: Callable[[], object], stop: Callable[[], bool]) -> None:
    """The batches of the epoch from the state's position on; ends early where ``stop()``.

    Nothing here waits for the device: records stay on it until the epoch is closed.
    """
    state.model.train()
    state.weighting.train()
    if state.batch == 0:
        state.start_visits()
        state.weighting.start_epoch(state.epoch)
    with closing(steps_of(state)(state)) as steps:
        while state.batch < state.batches and not _asked_to_stop(state, stop):
            next(steps)
            state.batch += 1
            tick()


def steps_of(state: TrainingState) -> Callable[[TrainingState], Generator[None, None, None]]:
    """How the run's steps are taken: as a recording where they can be, else by :func:`plain_steps`."""
    if state.steps is None:
        state.steps = recorded_steps(state) or plain_steps
    return state.steps


def plain_steps(state: TrainingState) -> Generator[None, None, None]:
    """The epoch's steps from the state's position on, one each time the next is asked for."""
    size = state.config.batch_size
    visits, ranks = state.visits, state.ranks
    augment = state.augmentation.epoch(state.epoch, len(state.order), state.inputs.shape, state.device)
    images, order = augment.prepare(state.inputs, state.order)
    shares = (rows[ranks.share(len(rows))] for rows in order[state.batch * size :].split(size))
    with closing(feed(images, shares, state.device)) as batches:
        for pixels in batches:
            start = state.batch * size
            count = len(order[start : start + size])
            mine = ranks.take(count)
            for group in state.step.optimizer.param_groups:
                group["lr"] = state.rate(state.batch)
            batch = augment(pixels, start + mine.start, state.mean, state.std)
            objective = state.objective
            if state.mixes:
                batch, objective = mixed(objective, batch, visits.labels, state.mixes, start, count)
            outcome = state.step(objective, batch, visits.labels[start : start + size][mine])
            visits.write(start, outcome, ranks)
            yield


def _asked_to_stop(state: TrainingState, stop: Callable[[], bool]) -> bool:
    """Whether a rank was; all of them stop after the same step, and ask each other now and then only."""
    if state.ranks.size == 1:
        return stop()
    return state.batch % LOOK_EVERY == 0 and state.ranks.any(stop())


def close_epoch(state: TrainingState) -> None:
    """After an epoch's last batch: evaluate, add its rows to the history, move on to the next epoch."""
    state.weighting.finish_epoch(state.epoch)
    columns = state.visits.by_class(state.priors)
    summary = state.visits.summary(columns)
    replaced = state.visits.replaced() if state.weighting.weighs else {}
    tested = len(state.test_labels)
    mine = predict(state.model, state.test, state.ranks.share(tested))
    predicted = state.ranks.gather(mine, tested)
    right, total = accuracy_by_class(predicted, state.test_labels, state.data.num_classes)
    # One transfer each for the scalars and for the columns.
    scalars = torch.stack([value.double() for value in (*summary.values(), *replaced.values())]).tolist()
    names = ["right", "total", *columns]
    table = torch.stack([right, total, *columns.values()]).cpu().numpy()
    by_class = dict(zip(names, table, strict=True))
    right, total = by_class.pop("right"), by_class.pop("total")
    with np.errstate(invalid="ignore"):
        by_class = {"accuracy": 100 * right / total} | by_class
    state.history.append(
        {
            "epoch": state.epoch + 1,
            "learning_rate": state.step.optimizer.param_groups[0]["lr"],
            **dict(zip(summary, scalars, strict=False)),
            **accuracies(right, total, state.data.groups),
        }
    )
    for name, count in zip(replaced, scalars[len(summary) :], strict=True):
        state.replaced[name] = state.replaced.get(name, 0) + int(count)
    for name, column in by_class.items():
        row = torch.from_numpy(column)
        state.classes_of(name, row)[state.epoch] = row
    state.epoch, state.batch, state.seconds = state.epoch + 1, 0, 0.0
    del state.visits


def refuse_divergence(state: TrainingState, keeper: Keeper) -> None:
    """Raise TrainingDiverged where a loss, a sample's weight (below 0 too), or the network after the last step is no
    finite number; nothing is saved then.

    Waits for the device once an epoch.
    """
    size = state.config.batch_size
    bad = state.visits.first_bad_batch(state.batch * size)
    if bad is None:
        tensors = [t for t in state.model.state_dict().values() if t.is_floating_point()]
        if bool(torch.stack([t.isfinite().all() for t in tensors]).all()):
            return
        bad, what, whose = state.batch - 1, "weights are no longer finite", ""
    else:
        what, c = state.visits.what_is_bad(bad)
        whose = f" The first image concerned is of class {c} ({state.data.class_names[c]})."
    kept = f"the state after epoch {state.epoch} is kept in {keeper.path}" if state.epoch else "no epoch was finished"
    raise TrainingDiverged(
        f"With method {state.config.method} the {what} at step {bad + 1} of epoch {state.epoch + 1}; {kept}. "
        f"Try a lower learning rate (now {state.config.learning_rate:g}) or milder parameters of the method.{whose}"
    )
