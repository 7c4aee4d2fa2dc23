"""What a user asks for, as the configuration of a run: defaults filled in, and names looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rdr_core.data.kinds import IMAGES
from rdr_core.data.load import load_data
from rdr_core.errors import RdrError
from rdr_core.runs.networks import kind_beforehand, model_name, own_model, refuse_unfit
from rdr_core.training.config import RunConfig
from rdr_core.training.recipes import VALUES, settings_for

if TYPE_CHECKING:
    from rdr_core.data import LongTailedData
    from rdr_core.models.own import OwnModel


class Asked(NamedTuple):
    """What was asked for.

    Attributes:
        config: of the run.
        data: the user's own, or None where they are loaded by name.
        own_model: the user's own network, or None.
    """

    config: RunConfig
    data: LongTailedData | None
    own_model: OwnModel | None


def asked(dataset: str | LongTailedData, *, root: str | Path | None, features: str, **given: Any) -> Asked:
    """A run's configuration from all that :func:`rdr_core.train` was given.

    Args:
        dataset, root, features: as for it.
        given: its settings, by name, all of them.

    Raises:
        RdrError: what it can't be trained with.
    """
    from rdr_core.methods.grammar import parse

    canonical = parse(given["method"]).name
    facts = (given[name] for name in ("imbalance_factor", "profile", "noise_rate", "noise", "data_seed", "class_order"))
    name, data, known = _data_facts(dataset, *facts)
    own = own_model(given["model"], features)
    seen, kind = data, kind_beforehand(name) if data is None else data.kind
    if data is None and (own or kind is None):
        seen = load_data(name, imbalance_factor=None, profile=None, root=root)
    kind = kind or IMAGES if seen is None else seen.kind
    values = {value: given[value] for value in VALUES}
    values["augmentation"] = values["augmentation"] or (None if kind is IMAGES else "none")
    config = RunConfig(
        dataset=name,
        method=canonical,
        seed=given["seed"],
        model=own.name if own else model_name(given["model"], name, kind),
        model_hash=own.digest(seen.num_classes) if own and seen else "",
        precision=given["precision"],
        **settings_for(name, given["recipe"], **values),
        **known,
    )
    check_names(config)
    if own and seen:
        refuse_unfit(own, seen, config.spec)
    return Asked(config, data, own)


def _data_facts(
    dataset: str | LongTailedData,
    factor: float | None,
    profile: str,
    noise_rate: float,
    noise: str,
    data_seed: int,
    class_order: str | int,
) -> tuple[str, LongTailedData | None, dict[str, Any]]:
    from rdr_core.data.sources import find_source

    if isinstance(dataset, str):
        source, _ = find_source(dataset)
        if source.long_tailed and factor is not None:
            raise RdrError(f"{dataset} comes long-tailed; leave the imbalance factor out.")
        factor = source.usual_imbalance if factor is None else factor
        if factor is None and profile != "exponential":
            raise RdrError(f"{dataset} is used with its own imbalance; leave the profile out.")
        if factor is None and class_order != "file":
            raise RdrError(f"{dataset} is used with its own imbalance; leave class_order out.")
        facts = {
            "imbalance_factor": factor,
            "profile": None if factor is None else profile,
            "noise_rate": noise_rate,
            "noise": noise,
            "data_seed": data_seed,
            "class_order": class_order,
        }
        return dataset, None, facts
    usual = ("exponential", 0.0, "symmetric", 0, "file")
    if factor is not None or (profile, noise_rate, noise, data_seed, class_order) != usual:
        raise RdrError(
            "the data given have their imbalance already, and their noise and seed; leave imbalance_factor, profile, "
            "noise_rate, noise, data_seed and class_order out."
        )
    facts = {
        "imbalance_factor": dataset.imbalance_factor,
        "profile": dataset.profile,
        "noise_rate": dataset.noise_rate,
        "noise": dataset.noise,
        "data_seed": dataset.seed,
        "data_hash": dataset.content_hash,
    }
    return dataset.name, dataset, facts


def check_names(config: RunConfig) -> None:
    """Refuse unknown names before a folder is made or a file fetched."""
    from rdr_core.errors import unknown_name
    from rdr_core.models import MODELS
    from rdr_core.training.augment import AUGMENTATIONS
    from rdr_core.training.schedule import SCHEDULES

    canonical = config.spec.name
    if config.method != canonical:
        raise RdrError(f"The configuration's method is {config.method!r}; name it {canonical!r}, as its run is named.")
    if not config.model_hash and config.model not in MODELS:
        raise unknown_name("model", config.model, MODELS)
    if config.schedule not in SCHEDULES:
        raise unknown_name("schedule", config.schedule, SCHEDULES)
    if config.augmentation not in AUGMENTATIONS:
        raise unknown_name("augmentation", config.augmentation, AUGMENTATIONS)
