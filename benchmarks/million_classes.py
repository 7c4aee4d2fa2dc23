"""RDR's weights for a million classes: python benchmarks/million_classes.py (3 minutes and 6 GB of memory).

What each process keeps where 1, 2 and 4 share the prototypes, and what the weights cost beside a softmax head of all
classes, which learns meanwhile from made-up features with a long tail. Writes data/measurements/million-classes.json.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F

from rdr_core.files.whole import write_json
from rdr_core.methods.rdr import RDRWeights
from rdr_core.methods.sharded import ShardedRDRWeights

RESULTS = Path(__file__).resolve().parents[1] / "data" / "measurements" / "million-classes.json"
Z, BATCH, STEPS = 64, 256, 20


def counts_of(classes: int) -> torch.Tensor:
    """(d,) images by class, falling as 1 / rank (Zipf), at least 1."""
    return (1e6 / torch.arange(1, classes + 1, dtype=torch.float64)).clamp_min(1).long()


def batches(classes: int, centres: torch.Tensor):
    """Features about their class's centre, of classes as often as they have images."""
    draw = torch.Generator().manual_seed(0)
    shares = counts_of(classes).double().cumsum(0)
    while True:
        at = torch.rand(BATCH, generator=draw, dtype=torch.float64) * shares[-1]
        labels = torch.searchsorted(shares, at).clamp_max(classes - 1)
        yield centres[labels] + 0.3 * torch.randn(BATCH, Z, generator=draw), labels


def beside_a_head(classes: int) -> dict[str, float]:
    """Seconds of the weights and of all the rest of a step, and the loss on the first batch, before and after."""
    torch.manual_seed(0)
    centres = F.normalize(torch.randn(classes, Z))
    head = torch.nn.Linear(Z, classes, bias=False)
    optimizer = torch.optim.SGD(head.parameters(), lr=200.0)
    rdr = RDRWeights(counts_of(classes), Z, gamma=0.5)
    own, rest = [], []
    seen = next(batches(classes, centres))

    @torch.no_grad()
    def loss_of_seen() -> float:
        return float(F.cross_entropy(head(seen[0]), seen[1]))

    before = loss_of_seen()
    for _, (features, labels) in zip(range(STEPS), batches(classes, centres), strict=False):
        started = time.perf_counter()
        weights = rdr(features, labels)
        weighed = time.perf_counter()
        loss = (weights * F.cross_entropy(head(features), labels, reduction="none")).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        own.append(weighed - started)
        rest.append(time.perf_counter() - weighed)
    return {"weights_ms": 1e3 * median(own[2:]), "head_ms": 1e3 * median(rest[2:]), "loss_before": before,
            "loss_after": loss_of_seen()}  # fmt: skip


def _rank(rank: int, size: int, meeting: str, classes: int, results: mp.SimpleQueue) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=size)
    rdr = ShardedRDRWeights(counts_of(classes), Z)
    kept = sum(buffer.numel() * buffer.element_size() for buffer in rdr.buffers())
    draw, seconds = torch.Generator().manual_seed(rank), []
    for _ in range(6):
        features = torch.randn(BATCH // size, Z, generator=draw)
        labels = torch.randint(classes, (BATCH // size,), generator=draw)
        started = time.perf_counter()
        rdr(features, labels)
        seconds.append(time.perf_counter() - started)
    results.put((kept / 1e6, 1e3 * median(seconds[2:])))
    dist.barrier()
    dist.destroy_process_group()


def shared_by(size: int, classes: int) -> tuple[float, float]:
    """Megabytes that a process keeps, and milliseconds of a step's weights, of the process that has most."""
    context = mp.get_context("spawn")
    results = context.SimpleQueue()
    with tempfile.TemporaryDirectory() as folder:
        words = size, f"{folder}/meeting", classes, results
        processes = [context.Process(target=_rank, args=(rank, *words)) for rank in range(size)]
        for process in processes:
            process.start()
        found = [results.get() for _ in processes]
        for process in processes:
            process.join()
    return max(kept for kept, _ in found), max(ms for _, ms in found)


def markdown(found: dict) -> str:
    """The table of docs/scaling.md, and what the weights cost beside a head."""
    rows = [f"| {size} | {one['megabytes']:.0f} MB | {one['weights_ms']:.0f} ms |"
            for size, one in found["processes"].items()]  # fmt: skip
    head = found["head"]
    return "\n".join([
        "| processes | each keeps | weights of a step |", "| --- | --- | --- |", *rows, "",
        f"With {found['classes']:,} classes, {found['features']} features and a batch of {found['batch']}, on two "
        f"processors (`python benchmarks/million_classes.py`). A softmax head of all classes takes "
        f"{head['head_ms']:,.0f} ms a step beside them, and RDR's weights {head['weights_ms']:.0f} ms.",
    ])  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--classes", type=int, default=1_000_000)
    asked = parser.parse_args()
    shared = {str(size): dict(zip(("megabytes", "weights_ms"), shared_by(size, asked.classes), strict=True))
              for size in (1, 2, 4)}  # fmt: skip
    head = beside_a_head(asked.classes)
    found = {"classes": asked.classes, "features": Z, "batch": BATCH, "processes": shared, "head": head}
    write_json(RESULTS, found)
    print(markdown(found))
    print(f"The head's loss on the first batch went from {head['loss_before']:.2f} to {head['loss_after']:.2f}.")
    return int(shared["4"]["megabytes"] > 0.3 * shared["1"]["megabytes"] or head["weights_ms"] > 0.05 * head["head_ms"])


if __name__ == "__main__":
    sys.exit(main())
