"""How long the steps of a run take on this device, measured on a few of them with made-up images.

What counts is what the training itself does: its steps, its look at the test set and its files after each epoch.
Nothing of the measurement is kept.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from rdr_core.data import LongTailedData
from rdr_core.data.settings import settings_of
from rdr_core.jobs.size import DataSize, made_up
from rdr_core.models import build_model
from rdr_core.own_settings import own_settings
from rdr_core.runs import RunConfig
from rdr_core.runs.folder import RunFolder
from rdr_core.training.classifier_stage import SecondStageState, second_stage
from rdr_core.training.inference import predict
from rdr_core.training.kernels import fastest_convolutions
from rdr_core.training.loop import close_epoch, plain_steps, steps_of, train_epoch
from rdr_core.training.randomness import isolated
from rdr_core.training.recorded import REHEARSALS
from rdr_core.training.state import TrainingState
from rdr_core.training.threads import using_threads

#: Seconds of steps that are timed, and steps at most.
_SECONDS, _STEPS = 0.8, 50
#: Test images that are timed: a GPU is as fast as training has it in large batches alone.
_IMAGES = {"cpu": 100, "cuda": 1000}
#: Steps before: in the first ones memory is taken, kernels are chosen, and on a GPU the step is recorded and tried.
_FIRST = REHEARSALS + 2
#: What measures: seconds from some moment on.
clock = time.perf_counter


@dataclass(frozen=True)
class Pace:
    """Seconds a step, for the end of an epoch with some test images, and for each further test image.

    And before an epoch's first step for each image that it visits: strong augmentation makes all of them then.
    """

    batch_size: int
    step: float
    closing: float
    images: int
    image: float
    visit: float = 0.0

    def epoch(self, size: DataSize, visits: int) -> float:
        """Seconds of an epoch of so many visits of training images, on data of that size."""
        steps = -(-visits // self.batch_size)
        tested = self.closing + max(0, size.tested - self.images) * self.image
        return visits * self.visit + steps * self.step + tested


def visits_of(config: RunConfig, size: DataSize) -> int:
    """Visits of training images in an epoch of the run: as many as images, but where a sampler says otherwise."""
    images = int(size.counts.sum())
    sampler = config.spec.get("sampler")
    if sampler is None:
        return images
    few = replace(config, model="small", method=str(sampler))  # whatever visits the images, visits as many
    with isolated(0):
        state = TrainingState(few, made_up(few, size, tested=size.classes), torch.device("cpu"))
    return round(images * state.sampler.visits / len(state.labels))


def measured_pace(config: RunConfig, size: DataSize, device: torch.device) -> Pace:
    """The pace of a run on a device, of images made up in the size of its data; it takes a second or two."""
    with (
        tempfile.TemporaryDirectory() as folder,
        isolated(0),
        using_threads(settings_of(config.dataset).threads),
        fastest_convolutions(device),
        own_settings(),
    ):
        data = made_up(
            config, size, tested=min(size.tested, _IMAGES[device.type]), least=(_FIRST + 5) * config.batch_size
        )
        state = state_of(config, data, device)
        first = 1 if steps_of(state) is plain_steps else _FIRST
        _train(state, until=first)
        once = _seconds(lambda: _train(state, until=first + 1), device)
        # The last batch may be small; of three and the one that opens the epoch, one that is held up moves no median.
        more = max(4, min(_STEPS, int(_SECONDS / once), state.batches - first - 2))
        step, opening = step_pace(state, first + 1, more, device)

        written = RunFolder(Path(folder))
        written.begin(config, data, {})

        def close() -> None:
            close_epoch(state)
            state.history[-1]["seconds"] = 0.0
            written.checkpoint(state.tree())

        closing = _seconds(close, device)
        images = len(state.test_labels)
        image = _seconds(lambda: predict(state.model, state.test), device) / images
    return Pace(config.batch_size, step, closing, images, image, opening / len(state.order))


def state_of(config: RunConfig, data: LongTailedData, device: torch.device) -> TrainingState:
    """The state that the run trains: of a second stage, with a network that nothing has taught."""
    if second_stage(config) is None:
        return TrainingState(config, data, device)
    trained = build_model(
        config.model, num_classes=data.num_classes, channels=data.channels, experts=config.spec.experts
    )
    return SecondStageState(config, data, device, trained)


def _train(state: TrainingState, until: int, tick: Callable[[], object] = lambda: None) -> None:
    """To the epoch's step of this number."""
    train_epoch(state, tick=tick, stop=lambda: state.batch >= until)


def step_pace(state: TrainingState, start: int, steps: int, device: torch.device) -> tuple[float, float]:
    """Seconds of a step, and of what is done before the first.

    On a CPU the median step, which other work on the machine moves least. A GPU's steps overlap, so there all of them
    are timed as one, against a single one.
    """
    if device.type == "cuda":
        one = _seconds(lambda: _train(state, until=start + 1), device)
        others = _seconds(lambda: _train(state, until=start + steps), device)  # it opens the epoch anew
        step = max(0.0, others - one) / (steps - 2)
        return step, max(0.0, one - step)
    ends = [clock()]
    _train(state, until=start + steps, tick=lambda: ends.append(clock()))
    first, *rest = np.diff(ends)
    step = float(np.median(rest))
    return step, max(0.0, float(first) - step)


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    started = clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock() - started
