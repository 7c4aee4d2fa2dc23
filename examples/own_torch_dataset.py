"""Your own torch data set and your own network: here digits as torchvision would give them, and its ResNet-18.

Any data set with ``len()`` and ``[number]`` will do, and any network whose last layer is linear. A minute:

    python examples/own_torch_dataset.py
"""

from pathlib import Path
from tempfile import mkdtemp

from PIL import Image
from sklearn.datasets import load_digits
from torch.utils.data import Dataset
from torchvision.models import resnet18

import rdr_core
import rdr_viz


class Digits(Dataset):
    """Pillow's images of 32 x 32 in colour, with their labels, as torchvision's sets without a transform."""

    classes = ("zero", "one", "two")

    def __init__(self, number: int = 120) -> None:
        self.digits, self.number = load_digits(n_class=3), number

    def __len__(self) -> int:
        return self.number

    def __getitem__(self, at: int) -> tuple[Image.Image, int]:
        image = Image.fromarray((self.digits.images[at] * 15.9).astype("uint8"))
        return image.convert("RGB").resize((32, 32)), int(self.digits.target[at])


def main(folder: Path) -> dict:
    data = rdr_core.from_dataset(Digits(), imbalance_factor=10)
    print(data)
    # A class or function is called with num_classes, and its weights follow from the seed; a module is copied.
    runs = [
        rdr_core.train(data, method=method, model=resnet18, epochs=1, batch_size=16, learning_rate=0.02,
                       runs=folder / "runs", progress=False)
        for method in ("ce", "rdr")
    ]  # fmt: skip
    picture = rdr_viz.make_display("accuracy", runs)
    print(picture.finding)
    saved = picture.save(folder / "accuracy.png")

    again = rdr_core.Run.open(runs[1].path, model=resnet18)  # in another session, the network is given again
    print(f"{sum(weight.numel() for weight in again.model().parameters()):,} weights")
    # A first look at one class of 11 million weights: the fewest products and probes, whatever their error is.
    curvature = rdr_viz.class_curvature(
        again, classes=[2], epochs=[1], data=data, relative_error=1000, budget=3, progress=False
    )
    print(curvature[["class", "lambda_max", "converged", "trace", "trace_standard_error"]].to_string(index=False))
    return {"data": data, "runs": runs, "picture": saved, "curvature": curvature}


if __name__ == "__main__":
    place = Path(mkdtemp())
    main(place)
    print(f"All of it is in {place}.")
