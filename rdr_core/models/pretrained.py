"""Networks that start from weights trained on ImageNet: of a file below the data root, else of torchvision."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from torch import Tensor

from rdr_core.errors import MissingData, RdrError
from rdr_core.models.experts import ExpertBody
from rdr_core.models.network import Network

#: Networks by name, with torchvision's name of the architecture. The first published weights (V1), as the field's.
PRETRAINED = {"resnet50-imagenet": "resnet50", "resnet152-imagenet": "resnet152"}


def pretrained_weights(model: str, root: Path) -> dict[str, Tensor] | None:
    """Weights that the named network's body starts from; None where it starts from random ones.

    ``root/weights/resnet152.safetensors`` or ``.pth`` is taken where it is there; else torchvision's own, which it
    fetches (231 MB for ResNet-152) and keeps.

    Args:
        model: one of :data:`rdr_core.models.MODELS`.
        root: folder of the data files.

    Raises:
        MissingData: there is no such file and none could be fetched.
        RdrError: a file that can't be read.

    Example:
        >>> pretrained_weights("resnet50", Path()) is None
        True
    """
    if model not in PRETRAINED:
        return None
    name = PRETRAINED[model]
    for ending in (".safetensors", ".pth"):
        file = root / "weights" / f"{name}{ending}"
        if file.is_file():
            return _read(file)
    from torchvision.models import get_model_weights

    weights = get_model_weights(name).IMAGENET1K_V1
    try:
        with contextlib.redirect_stdout(sys.stderr):  # torch says there that it downloads
            return dict(weights.get_state_dict(progress=False, check_hash=True))
    except Exception as error:  # whatever a network does to its client, the way out is the same
        raise MissingData(
            f"The weights that {model} starts from could not be fetched ({type(error).__name__}); fetch {weights.url} "
            f"and save it as {root / 'weights' / name}.pth, or train --model {name}, which starts from random ones."
        ) from error


def start_from(network: Network, weights: dict[str, Tensor], model: str) -> None:
    """Copy weights into the network's body; its classifier, of other classes, stays as it is.

    Args:
        network: whose body is torchvision's.
        weights: of torchvision's whole network; entries of its classifier ``fc`` are passed over.
        model: the network's name, for the message.

    Raises:
        RdrError: weights of another architecture.
    """
    body = {name: value for name, value in weights.items() if not name.startswith("fc.")}
    if isinstance(network.body, ExpertBody):  # each expert's own layers start from the same weights
        of = network.body.layer_of
        body = {name: body[of(name)] for name in network.body.state_dict() if of(name) in body}
    try:
        network.body.load_state_dict(body)
    except RuntimeError as error:
        raise RdrError(
            f"The weights given are not {PRETRAINED[model]}'s ({str(error).splitlines()[1].strip()[:120]}); "
            "remove or replace the file in the data root's folder weights."
        ) from None


def _read(file: Path) -> dict[str, Tensor]:
    import torch
    from safetensors.torch import load_file

    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can fail in any way
        raise RdrError(f"{file} can't be read ({type(error).__name__}); fetch it again.") from None
