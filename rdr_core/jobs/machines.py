"""What runs cost on machines that are not at hand: paces measured there, and what they say of steps that were not.

A machine is a file ``data/paces/NAME.json`` of points, written there by ``benchmarks/paces.py``: the pace
(:class:`.pace.Pace`) of a network at a batch size, and the memory of a step. Points that are marked as left out play no
part in the model; they tell how well it foretells.

A step takes, for the network and size of images that it is nearest to,

    launch + B sample,    times what each part of the method multiplies it by, and RDR's weights on top:
    w0 + w1 B Z + w2 sum b^2 Z + w3 sum b^3

The sums are over blocks of samples that are solved together: the whole batch, or on a CPU from 384 samples on each
class's expected share of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rdr_core.errors import RdrError, unknown_name
from rdr_core.files.places import papers_folder
from rdr_core.files.whole import read_json
from rdr_core.jobs.fit import fitted_terms
from rdr_core.jobs.pace import Pace
from rdr_core.jobs.size import DataSize
from rdr_core.methods.batch_classes import LARGE
from rdr_core.methods.grammar import MethodSpec, parse
from rdr_core.models.pretrained import PRETRAINED
from rdr_core.runs import RunConfig
from rdr_core.shapes import Float

#: The imbalance factor of the data that points are measured on.
FACTOR = 100.0


@dataclass(frozen=True)
class Point:
    """A pace that was measured.

    Attributes:
        network: its name.
        side: of the images, in pixels.
        features: Z.
        batch, classes, method, augmentation: as a run's configuration has them.
        step, closing, image, visit: seconds, as of :class:`~rdr_core.jobs.pace.Pace`; ``closing`` without test images.
        memory: bytes that a step of plain cross-entropy takes at most beside weights and data.
        left_out: whether it only tells how well the others foretell it.
    """

    network: str
    side: int
    features: int
    batch: int
    classes: int
    method: str
    augmentation: str
    step: float
    closing: float
    image: float
    visit: float
    memory: float
    left_out: bool


@dataclass(frozen=True)
class Foretold:
    """Of a run's steps on a machine.

    Attributes:
        pace: its pace.
        memory: bytes of a step beside weights and data; NaN where the method has parts whose memory is not known.
    """

    pace: Pace
    memory: float


class Machine:
    """A machine, by what was measured on it.

    Args:
        name: of its file.
        words: what it is, for readers.
        gpu: whether it is one.
        points: that were measured on it; those left out play no part.

    Example:
        >>> point = dict(network="small", side=8, features=64, classes=10, method="ce", augmentation="plain",
        ...              closing=0.1, image=1e-4, visit=0.0, left_out=False)
        >>> points = [Point(batch=b, step=0.001 + 1e-4 * b, memory=1e5 * b, **point) for b in (32, 64, 128)]
        >>> config = RunConfig(dataset="digits", imbalance_factor=50, method="ce", epochs=60, model="small",
        ...                    batch_size=100, learning_rate=0.1)
        >>> from rdr_core.jobs.size import data_size
        >>> round(Machine("made-up", "a thought", False, points).foretell(config, data_size(config)).pace.step, 6)
        0.011
    """

    def __init__(self, name: str, words: str, gpu: bool, points: Iterable[Point]) -> None:
        self.name, self.words, self.gpu = name, words, gpu
        self.points = [point for point in points if not point.left_out]

    def foretell(self, config: RunConfig, size: DataSize) -> Foretold | None:
        """The pace of a run, as far as the machine's points tell it; None where they do not.

        Args:
            config: of the run.
            size: of its data.
        """
        side = size.image[-1]
        spec = config.spec
        parts = _parts(spec)
        network = PRETRAINED.get(config.model, config.model)  # what steps start from makes none longer
        near = self._nearest(network, side)
        if near is None or config.precision != "fp32" or not set(parts) <= self._factors.keys():
            return None
        scale = (side / near) ** 2
        plain = self._of(network, near, "ce")
        step = self._line(plain, config.batch_size, scale, "step") * np.prod([self._factors[part] for part in parts])
        if _weighs_by_ratio(spec):
            if self._ratio_terms is None:
                return None
            priors = size.counts / size.counts.sum()
            terms = ratio_terms(
                config.batch_size, plain[0].features, priors, by_class=self._by_class(config.batch_size)
            )
            step += float(terms @ self._ratio_terms[self._by_class(config.batch_size)])
        memory = self._line(plain, config.batch_size, scale, "memory") if not parts else float("nan")
        image = scale * float(np.median([point.image for point in plain]))
        strong = [point.visit / point.side**2 for point in self.points if point.augmentation == "strong"]
        visit = float(np.median(strong)) * side**2 if config.augmentation in ("strong", "authors") and strong else 0.0
        closing = float(np.median([point.closing for point in plain]))
        return Foretold(Pace(config.batch_size, float(step), closing, 0, image, visit), memory)

    def _nearest(self, network: str, side: int) -> int | None:
        """The measured side of the network's images that is nearest in ratio."""
        sides = {point.side for point in self.points if point.network == network and point.method == "ce"}
        return min(sides, key=lambda known: abs(np.log(known / side)), default=None)

    def _of(self, network: str, side: int, method: str) -> list[Point]:
        return [p for p in self.points if (p.network, p.side, p.method) == (network, side, method)]

    def _line(self, points: Sequence[Point], batch: int, scale: float, what: str) -> float:
        """launch + B sample, fitted to a network's points; of larger images each sample is larger."""
        batches = np.array([point.batch for point in points], dtype=float)
        values = np.array([getattr(point, what) for point in points], dtype=float)
        launch, sample = fitted_terms(np.stack([np.ones_like(batches), batches], 1), values)
        return float(launch + sample * batch * scale)

    def _by_class(self, batch: int) -> bool:
        return batch >= LARGE and not self.gpu

    @cached_property
    def _factors(self) -> dict[str, float]:
        """How much longer a step of each part takes than plain cross-entropy's: the geometric mean over its points."""
        ratios: dict[str, list[float]] = {}
        for point in self.points:
            (*parts,) = _parts(parse(point.method))
            if len(parts) == 1 and not _weighs_by_ratio(parse(point.method)):
                plain = self._line(self._of(point.network, point.side, "ce"), point.batch, 1.0, "step")
                ratios.setdefault(parts[0], []).append(point.step / plain)
        return {part: float(np.exp(np.mean(np.log(found)))) for part, found in ratios.items()}

    @cached_property
    def _ratio_terms(self) -> dict[bool, Float[np.ndarray, "4"]] | None:
        """Coefficients of RDR's weights, where all samples are solved together and where classes are."""
        rows: dict[bool, list[tuple[np.ndarray, float]]] = {False: [], True: []}
        for point in self.points:
            if point.method == "rdr":
                plain = self._line(self._of(point.network, point.side, "ce"), point.batch, 1.0, "step")
                priors = long_tail(point.classes)
                by_class = self._by_class(point.batch)
                terms = ratio_terms(point.batch, point.features, priors, by_class=by_class)
                # What weights add may be lost in what steps vary by; it is fitted as a share, so it can't be 0.
                rows[by_class].append((terms, max(point.step - plain, 0.02 * plain)))
        if not rows[False]:
            return None
        rows[True] = rows[True] or rows[False]
        return {
            key: fitted_terms(np.stack([t for t, _ in of]), np.array([s for _, s in of])) for key, of in rows.items()
        }


def ratio_terms(batch: int, features: int, priors: Float[np.ndarray, "d"], *, by_class: bool) -> Float[np.ndarray, "4"]:
    """What the time of RDR's weights is a sum of: 1, B Z, sum b^2 Z and sum b^3 over the blocks that are solved.

    Args:
        batch: B.
        features: Z.
        priors: of the classes.
        by_class: whether a block is a class's expected share of the batch; else it is the batch.

    Example:
        >>> ratio_terms(10, 2, np.array([0.5, 0.5]), by_class=True).tolist()
        [1.0, 20.0, 100.0, 250.0]
    """
    blocks = batch * priors if by_class else np.array([float(batch)])
    return np.array([1.0, batch * features, (blocks**2).sum() * features, (blocks**3).sum()])


def long_tail(classes: int) -> Float[np.ndarray, "d"]:
    """Shares of classes in the data that points are measured on: exponential, with :data:`FACTOR`.

    Example:
        >>> long_tail(3).round(3).tolist()
        [0.901, 0.09, 0.009]
    """
    counts = FACTOR ** -(np.arange(classes) / max(1, classes - 1))
    return counts / counts.sum()


def _weighs_by_ratio(spec: MethodSpec) -> bool:
    """Whether a step has RDR's weights; a second stage has none of its first one's parts."""
    used = spec.get("weighting")
    return used is not None and used.part.name == "rdr" and spec.get("second stage") is None


def _parts(spec: MethodSpec) -> list[str]:
    """Parts of a method that make its steps longer, by name; RDR's weights are counted on their own."""
    if stage := spec.get("second stage"):
        return [stage.part.name]
    used = [spec.get(kind) for kind in ("weighting", "mixing", "optimizer")]
    named = [one.part.name for one in used if one and one.part.kind != "class weights" and one.part.name != "rdr"]
    return named + ([spec.loss.part.name] if spec.experts > 1 else [])


def machine_names() -> list[str]:
    """Machines that runs' costs can be told on.

    Example:
        >>> "xeon" in machine_names()
        True
    """
    return sorted(path.stem for path in _folder().glob("*.json"))


@cache
def read_machine(name: str) -> Machine:
    """A machine by its name.

    Raises:
        RdrError: an unknown name, or a damaged file.
    """
    if name not in machine_names():
        raise unknown_name("machine", name, machine_names())
    return machine_of(name, read_json(_folder() / f"{name}.json"))


def machine_of(name: str, content: Any) -> Machine:
    """A machine made of its file's content.

    Raises:
        RdrError: it is of another kind.
    """
    try:
        return Machine(name, str(content["words"]), bool(content["gpu"]), points_of(content))
    except (TypeError, KeyError, ValueError) as error:
        raise RdrError(f"The paces of {name} are damaged ({error}); install the toolkit again.") from error


def points_of(content: Any) -> list[Point]:
    """All points of a machine's file, those left out among them."""
    names = [field.name for field in fields(Point)]
    return [Point(**dict(zip(names, row, strict=True))) for row in content["points"]]


def _folder() -> Path:
    return papers_folder().parent / "paces"
