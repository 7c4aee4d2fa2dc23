"""Your own table: a pandas DataFrame of numbers and words, of which one column is the label.

Here it is scikit-learn's table of wines, made long-tailed. A few seconds:

    python examples/own_table.py
"""

from pathlib import Path
from tempfile import mkdtemp

from sklearn.datasets import load_wine

import rdr_core
import rdr_viz


def main(folder: Path) -> dict:
    table = load_wine(as_frame=True).frame.rename(columns={"target": "cultivar"})
    table["cultivar"] = table["cultivar"].map({0: "Barolo", 1: "Grignolino", 2: "Barbera"})

    data = rdr_core.from_frame(table, "cultivar", imbalance_factor=10, name="wine")
    print(data)
    runs = [
        rdr_core.train(data, method=method, epochs=20, runs=folder / "runs", progress=False) for method in ("ce", "rdr")
    ]
    picture = rdr_viz.make_display("accuracy", runs)
    print(picture.finding)
    saved = picture.save(folder / "accuracy.png")
    curvature = rdr_viz.class_curvature(runs[1], epochs=[20], data=data, progress=False)
    print(curvature[["class", "lambda_max", "trace"]].to_string(index=False))
    return {"data": data, "runs": runs, "picture": saved, "curvature": curvature}


if __name__ == "__main__":
    place = Path(mkdtemp())
    main(place)
    print(f"All of it is in {place}.")
