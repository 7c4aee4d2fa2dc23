"""RDR's weights in a PyTorch loop of your own: three lines, whatever the network.

Trains a small network twice on long-tailed digits (124 zeros, but 2 nines), with plain cross-entropy and with RDR's
weights, and prints the test accuracy by group. A few seconds on a laptop:

    python examples/plain_loop.py
"""

import torch
import torch.nn.functional as F
from torch import nn

from rdr_core import LongTailedData, RDRWeights, load_data


def train(data: LongTailedData, *, reweight: bool, epochs: int = 60) -> dict:
    """Train once; the loss of each epoch, the last batch's weights, and test accuracy by group in percent."""
    torch.manual_seed(0)
    images, labels = data.train.inputs / 255, data.train.labels
    body = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU())
    classifier = nn.Linear(32, 10)
    optimizer = torch.optim.SGD([*body.parameters(), *classifier.parameters()], lr=0.05, momentum=0.9)

    rdr = RDRWeights(data.class_counts, feature_dim=32)  # line 1: once

    losses = []
    for _ in range(epochs):
        losses.append(0.0)
        for batch in torch.randperm(len(labels)).split(32):
            features = body(images[batch])
            logits = classifier(features)
            weights = rdr(features, labels[batch])  # line 2: each batch, from the features the last layer sees
            if not reweight:
                weights = torch.ones_like(weights)  # plain cross-entropy, to compare with
            loss = (weights * F.cross_entropy(logits, labels[batch], reduction="none")).mean()  # line 3

            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[-1] += loss.item() * len(batch) / len(labels)

    with torch.no_grad():
        predicted = classifier(body(data.test.inputs / 255)).argmax(1)
    right = (predicted == data.test.labels).numpy()
    group = data.groups.of_class[data.test.labels.numpy()]
    accuracy = {"All": 100 * right.mean()} | {g: 100 * right[group == g].mean() for g, _ in data.groups.items()}
    return {"losses": losses, "weights": weights, "accuracy": accuracy}


def main() -> dict[str, dict]:
    data = load_data("digits", imbalance_factor=50)
    results = {"CE": train(data, reweight=False), "RDR": train(data, reweight=True)}
    for method, result in results.items():
        print(method.ljust(3), *(f"{group} {value:.1f} %" for group, value in result["accuracy"].items()), sep="   ")
    return results


if __name__ == "__main__":
    main()
