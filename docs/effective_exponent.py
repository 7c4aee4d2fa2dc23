"""Print the table of docs/methods/class-weights.md: how much of 1/n is left where weights have mean 1 in each batch.

.venv/bin/python docs/effective_exponent.py    # a simulation of batches, in seconds; no network is trained
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rdr_core.data.profiles import profile_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: What is trained, images of the largest class, classes, imbalance factor, batch, epochs to simulate.
SETTINGS = (
    ("digits", 124, 10, 50, 32, 200),
    ("Fashion-MNIST", 6000, 10, 100, 128, 20),
    ("CIFAR-10, the paper's batch", 5000, 10, 100, 128, 20),
    ("CIFAR-10, a small batch", 5000, 10, 100, 32, 20),
    ("CIFAR-100", 500, 100, 100, 128, 20),
)


def mean_weights(counts: NDArray[np.int64], batch: int, epochs: int, seed: int = 0) -> NDArray[np.float64]:
    """Mean over batches of the weight of a class's images, of 1/n scaled to mean 1 over each batch.

    Args:
        counts: (d,) training images of each class.
        batch: images; what is left of an epoch is no batch.
        epochs: to draw.
        seed: of the order of images.
    """
    order = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    total, seen = np.zeros(len(counts)), np.zeros(len(counts))
    for _ in range(epochs):
        shuffled = order.permutation(labels)
        batches = shuffled[: len(shuffled) // batch * batch].reshape(-1, batch)
        weights = 1 / counts[batches]
        weights /= weights.mean(axis=1, keepdims=True)
        total += np.bincount(batches.ravel(), weights.ravel(), len(counts))
        seen += np.bincount(batches.ravel(), minlength=len(counts))
    return total / seen


def markdown() -> str:
    lines = ["| data | IF | batch | exponent | smallest class against largest | by 1/n |", "| --- " * 6 + "|"]
    for name, largest, classes, factor, batch, epochs in SETTINGS:
        counts = profile_counts("exponential", largest, classes, factor)
        weights = mean_weights(counts, batch, epochs)
        exponent = -np.polyfit(np.log(counts), np.log(weights), 1)[0]
        lines.append(f"| {name} | {factor} | {batch} | {exponent:.2f} | {weights[-1] / weights[0]:.0f} | "
                     f"{counts[0] / counts[-1]:.0f} |")  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown())
