"""Your own images, listed in a CSV file: train RDR on them, draw its accuracy, measure curvature.

The file has a column of paths and one of labels; here both are made from handwritten digits. A few seconds:

    python examples/own_csv.py
"""

from pathlib import Path
from tempfile import mkdtemp

from PIL import Image
from sklearn.datasets import load_digits

import rdr_core
import rdr_viz

NAMES = ("zero", "one", "two", "three", "four")


def write_images(folder: Path) -> Path:
    """Digits as PNG files, and the CSV file that lists them; you have your own."""
    digits, lines = load_digits(n_class=len(NAMES)), ["path,label"]
    for at, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        Image.fromarray((image * 15.9).astype("uint8")).save(folder / f"{at}.png")
        lines.append(f"{at}.png,{NAMES[label]}")
    (folder / "digits.csv").write_text("\n".join(lines))
    return folder / "digits.csv"


def main(folder: Path) -> dict:
    data = rdr_core.from_csv(write_images(folder), size=8, imbalance_factor=20)
    print(data)
    runs = [
        rdr_core.train(data, method=method, epochs=10, runs=folder / "runs", progress=False) for method in ("ce", "rdr")
    ]
    picture = rdr_viz.make_display("accuracy", runs)
    print(picture.finding)
    saved = picture.save(folder / "accuracy.png")
    curvature = rdr_viz.class_curvature(runs[1], by="group", epochs=[10], data=data, progress=False)
    print(curvature[["group", "lambda_max", "trace"]].to_string(index=False))
    return {"data": data, "runs": runs, "picture": saved, "curvature": curvature}


if __name__ == "__main__":
    place = Path(mkdtemp())
    main(place)
    print(f"All of it is in {place}.")
