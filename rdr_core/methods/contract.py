"""What methods and the training loop are to each other: what a part is given, and what it has to give.

The loop hands every part a :class:`Context`. A weighting is a :class:`Weighting`, a module that maps a batch's features
and labels to a :class:`Weighing`; an optimizer's part is a :class:`Step`, which calls the :class:`Objective` for an
:class:`Outcome` as often as it needs to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from rdr_core.data import LongTailedData
from rdr_core.methods.own_loop import IGNORED, FlatBatch, flat_batch, of_all_processes, several_processes
from rdr_core.models import Network
from rdr_core.shapes import Float, Int


class Weighing(NamedTuple):
    """What a weighting gives for a batch.

    Attributes:
        weights: (B,) float32, mean 1, no gradient.
        ratios: (B,) raw density ratios, before any clamp; None where the weighting has none.
        replaced: (B,) what stands in for each weight, a code of :mod:`rdr_core.methods.replaced`, 0 of one as the
            method says it; NaN where weights are 1 by design, as in a warm-up; None where nothing ever is replaced.
    """

    weights: Float[Tensor, "B"]
    ratios: Float[Tensor, "B"] | None = None
    replaced: Float[Tensor, "B"] | None = None


class Weighting(nn.Module):
    """Base of all weightings. State that must survive a resume is kept in buffers.

    A weighting implements :meth:`weigh`; one that depends on the epoch (deferred, difficulty-based) also
    :meth:`start_epoch` or :meth:`finish_epoch`. Calling the module gives only the weights, for your own loop.
    Cast to a half type, it keeps its state in the type it has: sums and priors would overflow.

    Attributes:
        weighs: False where weights are 1 by design.
        num_classes: d, by which labels are checked in a loop of one's own; None where it is not known.
    """

    weighs = True
    num_classes: int | None = None

    def weigh(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Weighing:
        """Weights of a batch; in training mode it may also learn from the batch."""
        raise NotImplementedError(f"{type(self).__name__} must define weigh(features, labels)")

    def start_epoch(self, epoch: int) -> None:
        """Called before the epoch's first batch; epochs count from 0."""

    def finish_epoch(self, epoch: int) -> None:
        """Called after the epoch's last batch."""

    def forward(self, features: Tensor, labels: Tensor, ignore_index: int = IGNORED) -> Tensor:
        """The weights of a batch, for a loop of one's own.

        Under DistributedDataParallel, or any loop of several processes that torch.distributed knows of, a batch is that
        of all processes: each of them calls this at every step, and what a weighting learns is the same in all.

        Args:
            features: (B, Z), or (B, T, Z) of sequences.
            labels: (B,) or (B, T), of any integer type.
            ignore_index: label of samples that weigh 0 and are not learnt from; default that of PyTorch's losses.

        Returns:
            Weights of the labels' shape with mean 1, those ignored counted in, so that ``(weights * losses).mean()`` is
            the mean over the others where losses of what is ignored are 0.

        Raises:
            RdrError: labels that are no classes, or of another shape.
        """
        batch = flat_batch(features, labels, self.num_classes, ignore_index)
        whole, mine, number = of_all_processes(batch) if several_processes() else (batch, slice(None), labels.numel())
        weights = self.weigh_kept(whole)
        # Mean 1 over the samples that are kept; as a mean over all of them it is diluted by those ignored.
        weights = weights * (number / whole.kept.sum().clamp(min=1))
        return weights[mine].reshape(labels.shape)

    def weigh_kept(self, batch: FlatBatch) -> Float[Tensor, "B"]:
        """Weights with mean 1 over the samples of a batch that are not ignored, and 0 for those that are.

        Here the others are weighed alone, which waits for the device; a weighting that can do without may say how.
        """
        weights = batch.features.new_zeros(len(batch.labels), dtype=torch.float32)
        if batch.kept.any():
            found = self.weigh(batch.features[batch.kept], batch.labels[batch.kept]).weights
            weights = weights.to(found.dtype)
            weights[batch.kept] = found
        return weights

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Weighting:
        def kept_wide(tensor: Tensor) -> Tensor:
            moved = fn(tensor)
            narrower = moved.is_floating_point() and moved.element_size() < min(tensor.element_size(), 4)
            return tensor.to(moved.device) if narrower else moved

        return super()._apply(kept_wide, recurse)


@dataclass
class Outcome:
    """What a forward pass gave.

    Attributes:
        loss: the number to minimise, mean over the batch of weight * loss.
        losses, weights, ratios, replaced: by sample; the last two only where the weighting has them.
        features, logits: (B, Z) and (B, d), float32, with the gradient's graph.
    """

    loss: Float[Tensor, ""]
    losses: Float[Tensor, "B"]
    weights: Float[Tensor, "B"]
    ratios: Float[Tensor, "B"] | None
    features: Float[Tensor, "B Z"]
    logits: Float[Tensor, "B d"]
    replaced: Float[Tensor, "B"] | None = None


@runtime_checkable
class Ranks(Protocol):
    """The processes that train a run together, this one among them; each holds a part of the batch.

    Attributes:
        batch: size of the whole batch.
    """

    batch: int

    def gather(self, mine: Tensor, count: int) -> Tensor:
        """The parts of all of them, joined in the batch's order."""
        ...


@runtime_checkable
class Objective(Protocol):
    """The weighted loss of a batch, called with its images and labels.

    Attributes:
        model: the network in training.
        loss: (logits, labels) -> (B,) losses.
    """

    model: Network
    loss: Callable[[Tensor, Tensor], Tensor]

    @property
    def ranks(self) -> Ranks:
        """The processes that hold parts of the batch."""
        ...

    def __call__(
        self, images: Float[Tensor, "B C H W"], labels: Int[Tensor, "B"], weights: Float[Tensor, "B"] | None = None
    ) -> Outcome:
        """One pass; with ``weights`` given (a second pass of the same batch) they are used as they are."""
        ...

    def mean(self, values: Float[Tensor, "B"]) -> Float[Tensor, ""]:
        """Mean over the batch; of several ranks, each one's part of it, so that the ranks' sum is the mean."""
        ...

    def gradients(
        self, loss: Float[Tensor, ""], parameters: Sequence[Tensor], *, retain_graph: bool = False
    ) -> list[Tensor]:
        """The loss's gradient by the parameters, summed over the ranks; zero where it does not depend on one."""
        ...

    def backward(self, loss: Float[Tensor, ""]) -> None:
        """Add the loss's gradient, summed over the ranks, to the parameters' ``.grad``."""
        ...


class Sampler(Protocol):
    """The visits of an epoch; batches are consecutive visits.

    Attributes:
        visits: of each epoch.
    """

    visits: int

    def order(self, epoch: int) -> Int[Tensor, "V"]:
        """Index of the training image at each visit, a function of the seed and the epoch alone."""
        ...


@dataclass(frozen=True)
class Mixes:
    """What each visit of an epoch is mixed with.

    Attributes:
        partner: the visit, of the same batch, whose image and label are mixed in.
        share: of the visit's own image, 0.5 or more.
        label_share: of the visit's own label.
    """

    partner: Int[Tensor, "V"]
    share: Float[Tensor, "V"]
    label_share: Float[Tensor, "V"]

    def follow(self, other: Mixes) -> None:
        """Take over another epoch's draws, into the memory that holds these."""
        self.partner.copy_(other.partner)
        self.share.copy_(other.share)
        self.label_share.copy_(other.label_share)


class Mixing(Protocol):
    """How images and labels of a batch are mixed."""

    def mixes(self, epoch: int, labels: Int[Tensor, "V"], batch_size: int) -> Mixes:
        """Of an epoch's visits, whose labels these are; a function of the seed and the epoch alone, on their device."""
        ...


class Step(Protocol):
    """One optimizer step on a batch. Sharpness-aware ones call the objective more than once."""

    optimizer: torch.optim.Optimizer

    def __call__(self, objective: Objective, images: Tensor, labels: Tensor) -> Outcome:
        """Update the network; the outcome of the first pass is what gets recorded."""
        ...


class PlainStep:
    """Forward, backward, step."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer

    def __call__(self, objective: Objective, images: Tensor, labels: Tensor) -> Outcome:
        self.optimizer.zero_grad(set_to_none=True)
        outcome = objective(images, labels)
        objective.backward(outcome.loss)
        self.optimizer.step()
        return outcome


@dataclass(frozen=True)
class Context:
    """What a part may know of the training it is built for.

    Attributes:
        class_counts: (d,) training images of each class.
        labels: (N,) training labels, for samplers.
        feature_dim: Z.
        steps_per_epoch, epochs: length of the run.
        prior: power of 1 / prior that a weighting is asked for (:mod:`.grammar`).
        seed: the run's.
        draw: (purpose, epoch, ...) -> generator on the CPU, a function of the seed and these alone.
        model: the network in training, for parts that look at it.
        data: all images and labels, on the CPU.
        held_out_accuracy: () -> (d,) accuracy of each class in 0..1, of the network as it is now, on the images held
            out of training; NaN for a class of which there are none.
    """

    class_counts: Int[Tensor, "d"]
    labels: Int[Tensor, "N"]
    feature_dim: int
    steps_per_epoch: int
    epochs: int
    prior: float
    seed: int
    draw: Callable[..., torch.Generator]
    model: Network
    data: LongTailedData
    held_out_accuracy: Callable[[], Float[Tensor, "d"]]
