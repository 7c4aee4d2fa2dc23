"""What runs would cost here: measured on a few steps with random images of the data set's size, then multiplied.

The data's files are needed only where a data set does not say how many images it has, and nothing of the measurement
is kept. What counts is what the training itself does: its steps, its look at the test set and its files after each
epoch. Reading the data and starting up do not.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch

from rdr_core.data import LongTailedData, from_arrays
from rdr_core.data.datasets import Source
from rdr_core.data.disk.cache import SIDE
from rdr_core.data.disk.decode import STORED_SIDE
from rdr_core.data.disk.stored import StoredImages
from rdr_core.data.load import data_root
from rdr_core.data.profiles import profile_counts
from rdr_core.data.settings import settings_of
from rdr_core.data.sources import find_source, load_source
from rdr_core.errors import MissingData
from rdr_core.methods.grammar import parse
from rdr_core.models import build_model
from rdr_core.own_settings import own_settings
from rdr_core.plain import total
from rdr_core.runs import Run, RunConfig
from rdr_core.runs.branching import left_to_make, shared_fork
from rdr_core.runs.conditions import pick_device
from rdr_core.runs.folder import RunFolder
from rdr_core.runs.layout import finished
from rdr_core.runs.trunks import trunk_config
from rdr_core.shapes import Int
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
#: Bytes of training images that a measurement makes up, unless the batches that it needs are more.
_BYTES = 64_000_000
#: What measures: seconds from some moment on.
_clock = time.perf_counter


def seconds_of(
    configs: Iterable[RunConfig], device: str = "auto", *, runs: str | Path | None = None, progress: bool = False
) -> dict[RunConfig, float | None]:
    """Seconds that each run would take, alone on this machine.

    A second stage's first one counts as part of it where it is neither among the runs nor finished, and a trunk
    (:mod:`rdr_core.runs.branching`) as part of the first run that needs it.

    Args:
        configs: of the runs.
        device: as for :func:`rdr_core.train`.
        runs: folder of runs; what is finished there, by whole epochs, costs nothing. None (default) is none.
        progress: show a bar.

    Returns:
        By run; None where it is not known: of the user's own images, whose number and size are not known here; of data
        sets that neither say how many images they have nor lie in the default data root, to be counted there; and of
        photographs on a CPU, where a single step may take minutes and a run would take weeks.

    Raises:
        RdrError: a configuration or a device that can't be used.

    Example:
        >>> config = RunConfig(dataset="digits", imbalance_factor=50, method="rdr", epochs=60, model="small",
        ...                    batch_size=32, learning_rate=0.1)
        >>> 0.1 < seconds_of([config], "cpu")[config] < 600
        True
    """
    wanted = dict.fromkeys(configs)
    chosen = pick_device(device)
    folder = None if runs is None else Path(runs)
    paces: dict[RunConfig, _Pace] = {}
    trunks: set[tuple[RunConfig, int]] = set()

    def cost(config: RunConfig) -> float | None:
        if folder and finished(folder / config.name):
            return 0.0
        size = _size(config)
        if size is None or (size.photographs and chosen.type == "cpu"):
            return None
        alike = _alike(config)
        if alike not in paces:
            paces[alike] = _measure(alike, size, chosen)
        stage = second_stage(config)
        epochs = (stage.epochs or 1) if stage else config.epochs
        left = epochs - _finished(config, folder)
        fork = shared_fork(config) if left == epochs else None
        if fork:  # its beginning is another's, or is made once
            left -= fork.epoch
            trunk = trunk_config(config, fork.trunk), fork.epoch
            if trunk not in trunks:
                trunks.add(trunk)
                left += left_to_make(folder or Path(), config, fork, chosen)
        own = left * paces[alike].epoch(size)
        first = replace(config, method=config.spec.first_stage.name)
        return own if first == config or first in wanted else total((own, cost(first)))

    if progress:
        from tqdm.auto import tqdm

        return {config: cost(config) for config in tqdm(wanted, desc="measuring", unit="run")}
    return {config: cost(config) for config in wanted}


@dataclass(frozen=True)
class _Size:
    """Of a run's data: classes, (C, H, W), training images by class, test images, and whether images are on disk."""

    classes: int
    image: tuple[int, int, int]
    counts: Int[np.ndarray, "d"]
    tested: int
    photographs: bool


def _size(config: RunConfig) -> _Size | None:
    """None where only the images themselves could tell, and are not at hand."""
    if config.data_hash:
        return None
    source, picked = find_source(config.dataset)
    if source.asks:
        return None
    as_it_is = config.imbalance_factor is None
    if source.n_test is None or (source.n_train if as_it_is else source.n_max) is None:
        try:
            source = _counted(source, data_root())
        except MissingData:
            return None
    classes, tested, images = source.num_classes, source.n_test, source.n_train if as_it_is else source.n_max
    if classes is None or tested is None or images is None:
        return None
    d = len(picked.split("-")) if picked else classes
    held_out = 0 if source.validation else config.spec.held_out
    if config.imbalance_factor is None or config.profile is None:  # no step takes longer for the shape of the tail
        counts = np.full(d, max(1, images // classes - held_out))
    else:
        counts = profile_counts(config.profile, images - held_out, d, config.imbalance_factor)
    photographs = source.image_shape[1:] == (SIDE, SIDE)
    return _Size(d, source.image_shape, counts, d * tested // classes, photographs)


@cache
def _counted(source: Source, root: Path) -> Source:
    """The source with what it does not say counted in its data, which are read for that, once."""
    raw = load_source(source.name, root)
    counts = np.bincount(raw.train_labels)
    return replace(
        source,
        n_max=source.n_max or int(counts.max() if source.long_tailed else counts.min()),
        n_train=source.n_train or len(raw.train_labels),
        n_test=source.n_test or len(raw.test_labels),
    )


def _alike(config: RunConfig) -> RunConfig:
    """One configuration for all whose steps take the same time, but for what cannot be told from noise.

    Losses and tables of class weights are such; the other parts of a method are not, but for their parameters.
    """
    spec = config.spec
    parts = [spec.get(kind) for kind in ("weighting", "optimizer", "second stage")]
    named = [used.part.name for used in parts if used and used.part.kind != "class weights"]
    return replace(
        config, method=parse("+".join(["ce", *named])).name, seed=0, data_seed=0, epochs=100, noise_rate=0.0,
        imbalance_factor=config.imbalance_factor and 100.0, learning_rate=0.01,
    )  # fmt: skip


@dataclass(frozen=True)
class _Pace:
    """Seconds a step, for the end of an epoch with some test images, and for each further test image.

    And before an epoch's first step for each image that it visits: strong augmentation makes all of them then.
    """

    batch_size: int
    step: float
    closing: float
    images: int
    image: float
    visit: float = 0.0

    def epoch(self, size: _Size) -> float:
        visits = int(size.counts.sum())
        steps = -(-visits // self.batch_size)
        tested = self.closing + max(0, size.tested - self.images) * self.image
        return visits * self.visit + steps * self.step + tested


def _measure(config: RunConfig, size: _Size, device: torch.device) -> _Pace:
    with (
        tempfile.TemporaryDirectory() as folder,
        isolated(0),
        using_threads(settings_of(config.dataset).threads),
        fastest_convolutions(device),
        own_settings(),
    ):
        data = _made_up(config, size, tested=min(size.tested, _IMAGES[device.type]))
        state = _state(config, data, device)
        first = 1 if steps_of(state) is plain_steps else _FIRST
        _train(state, until=first)
        once = _seconds(lambda: _train(state, until=first + 1), device)
        # The last batch may be small; of three and the one that opens the epoch, one that is held up moves no median.
        more = max(4, min(_STEPS, int(_SECONDS / once), state.batches - first - 2))
        step, opening = _pace(state, first + 1, more, device)

        written = RunFolder(Path(folder))
        written.begin(config, data, {})

        def close() -> None:
            close_epoch(state)
            state.history[-1]["seconds"] = 0.0
            written.checkpoint(state.tree())

        closing = _seconds(close, device)
        images = len(state.test_labels)
        image = _seconds(lambda: predict(state.model, state.test), device) / images
    return _Pace(config.batch_size, step, closing, images, image, opening / len(state.order))


def _made_up(config: RunConfig, size: _Size, tested: int) -> LongTailedData:
    """Random images and the run's labels, of a set that is large only as far as a measurement has use for it."""
    held_out = config.spec.held_out
    shape = (size.image[0], STORED_SIDE, STORED_SIDE) if size.photographs else size.image
    least = (_FIRST + 5) * config.batch_size
    most = max(least, _BYTES // math.prod(shape))
    share = min(most, max(least, size.counts.sum())) / size.counts.sum()
    counts = np.ceil(size.counts * share).astype(int) + held_out  # every class has an image
    train, test = np.repeat(np.arange(size.classes), counts), np.arange(tested) % size.classes
    draw = np.random.default_rng(0)

    def images(number: int) -> np.ndarray | StoredImages:
        pixels = draw.integers(0, 256, (number, *shape), dtype=np.uint8)
        return StoredImages(pixels, "made up", size.image[1]) if size.photographs else pixels

    middle = (0.5,) * shape[0]
    return from_arrays(images(len(train)), train, images(len(test)), test, name=config.dataset, mean=middle, std=middle,
                       held_out=held_out)  # fmt: skip


def _state(config: RunConfig, data: LongTailedData, device: torch.device) -> TrainingState:
    if second_stage(config) is None:
        return TrainingState(config, data, device)
    trained = build_model(config.model, num_classes=data.num_classes, channels=data.train.images.shape[1])
    return SecondStageState(config, data, device, trained)


def _train(state: TrainingState, until: int, tick: Callable[[], object] = lambda: None) -> None:
    """To the epoch's step of this number."""
    train_epoch(state, tick=tick, stop=lambda: state.batch >= until)


def _pace(state: TrainingState, start: int, steps: int, device: torch.device) -> tuple[float, float]:
    """Seconds of a step, and of what is done before the first.

    On a CPU the median step, which other work on the machine moves least. A GPU's steps overlap, so there all of them
    are timed as one, against a single one.
    """
    if device.type == "cuda":
        one = _seconds(lambda: _train(state, until=start + 1), device)
        others = _seconds(lambda: _train(state, until=start + steps), device)  # it opens the epoch anew
        step = max(0.0, others - one) / (steps - 2)
        return step, max(0.0, one - step)
    ends = [_clock()]
    _train(state, until=start + steps, tick=lambda: ends.append(_clock()))
    first, *rest = np.diff(ends)
    step = float(np.median(rest))
    return step, max(0.0, float(first) - step)


def _finished(config: RunConfig, folder: Path | None) -> int:
    """Epochs of the run that are done."""
    if folder is None or not (folder / config.name / "config.json").is_file():
        return 0
    return Run.open(folder / config.name).epochs_done


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    started = _clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return _clock() - started
