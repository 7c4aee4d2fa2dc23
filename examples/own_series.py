"""Your own series in time, of one or more channels and of unequal lengths.

Here they are made up: swings of three kinds in noise, as a sensor may see them. A few seconds:

    python examples/own_series.py
"""

from pathlib import Path
from tempfile import mkdtemp

import numpy as np

import rdr_core
import rdr_viz

NAMES = ("steady", "faster", "fading")


def swings(number: int = 300) -> tuple[list[np.ndarray], list[str]]:
    """Series of 2 channels and 20 to 60 steps, each (2, steps), and their kinds; you have your own."""
    draw, series, kinds = np.random.default_rng(0), [], []
    for at in range(number):
        steps, kind = np.arange(draw.integers(20, 60)), NAMES[at % 3]
        angle = {"steady": 0.5 * steps, "faster": 0.01 * steps**2, "fading": 0.5 * steps}[kind] + draw.uniform(0, 6)
        size = np.exp(-steps / 15) if kind == "fading" else np.ones(len(steps))
        series.append(np.stack([size * np.sin(angle), size * np.cos(angle)]) + draw.normal(0, 0.3, (2, len(steps))))
        kinds.append(kind)
    return series, kinds


def main(folder: Path) -> dict:
    data = rdr_core.from_series(*swings(), imbalance_factor=10, name="swings")
    print(data)
    runs = [
        rdr_core.train(data, method=method, epochs=10, runs=folder / "runs", progress=False) for method in ("ce", "rdr")
    ]
    picture = rdr_viz.make_display("accuracy", runs)
    print(picture.finding)
    saved = picture.save(folder / "accuracy.png")
    curvature = rdr_viz.class_curvature(
        runs[1], classes=[2], epochs=[10], data=data, relative_error=0.5, tolerance=0.05, progress=False
    )
    print(curvature[["class", "lambda_max", "trace"]].to_string(index=False))
    return {"data": data, "runs": runs, "picture": saved, "curvature": curvature}


if __name__ == "__main__":
    place = Path(mkdtemp())
    main(place)
    print(f"All of it is in {place}.")
