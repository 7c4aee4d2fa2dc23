"""RDR on several GPUs or processes: each holds a part of every batch, and all have the same prototypes.

    torchrun --nproc-per-node 2 examples/data_parallel.py             # on a CPU too
    torchrun --nproc-per-node 2 examples/data_parallel.py --sharded   # parameters in parts, by FSDP
    python examples/data_parallel.py                                  # one process: the same batches and training

The weights stay outside DistributedDataParallel and FSDP, which would only copy their prototypes from process to
process, where they are equal already.
"""

import os
import sys

import torch
import torch.nn.functional as F
from torch import distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from rdr_core import RDRWeights, load_data


class Digits(nn.Module):
    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU())
        self.classifier = nn.Linear(32, num_classes)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.body(images)
        return features, self.classifier(features)


def main(epochs: int = 5, sharded: bool = False) -> dict:
    several = "WORLD_SIZE" in os.environ
    if several:
        dist.init_process_group("gloo")
    rank, size = (dist.get_rank(), dist.get_world_size()) if several else (0, 1)
    torch.manual_seed(0)
    data = load_data("digits", imbalance_factor=50)
    network: nn.Module = Digits(data.num_classes)
    if several and sharded:
        network = fully_shard(network, mesh=init_device_mesh("cpu", (size,)))
    elif several:
        network = DistributedDataParallel(network)
    rdr = RDRWeights(data.class_counts, feature_dim=32)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    images, labels = data.train.inputs / 255, data.train.labels
    for _ in range(epochs):
        for batch in torch.randperm(len(labels)).split(32):
            mine = batch[rank::size]
            features, logits = network(images[mine])
            weights = rdr(features, labels[mine])
            # The mean over the whole batch, which the processes' gradients, averaged, are the gradient of.
            losses = weights * F.cross_entropy(logits, labels[mine], reduction="none")
            loss = losses.sum() * size / len(batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    whole = network.module if isinstance(network, DistributedDataParallel) else network
    weight = whole.classifier.weight.detach()
    if several and sharded:
        weight = weight.full_tensor()
    print(f"rank {rank}: prototypes {rdr.prototypes.double().norm():.6f}, classifier {weight.double().norm():.6f}")
    if several:
        dist.destroy_process_group()
    return {"rdr": rdr, "weight": weight}


if __name__ == "__main__":
    main(sharded="--sharded" in sys.argv[1:])
