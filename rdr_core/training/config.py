"""What a run was asked to do. Two requests with the same configuration are the same run."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rdr_core.errors import RdrError, unknown_name
from rdr_core.plain import plain

if TYPE_CHECKING:
    from rdr_core.methods.grammar import MethodSpec

PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that decides a run's result, and nothing else (so neither device nor folder).

    Attributes:
        dataset: name of the data set, or "arrays".
        imbalance_factor: n_max / n_min; None if the data's own imbalance is used.
        method: canonical name (:mod:`rdr_core.methods.grammar`).
        epochs: passes over the training set.
        seed: of initialisation, order and augmentation.
        profile: "exponential" or "step".
        noise_rate, noise: share of training labels flipped, and how.
        data_seed: which subset of the data set; 0 is the field's usual one, whatever ``seed`` is.
        class_order: which class gets which place in the tail: "file", or the seed that draws it.
        data_hash: of the user's own arrays, if it is trained on such.
        model: name of the network; "own:" and the module's name where it is one of the user's own.
        model_hash: of the user's own network: its layers, and its weights where training starts from them.
        batch_size: paper: 128 on CIFAR.
        learning_rate: at its peak (paper: 0.1).
        momentum, weight_decay: of SGD (paper: 0.9 and 2e-4).
        warmup: share of the run in which the learning rate rises (ours: 5 of 200 epochs, as in the
            field's LDAM-DRW schedule; the paper does not say).
        schedule: of the learning rate after its warm-up (:data:`rdr_core.training.schedule.SCHEDULES`).
        augmentation: of the training images (:data:`rdr_core.training.augment.AUGMENTATIONS`; the paper does not say,
            its cross-entropy is near "strong").
        precision: "fp32" or "bf16" autocast.
    """

    dataset: str
    imbalance_factor: float | None
    method: str
    epochs: int
    seed: int = 0
    profile: str | None = "exponential"
    noise_rate: float = 0.0
    noise: str = "symmetric"
    data_seed: int = 0
    class_order: str | int = "file"
    data_hash: str = ""
    model: str
    batch_size: int
    learning_rate: float
    momentum: float = 0.9
    weight_decay: float = 2e-4
    warmup: float = 0.025
    schedule: str = "cosine"
    augmentation: str = "plain"
    precision: str = "fp32"
    model_hash: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, plain(getattr(self, field.name)))
        for name in (
            "dataset",
            "method",
            "profile",
            "noise",
            "data_hash",
            "model",
            "model_hash",
            "schedule",
            "augmentation",
        ):
            value = getattr(self, name)
            if not isinstance(value, str) and not (value is None and name == "profile"):
                raise RdrError(f"{name} is {value!r:.60}; it must be a name.")
        for name in ("imbalance_factor", "noise_rate", "learning_rate", "momentum", "weight_decay", "warmup"):
            value = getattr(self, name)
            if value is not None or name != "imbalance_factor":
                # 100 and 100.0 are one configuration, so one run.
                object.__setattr__(self, name, _number(name, value))
        for name, least in (("epochs", 1), ("batch_size", 1), ("seed", 0), ("data_seed", 0)):
            value = getattr(self, name)
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            if not whole or value < least:
                raise RdrError(f"{name} is {value!r}; it must be a whole number, {least} or larger.")
            if value >= 2**63:
                raise RdrError(f"{name} is too large; it must be below 2^63.")
            object.__setattr__(self, name, int(value))
        order = self.class_order
        if order != "file" and (isinstance(order, bool) or not isinstance(order, int) or not 0 <= order < 2**63):
            raise RdrError(f"class_order is {order!r}; it must be 'file' or a seed, 0 or larger and below 2^63.")
        if not self.noise_rate:  # without noise its kind plays no part
            object.__setattr__(self, "noise", "symmetric")
        if not self.learning_rate > 0:
            raise RdrError(f"learning_rate is {self.learning_rate:g}; it must be above 0 (paper: 0.1).")
        if not self.weight_decay >= 0:
            raise RdrError(f"weight_decay is {self.weight_decay:g}; it must be 0 or larger (paper: 2e-4).")
        if not 0 <= self.warmup < 1:
            raise RdrError(f"warmup is {self.warmup:g}; it is a share of the run, at least 0 and below 1.")
        if self.precision not in PRECISIONS:
            raise unknown_name("precision", self.precision, PRECISIONS)

    @property
    def spec(self) -> MethodSpec:
        """What its method is made of.

        Raises:
            RdrError: a method that is unknown here.
        """
        from rdr_core.methods.grammar import parse  # loads PyTorch

        return parse(self.method)

    @property
    def drawn(self) -> bool:
        """Whether its seed also draws its subset, so that other seeds have other data; of seed 0, which has the usual
        subset either way, the order of classes tells."""
        return self.data_seed == self.seed and (self.class_order == self.seed or self.seed != 0)

    def with_seed(self, seed: int) -> RunConfig:
        """The same configuration with another seed, and with that seed's data, and order of classes, if :attr:`drawn`.

        Example:
            >>> config = RunConfig(dataset="digits", imbalance_factor=50, method="ce", epochs=9, model="small",
            ...                    batch_size=64, learning_rate=0.1, seed=1, data_seed=1, class_order=1)
            >>> config.drawn, config.with_seed(2).data_seed, config.with_seed(2).class_order
            (True, 2, 2)
        """
        if not self.drawn:
            return replace(self, seed=seed)
        order = seed if self.class_order == self.seed else self.class_order
        return replace(self, seed=seed, data_seed=seed, class_order=order)

    @property
    def digest(self) -> str:
        """Hash of the configuration, ten hex digits."""
        return _digest(self)

    @property
    def name(self) -> str:
        """The run's folder name: readable, and unique by its hash.

        Example:
            >>> RunConfig(dataset="digits", imbalance_factor=50, method="rdr+la", epochs=9,
            ...           model="small", batch_size=64, learning_rate=0.1).name
            'digits-if50-rdr+la-s0-da6ca299e7'
        """
        factor = "" if self.imbalance_factor is None else f"-if{self.imbalance_factor:g}"
        readable = f"{self.dataset}{factor}-{self.method}-s{self.seed}"
        return f"{re.sub(r'[^A-Za-z0-9+._-]', '-', readable)}-{self.digest}"

    @property
    def data_request(self) -> dict[str, Any]:
        """The arguments of :func:`rdr_core.load_data`, except the data set's name and folder."""
        return {
            "imbalance_factor": self.imbalance_factor,
            "profile": self.profile,
            "seed": self.data_seed,
            "noise_rate": self.noise_rate,
            "noise": self.noise,
            "class_order": self.class_order,
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain values for config.json."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> RunConfig:
        """Undo of :meth:`to_dict`; RdrError where fields are missing or unknown."""
        known = {f.name for f in fields(cls)}
        if not isinstance(values, dict):
            raise RdrError("config.json holds no configuration; remove the run's folder and train it again.")
        if "recipe" in values and "augmentation" not in values:  # the augmentation's name until there were schedules
            values = {"schedule": "cosine", "augmentation": values["recipe"]} | values
            del values["recipe"]
        values = {"class_order": "file", "model_hash": ""} | values  # the only ones that there were
        if set(values) != known:
            odd = sorted(set(values) ^ known)
            raise RdrError(f"config.json is of another version of the toolkit; missing or unknown: {', '.join(odd)}.")
        return cls(**values)


@lru_cache(maxsize=4096)
def _digest(config: RunConfig) -> str:
    values = asdict(config)
    # As runs were named before there were schedules, when the augmentation was called the recipe.
    values["recipe"] = values.pop("augmentation")
    if config.schedule == "cosine":
        del values["schedule"]
    if config.class_order == "file":
        del values["class_order"]
    if not config.model_hash:
        del values["model_hash"]
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise RdrError(f"{name} is {value!r}; it must be a number.")
    return number
