"""A quantity instead of classes: rare values count more, by bins of the label.

Here it is scikit-learn's diabetes set: how far the disease of 442 patients went in a year. Each error counts by how
rare the value is (LDS: Yang et al. 2021), or with RDR's ratio over the same bins beside it. Half a minute:

    python examples/own_regression.py

Cut into classes, the same table goes all the way to pictures and curvature.
"""

from pathlib import Path
from tempfile import mkdtemp

import pandas as pd
import torch
from sklearn.datasets import load_diabetes
from torch import nn

import rdr_core
import rdr_viz


def train(x: torch.Tensor, y: torch.Tensor, weighing: str, epochs: int = 100) -> nn.Module:
    """A small network; ``weighing`` is "none", "lds" or "rdr"."""
    torch.manual_seed(0)
    body = nn.Sequential(nn.Linear(x.shape[1], 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
    head = nn.Linear(32, 1)
    optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.01, momentum=0.9)
    bins = rdr_core.label_bins(y)
    density = rdr_core.smoothed_counts(bins.counts).float()
    ratio = rdr_core.RDRWeights(bins.counts.clamp(min=1), feature_dim=32, prior=0)  # r alone: rarity is in the density
    for _ in range(epochs):
        for rows in torch.randperm(len(y)).split(64):
            features, of = body(x[rows]), bins.of(y[rows])
            weights = torch.ones(len(rows)) if weighing == "none" else 1 / density[of]
            if weighing == "rdr":
                weights = weights * ratio(features, of)
            loss = (weights / weights.mean() * (head(features)[:, 0] - y[rows]) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return nn.Sequential(body, head).eval()


def main(folder: Path) -> dict:
    table = load_diabetes(as_frame=True).frame
    test = table.sample(frac=0.2, random_state=0)
    rest = table.drop(test.index)
    x, y, test_x, test_y = (
        torch.tensor(((part[columns] - rest[columns].mean()) / rest[columns].std()).to_numpy()).float()
        for part in (rest, test) for columns in (table.columns.drop("target"), "target")
    )  # fmt: skip
    bins = rdr_core.label_bins(y)
    counts = bins.counts[bins.of(test_y)]
    rare = counts <= counts.float().quantile(0.25)
    for weighing in ("none", "lds", "rdr"):
        off = (train(x, y, weighing)(test_x)[:, 0] - test_y).detach().abs() * rest["target"].std()
        print(f"{weighing:5} mean error {off.mean():.1f}, on the quarter of rarest values {off[rare].mean():.1f}")

    table["progress"] = pd.cut(table.pop("target"), 4, labels=["slow", "moderate", "fast", "very fast"]).astype(str)
    data = rdr_core.from_frame(table, "progress", name="diabetes")
    runs = [rdr_core.train(data, method=m, epochs=20, runs=folder / "runs", progress=False) for m in ("ce", "rdr")]
    picture = rdr_viz.make_display("accuracy", runs)
    print(picture.finding)
    curvature = rdr_viz.class_curvature(runs[1], epochs=[20], data=data, progress=False)
    print(curvature[["class", "lambda_max", "trace"]].to_string(index=False))
    return {"data": data, "runs": runs, "picture": picture.save(folder / "accuracy.png"), "curvature": curvature}


if __name__ == "__main__":
    place = Path(mkdtemp())
    main(place)
    print(f"All of it is in {place}.")
