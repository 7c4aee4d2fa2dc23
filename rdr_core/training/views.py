"""What experts say of augmented views of test images, for what learns from whether they agree on two of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import torch
from torch import Tensor

from rdr_core.data import LongTailedData
from rdr_core.models import ExpertNetwork
from rdr_core.shapes import Float, Int
from rdr_core.training.augment import Augmentation
from rdr_core.training.config import RunConfig
from rdr_core.training.feed import feed, resident
from rdr_core.training.randomness import generator
from rdr_core.training.resized_crop import ResizedCrops
from rdr_core.training.state import augmentation_of, to_augment
from rdr_core.training.unchanged import Unchanged

_BATCH = 128


@torch.no_grad()
def logits_of_views(
    network: ExpertNetwork, data: LongTailedData, config: RunConfig, epochs: int
) -> Iterator[tuple[Float[Tensor, "N E d"], Float[Tensor, "N E d"]]]:
    """For each epoch the experts' logits of two views of all test images, in an order of that epoch, on the CPU.

    Views are augmented as training images are, by draws of their own; a view is made when it is asked for.

    Args:
        network: of several experts, in evaluation mode; on its device views are made.
        data: whose test images they are; their labels are not looked at.
        config: its augmentation and seed.
        epochs: how many.
    """
    augmentation = augmentation_of(config, data)
    for epoch in range(epochs):
        order = torch.randperm(len(data.test.labels), generator=generator(config.seed, "views", epoch))
        first, second = (
            _logits(network, data, augmentation, order.to(network.classifier.shares.device), draw)
            for draw in (2 * epoch, 2 * epoch + 1)
        )
        yield first, second


def _logits(
    network: ExpertNetwork,
    data: LongTailedData,
    augmentation: Augmentation | ResizedCrops | Unchanged,
    order: Int[Tensor, "N"],
    draw: int,
) -> Float[Tensor, "N E d"]:
    device = order.device
    mean, std = (torch.tensor(values, device=device) for values in (data.mean, data.std))
    images = resident(to_augment(data.test), device)
    augment = augmentation.epoch(draw, len(order), images.shape, device)
    prepared, rows = augment.prepare(images, order)
    found: list[Tensor] = []
    with closing(feed(prepared, rows.split(_BATCH), device)) as batches:
        for number, pixels in enumerate(batches):
            features = network.features(augment(pixels, number * _BATCH, mean, std))
            found.append(network.classifier.each(features))
    return torch.cat(found).cpu()
