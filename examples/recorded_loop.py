"""A training of your own loop, recorded: then the toolkit's pictures, curvature and comparisons take it.

Trains on long-tailed digits with a loss that the toolkit has not, and draws it beside two of the toolkit's runs. About
ten seconds on a laptop:

    python examples/recorded_loop.py
"""

import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

import rdr_core
import rdr_viz


def digits_network(num_classes: int = 10) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, num_classes))


def polynomial_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy plus the chance of being wrong (PolyLoss, Leng et al. 2022, with epsilon 1)."""
    right = logits.softmax(1).gather(1, labels[:, None])[:, 0]
    return F.cross_entropy(logits, labels, reduction="none") + 1 - right


def main(epochs: int = 20) -> dict:
    data = rdr_core.load_data("digits", imbalance_factor=50)
    images = rdr_core.normalise(data.train.inputs, torch.tensor(data.mean), torch.tensor(data.std))
    labels = data.train.labels
    torch.manual_seed(0)
    network = digits_network()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    settings = {"model": digits_network, "epochs": epochs, "batch_size": 32, "learning_rate": 0.05}
    settings["augmentation"] = "none"
    with tempfile.TemporaryDirectory() as folder:
        with rdr_core.record(data, method="poly", runs=folder, **settings) as recording:
            for _ in range(epochs):
                for rows in torch.randperm(len(labels)).split(32):
                    logits = network(images[rows])
                    losses = polynomial_loss(logits, labels[rows])
                    recording.step(labels[rows], logits, losses=losses)
                    optimizer.zero_grad()
                    losses.mean().backward()
                    optimizer.step()
                recording.epoch(network)
        own = recording.run
        others = [rdr_core.train(data, method=name, runs=folder, progress=False, **settings) for name in ("ce", "rdr")]
        picture = rdr_viz.GroupAccuracy.from_runs([own, *others])
        picture.save(Path(folder) / "accuracy")
        print(picture.finding)
        curvature = rdr_viz.class_curvature(own, classes=[0, 9], epochs=[epochs], data=data, progress=False)
        print(curvature[["class", "lambda_max", "trace"]].to_string(index=False))
    return {"run": own, "curvature": curvature, "finding": picture.finding}


if __name__ == "__main__":
    main()
