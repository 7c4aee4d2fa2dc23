"""How much of a disk finished runs take, without training them."""

from __future__ import annotations

from collections.abc import Iterable

from rdr_core.jobs.size import data_size
from rdr_core.runs import RunConfig

#: Bytes of a number by class and epoch times the columns that there are, of a row of the history, of what tells a
#: tensor's name and shape in a file, and of the small files.
_CELL, _ROW, _TENSOR, _FILES = 56, 160, 90, 3_000
#: Networks that are kept: at three milestones and at the end.
_NETWORKS = 4


def bytes_of(configs: Iterable[RunConfig]) -> dict[RunConfig, int | None]:
    """Bytes on disk of each run when it is finished; while it trains it has its checkpoint too, of two more networks.

    Args:
        configs: of the runs.

    Returns:
        By run; None of networks of the user's own, and of data whose size is not known here.

    Example:
        >>> config = RunConfig(dataset="digits", imbalance_factor=50, method="rdr", epochs=60, model="small",
        ...                    batch_size=32, learning_rate=0.1)
        >>> round(bytes_of([config])[config] / 1000)  # kB
        443
    """
    networks: dict[tuple[str, int, int, int], int] = {}

    def of(config: RunConfig) -> int | None:
        size = None if config.model_hash else data_size(config)
        if size is None:
            return None
        kind = (config.model, size.classes, size.image[0], config.spec.experts)
        if kind not in networks:
            networks[kind] = _network(*kind)
        by_epoch = config.epochs * (size.classes * _CELL + _ROW)
        return _NETWORKS * networks[kind] + by_epoch + 4 * int(size.counts.sum()) + _FILES

    return {config: of(config) for config in configs}


def _network(model: str, classes: int, channels: int, experts: int) -> int:
    """Bytes of a network's file; the network itself takes no memory."""
    import torch

    from rdr_core.models import build_model

    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        state = build_model(model, num_classes=classes, channels=channels, experts=experts).state_dict()
    return sum(tensor.numel() * tensor.element_size() + _TENSOR for tensor in state.values())
