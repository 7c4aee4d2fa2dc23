"""A training of somebody else's loop, kept as a run: what pictures, the explorer and analyses can then be asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from rdr_core.errors import RdrError
from rdr_core.files.inside import inside
from rdr_core.files.trees import save_tree
from rdr_core.files.whole import write_json
from rdr_core.measures.predictions import accuracies, measures
from rdr_core.methods.contract import Outcome
from rdr_core.models.own import PREFIX, OwnModel
from rdr_core.runs.done import mark_done
from rdr_core.runs.environment import environment
from rdr_core.runs.folder import RunFolder
from rdr_core.runs.layout import finished, kept_epochs, weights_path
from rdr_core.runs.run import Run
from rdr_core.training.config import RunConfig
from rdr_core.training.inference import Inputs, accuracy_by_class, class_probabilities
from rdr_core.training.normalise import normalise
from rdr_core.training.ranks import Ranks
from rdr_core.training.visits import Visits

if TYPE_CHECKING:
    from rdr_core.data import LongTailedData

#: Of a recorded run without a network of torch's.
WITHOUT = f"{PREFIX}elsewhere"


@contextmanager
def record(
    data: LongTailedData,
    *,
    method: str,
    epochs: int,
    model: nn.Module | Callable[..., nn.Module] | None = None,
    features: str = "",
    seed: int = 0,
    runs: str | Path = "runs",
    **settings: Any,
) -> Iterator[Recording]:
    """Keep a training of your own loop as a run.

    In the block, :meth:`Recording.step` is told of each batch and :meth:`Recording.epoch` of each epoch's end; at the
    end of the block the run is finished. The settings are noted and change nothing; those that are equal make one run.

    Args:
        data: what is trained on. The network is asked about its test samples, normalised by its mean and std: train on
            samples normalised by them too (:func:`rdr_core.normalise`).
        method: what it is called in tables and pictures: a word of your own, or one of the toolkit's.
        epochs: how many are told of; fewer leave the run unfinished.
        model: the network, or what makes one like it, as for :func:`rdr_core.train`; None where it is none of torch's:
            its probabilities are told then, and there are no analyses of the network.
        features: as for :func:`rdr_core.train`.
        seed: of your training.
        runs: folder that holds the run's folder.
        settings: of your training, as :class:`RunConfig` has them; batch_size 64 and learning_rate 0.1 unless given.

    Raises:
        RdrError: such a run is there already, or what is told does not fit.

    Example:
        >>> import tempfile
        >>> import rdr_core
        >>> data = rdr_core.load_data("digits", imbalance_factor=50)
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
        >>> labels = data.train.labels
        >>> images = rdr_core.normalise(data.train.inputs, torch.tensor(data.mean), torch.tensor(data.std))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with record(data, method="mine", model=network, epochs=2, runs=folder) as recording:
        ...         for _ in range(2):
        ...             for rows in torch.arange(len(labels)).split(64):  # your own steps
        ...                 recording.step(labels[rows], network(images[rows]))
        ...             recording.epoch(network)
        ...     recording.run.done, len(recording.run.history)
        (True, 2)
    """
    own = None if model is None else OwnModel(model, features)
    usual: dict[str, Any] = {"augmentation": "none", "batch_size": 64, "learning_rate": 0.1}
    config = RunConfig(
        dataset=data.name, imbalance_factor=data.imbalance_factor, profile=data.profile, noise_rate=data.noise_rate,
        noise=data.noise, data_seed=data.seed, data_hash=data.content_hash, method=method, epochs=epochs, seed=seed,
        model=own.name if own else WITHOUT,
        model_hash=own.digest(data.num_classes, weights=False) if own else "none",
        **usual | settings,
    )  # fmt: skip
    path = inside(Path(runs), config.name)
    if finished(path):
        raise RdrError(f"{path} is recorded already; open it, remove it, or record under another method or seed.")
    folder = RunFolder(path)
    with folder.locked(), folder.writing():
        folder.begin(config, data, environment("cpu"))
        recording = Recording(folder, config, data, own)
        yield recording
        recording.finish()


class Recording:
    """What is told of a training while it runs: made by :func:`record`.

    Args:
        folder: the run's, locked.
        config: the run's.
        data: what is trained on.
        own: what makes its network; None where it is none of torch's.
    """

    def __init__(self, folder: RunFolder, config: RunConfig, data: LongTailedData, own: OwnModel | None) -> None:
        self._folder, self._config, self._data, self._own = folder, config, data, own
        self._steps: list[tuple[Tensor, Outcome]] = []
        self._history: list[dict[str, float]] = []
        self._classes: dict[str, list[np.ndarray]] = {}
        self._probabilities: np.ndarray | None = None
        self._begun = time.perf_counter()

    @property
    def run(self) -> Run:
        """The run, as far as it is recorded."""
        return Run(self._folder.path, self._config, own_model=self._own)

    @torch.no_grad()
    def step(
        self,
        labels: Tensor,
        logits: Tensor,
        *,
        losses: Tensor | None = None,
        weights: Tensor | None = None,
        ratios: Tensor | None = None,
    ) -> None:
        """Tell of a batch.

        Args:
            labels: (B,) classes, 0..d-1.
            logits: (B, d), before the step.
            losses: (B,) by sample; cross-entropy of the logits by default.
            weights: (B,) by sample; 1 by default. Pictures show them with mean 1.
            ratios: (B,) density ratios, where there are any.

        Raises:
            RdrError: shapes that do not fit.
        """
        d = self._data.num_classes
        if logits.ndim != 2 or logits.shape[1] != d or labels.shape != logits.shape[:1]:
            raise RdrError(
                f"A step has labels of shape {tuple(labels.shape)} and logits of shape {tuple(logits.shape)}; give "
                f"(B,) and (B, {d})."
            )
        labels, logits = labels.detach().long(), logits.detach().float()
        if losses is None:
            losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
        weights = torch.ones_like(losses) if weights is None else weights.detach()
        for name, values in (("losses", losses), ("weights", weights), ("ratios", ratios)):
            if values is not None and values.shape != labels.shape:
                raise RdrError(f"A step has {name} of shape {tuple(values.shape)}; give {tuple(labels.shape)}.")
        ratios = None if ratios is None else ratios.detach()
        empty = logits.new_empty(len(labels), 0)
        self._steps.append((labels, Outcome(losses.mean(), losses.detach(), weights, ratios, empty, logits)))

    def epoch(
        self,
        network: nn.Module | None = None,
        *,
        probabilities: np.ndarray | Tensor | None = None,
        learning_rate: float | None = None,
    ) -> None:
        """Tell of an epoch's end.

        Args:
            network: as it is then, which is asked about the test samples; or
            probabilities: (M, d) of the test samples, in their order, where it is none of torch's.
            learning_rate: at its end (default: that of the configuration).

        Raises:
            RdrError: an epoch without a step, too many epochs, neither network nor probabilities, or others than the
                configuration's.
        """
        epoch = len(self._history) + 1
        if not self._steps or epoch > self._config.epochs:
            what = "has no step" if not self._steps else f"is more than the {self._config.epochs} that were to come"
            raise RdrError(f"Epoch {epoch} {what}; tell of each batch with step(), then of the epoch.")
        weights: dict[str, Tensor] | None = None
        if network is not None and self._own is not None:
            found, weights = self._asked(network)
        elif probabilities is not None and network is None:
            given = torch.as_tensor(np.asarray(probabilities)).double()
            if given.shape != (len(self._data.test), self._data.num_classes):
                raise RdrError(
                    f"probabilities have shape {tuple(given.shape)}; give "
                    f"{(len(self._data.test), self._data.num_classes)}, a row for each test sample."
                )
            found = given.numpy()
        else:
            raise RdrError(
                "An epoch needs the network that record() was given as model, or probabilities where none was."
            )
        self._note(found, learning_rate)
        self._folder.publish(self._tree(weights))

    def finish(self) -> None:
        """Called at the block's end: the run is finished where all its epochs were told."""
        if len(self._history) < self._config.epochs or self._probabilities is None:
            return
        write_json(
            self._folder.path / "metrics.json",
            measures(self._probabilities, self._data.test.labels.numpy(), self._data.groups),
        )
        mark_done(self._folder.path, self._config.epochs)

    def _asked(self, network: nn.Module) -> tuple[np.ndarray, dict[str, Tensor]]:
        own = OwnModel(network, self._own.features if self._own else "")
        rows = torch.arange(min(2, len(self._data.test)))
        mean, std = torch.tensor(self._data.mean), torch.tensor(self._data.std)
        copy = own.network(self._data.num_classes, normalise(self._data.test.inputs[rows], mean, std)).cpu()
        if own.digest(self._data.num_classes, weights=False) != self._config.model_hash:
            raise RdrError(f"The network told of ({own.name}) has other layers than record() was given.")
        found = class_probabilities(copy, Inputs.of(self._data, "test"))
        return found.numpy(), copy.state_dict()

    def _note(self, probabilities: np.ndarray, rate: float | None) -> None:
        """The epoch's rows of history and classes."""
        labels = torch.cat([labels for labels, _ in self._steps])
        visits, start, alone = Visits(labels, self._config.batch_size), 0, Ranks()
        for of_step, outcome in self._steps:
            visits.write(start, outcome, alone)
            start += len(of_step)
        columns = visits.by_class(self._data.priors.to(labels.device))
        predicted = torch.from_numpy(probabilities.argmax(1))
        right, total = (
            column.numpy() for column in accuracy_by_class(predicted, self._data.test.labels, self._data.num_classes)
        )
        with np.errstate(invalid="ignore"):
            by_class = {"accuracy": 100 * right / total} | {name: c.cpu().numpy() for name, c in columns.items()}
        self._history.append({
            "epoch": len(self._history) + 1,
            "learning_rate": self._config.learning_rate if rate is None else float(rate),
            **{name: float(value) for name, value in visits.summary(columns).items()},
            **accuracies(right, total, self._data.groups),
            "seconds": time.perf_counter() - self._begun,
        })  # fmt: skip
        for name, column in by_class.items():
            self._classes.setdefault(name, []).append(column)
        self._probabilities, self._steps, self._begun = probabilities, [], time.perf_counter()

    def _tree(self, weights: dict[str, Tensor] | None) -> dict[str, Any]:
        """What the folder publishes; weights are written here, since a run elsewhere may have none."""
        epoch, last = len(self._history), self._config.epochs
        if weights is not None and epoch in (*kept_epochs(last), last):
            place = self._folder.path / "model.safetensors" if epoch == last else weights_path(self._folder.path, epoch)
            place.parent.mkdir(exist_ok=True)
            save_tree(place, {"model": weights})
        classes = {name: torch.from_numpy(np.stack(rows)) for name, rows in self._classes.items()}
        return {"history": self._history, "classes": classes, "batch": -1, "epoch": epoch}
