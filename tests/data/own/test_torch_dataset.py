"""Data sets of torch's kind, whatever their samples are; and those of which nothing can be made."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Subset, TensorDataset

from rdr_core import RdrError, from_dataset, from_frame, from_series, load_data
from rdr_core.data.own.torch_dataset import as_sample


class Given:
    """Samples by number, as a list has them, with names of classes as torchvision's sets."""

    def __init__(self, samples, classes=()):
        self.samples, self.classes = samples, classes

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, at):
        sample = self.samples[at]
        if isinstance(sample, Exception):
            raise sample
        return sample


def images(n=12, mode="RGB", size=(6, 4)):
    return [(Image.new(mode, size, n % 256 if mode == "L" else (n, 0, 0)), int(n % 3 > 0)) for n in range(n)]


def test_images_are_the_same_as_pillow_bytes_or_floats():
    digits = load_data("digits", imbalance_factor=None).train
    few, labels = digits.inputs[:60], digits.labels[:60]
    forms = [
        TensorDataset(few, labels), TensorDataset(few / 255, labels), Given([*zip(few.numpy(), labels, strict=True)]),
        Given([(Image.fromarray(one[0].numpy()), int(y)) for one, y in zip(few, labels, strict=True)]),
        Subset(TensorDataset(digits.inputs, digits.labels), range(60)),
    ]  # fmt: skip
    made = [from_dataset(form) for form in forms]
    assert len({one.content_hash for one in made}) == 1
    assert made[0].kind.name == "images"
    assert sorted([*made[0].train.labels, *made[0].test.labels]) == sorted(labels)


def test_classes_have_their_names():
    data = from_dataset(Given(images(), ["cat", "dog"]))
    assert data.class_names == ("cat", "dog")
    data = from_dataset(Given([(one, 5 if y else 2) for one, y in images()], ["a"] * 2 + ["two", "b", "b", "five"]))
    assert data.class_names == ("two", "five")


def test_vectors_are_rows_and_matrices_are_series():
    import pandas as pd

    vectors, labels = torch.randn(12, 3), torch.tensor([0, 1, 1] * 4)
    rows = from_dataset(TensorDataset(vectors, labels))
    frame = from_frame(pd.DataFrame(vectors.numpy()).assign(y=labels.numpy()), "y")
    assert torch.equal(rows.train.inputs, frame.train.inputs)
    matrices = torch.randn(12, 2, 7)
    series = from_dataset(TensorDataset(matrices, labels))
    assert torch.equal(series.train.inputs, from_series(matrices, labels).train.inputs)


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        ([], "the data set is empty"),
        ([*images(), OSError("truncated")], r"1 can't be read \(OSError: truncated\) \(12\)"),
        ([*images(), (Image.new("F", (6, 4)), 1)], "1 have grey values of 32 bits, whose range is not known"),
        ([*images(), (np.zeros((3, 4, 6)) - 1, 1)], "must be bytes or floats from 0 to 1, not normalised"),
        ([*images(), (np.zeros((40, 60, 3), np.uint8), 1)], r"looks like \(H, W, C\)"),
        ([*images(), (np.zeros((4, 6), np.uint8), 1)], "may be a grey image, which must be"),
        ([*images(), (np.zeros((1, 3, 4, 6), np.uint8), 1)], r"it has shape \(1, 3, 4, 6\), and must be an image"),
        ([*images(), ("a.png", 1)], "it is a str of .*, and must be numbers or an image"),
        ([*images(), {"image": 1, "label": 1}], "it is a dict, and must be a pair"),
        ([*images(), *images(6, size=(5, 4))], r"Samples are of different shapes .*3x4x5 .*transforms.Resize"),
        ([*images(), *images(6, mode="L")], "Samples are of different shapes"),
        ([(one, None) for one, _ in images()], "None of the 12 samples of the data set can be used: 12 have no label"),
        ([(one, 0.5) for one, _ in images()], "holds 0.5"),
        ([(one, 1) for one, _ in images()], "one class only"),
        ([(torch.tensor([float("nan")]), 1), *[(torch.zeros(1), n % 2) for n in range(8)]], "hold NaN or infinity"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_one_sentence(samples, sentence):
    with pytest.raises(RdrError, match=sentence) as refused:
        from_dataset(Given(samples))
    assert "\n" not in str(refused.value)


def test_what_is_no_data_set():
    with pytest.raises(RdrError, match="is a generator; give a data set with len"):
        from_dataset(sample for sample in images())
    with pytest.raises(RdrError, match="Training samples are 3x4x6 uint8, test samples 3x5x5 uint8"):
        from_dataset(Given(images()), Given(images(size=(5, 5))))


def test_what_cannot_be_read_is_left_out_on_request(capsys):
    data = from_dataset(Given([*images(), OSError("truncated")]), leave_out=True)
    assert len(data.train) + len(data.test) == 12
    assert "1 of 13 samples of the data set can't be used and are left out" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I;16"])
def test_every_mode_of_pillow_is_bytes_of_one_or_three_channels(mode):
    made = as_sample(Image.new(mode, (6, 4)))
    assert made.dtype == np.uint8
    assert made.shape in ((1, 4, 6), (3, 4, 6))


def test_sixteen_bits_keep_their_upper_eight():
    values = np.arange(0, 2**16, 999, dtype=np.uint16).reshape(1, -1)
    assert as_sample(Image.fromarray(values))[0].tolist() == (values // 256).tolist()
