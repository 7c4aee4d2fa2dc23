from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.data.arrays import as_class_names, as_images, as_labels, channel_statistics
from rdr_core.errors import RdrError


@pytest.mark.parametrize(
    "images",
    [
        np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2),
        torch.arange(24, dtype=torch.uint8).reshape(2, 3, 2, 2),
        np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3, order="F").transpose(0, 3, 1, 2),
        np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2)[:, ::-1],
        np.frombuffer(bytes(range(24)), dtype=np.uint8).reshape(2, 3, 2, 2),
    ],
    ids=["numpy", "torch", "strided", "reversed", "read-only"],
)
def test_images_keep_their_pixels(images):
    converted = as_images(images, "train_images")
    assert converted.dtype == torch.uint8
    assert np.array_equal(converted.numpy(), np.asarray(images))


def test_grey_images_get_a_channel():
    assert as_images(np.zeros((5, 28, 28), np.uint8), "x").shape == (5, 1, 28, 28)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            np.zeros((5, 32, 32, 3), np.uint8),
            r"^x has shape 5 x 32 x 32 x 3, which looks like N x H x W x C.*transpose",
        ),
        (torch.zeros(5, 3, 32, 32), r"^x has type float32 and shape 5 x 3 x 32 x 32, but pixels must be uint8"),
        (np.zeros((5, 3, 8, 8)), r"^x has type float64 .*N x C x H x W"),
        (np.zeros((5, 64), np.uint8), r"^x has shape 5 x 64, but images must be N x C x H x W"),
        (np.zeros((), np.uint8), r"^x has shape a single number, but"),
        (np.zeros((0, 3, 8, 8), np.uint8), r"^x has shape 0 x 3 x 8 x 8, which holds no pixel"),
    ],
)
def test_images_of_the_wrong_shape_or_type_are_told_what_is_wanted(images, message):
    with pytest.raises(RdrError, match=message):
        as_images(images, "x")


@pytest.mark.parametrize(
    "labels", [[2, 0, 1], np.array([2, 0, 1], np.uint8), np.array([2, 0, 1], ">i4"), torch.tensor([2, 0, 1])]
)
def test_labels_become_a_new_int64_array(labels):
    converted = as_labels(labels, 3, "y")
    assert converted.dtype == np.int64
    assert converted.tolist() == [2, 0, 1]
    converted[0] = 9
    assert labels[0] == 2


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0.0, 1.0, 2.0]), r"^y has type float64, but labels must be integers"),
        (torch.tensor([True, False, True]), r"^y has type bool, but labels must be integers"),
        ([0, 1], r"^y has shape 2, but there must be one label for each of the 3 images"),
        (np.zeros((3, 10), int), r"^y has shape 3 x 10, but"),
        ([0, -1, 1], r"^y holds -1, but labels must be 0 to d-1"),
    ],
)
def test_labels_that_are_no_classes_are_an_error(labels, message):
    with pytest.raises(RdrError, match=message):
        as_labels(labels, 3, "y")


def test_lists_of_numbers_are_images():
    grey = as_images([[[0, 255], [1, 2]], [[3, 4], [5, 6]]], "x")
    assert (grey.shape, grey.dtype) == ((2, 1, 2, 2), torch.uint8)
    assert grey.flatten().tolist() == [0, 255, 1, 2, 3, 4, 5, 6]
    assert as_images([np.zeros((3, 4, 4), np.uint8)] * 2, "x").shape == (2, 3, 4, 4)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([[[0, 256], [1, 2]]], "^x has type int64 .* must be uint8"),
        ([[[0.5, 1.0]]], "^x has type float64 .* must be uint8"),
        ([[[0, 1], [2]]], "^x holds images of different sizes"),
        ([[["a"]]], "^x has type <U1"),
        ([], r"^x has type float64 and shape 0"),
    ],
)
def test_lists_that_are_no_images_are_a_sentence(images, message):
    with pytest.raises(RdrError, match=message):
        as_images(images, "x")


def test_classes_are_counted_over_both_splits():
    assert as_class_names(None, np.array([0, 1, 2]), np.array([0])) == ("0", "1", "2")
    assert as_class_names(["cat", "dog"], np.array([1, 0]), np.array([0])) == ("cat", "dog")


@pytest.mark.parametrize(
    ("names", "train", "test", "message"),
    [
        (None, [0, 2], [0], r"^Class 1 of 0 to 2 has no training sample"),
        (None, [0, 1], [2], r"^Class 2 of 0 to 2 has no training sample"),
        (None, [1, 2], [1], r"^Class 0 of 0 to 2 has no training sample"),
        (None, [0, 10**15], [0], r"^Class 1 of 0 to 1000000000000000 has no training sample"),
        (["a", "b", "c"], [0, 1], [0], r"^Class 2 of 0 to 2 has no training sample"),
        (["a", "b"], [0, 1], [2], r"^A label is 2, but there are 2 class names, so labels 0 to 1"),
    ],
)
def test_a_class_without_a_sample_or_a_name_is_an_error(names, train, test, message):
    with pytest.raises(RdrError, match=message):
        as_class_names(names, np.array(train), np.array(test))


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_statistics_are_those_of_the_scaled_pixels(seed, channels):
    images = np.random.RandomState(seed).randint(0, 256, size=(3, channels, 4, 5), dtype=np.uint8)
    mean, std = channel_statistics(torch.from_numpy(images))
    np.testing.assert_allclose(mean, (images / 255).mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(std, (images / 255).std(axis=(0, 2, 3)), rtol=1e-9)


def test_a_constant_channel_has_deviation_1():
    assert channel_statistics(torch.full((2, 1, 3, 3), 51, dtype=torch.uint8)) == ((0.2,), (1.0,))
