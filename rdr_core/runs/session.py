"""A run made: its folder taken, its data read, its state built, or found where it was left, and trained to the end."""

from __future__ import annotations

import os
import shlex
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rdr_core.data.settings import settings_of
from rdr_core.errors import MissingData, RdrError
from rdr_core.files.inside import inside
from rdr_core.own_settings import own_settings
from rdr_core.runs.conditions import Conditions, pick_device
from rdr_core.runs.layout import finished
from rdr_core.runs.left_over import remove_left_over
from rdr_core.runs.run import Run
from rdr_core.visible import tell

if TYPE_CHECKING:
    import torch

    from rdr_core.data import LongTailedData
    from rdr_core.models.own import OwnModel
    from rdr_core.runs.folder import RunFolder
    from rdr_core.runs.trunks import Beginning
    from rdr_core.training.config import RunConfig
    from rdr_core.training.ranks import Ranks
    from rdr_core.training.state import TrainingState


@dataclass(frozen=True)
class Session:
    """One run's making, from whatever there is of it in its folder to the last epoch.

    Attributes:
        path: the run's folder.
        config: the run's.
        data: the user's own, or None where it is loaded by name.
        how: under which conditions.
        base: the first stage, where the run is a second one and it is known.
        own_model: the user's own network, where the configuration names one.
    """

    path: Path
    config: RunConfig
    data: LongTailedData | None
    how: Conditions
    base: Run | None = None
    own_model: OwnModel | None = None

    def run(self) -> Run:
        """The finished run: :meth:`make` without who made it."""
        return self.make()[0]

    def make(self) -> tuple[Run, bool]:
        """The finished run, made or finished here where it is not there yet; and whether it was.

        Raises:
            RunBusy, TrainingStopped, TrainingDiverged, RdrError: as for :func:`rdr_core.runs.requests.train_config`.
        """
        from rdr_core.training.memory import memory_told
        from rdr_core.training.ranks import joined

        self._refuse_another_run()
        if finished(self.path):
            run = self._opened()
            _refuse_other_files(run, self.how.root)
            remove_left_over(self.path)
            return run, False
        device = pick_device(self.how.device)
        told = replace(self, how=replace(self.how, go_on=self.how.go_on or self._how_to_go_on()))
        with joined(device, go_on=told.how.go_on) as ranks, memory_told(str(self.path), told.how.go_on):
            return told._made(device, ranks)

    def _how_to_go_on(self) -> str:
        from rdr_core.training.ranks import launched

        given = ["data=..."] * bool(self.config.data_hash) + ["model=..."] * bool(self.config.model_hash)
        if given:
            return f"rdr_core.resume({str(self.path)!r}, {', '.join(given)}) with what it was trained on"
        options = ["--device", self.how.device] if self.how.device != "auto" else []
        options += ["--root", str(self.how.root)] if self.how.root is not None else []
        start = ["torchrun", "--nproc-per-node", os.environ["WORLD_SIZE"], "-m", "rdr_core"] if launched() else ["rdr"]
        return shlex.join([*start, "resume", str(self.path), *options])

    def _made(self, device: torch.device, ranks: Ranks) -> tuple[Run, bool]:
        from rdr_core.runs.folder import RunFolder

        if finished(self.path):
            return self._opened(), False
        folder = RunFolder(self.path)
        # Before data are read, which may take long only to find that another process has the run.
        with folder.locked() if ranks.first else nullcontext():
            # That process may have finished it just now.
            there = ranks.any(ranks.first and (finished(self.path) or self._missed_its_mark_alone()))
            if not there:
                self._train(folder, device, ranks)
        return self._opened(), not there

    def _opened(self) -> Run:
        return Run(self.path, Run.open(self.path).config, own_model=self.own_model)

    def _missed_its_mark_alone(self) -> bool:
        from rdr_core.runs.done import bring_back_done

        if not bring_back_done(self.path):
            return False
        tell(f"rdr: {self.path} is finished and only its done.json was missing; it is written again.")
        return True

    def _train(self, folder: RunFolder, device: torch.device, ranks: Ranks) -> None:
        """In a folder that is ours."""
        from rdr_core.data.load import data_root, load_data
        from rdr_core.models.pretrained import pretrained_weights, start_from
        from rdr_core.runs.environment import environment
        from rdr_core.training.classifier_stage import SecondStageState, second_stage
        from rdr_core.training.loop import train_to_end
        from rdr_core.training.randomness import fold, isolated
        from rdr_core.training.state import TrainingState
        from rdr_core.training.threads import using_threads

        config, method, data = self.config, self.config.spec, self.data
        alone = method.first_stage.name == config.method
        second_stage(config)  # refuses what can't be done after the first one, which may take long
        # Looked for before data are read, which may take long; a checkpoint and a first stage have them in them.
        fresh = alone and not (self.path / "checkpoint.safetensors").is_file()
        start = pretrained_weights(config.model, data_root(self.how.root)) if fresh else None
        if data is None:
            data = load_data(config.dataset, **config.data_request, held_out=method.held_out, root=self.how.root)
        base = self.base
        if not alone and base is None:
            base, _ = self._first_stage(method.first_stage.name, data)._made(device, ranks)
        beginning = None
        if fresh and self.how.trunk and ranks.size == 1 and start is None and self.own_model is None:
            beginning = self._beginning(data, device)
        with (
            isolated(fold(config.seed, "run" if base is None else "second stage")),
            using_threads(settings_of(config.dataset).threads),
            own_settings(),
        ):
            if base is None:
                state = TrainingState(config, data, device, ranks, self.own_model)
                if start is not None:
                    start_from(state.model, start, config.model)
            else:
                state = SecondStageState(config, data, device, base.model(), ranks, self.own_model)
            with folder.writing():
                if ranks.first:
                    stage = {"base": base.name, "epochs": state.config.epochs} if base else None
                    folder.begin(config, data, environment(str(device)), stage)
                    if fresh:
                        _begin_at(folder, state, beginning, progress=self.how.progress)
                ranks.wait()
                saved = folder.restore(state)
                if saved is not None and ranks.first:
                    folder.publish(saved)
                train_to_end(
                    state, folder, go_on=self.how.go_on, progress=self.how.progress, deadline=self.how.deadline
                )
                if ranks.first:
                    folder.finish(state.tree(), _final_measures(state))
                ranks.wait()

    def _first_stage(self, method: str, data: LongTailedData) -> Session:
        config = replace(self.config, method=method)
        name = Run(self.path, self.config).base or config.name  # refined from another folder, it has noted that
        place = inside(self.path.parent, name)
        how = replace(self.how, go_on="the same request again")
        first = Session(place, config, data, how, own_model=self.own_model)
        first._refuse_another_run()
        return first

    def _refuse_another_run(self) -> None:
        """Refuse a folder that another run has: what is named in a file, or is in a folder of that name, may be any."""
        try:
            found = Run.open(self.path).config
        except RdrError:  # none yet, or one whose configuration is damaged, which is written anew
            return
        if found != self.config:
            raise RdrError(f"{self.path} holds another run than {self.config.name}; it is left as it is.")

    def _beginning(self, data: LongTailedData, device: torch.device) -> Beginning | None:
        from rdr_core.runs.branching import beginning_of

        return beginning_of(self.path.parent, self.config, data, device, self.how)


def _refuse_other_files(run: Run, root: str | Path | None) -> None:
    """Refuse a finished run in place of the one asked for where the user's own files are others by now."""
    from rdr_core.data.sources import find_source

    if not run.config.data_hash and find_source(run.config.dataset)[0].asks:
        with suppress(MissingData):  # nothing says that they have changed
            run.data(root=root)


def _begin_at(folder: RunFolder, state: TrainingState, beginning: Beginning | None, *, progress: bool) -> None:
    """Take the trunk's epochs over as the run's own beginning, and say so."""
    from rdr_core.training.trunk import branch_tree

    if beginning is None:
        folder.begin_from_nothing()
        return
    folder.begin_at(branch_tree(beginning.tree, state), beginning)
    if progress:
        tell(
            f"{state.config.method} continues from epoch {beginning.epoch} of {state.config.epochs} of trunk "
            f"{beginning.trunk}, which took {beginning.seconds:.0f} s."
        )


def _final_measures(state: TrainingState) -> dict[str, object]:
    """What metrics.json says of a finished run: all measures on the test set as it is."""
    from rdr_core.measures.predictions import measures
    from rdr_core.training.inference import class_probabilities

    probabilities = class_probabilities(state.model, state.test)
    return measures(probabilities.numpy(), state.data.test.labels.numpy(), state.data.groups)
