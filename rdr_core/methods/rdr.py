"""RDR's weights: running class prototypes, density ratios against them, tempered and normalised.

In anyone's own loop, three lines::

    rdr = RDRWeights(class_counts, feature_dim=64)                           # once
    weights = rdr(features, labels)                                          # each batch
    loss = (weights * F.cross_entropy(logits, labels, reduction="none")).mean()
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rdr_core.errors import RdrError, unknown_name
from rdr_core.methods.batch_classes import BatchClasses, batch_classes
from rdr_core.methods.contract import Context, Weighing, Weighting
from rdr_core.methods.own_loop import FlatBatch
from rdr_core.methods.parts import at_least, between, number_or, one_of, part
from rdr_core.methods.presets import PRESETS
from rdr_core.methods.ratio import RIDGE, check_batch, finite_rows, ratios_by_inverse, ratios_moving
from rdr_core.methods.replaced import FEATURELESS, INFINITE, UNSEEN, WEIGHTLESS
from rdr_core.methods.weighting import check_class_counts, check_class_weights, scaled, scaled_among
from rdr_core.plain import plain_numbers
from rdr_core.shapes import Bool, Float, Int

#: What is kept of what earlier batches said of a class's mean ratio, with each further batch that has the class.
_KEPT = 0.99
_RANGES = {
    "preset": one_of(*PRESETS),
    "gamma": at_least(0),
    "momentum": between(0, 1, "[)"),
    "ridge": at_least(0),
    "floor": at_least(0),
    "ratio": one_of("sample", "class", "permuted", "matched"),
    "count": one_of("batch", "dataset"),
    "start": one_of("mean", "zero"),
    "unseen": one_of("one", "zero"),
    "update": one_of("step", "epoch"),
    "warmup": between(0, 1),
    "prior": number_or(at_least(0), "rest"),
}


class RDRWeights(Weighting):
    """Weights ``(r / pi^prior)^gamma`` of each sample, scaled to mean 1 over the batch.

    r is :func:`~rdr_core.density_ratio` against prototypes that follow the classes' mean features:
    ``F_y <- m F_y + (1 - m) mean_y`` for the classes of the batch (paper, eq. 6), after the weights
    have been computed. In evaluation mode prototypes stay as they are. The cost of a batch does not
    depend on the number of classes. On a CPU batches of 384 and more are solved class by class, at a cost that grows
    with the samples; on a GPU, and in a compiled step, the cost grows with B^3.

    Args:
        class_counts: (d,) training images of each class, at least 1.
        feature_dim: Z, the number of features.
        preset: "ours", "released" (the authors' code) or "text" (Algorithm 1 as printed): the values of the parameters
            below that are None (:data:`rdr_core.methods.presets.PRESETS`). The released code's warm-up, 80 % of the
            run, must be given in ``warmup_steps``.
        gamma: temperature (paper: "typically 1"; its figure 7 looks like 0.4 to 0.5).
        momentum: m of the prototypes (ours 0.5, as in the paper: "0.5 or so", figure 3 varies it from 0.3 to 0.9;
            released 0.9).
        ridge: of the density ratio (ours, measured); 0 is the plain inverse of the other two, in the features'
            precision, and where a class's Gram matrix is exactly singular its pseudo-inverse, as in the released code.
        floor: the smallest ratio; raw ratios can be below zero, where a weight makes no sense (ours 0, since the paper
            does not say; released 1e-9).
        ratio: which ratio weights a sample: "sample", its own (default: eq. 1 weights samples); or one of three
            controls that keep each class's mean ratio and remove the sample's own: "class", the mean in the batch;
            "permuted", the ratio of the next sample of the class in the batch, whose order is random; "matched", the
            mean over the class's samples in earlier batches, the last hundred or so that had some, after the warm-up: a
            class weight with RDR's own class means and nothing from the batch. The first two do not change a sample
            that is the only one of its class in the batch.
        count: "batch" multiplies the least-squares answer by the class's count in the batch
            (default: so r = 1 where prototype and batch mean agree; Algorithm 1 builds Phi from the
            batch), "dataset" by its count in the training set, as eq. 12 is printed.
        start: "mean", a prototype starts at the first batch mean of its class (ours, which avoids the
            shrink of a cold start, and released), or "zero" (Algorithm 1).
        unseen: r of a class in the batch in which it is first seen: "one" (ours) or "zero" (released: its prototype is
            still 0; with ``start="zero"`` it always is).
        update: "step" (default: Algorithm 1) or "epoch", with the epoch's mean feature, when
            ``finish_epoch`` is called (section 3.5's prose).
        warmup_steps: weights are 1 for this many batches, while prototypes already follow (the paper's T0; it gives no
            value).
        prior: power of 1 / pi in the weights before gamma, 1 as in eq. 1. Beside a logit-adjusted
            loss with tau, prior * gamma = 1 - tau keeps the pair Fisher-consistent.
        dtype: of weights, and of prototypes where it is no half type: these are kept in float32.

    Where a ratio can't be had, the codes of :class:`~rdr_core.methods.contract.Weighing` say so: a sample with a
    feature that is not finite, say, is weighed by its class alone, and the others as if it were not there.

    Raises:
        RdrError: an argument outside its range, or powers by which weights leave the range of numbers.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> rdr = RDRWeights(torch.tensor([30, 10]), feature_dim=4)
        >>> features, labels = torch.randn(6, 4), torch.tensor([0, 0, 0, 0, 1, 1])
        >>> rdr(features, labels)  # the first batch sets the prototypes: r = 1, weights ~ 1/n
        tensor([0.6000, 0.6000, 0.6000, 0.6000, 1.8000, 1.8000])
    """

    gamma: float
    momentum: float
    ridge: float
    floor: float
    start: str
    unseen: str
    inverse_prior: Float[Tensor, "d"]
    class_counts: Int[Tensor, "d"]
    prototypes: Float[Tensor, "d Z"]
    started: Bool[Tensor, "d"]
    steps: Int[Tensor, ""]
    ratio_sum: Float[Tensor, "d"]
    ratio_count: Float[Tensor, "d"]
    epoch_sum: Float[Tensor, "d Z"]
    epoch_count: Float[Tensor, "d 1"]

    @plain_numbers
    def __init__(
        self,
        class_counts: Int[Tensor, "d"],
        feature_dim: int,
        *,
        preset: str = "ours",
        gamma: float = 1.0,
        momentum: float | None = None,
        ridge: float | None = None,
        floor: float | None = None,
        ratio: str = "sample",
        count: str = "batch",
        start: str | None = None,
        unseen: str | None = None,
        update: str = "step",
        warmup_steps: int = 0,
        prior: float = 1.0,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        if preset not in PRESETS:
            raise unknown_name("preset of RDR", preset, PRESETS)
        given: dict[str, Any] = {
            "gamma": gamma, "momentum": momentum, "ridge": ridge, "floor": floor, "ratio": ratio,
            "count": count, "start": start, "unseen": unseen, "update": update, "prior": prior,
        }  # fmt: skip
        given = {name: PRESETS[preset].get(name) if value is None else value for name, value in given.items()}
        for name, value in given.items():
            if not _RANGES[name].test(value) or (name == "prior" and value == "rest"):
                raise RdrError(f"RDRWeights: {name} is {value!r}; it must be {_RANGES[name].words}.")
        class_counts = check_class_counts(class_counts)
        self.gamma, self.momentum, self.ridge, self.floor = (given[n] for n in ("gamma", "momentum", "ridge", "floor"))
        self.ratio, self.count, self.update = ratio, count, update
        self.start, self.unseen = given["start"], given["unseen"]
        self.warmup_steps = warmup_steps
        self.num_classes = d = len(class_counts)
        self.dtype, dtype = dtype, torch.promote_types(dtype, torch.float32)
        inverse_prior = (class_counts.double() / class_counts.sum()).pow(-given["prior"]).to(dtype)
        check_class_weights(inverse_prior.double().pow(self.gamma), f"RDRWeights: prior={prior:g}, gamma={gamma:g}")
        self.register_buffer("inverse_prior", inverse_prior)
        self.register_buffer("class_counts", class_counts.clone())
        self.register_buffer("prototypes", torch.zeros(d, feature_dim, dtype=dtype))
        self.register_buffer("started", torch.zeros(d, dtype=torch.bool))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        if ratio == "matched":  # the others pay nothing for it
            self.register_buffer("ratio_sum", torch.zeros(d, dtype=torch.float64))
            self.register_buffer("ratio_count", torch.zeros(d, dtype=torch.float64))
        if update == "epoch":
            self.register_buffer("epoch_sum", torch.zeros(d, feature_dim, dtype=dtype))
            self.register_buffer("epoch_count", torch.zeros(d, 1, dtype=dtype))

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *how: object) -> None:
        """Prototypes are state; class counts are what was said of the data at hand, so a checkpoint's replace none."""
        saved = state_dict.get(f"{prefix}prototypes")
        if saved is not None and saved.shape != self.prototypes.shape:
            (d, z), (own_d, own_z) = saved.shape, self.prototypes.shape
            raise RdrError(
                f"The checkpoint has prototypes of {d} classes and {z} features, these weights {own_d} and {own_z}; "
                "they are another network's or other data's."
            )
        for name in ("class_counts", "inverse_prior"):
            state_dict[prefix + name] = getattr(self, name)
        if self.ratio == "matched":  # a trunk keeps none, since they begin with the weights
            for name in ("ratio_sum", "ratio_count"):
                state_dict.setdefault(prefix + name, getattr(self, name))
        super()._load_from_state_dict(state_dict, prefix, *how)

    def weigh_kept(self, batch: FlatBatch) -> Float[Tensor, "B"]:
        """As the base's, and nothing waits for the device: a sample to ignore is one without features."""
        return self.weigh(*batch).weights

    @torch.no_grad()
    def weigh(
        self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"], kept: Bool[Tensor, "B"] | None = None
    ) -> Weighing:
        """Weights, and each sample's own raw ratio; in training mode the prototypes then follow the batch.

        Args:
            features, labels: of the batch.
            kept: samples that are not ignored; None (default) is all of them. The others weigh 0, and it is as if they
                were not there.
        """
        check_batch(features, labels, self.prototypes)
        labels = labels.long()
        with torch.autocast(features.device.type, enabled=False):
            # Only rows of the batch's classes are read and written: nothing here has d rows.
            x, counted, silent = finite_rows(features)
            if kept is not None:
                x, counted = x * kept[:, None], counted & kept
            classes = batch_classes(x, labels, counted)
            means, present, size = classes.means, classes.size > 0, classes.size.clamp_min(1)
            started = self.started.index_select(0, labels)
            known = self.prototypes.index_select(0, labels)
            shift = known - means
            if self.start == "mean":  # a class seen for the first time has its mean for a prototype: no shift
                shift.mul_(started[:, None])
            if self.ridge:
                ratios = ratios_moving(shift, x, classes, self.ridge)
            else:
                finite = torch.where(counted[:, None], features, 0.0)
                ratios = torch.where(
                    counted, ratios_by_inverse(means + shift, finite, labels, classes.same, size, counted), 1.0
                )
            # Against a prototype of 0 the answer is 0, which a ridge only nears.
            if "zero" in (self.start, self.unseen):
                ratios.mul_(started)
            if self.count == "dataset":
                ratios = ratios * self.class_counts.index_select(0, labels) / size
            used = ratios
            if self.ratio == "class":
                used = classes.total(ratios) / size
            elif self.ratio == "permuted":
                used = torch.where(counted, ratios.index_select(0, classes.following()), 1.0)
            elif self.ratio == "matched":
                used = self._earlier(ratios, labels, classes, present)
            raw = (used.clamp_min(self.floor) * self.inverse_prior.index_select(0, labels)).pow_(self.gamma)
            weights, empty = self._scaled(raw, kept)
            early = self.steps < self.warmup_steps
            weights.masked_fill_(early, 1)
            if kept is not None:
                weights = weights * kept
            replaced = torch.where(started, silent * float(FEATURELESS), UNSEEN).masked_fill_(~counted, INFINITE)
            replaced.masked_fill_(empty, WEIGHTLESS).masked_fill_(early, torch.nan)
            if self.training:
                taken = counted if self.update == "epoch" else present
                self._follow(x, labels, torch.add(means, shift, alpha=self.momentum), known, started, taken)
            return Weighing(weights.to(self.dtype), ratios.to(self.prototypes.dtype), replaced)

    def _scaled(self, raw: Tensor, kept: Tensor | None) -> tuple[Tensor, Tensor]:
        """To mean 1 over the batch, and whether all are 0."""
        return scaled(raw) if kept is None else scaled_among(raw, kept)

    def _earlier(
        self,
        ratios: Float[Tensor, "B"],
        labels: Int[Tensor, "B"],
        classes: BatchClasses,
        present: Bool[Tensor, "B"],
    ) -> Float[Tensor, "B"]:
        """Each sample's class mean of clamped ratios in earlier batches, 1 without any; in training these join them."""
        total, count = (held.index_select(0, labels) for held in (self.ratio_sum, self.ratio_count))
        if self.training:
            clamped = ratios.clamp_min(self.floor)
            finite = clamped.isfinite()
            begun = (self.steps >= self.warmup_steps).to(total.dtype)
            sums = _KEPT * total + classes.total(torch.where(finite, clamped, 0.0))
            counts = _KEPT * count + classes.total(finite.to(count.dtype))
            self.ratio_sum.index_copy_(0, labels, torch.where(present, begun * sums, total))
            self.ratio_count.index_copy_(0, labels, torch.where(present, begun * counts, count))
        return torch.where(count > 0, total / count.clamp_min(1e-300), 1.0)

    def _follow(self, x: Tensor, labels: Tensor, moved: Tensor, known: Tensor, started: Tensor, taken: Tensor) -> None:
        """Move the prototypes of the batch's classes: ``moved`` and ``known`` are each sample's new and old one.

        By those ``taken`` alone, so that a feature that is not finite, as half precision gives now and then, does not
        spoil a prototype for good: by step those of a class that has a finite sample, by epoch the finite samples.
        """
        self.steps += 1
        if self.update == "epoch":
            self.epoch_sum.index_add_(0, labels, x.to(self.epoch_sum.dtype))
            self.epoch_count.index_add_(0, labels, taken[:, None].to(self.epoch_count.dtype))
            return
        # Samples of a class write the same bits to the same row, so their order plays no part.
        self.prototypes.index_copy_(0, labels, torch.where(taken[:, None], moved.to(known.dtype), known))
        self.started.index_copy_(0, labels, started | taken)

    @torch.no_grad()
    def finish_epoch(self, epoch: int = 0) -> None:
        """With ``update="epoch"``: move the prototypes towards the epoch's class means."""
        if self.update != "epoch":
            return
        seen = self.epoch_count > 0
        means = self.epoch_sum / self.epoch_count.clamp_min(1)
        moved = torch.where(self.started[:, None], self.momentum * self.prototypes + (1 - self.momentum) * means, means)
        self.prototypes.copy_(torch.where(seen, moved, self.prototypes))
        self.started |= seen[:, 0]
        self.epoch_sum.zero_()
        self.epoch_count.zero_()


@part(
    "rdr",
    kind="weighting",
    summary="RDR: 1/n times the density ratio of the balanced to the training features",
    formula="w ~ (r / pi^prior)^gamma, r = argmin || Phi_y r / b_y - F_y ||^2",
    source="Luo et al. 2024, eq. 1-6 and Algorithm 1; preset=released: github.com/GoodMorningPeter/RDR, bb55ea9f906f",
    ranges=_RANGES,
    presets=PRESETS,
    prior="prior",
    notes="prior=rest is 1 - tau of the loss: all of the prior beside ce, none beside la, so that rdr+la is r alone on "
    "the adjusted loss (Fisher-consistent where r has class means of 1); rdr:prior=1+la corrects twice; gamma tempers "
    "the prior like r",
)
def rdr(
    context: Context,
    *,
    preset: str = "ours",
    gamma: float = 1.0,
    momentum: float = 0.5,
    ridge: float = RIDGE,
    floor: float = 0.0,
    ratio: str = "sample",
    count: str = "batch",
    start: str = "mean",
    unseen: str = "one",
    update: str = "step",
    warmup: float = 0.025,
    prior: float | str = "rest",
) -> RDRWeights:
    """:class:`RDRWeights` for a run; ``warmup`` is T0 as a share of the run (default: 5 of 200 epochs)."""
    return RDRWeights(
        context.class_counts,
        context.feature_dim,
        preset=preset,
        gamma=gamma,
        momentum=momentum,
        ridge=ridge,
        floor=floor,
        ratio=ratio,
        count=count,
        start=start,
        unseen=unseen,
        update=update,
        warmup_steps=round(warmup * context.epochs * context.steps_per_epoch),
        prior=context.prior,
    )
