"""RDR in Hugging Face's Trainer: one method overridden, and the weights a part of the model, so saved with it.

About ten seconds on a laptop:

    pip install transformers accelerate
    python examples/hugging_face_trainer.py
"""

import os
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing here is on the hub

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import Trainer, TrainingArguments

from rdr_core import RDRWeights, load_data


class Digits(nn.Module):
    """A network as Trainer wants it: keywords in, a mapping out, its loss first."""

    def __init__(self, class_counts: Tensor) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU())
        self.classifier = nn.Linear(32, len(class_counts))
        self.rdr = RDRWeights(class_counts, feature_dim=32)

    def forward(self, pixel_values: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        features = self.body(pixel_values)
        logits = self.classifier(features)
        if labels is None:
            return {"logits": logits}
        weights = self.rdr(features, labels)
        return {"loss": (weights * F.cross_entropy(logits, labels, reduction="none")).mean(), "logits": logits}


class Samples(torch.utils.data.Dataset):
    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images / 255, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, at: int) -> dict[str, Tensor]:
        return {"pixel_values": self.images[at], "labels": self.labels[at]}


def main(epochs: int = 20) -> dict:
    data = load_data("digits", imbalance_factor=50)
    torch.manual_seed(0)
    model = Digits(data.class_counts)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model,
            TrainingArguments(
                folder, num_train_epochs=epochs, per_device_train_batch_size=32, learning_rate=3e-3, use_cpu=True,
                report_to=[], save_strategy="no", logging_strategy="epoch", disable_tqdm=True,
            ),
            train_dataset=Samples(data.train.inputs, data.train.labels),
        )  # fmt: skip
        trainer.train()
        found = trainer.predict(Samples(data.test.inputs, data.test.labels))
        trainer.save_model(folder)
        saved = sorted(os.listdir(folder))
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    accuracy = 100 * float((found.predictions.argmax(1) == data.test.labels.numpy()).mean())
    print(f"loss {losses[0]:.2f} at first, {losses[-1]:.2f} at last; test accuracy {accuracy:.1f} %")
    return {"losses": losses, "accuracy": accuracy, "rdr": model.rdr, "saved": saved}


if __name__ == "__main__":
    main()
