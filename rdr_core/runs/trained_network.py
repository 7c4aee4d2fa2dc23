"""A network made of weights on disk, which must be just those of such a network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from rdr_core.files.sealed import damaged
from rdr_core.files.trees import load_tree
from rdr_core.models import build_model

if TYPE_CHECKING:
    from rdr_core.models import Network


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
            cosine_scale=_cosine_scale(path, weights),
        )  # fmt: skip
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
