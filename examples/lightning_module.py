"""RDR in PyTorch Lightning: the weights are a submodule, so that their prototypes are in every checkpoint.

Trains on long-tailed digits (124 zeros, but 2 nines), saves a checkpoint, loads it, and shows that the prototypes are
there again. About ten seconds on a laptop:

    pip install lightning
    python examples/lightning_module.py
"""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import lightning as L
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rdr_core import RDRWeights, load_data


class RDRClassifier(L.LightningModule):
    """A small network trained with RDR's weights.

    Args:
        class_counts: training images of each class; a list, so that a checkpoint can hold it.
        feature_dim: features that the last layer sees.
    """

    def __init__(self, class_counts: list[int], feature_dim: int = 32) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, feature_dim), nn.ReLU())
        self.classifier = nn.Linear(feature_dim, len(class_counts))
        self.rdr = RDRWeights(torch.tensor(class_counts), feature_dim=feature_dim)
        self.losses: list[float] = []

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.body(images))

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        images, labels = batch
        features = self.body(images)
        weights = self.rdr(features, labels)
        loss = (weights * F.cross_entropy(self.classifier(features), labels, reduction="none")).mean()
        self.log("loss", loss, on_step=False, on_epoch=True, batch_size=len(labels))
        return loss

    def on_train_epoch_end(self) -> None:
        self.losses.append(float(self.trainer.callback_metrics["loss"]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9)


class Batches:
    """Shuffled batches of tensors in memory; Lightning takes any iterable, and these need no worker processes."""

    def __init__(self, images: Tensor, labels: Tensor, size: int = 32) -> None:
        self.images, self.labels, self.size = images, labels, size

    def __len__(self) -> int:
        return -(-len(self.labels) // self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in torch.randperm(len(self.labels)).split(self.size):
            yield self.images[batch], self.labels[batch]


def main(epochs: int = 40) -> dict:
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # no notes on hardware and tips
    torch.manual_seed(0)
    data = load_data("digits", imbalance_factor=50)
    model = RDRClassifier(data.class_counts.tolist())
    trainer = L.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,  # saved by hand below
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, Batches(data.train.inputs / 255, data.train.labels))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.ckpt"
        trainer.save_checkpoint(path)
        loaded = RDRClassifier.load_from_checkpoint(path).eval()
    with torch.no_grad():
        accuracy = 100 * (loaded(data.test.inputs / 255).argmax(1) == data.test.labels).double().mean().item()
    same = torch.equal(model.rdr.prototypes, loaded.rdr.prototypes)
    print(f"loss {model.losses[0]:.2f} in the first epoch, {model.losses[-1]:.2f} in the last")
    print(f"prototypes loaded: {len(loaded.rdr.prototypes)} classes, {'as' if same else 'not as'} they were saved")
    print(f"test accuracy of the loaded network: {accuracy:.1f} %")
    return {"losses": model.losses, "model": model, "loaded": loaded, "accuracy": accuracy}


if __name__ == "__main__":
    main()
