from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from rdr_core.data.arrays import as_images, channel_statistics
from rdr_core.data.datasets import DATASETS
from rdr_core.data.sources import load_source
from rdr_core.errors import RdrError


def test_importing_the_package_is_light():
    heavy = "torchvision sklearn pandas scipy matplotlib filelock jaxtyping"
    code = f"import sys, rdr_core.data; print([name for name in {heavy.split()} if name in sys.modules])"
    as_users = {name: value for name, value in os.environ.items() if name != "RDR_CHECK_SHAPES"}
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=as_users)
    assert printed.stdout.strip() == "[]"


def test_names_are_those_of_the_sources():
    known = DATASETS.all()
    assert sorted(known, key=lambda name: known[name].place) == [
        "digits",
        "mnist",
        "fashion-mnist",
        "cifar10",
        "cifar100",
        "imagenet-lt",
        "places-lt",
        "table",
        "text",
        "series",
        "folder",
        "csv",
    ]
    assert all(name == source.name and source.description for name, source in known.items())


def test_an_unknown_source_is_told_with_the_nearest(tmp_path):
    with pytest.raises(RdrError, match="no data set named 'cifar'; did you mean 'cifar10' or 'cifar100'"):
        load_source("cifar", tmp_path)


def test_digits_are_scikit_learns_split_once(tmp_path):
    from sklearn.datasets import load_digits

    raw, source = load_source("digits", tmp_path), DATASETS["digits"]
    assert raw.train_inputs.shape == (1297, *source.image_shape)
    assert np.bincount(raw.test_labels).tolist() == [50] * 10
    assert np.bincount(raw.train_labels).min() == source.n_max
    # Each published image is in one split, its 17 grey values spread over 0..255.
    both = np.concatenate([raw.train_inputs, raw.test_inputs])[:, 0]
    assert sorted(image.tobytes() for image in both) == sorted(
        np.round(image * 255 / 16).astype(np.uint8).tobytes() for image in load_digits().images
    )
    assert both.max() == 255
    assert list(tmp_path.iterdir()) == []


def test_digits_are_read_without_importing_scikit_learn_which_takes_a_second(tmp_path):
    code = "import sys, rdr_core; rdr_core.load_data('digits'); print('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
    absent = "import sys; sys.modules['sklearn'] = None; import rdr_core; rdr_core.load_data('digits')"
    said = subprocess.run([sys.executable, "-c", absent], capture_output=True, text=True, check=False)
    assert "RdrError: the digits come with scikit-learn, which is not installed here" in said.stderr


def test_digits_are_normalised_by_the_training_pools_statistics(tmp_path):
    raw = load_source("digits", tmp_path)
    mean, std = channel_statistics(as_images(raw.train_inputs, "train_images"))
    np.testing.assert_allclose([raw.mean, raw.std], [mean, std], atol=5e-5)
