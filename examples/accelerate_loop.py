"""RDR in Hugging Face Accelerate: the loop as it is, with weights; `accelerate launch` runs it on several GPUs.

The weights are prepared with everything else, so that they move to the device; under several processes a batch is that
of all of them, and each has the same prototypes. About ten seconds on a laptop:

    pip install accelerate
    python examples/accelerate_loop.py
"""

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from rdr_core import RDRWeights, load_data


def main(epochs: int = 20) -> dict:
    torch.manual_seed(0)
    data = load_data("digits", imbalance_factor=50)
    body = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU())
    model = nn.ModuleDict({"body": body, "classifier": nn.Linear(32, data.num_classes)})
    rdr = RDRWeights(data.class_counts, feature_dim=32)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    batches = DataLoader(TensorDataset(data.train.inputs / 255, data.train.labels), batch_size=32, shuffle=True)

    accelerator = Accelerator(cpu=True)
    model, optimizer, batches = accelerator.prepare(model, optimizer, batches)
    rdr = rdr.to(accelerator.device)
    losses = []
    for _ in range(epochs):
        for images, labels in batches:
            features = model["body"](images)
            weights = rdr(features, labels)
            loss = (weights * F.cross_entropy(model["classifier"](features), labels, reduction="none")).mean()
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
    with torch.no_grad():
        logits = model["classifier"](model["body"]((data.test.inputs / 255).to(accelerator.device)))
    accuracy = 100 * (logits.argmax(1).cpu() == data.test.labels).double().mean().item()
    print(f"loss {losses[0]:.2f} at first, {losses[-1]:.2f} at last; test accuracy {accuracy:.1f} %")
    return {"losses": losses, "accuracy": accuracy, "rdr": rdr}


if __name__ == "__main__":
    main()
