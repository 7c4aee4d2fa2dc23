"""A run on disk: read by notebooks, pictures and tables; written by training alone (:mod:`.layout`)."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rdr_core.data.kinds import IMAGES, KINDS, Kind
from rdr_core.errors import RdrError
from rdr_core.files.whole import read_json
from rdr_core.own_settings import own_settings
from rdr_core.runs.contents import read_config, read_data, read_done, read_fork, read_metrics, read_stage
from rdr_core.runs.layout import FORK, finished, kept_epochs, weights_path
from rdr_core.runs.records import (
    classes_table,
    history_table,
    read_indices,
    recorded_classes,
    recorded_history,
    recorded_last_epoch,
)
from rdr_core.training.config import RunConfig
from rdr_core.visible import NAME, visible

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from torch import nn

    from rdr_core.data import Groups, LongTailedData
    from rdr_core.models import Network
    from rdr_core.models.own import OwnModel


class Run:
    """A run's folder, opened. Everything is read when it is first used.

    Attributes:
        path: the folder.
        config: its :class:`RunConfig`.
        computes: whether analyses of it that are not stored are computed (:attr:`as_stored`).
        own_model: what makes its network, where that is the user's own and was given.

    Example:
        >>> Run.open("runs/digits-if50-rdr-s0-...").metrics["few"]  # doctest: +SKIP
    """

    def __init__(
        self, path: Path, config: RunConfig, *, computes: bool = True, own_model: OwnModel | None = None
    ) -> None:
        self.path, self.config, self.computes, self.own_model = path, config, computes, own_model
        # Of a finished run, which stays as it is.
        self._whole_history: pd.DataFrame | None = None
        self._whole_end: tuple[int, dict[str, float]] | None = None
        self._content_hash: str | None = None

    @classmethod
    def open(
        cls, path: str | Path, *, model: nn.Module | Callable[..., nn.Module] | None = None, features: str = ""
    ) -> Run:
        """Open a run's folder, finished or not.

        Args:
            path: the folder.
            model: the network of your own that it was trained on, where it was and its weights are wanted.
            features: of that, as for :func:`rdr_core.train`.

        Raises:
            RdrError: no such folder, a folder that holds no run, or a newer format.
            Damaged: its config.json is not as it was written. So does what is read later, each with its own file.
        """
        path = Path(path)
        if not (path / "config.json").exists():
            what = "has no config.json" if path.is_dir() else "does not exist"
            raise RdrError(f"{path} is not a run's folder: it {what}; `rdr runs` lists the runs there are.")
        config = read_config(path)
        if model is None:
            return cls(path, config)
        from rdr_core.runs.trained_network import own_model_of

        return cls(path, config, own_model=own_model_of(config, model, features, read_data(path)))

    def __repr__(self) -> str:
        return f"Run({self.name!r}, {'done' if self.done else f'{self.epochs_done} of {self.epochs} epochs'})"

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def done(self) -> bool:
        """Whether training has finished."""
        return finished(self.path)

    @cached_property
    def as_stored(self) -> Run:
        """The same run, of which analyses are read and never computed; one that is not stored is an error there."""
        return Run(self.path, self.config, computes=False, own_model=self.own_model) if self.computes else self

    @cached_property
    def _stage(self) -> dict[str, Any]:
        return read_stage(self.path) if (self.path / "stage.json").exists() else {}

    @property
    def base(self) -> str | None:
        """Name of the run beside it whose network this run's second stage refined; None without a second stage."""
        return self._stage.get("base")

    @cached_property
    def inherited(self) -> tuple[str, int, float] | None:
        """The trunk that the run went on from, after which epoch, and its seconds; None of a run from nothing."""
        if not (self.path / FORK).exists():
            return None
        found = read_fork(self.path)
        return found["trunk"], found["epoch"], found["seconds"]

    @property
    def seconds(self) -> pd.Series:
        """Seconds of the run's own epochs, tests included; a trunk's epochs are not counted."""
        own = self.history["seconds"]
        return own.iloc[self.inherited[1] :] if self.inherited else own

    @property
    def seconds_in_all(self) -> float:
        """Seconds of training; of a run that went on from a trunk, what its own epochs tell that all would take."""
        own = self.seconds
        return float(own.sum() if not self.inherited else own.mean() * self.epochs)

    @property
    def epochs(self) -> int:
        """Rows of the whole history: epochs of training, or of the second stage (1 where nothing is learnt)."""
        return self._stage.get("epochs", self.config.epochs)

    @property
    def epochs_done(self) -> int:
        """Epochs finished so far."""
        return self.last_epoch[0]

    @property
    def history(self) -> pd.DataFrame:
        """A row for each epoch, read again each time while training may be running; for a second stage, its own epochs.

        Columns: epoch (from 1), learning_rate (at its end), loss (weighted mean), train_accuracy,
        accuracy, many, medium, few (test, percent; NaN for a missing group), negative_ratios (share
        of raw ratios below 0; NaN without ratios), bound_terms (sum of w_y B'_y), seconds.
        """
        if self._whole_history is not None:
            return self._whole_history.copy()
        done = self.done  # asked first: a run that is finished while it is read may have been read too early
        table = history_table(recorded_history(self.path))
        if done:
            self._whole_history = table.copy()
        return table

    @property
    def last_epoch(self) -> tuple[int, dict[str, float]]:
        """How many epochs are finished, and the last one's row of :attr:`history`, for lists of many runs."""
        if self._whole_end is None:
            done, end = self.done, recorded_last_epoch(self.path)
            self._whole_end = end if done else None
            return end
        return self._whole_end

    @property
    def classes(self) -> pd.DataFrame:
        """A row for each epoch and class.

        Columns: epoch, class, count, group, accuracy (test, percent), weight (mean over the epoch's
        visits, batch mean 1), ratio (mean raw density ratio), b_prime (the strict reading) and
        b_prime_probability, b_prime_batch, b_prime_quantile (:data:`rdr_core.measures.bound.READINGS`).
        """
        columns = recorded_classes(self.path, len(self.class_counts))
        return classes_table(columns, self.class_counts, self.groups)

    @property
    def metrics(self) -> dict[str, Any]:
        """Of the last epoch, on the test set as it is, in percent: top1, many, medium, few (None where missing),
        balanced_accuracy, macro_f1, roc_auc, average_precision, calibration_error, per_class
        (:func:`rdr_core.measures.predictions.measures`).

        Raises:
            RdrError: the run is not finished.
        """
        if not self.done:
            raise RdrError(f"{self.path} is not finished; continue it with `rdr resume {self.path}`.")
        return read_metrics(self.path)

    @cached_property
    def _data(self) -> dict[str, Any]:
        return read_data(self.path)

    @property
    def class_counts(self) -> np.ndarray:
        """(d,) training images of each class, by the labels trained on."""
        return np.array(self._data["class_counts"])

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(visible(name, NAME) for name in self._data["class_names"])

    @property
    def kind(self) -> Kind:
        """What its samples are."""
        return KINDS[self._data.get("kind", IMAGES.name)]

    @property
    def channels(self) -> int:
        """C of its images."""
        return self._data["channels"]

    @cached_property
    def groups(self) -> Groups:
        """Many, Medium and Few."""
        from rdr_core.data import Groups

        stored = self._data["groups"]
        return Groups(**{name: np.array(stored[name], dtype=np.int64) for name in ("many", "medium", "few")})

    @property
    def indices(self) -> np.ndarray:
        """The training images chosen, as indices into the whole data set."""
        return read_indices(self.path / "indices.safetensors")

    @property
    def environment(self) -> dict[str, Any]:
        """Versions, device and commit of the last process that trained it."""
        return read_json(self.path / "env.json")

    @property
    def weights_hash(self) -> str | None:
        """Of the file of its network, as it was finished; None of an unfinished run, and of older ones."""
        return read_done(self.path).get("weights") if self.done else None

    @property
    def milestones(self) -> tuple[int, ...]:
        """Epochs whose weights training keeps, the last one included: what analyses look at.

        It depends only on the configuration, so that an analysis stored beside a run is found even without its weights.
        A second stage keeps only the last epoch.
        """
        early = () if self.base else kept_epochs(self.config.epochs)
        return (*early, self.config.epochs)

    @property
    def kept(self) -> tuple[int, ...]:
        """Those of the :attr:`milestones` whose weights are on disk."""
        return tuple(epoch for epoch in self.milestones if self._weights_at(epoch).is_file())

    @property
    def has_weights(self) -> bool:
        """Whether the network as last trained is on disk; a finished run may be shipped without it."""
        latest = "model.safetensors" if self.done else "checkpoint.safetensors"
        return (self.path / latest).is_file()

    def _weights_at(self, epoch: int) -> Path:
        return self.path / "model.safetensors" if epoch == self.config.epochs else weights_path(self.path, epoch)

    def weights_file(self, epoch: int | None = None) -> Path:
        """The file that holds the network's weights.

        Args:
            epoch: one of :attr:`kept`; None is the latest there is.

        Raises:
            RdrError: no epoch is finished yet, the epoch's weights were not kept, or the run is without its weights.
        """
        if self.done and not self.has_weights:
            from rdr_core.runs.command import how_to_train_again

            again = how_to_train_again(self.config, self.path.parent)
            raise RdrError(f"{self.path} was shipped without its weights; {again}.")
        if epoch is None:
            path = self.path / ("model.safetensors" if self.done else "checkpoint.safetensors")
            if not path.is_file():
                raise RdrError(f"{self.path} has no weights yet; `rdr resume {self.path}` trains it.")
            return path
        if epoch not in self.kept:
            kept = ", ".join(map(str, self.kept)) or "none so far"
            raise RdrError(f"{self.path} keeps no weights of epoch {epoch}; kept: {kept}.")
        return self._weights_at(epoch)

    @own_settings()
    def model(self, epoch: int | None = None) -> Network:
        """The network as trained so far, or as it was after an epoch, on the CPU, in evaluation mode.

        Args:
            epoch: one of :attr:`kept`; None is the latest there is.

        Raises:
            RdrError: as :meth:`weights_file`.
        """
        from rdr_core.runs.trained_network import own_network, trained_network

        if self.config.model_hash:
            return own_network(self.weights_file(epoch), self.own_model, self.config, self._data)
        return trained_network(self.weights_file(epoch), self.config.model, len(self.class_counts), self.channels)

    @own_settings()
    def data(self, given: LongTailedData | None = None, root: str | Path | None = None) -> LongTailedData:
        """The data it was trained on, the same images and labels: those given, or loaded again.

        Everything that computes numbers of a run gets its data here, so that numbers from other data are never taken
        for the run's.

        Args:
            given: the user's own arrays, or data already loaded; images and labels of both splits, class names, groups
                and normalisation are compared.
            root: folder of the data files (:func:`rdr_core.load_data`).

        Raises:
            RdrError: the given data are not the run's, none are given for a run on the user's own arrays, or the data
                set's images have changed.
        """
        from rdr_core.runs.whose_data import data_of

        return data_of(self.path, self.config, self._data, given, root, self.content_hash)

    def content_hash(self, root: str | Path | None = None) -> str:
        """That of the data it was trained on (:attr:`rdr_core.data.LongTailedData.content_hash`).

        Older runs on named data sets did not record it; for them it is computed from the data, loaded again.

        Args:
            root: folder of the data files.

        Raises:
            RdrError: as :meth:`data`, where it was not noted.
        """
        if self._content_hash is None:
            noted = self.config.data_hash or self._data.get("content_hash")
            self._content_hash = noted or self.data(root=root).content_hash
        return self._content_hash

    def normalisation(self, root: str | Path | None = None) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and standard deviation of each channel by which its images were normalised.

        Args:
            root: folder of the data files.

        Raises:
            RdrError: as :meth:`data`, where an older run did not note them.
        """
        if "mean" in self._data:
            return tuple(self._data["mean"]), tuple(self._data["std"])
        data = self.data(root=root)
        return data.mean, data.std
