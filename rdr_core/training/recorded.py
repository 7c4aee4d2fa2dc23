"""A training step recorded once on a GPU and replayed: one launch a step in place of hundreds.

A step of ResNet-32 on a batch of 128 is hundreds of kernels of a few microseconds each, so on a GPU of today
the host, which launches them one by one, decides how long it takes. A CUDA graph of the whole step (pick the batch,
augment, forward, losses, weights, backward, update, records) leaves the host a single call.

A recorded step repeats the same kernels on the same memory with the same numbers, so:

* What an epoch brings (order, labels, draws, learning rates) is copied into tables that stay where they are, and which
  batch is next is a counter on the device, which the step itself moves on. Nothing is handed over step by step.
* What a method keeps (prototypes, difficulties, momentum, BatchNorm's statistics) lies in tensors changed in place, and
  what depends on the epoch (deferred weights, warm-up) is decided by tensors. ``tests/training/test_recorded.py`` holds
  every part of this package to that; a part from elsewhere may decide in Python, so methods with one are not recorded.
* Recording runs nothing: the first steps of a run are taken as ever, which sets up libraries and momentum, then one
  more is recorded and, like all that follow, replayed. An epoch's last batch, where it is smaller, is never recorded.

Images on disk come from the host batch by batch, and several ranks talk during a step: these train by the plain steps
of :mod:`rdr_core.training.loop`, as a CPU does.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from rdr_core.methods.contract import Mixes
from rdr_core.training.augment import EpochAugmentation
from rdr_core.training.mixed import mixed
from rdr_core.training.transfer import consecutive, to_device
from rdr_core.visible import tell

if TYPE_CHECKING:
    from rdr_core.training.state import TrainingState
    from rdr_core.training.visits import Visits

#: Steps taken before one is recorded: by then cuDNN has chosen its algorithms and momentum exists.
REHEARSALS = 3


class Recorder(Protocol):
    """How steps are recorded: :class:`CudaGraphs`, or a test's stand-in."""

    def rehearse(self, step: Callable[[], None]) -> None:
        """Take a step, where recording will take place."""
        ...

    def record(self, step: Callable[[], None]) -> Callable[[], None]:
        """What repeats the step; the step itself is not taken.

        Raises:
            RuntimeError: it can't be recorded.
        """
        ...


class CudaGraphs:
    """Records steps as CUDA graphs, on a stream of their own.

    Args:
        device: the GPU.
    """

    def __init__(self, device: torch.device) -> None:
        self.stream = torch.cuda.Stream(device)

    def rehearse(self, step: Callable[[], None]) -> None:
        main = torch.cuda.current_stream(self.stream.device)
        self.stream.wait_stream(main)
        with torch.cuda.stream(self.stream):
            step()
        main.wait_stream(self.stream)

    def record(self, step: Callable[[], None]) -> Callable[[], None]:
        graph = torch.cuda.CUDAGraph()
        # What other threads do (a notebook's, a progress bar's) must not spoil the recording.
        with torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"):
            step()
        return graph.replay


class RecordedSteps:
    """The steps of a run's epochs, of which all whole batches but the first few are one recording.

    Args:
        device: where the run trains, alone and with its images.
        recorder: how to record.
    """

    # Of the epoch under way, copied into where the first epoch's lay; none until then.
    draws: EpochAugmentation
    images: Tensor
    order: Tensor
    visits: Visits
    mixes: Mixes | None

    def __init__(self, device: torch.device, recorder: Recorder) -> None:
        self.recorder = recorder
        self.rehearsed, self.refused = 0, False
        self.replay: Callable[[], None] | None = None
        #: The batch that is next, counted from the epoch's first.
        self.batch = torch.zeros(1, dtype=torch.int64, device=device)
        #: The optimizer's learning rate, which the host need not know.
        self.rate = torch.zeros((), device=device)
        #: Of the epoch's batches; none until the first epoch.
        self.rates = torch.zeros(0, device=device)

    def __call__(self, state: TrainingState) -> Generator[None, None, None]:
        """The epoch's steps from the state's position on, one each time the next is asked for."""
        self._open_epoch(state)
        groups = state.step.optimizer.param_groups
        for group in groups:
            # The fused update takes its rate from the device; the others read it on the host.
            group["lr"], group["fused"] = self.rate, True
        try:
            while state.batch < state.batches:
                self._take(state)
                yield
        finally:
            for group in groups:
                group["fused"] = None
                if group["lr"] is self.rate:
                    group["lr"] = state.rate(max(0, state.batch - 1))

    def _open_epoch(self, state: TrainingState) -> None:
        rates = to_device(torch.tensor([state.rate(batch) for batch in range(state.batches)]), state.device)
        draws = state.augmentation.epoch(state.epoch, len(state.order), state.inputs.shape, state.device)
        images, order = draws.prepare(state.inputs, state.order)
        if not isinstance(draws, EpochAugmentation) or not isinstance(images, Tensor):
            raise TypeError("images on disk are fed batch by batch, so a step of theirs can't be recorded")
        if not len(self.rates):
            self.rates, self.draws, self.images, self.order, self.visits = rates, draws, images, order, state.visits
            self.mixes = state.mixes
        else:
            self.rates.copy_(rates)
            self.draws.follow(draws)
            if images is not self.images:
                self.images.copy_(images)
            self.order.copy_(order)
            self.visits.follow(state.visits)
            state.visits = self.visits
            if self.mixes and state.mixes:
                self.mixes.follow(state.mixes)
        self.batch.fill_(state.batch)

    def _take(self, state: TrainingState) -> None:
        size = state.config.batch_size
        count = min(size, len(state.order) - state.batch * size)
        step = partial(self._step, state, count)
        if count < size or self.refused:
            step()
        elif self.rehearsed < REHEARSALS:
            self.recorder.rehearse(step)
            self.rehearsed += 1
        else:
            if self.replay is None:
                self._record(state, step)
            (self.replay or step)()

    def _record(self, state: TrainingState, step: Callable[[], None]) -> None:
        try:
            self.replay = self.recorder.record(step)
        except RuntimeError as error:
            # Nothing of the step has run, so the run goes on as if nobody had tried. What went wrong first tells most:
            # ending a recording that has failed fails too.
            self.refused, reason = True, str(error.__context__ or error).strip().split("\n")[0][:160]
            tell(f"The step of {state.config.method} can't be recorded, so the run will be slower ({reason}).")

    def _step(self, state: TrainingState, count: int) -> None:
        """The step of the next ``count`` visits; the host says nothing else of them."""
        start = self.batch * state.config.batch_size
        here = consecutive(start, count)
        self.rate.copy_(self.rates.index_select(0, self.batch)[0])
        images = self.draws(self.images[self.order[here]], start, state.mean, state.std)
        objective = state.objective
        if self.mixes:
            images, objective = mixed(objective, images, self.visits.labels, self.mixes, start, count)
        with counted_at_once(state.model):
            outcome = state.step(objective, images, self.visits.labels[here])
        self.visits.write(start, outcome, state.ranks)
        self.batch += 1


@contextmanager
def counted_at_once(model: nn.Module) -> Iterator[None]:
    """Inside, BatchNorm layers in training do not count their batch; at the end all count one, by a single kernel.

    One of each layer would be a tenth of a small step's kernels.

    Example:
        >>> norm = nn.BatchNorm1d(2)
        >>> with counted_at_once(norm):
        ...     _ = norm(torch.ones(3, 2))
        >>> norm.num_batches_tracked
        tensor(1)
    """
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    counts = [norm.num_batches_tracked for norm in norms]
    for norm in norms:
        norm.num_batches_tracked = None
    try:
        yield
    finally:
        for norm, count in zip(norms, counts, strict=True):
            norm.num_batches_tracked = count
    seen = [count for norm, count in zip(norms, counts, strict=True) if norm.training and count is not None]
    if seen:
        torch._foreach_add_(seen, 1)


def recordable(state: TrainingState) -> bool:
    """Whether a run's step is the same each time, with all that it needs on its device."""
    makers = [used.part.make.__module__ for used in state.config.spec.used]
    return (
        state.ranks.size == 1
        and isinstance(state.inputs, Tensor)
        and all(module.startswith("rdr_core.") for module in makers)
    )


def recorded_steps(state: TrainingState) -> RecordedSteps | None:
    """For a run on a GPU whose steps can be recorded, else None."""
    if state.device.type != "cuda" or not recordable(state):
        return None
    return RecordedSteps(state.device, CudaGraphs(state.device))
