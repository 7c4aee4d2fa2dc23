"""The writing side of a run's folder; what is there is always whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from rdr_core.data.kinds import IMAGES
from rdr_core.errors import Damaged, RdrError, RunBusy
from rdr_core.files.expected import of_shape
from rdr_core.files.locks import refuse_lockless
from rdr_core.files.sealed import damaged
from rdr_core.files.trees import load_tree, save_tree
from rdr_core.files.whole import read_json, write_json
from rdr_core.runs.contents import read_config
from rdr_core.runs.done import mark_done
from rdr_core.runs.layout import FORK, FORMAT, kept_epochs, refuse_links, weights_path
from rdr_core.runs.left_over import remove_left_over
from rdr_core.runs.records import classes_of, history_line, history_of, write_history
from rdr_core.runs.sealing import seal_all
from rdr_core.runs.stand_ins import keep_replaced
from rdr_core.runs.trained_network import refuse_others
from rdr_core.training.config import RunConfig

if TYPE_CHECKING:
    from rdr_core.data import LongTailedData
    from rdr_core.runs.trunks import Beginning
    from rdr_core.training.state import TrainingState


class RunFolder:
    """A folder that one process at a time trains into."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: list[str] = []  # of the history, as far as it was written: rows stay as they are

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The folder to ourselves; the lock goes with the process, however it ends.

        Where nothing came of it, as with data that are missing, no folder is left behind.

        Raises:
            RunBusy: another process has it.
            RdrError: no such folder can be made, or what would be written in it leads elsewhere.
        """
        from filelock import FileLock, Timeout

        refuse_links(self.path)
        with self.writing():
            made = [path for path in (self.path, *self.path.parents) if not path.exists()]
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                refuse_lockless(self.path)
            except RdrError:
                for path in made:
                    path.rmdir()
                raise
            try:
                lock = FileLock(self.path / ".lock").acquire(timeout=0)
            except Timeout:
                raise RunBusy(f"{self.path} is being trained by another process; wait for it or stop it.") from None
        try:
            with lock:
                remove_left_over(self.path)
                yield
        finally:
            with suppress(OSError):  # a folder that is not empty is of use
                if [path.name for path in self.path.iterdir()] == [".lock"]:
                    (self.path / ".lock").unlink()
                for path in made:
                    path.rmdir()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Inside, a file that can't be written is told in one sentence.

        Raises:
            RdrError: an ``OSError`` came up.
        """
        try:
            yield
        except OSError as error:
            raise RdrError(f"{self.path} can't be written ({error}); choose another folder with --runs.") from None

    def begin(
        self, config: RunConfig, data: LongTailedData, environment: dict[str, Any], stage: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Write what is known before training; config.json last, which makes the folder a run.

        Args:
            config, data, environment: of the run.
            stage: where the run is a second stage, the ``base`` it started from and how many ``epochs`` it takes.
        """
        if stage is not None:
            write_json(self.path / "stage.json", stage)
        write_json(self.path / "env.json", environment)
        facts = _facts(data)
        stored = self.path / "data.json"
        if stored.is_file() and any(facts.get(name) != value for name, value in read_json(stored).items()):
            raise RdrError(f"{self.path} was trained on other data than these; choose another folder with --runs.")
        write_json(stored, facts)
        save_tree(self.path / "indices.safetensors", {"indices": torch.as_tensor(data.indices).to(torch.int32)})
        seal_all(self.path)  # what an older version began; else its files would look damaged beside the next
        write_json(self.path / "config.json", {"format": FORMAT, "config": config.to_dict()})

    def begin_from_nothing(self) -> None:
        """Forget a trunk that the run was to go on from when it was stopped before it did."""
        (self.path / FORK).unlink(missing_ok=True)

    def begin_at(self, tree: dict[str, Any], beginning: Beginning) -> None:
        """Take over what a trunk has made: its state, its weights, and a note of where they are from.

        Args:
            tree: the run's own, after the trunk's epochs.
            beginning: the trunk's.
        """
        for epoch in self._kept_epochs():
            if epoch <= beginning.epoch:
                (self.path / "weights").mkdir(exist_ok=True)
                save_tree(weights_path(self.path, epoch), load_tree(weights_path(beginning.folder, epoch)))
        note = {"trunk": beginning.trunk, "epoch": beginning.epoch, "seconds": beginning.seconds}
        write_json(self.path / FORK, note)
        self.checkpoint(tree)

    def restore(self, state: TrainingState) -> Any | None:
        """Put a fresh state where the run was left; the tree that was saved of it, None before the first.

        Raises:
            Damaged: the checkpoint is not as it was written, or another run's.
        """
        path = self.path / "checkpoint.safetensors"
        return restored(path, state) if path.exists() else None

    def checkpoint(self, tree: dict[str, Any]) -> None:
        """Save a training state's tree; then what readers look at, which follows from it."""
        save_tree(self.path / "checkpoint.safetensors", tree)
        self.publish(tree)

    def publish(self, tree: dict[str, Any]) -> None:
        """Write history and classes as the tree has them, and the weights of an epoch that is to be kept."""
        if not tree["history"]:
            return
        save_tree(self.path / "classes.safetensors", tree["classes"])
        if tree["batch"] == 0 and tree["epoch"] in self._kept_epochs():
            (self.path / "weights").mkdir(exist_ok=True)
            save_tree(weights_path(self.path, tree["epoch"]), {"model": tree["model"]})
        self._lines += map(history_line, tree["history"][len(self._lines) :])
        write_history(self.path / "history.csv", self._lines)

    def _kept_epochs(self) -> tuple[int, ...]:
        if (self.path / "stage.json").is_file():  # epochs of the classifier alone; the first stage keeps its own
            return ()
        return kept_epochs(read_config(self.path).epochs)

    def finish(self, tree: dict[str, Any], measures: dict[str, Any]) -> None:
        """Weights, metrics, and last of all the mark that the run is done; the checkpoint goes."""
        save_tree(self.path / "model.safetensors", {"model": tree["model"]})
        write_json(self.path / "metrics.json", measures)
        keep_replaced(self.path, tree["replaced"])
        mark_done(self.path, tree["epoch"])
        (self.path / "checkpoint.safetensors").unlink(missing_ok=True)


def restored(path: Path, state: TrainingState) -> dict[str, Any]:
    """Put a fresh state where one was that a file keeps; the tree that was saved of it.

    Raises:
        Damaged: the file is missing, not as it was written, or of another run.
    """
    tree = load_tree(path)
    if wrong := of_shape(tree, {"epoch": int, "batch": int, "seconds": float, "history": [dict]}):
        raise damaged(path, wrong)
    refuse_others(path, tree.get("model"), state.model.state_dict())
    try:
        history_of(tree, path)
        classes_of(tree, path, state.data.num_classes)
        state.restore(tree)
    except Damaged:
        raise
    except (LookupError, TypeError, ValueError, RuntimeError, AttributeError, ArithmeticError) as error:
        raise damaged(path, f"it does not fit the run: {str(error).partition(chr(10))[0]}") from None
    for weight, kept in state.step.optimizer.state.items():
        if (momentum := kept.get("momentum_buffer")) is not None and momentum.shape != weight.shape:
            raise damaged(path, "its momentum is of other weights than the run's")
    return tree


def _facts(data: LongTailedData) -> dict[str, Any]:
    # Only where there are any, so that older runs' folders are the same.
    held_out = {} if data.held_out is None else {"held_out": len(data.held_out) // data.num_classes}
    return {
        "class_names": list(data.class_names),
        "class_counts": data.class_counts.tolist(),
        "groups": {name.lower(): classes.tolist() for name, classes in data.groups.items()},
        "indices_hash": data.indices_hash,
        "content_hash": data.content_hash,
        "mean": list(data.mean),
        "std": list(data.std),
        "channels": data.channels,
        "shape": list(data.train.inputs.shape[1:]),
        **({} if data.kind is IMAGES else {"kind": data.kind.name}),
        "train_images": len(data.train.labels),
        "test_images": len(data.test.labels),
        **held_out,
    }
