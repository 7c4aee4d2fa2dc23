"""Whatever is asked of a split, no more than a batch of its images are floats at a time: memory is the answer's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rdr_core
from rdr_core.data.disk.stored import StoredImages
from rdr_core.training import inference
from rdr_viz.analysis.curvature import class_curvature
from rdr_viz.analysis.geometry import features
from rdr_viz.analysis.predictions import predictions
from rdr_viz.analysis.priors import following
from rdr_viz.analysis.replayed_ratios import ratio_reliability
from rdr_viz.analysis.surface import loss_surface
from rdr_viz.analysis.weights import shares

IMAGES, BATCH = 3000, 1000


@pytest.fixture(scope="module")
def run_and_data(tmp_path_factory):
    """A run on images that stay on disk, more of them than a batch takes."""
    folder = tmp_path_factory.mktemp("large")
    np.save(folder / "pixels.npy", np.random.default_rng(0).integers(0, 256, (IMAGES, 1, 8, 8), dtype=np.uint8))
    stored = StoredImages(np.load(folder / "pixels.npy", mmap_mode="r"), "made up", 8)
    labels = np.arange(IMAGES) % 3
    data = rdr_core.from_arrays(stored, labels, stored, labels, mean=[0.5], std=[0.25])
    assert isinstance(data.train.inputs, StoredImages)
    run = rdr_core.train(data, method="ce", model="small", epochs=1, runs=folder, device="cpu", progress=False)
    return run, data


ASKED = {
    "predictions": lambda run, data: predictions(run, data=data),
    "features": lambda run, data: features(run, data=data),
    "measures": lambda run, data: rdr_core.evaluate(run, data=data, device="cpu"),
    "test priors": lambda run, data: following(run, data=data),
    "shares": lambda run, data: shares(run, data=data),
    "ratios": lambda run, data: ratio_reliability(run, passes=2, data=data),
    "surface": lambda run, data: loss_surface(run, points=3, data=data),
    "curvature": lambda run, data: class_curvature(run, by="all", relative_error=0.5, data=data, progress=False),
}


@pytest.mark.parametrize("what", ASKED)
def test_no_more_than_a_batch_is_floats(what, run_and_data, monkeypatch):
    normalise, sizes = inference.normalise, []

    def watched(images, mean, std):
        sizes.append(len(images))
        return normalise(images, mean, std)

    monkeypatch.setattr(inference, "normalise", watched)
    ASKED[what](*run_and_data)
    assert sum(sizes) >= IMAGES, "the images were looked at by the engine"
    assert max(sizes) <= BATCH


def test_a_hessian_of_batches_is_that_of_the_whole(run_and_data):
    """Products, loss and gradient are the same bits, whether images are normalised at once or batch by batch."""
    run, data = run_and_data
    inputs, labels = inference.Inputs.of(data, "train"), data.train.labels
    ask = {"batch_size": 700, "dtype": torch.float64, "memory": 0}
    from rdr_viz.analysis.curvature import Hessian

    whole, streamed = Hessian(run.model(), inputs[:], labels, **ask), Hessian(run.model(), inputs, labels, **ask)
    vector = torch.randn(whole.parameters, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.equal(streamed.hvp(vector), whole.hvp(vector))
    assert torch.equal(streamed.gradient(), whole.gradient())
    assert streamed.mean_loss() == whole.mean_loss()
