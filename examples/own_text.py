"""Your own texts: a list of strings and a list of labels.

Here the texts are the first sentences of Python's own documentation, by the package that they document. A few seconds:

    python examples/own_text.py
"""

import inspect
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import torch

import rdr_core
import rdr_viz


def documentation() -> tuple[list[str], list[str]]:
    """First sentences of the documentation of NumPy's and torch's functions, and whose they are; you have your own."""
    texts, labels = [], []
    for package in (np, torch, inspect):
        for name in sorted(vars(package)):
            words = inspect.getdoc(getattr(package, name)) if not name.startswith("_") else None
            if words and callable(getattr(package, name)):
                texts.append(words.partition("\n\n")[2][:300] or words[:300])
                labels.append(package.__name__)
    return texts, labels


def main(folder: Path) -> dict:
    texts, labels = documentation()
    data = rdr_core.from_text(texts, labels, leave_out=True, name="documentation")
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
