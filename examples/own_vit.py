"""A vision transformer of timm's, trained with RDR on digits of 32 x 32.

The network needs timm (pip install timm), which the toolkit does without; no weights are downloaded. A minute:

    python examples/own_vit.py
"""

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

from own_torch_dataset import Digits

import rdr_core
import rdr_viz


def main(folder: Path) -> dict:
    if find_spec("timm") is None:
        print("timm is missing, so this example is skipped; install it with: pip install timm")
        return {}
    import timm

    data = rdr_core.from_dataset(Digits(), imbalance_factor=10)
    vit = partial(
        timm.create_model, "vit_tiny_patch16_224", num_classes=3, img_size=32, patch_size=8, depth=2, embed_dim=48
    )
    run = rdr_core.train(
        data, method="rdr", model=vit, epochs=3, batch_size=16, learning_rate=0.02, runs=folder / "runs", progress=False
    )
    picture = rdr_viz.make_display("accuracy", [run])
    print(picture.finding)
    saved = picture.save(folder / "accuracy.png")
    # A first look at one class, by few products; what the usual errors cost is in docs/curvature.md.
    curvature = rdr_viz.class_curvature(
        run, classes=[2], epochs=[3], data=data, relative_error=10, budget=3, progress=False
    )
    print(curvature[["class", "lambda_max", "trace"]].to_string(index=False))
    return {"data": data, "runs": [run], "picture": saved, "curvature": curvature}


if __name__ == "__main__":
    place = Path(mkdtemp())
    main(place)
    print(f"All of it is in {place}.")
