"""A network made of weights on disk, which must be just those of such a network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from rdr_core.data.kinds import TEXTS
from rdr_core.errors import RdrError
from rdr_core.files.sealed import damaged
from rdr_core.files.trees import load_tree
from rdr_core.models import build_model, made_for
from rdr_core.models.own import OwnModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from rdr_core.models import Network
    from rdr_core.training.config import RunConfig

#: A file that says more is damaged, and would take all memory.
_MOST_EXPERTS = 64


def trained_network(path: Path, model: str, num_classes: int, channels: int) -> Network:
    """The network of a file's weights, on the CPU, in evaluation mode.

    Args:
        path: of a tree with the weights under "model".
        model, num_classes, channels: as for :func:`rdr_core.models.build_model`.

    Raises:
        Damaged: the file can't be read, or holds the weights of another network.
    """
    tree = load_tree(path)
    weights = tree.get("model") if isinstance(tree, dict) else None
    with torch.random.fork_rng(devices=[]):  # the fresh weights it draws are replaced at once
        network = build_model(
            model, num_classes=num_classes, channels=channels,
            # The weights say what they are of: the method's part may be unknown where the run is read.
            cosine_scale=_cosine_scale(path, weights), experts=_experts(path, weights),
        )  # fmt: skip
    network.load_state_dict(refuse_others(path, weights, network.state_dict()))
    return network.eval()


def check_weights(path: Path, config: RunConfig, num_classes: int, channels: int) -> None:
    """Read a file of a run's weights and compare them with its network, where that is not the user's own.

    Args:
        path: of the file.
        config: the run's.
        num_classes, channels: of its data.

    Raises:
        Damaged: as :func:`trained_network`.
    """
    if config.model_hash:
        tree = load_tree(path)
        if not isinstance(tree, dict) or not isinstance(tree.get("model"), dict):
            raise damaged(path, "it holds no network's weights")
        return
    trained_network(path, config.model, num_classes, channels)


def own_model_of(
    config: RunConfig, given: nn.Module | Callable[..., nn.Module], features: str, noted: dict[str, Any]
) -> OwnModel:
    """The user's own network, which must be the one that a run was trained on.

    Args:
        config: the run's.
        given, features: as for :func:`rdr_core.train`.
        noted: of the run's data.json.

    Raises:
        RdrError: it is another, or the run's network is one of the toolkit's.
    """
    if not config.model_hash:
        raise RdrError(f"This run trained {config.model!r}, which the toolkit has; leave model out.")
    own = OwnModel(given, features)
    if own.digest(len(noted["class_counts"]), weights=False) != config.model_hash.partition("-")[0]:
        raise RdrError(
            f"This run trained another network of yours ({config.model}) than the one given ({own.name}): its "
            "layers and features must be those that were trained."
        )
    return own


def own_network(path: Path, own: OwnModel | None, config: RunConfig, noted: dict[str, Any]) -> Network:
    """The user's own network with a file's weights, on the CPU, in evaluation mode.

    Args:
        path: of a tree with the weights under "model".
        own: what makes the network; None where the user has not given it.
        config: the run's.
        noted: of its data.json.

    Raises:
        RdrError: the network was not given.
        Damaged: the file can't be read, or holds the weights of another network.
    """
    if own is None:
        raise RdrError(
            f"The run was trained on a network of your own ({config.model}), which only you have; open it with "
            "rdr_core.Run.open(path, model=...)."
        )
    tree = load_tree(path)
    weights = tree.get("model") if isinstance(tree, dict) else None
    words = noted.get("kind") == TEXTS.name
    sample = torch.zeros(2, *noted["shape"], dtype=torch.int64 if words else torch.float32)
    with torch.random.fork_rng(devices=[]):  # fresh weights are replaced at once
        experts, scale = _experts(path, weights), _cosine_scale(path, weights)
        network = made_for(lambda: own.network(len(noted["class_counts"]), sample), scale, experts)
    network.load_state_dict(refuse_others(path, weights, network.state_dict()))
    return network.eval()


def refuse_others(path: Path, weights: Any, own: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
    """Refuse weights that a network would not take, or take as others than they are: of other names, shapes or types.

    Args:
        path: of their file, for the message.
        weights: by name, as read.
        own: the network's.

    Returns:
        The weights.

    Raises:
        Damaged: with the first that is wrong.
    """
    if not isinstance(weights, Mapping):
        raise damaged(path, "it holds no network's weights")
    for name in sorted({*map(str, own), *map(str, weights)}):
        if name not in own or not isinstance(weights.get(name), torch.Tensor):
            what = "missing" if name in own else "unknown"
            raise damaged(path, f"its weights are another network's: {name!r} is {what}")
        mine, theirs = own[name], weights[name]
        if mine.shape != theirs.shape or mine.dtype != theirs.dtype:
            raise damaged(path, f"its {name!r} is {_words(theirs)}, where the network's is {_words(mine)}")
    return weights


def _words(tensor: torch.Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"


def _cosine_scale(path: Path, weights: Any) -> float | None:
    scale = weights.get("classifier.scale") if isinstance(weights, Mapping) else None
    if scale is None:
        return None
    if not isinstance(scale, torch.Tensor) or scale.numel() != 1 or not math.isfinite(float(scale)):
        raise damaged(path, "its 'classifier.scale' is no number")
    return float(scale)


def _experts(path: Path, weights: Any) -> int:
    """How many experts the weights are of."""
    shares = weights.get("classifier.shares") if isinstance(weights, Mapping) else None
    if shares is None:
        return 1
    if not isinstance(shares, torch.Tensor) or shares.ndim != 1 or not 2 <= len(shares) <= _MOST_EXPERTS:
        raise damaged(path, "its 'classifier.shares' are of no experts")
    return len(shares)
