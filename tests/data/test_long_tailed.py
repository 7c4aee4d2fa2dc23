from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from rdr_core.data import LongTailedData, from_arrays, groups_by_rank
from rdr_core.data.noise import flip_labels
from rdr_core.data.profiles import exponential
from rdr_core.data.subsets import indices_hash
from rdr_core.errors import RdrError

SOURCE_COUNTS = [40, 30, 50, 35]


def arrays() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.RandomState(1)
    labels = draw.permutation(np.repeat(np.arange(4), SOURCE_COUNTS))
    images = draw.randint(0, 256, size=(len(labels), 3, 5, 6), dtype=np.uint8)
    test_labels = np.repeat(np.arange(4), 2)
    return images, labels, draw.randint(0, 256, size=(8, 3, 5, 6), dtype=np.uint8), test_labels


def make(**options) -> LongTailedData:
    return from_arrays(*arrays(), **options)


def test_without_a_factor_the_source_is_taken_as_it_is():
    images, labels, test_images, test_labels = arrays()
    data = make()
    assert np.array_equal(data.train.inputs.numpy(), images)
    assert np.array_equal(data.train.labels.numpy(), labels)
    assert np.array_equal(data.test.inputs.numpy(), test_images)
    assert np.array_equal(data.test.labels.numpy(), test_labels)
    assert data.class_counts.tolist() == SOURCE_COUNTS
    assert data.imbalance_factor is None
    assert data.profile is None


@pytest.mark.parametrize("factor", [1, 5, 30])
def test_a_factor_starts_from_the_sources_smallest_class(factor):
    images, labels, _, _ = arrays()
    data = make(imbalance_factor=factor, seed=2)
    assert data.class_counts.tolist() == exponential(30, 4, factor).tolist()
    assert np.array_equal(data.train.inputs.numpy(), images[data.indices])
    assert np.array_equal(data.train.labels.numpy(), labels[data.indices])
    assert data.indices_hash == indices_hash(data.indices)
    assert len(data.test) == 8


def test_counts_and_priors_are_those_of_the_labels():
    data = make(imbalance_factor=10)
    brute = [int((data.train.labels == c).sum()) for c in range(4)]
    assert data.num_classes == 4
    assert data.class_counts.dtype == torch.int64
    assert data.class_counts.tolist() == brute
    assert data.priors.dtype == torch.float32
    torch.testing.assert_close(data.priors, torch.tensor(brute) / sum(brute))


@pytest.mark.parametrize("noise", ["symmetric", "prior"])
def test_noise_changes_the_counts_but_neither_subset_groups_nor_test(noise):
    clean, noisy = make(imbalance_factor=10), make(imbalance_factor=10, noise_rate=0.3, noise=noise)
    assert np.array_equal(clean.indices, noisy.indices)
    assert torch.equal(clean.train.inputs, noisy.train.inputs)
    assert torch.equal(clean.train.labels, noisy.clean_labels)
    assert torch.equal(clean.test.labels, noisy.test.labels)
    assert int((noisy.train.labels != noisy.clean_labels).sum()) == int(0.3 * len(noisy.train))
    assert torch.equal(noisy.class_counts, torch.bincount(noisy.train.labels))
    assert torch.equal(noisy.clean_class_counts, clean.class_counts)
    assert not torch.equal(noisy.class_counts, clean.class_counts)


def test_groups_are_those_of_the_clean_counts_even_where_noise_changes_the_ranks():
    groups = make().groups.of_class.tolist()
    noisy = [make(noise_rate=0.6, seed=seed) for seed in range(10)]
    assert any(groups_by_rank(data.class_counts).of_class.tolist() != groups for data in noisy)
    assert all(data.groups.of_class.tolist() == groups for data in noisy)


def test_noise_that_empties_a_class_is_an_error():
    images, labels = np.zeros((41, 4, 4), np.uint8), np.repeat([0, 1, 2], [20, 20, 1])
    emptying = [seed for seed in range(20) if 2 not in flip_labels(labels, 3, 0.3, "prior", seed)]
    assert 0 < len(emptying) < 20
    for seed in emptying:
        with pytest.raises(RdrError, match=rf"^Prior label noise at rate 0.3 \(seed {seed}\) leaves class 2 without"):
            from_arrays(images, labels, images, labels, noise_rate=0.3, noise="prior", seed=seed)


@pytest.mark.usefixtures("global_generators_untouched")
def test_the_same_options_give_the_same_set_and_another_seed_another():
    first = make(imbalance_factor=10, noise_rate=0.1, seed=1)
    again = make(imbalance_factor=10, noise_rate=0.1, seed=1)
    other = make(imbalance_factor=10, noise_rate=0.1, seed=2)
    assert first.content_hash == again.content_hash != other.content_hash
    assert first.indices_hash == again.indices_hash != other.indices_hash


def test_the_content_hash_sees_every_byte():
    images, labels, test_images, test_labels = arrays()
    hashes = {make().content_hash}
    for k, array in enumerate((images, labels, test_images, test_labels)):
        changed = [a.copy() for a in (images, labels, test_images, test_labels)]
        changed[k].flat[-1] = (array.flat[-1] + 1) % 4
        hashes.add(from_arrays(*changed).content_hash)
    hashes.add(
        from_arrays(images.transpose(0, 1, 3, 2), labels, test_images.transpose(0, 1, 3, 2), test_labels).content_hash
    )
    assert len(hashes) == 6
    assert all(len(h) == 16 for h in hashes)


def test_torch_and_numpy_give_the_same_and_inputs_stay_apart():
    given = arrays()
    data = from_arrays(*(torch.from_numpy(array) for array in given), imbalance_factor=3)
    assert data.content_hash == from_arrays(*given, imbalance_factor=3).content_hash
    for array in given:
        array[:] = 0
    assert data.test.inputs.any()
    assert data.test.labels.any()


def test_grey_images_and_one_class_work():
    images = np.zeros((5, 4, 4), np.uint8)
    data = from_arrays(images, [0] * 5, images, [0] * 5, imbalance_factor=3)
    assert data.train.inputs.shape == (5, 1, 4, 4)
    assert data.class_counts.tolist() == [5]
    assert data.groups.of_class.tolist() == ["Medium"]


def test_mean_and_std_are_measured_on_what_is_kept_unless_given():
    data = make(imbalance_factor=10)
    scaled = data.train.inputs.double() / 255
    np.testing.assert_allclose(data.mean, scaled.mean(dim=(0, 2, 3)))
    np.testing.assert_allclose(data.std, scaled.std(dim=(0, 2, 3), correction=0))
    given = make(mean=[0.5, 0.5, 0.5])
    assert given.mean == (0.5, 0.5, 0.5)
    assert given.std == make().std


def test_groups_are_by_rank_or_by_count():
    assert make().groups.of_class.tolist() == ["Medium", "Few", "Many", "Medium"]
    assert make(groups="count").groups.of_class.tolist() == ["Medium"] * 4


def test_the_data_cannot_be_changed_by_accident():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make().seed = 3


def test_it_prints_in_one_line():
    names = ["ant", "bee", "cat", "dog"]
    assert repr(make(name="zoo", class_names=names)) == (
        "LongTailedData(zoo, imbalance as given, 155 train and 8 test images of 3x5x6, "
        "4 classes from 50 ('cat') to 30 ('bee'))"
    )
    assert str(make(imbalance_factor=10, profile="step", noise_rate=0.05)) == (
        "LongTailedData(arrays, IF 10 step, 0.05 symmetric label noise, 66 train and 8 test images of 3x5x6, "
        "4 classes from 29 ('0') to 3 ('2'))"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"imbalance_factor": 31}, "31 leaves class 3 without an image.* that works is 30"),
        ({"imbalance_factor": 2, "profile": "linear"}, "no profile named 'linear'"),
        ({"noise_rate": 1}, "The noise rate is 1"),
        ({"noise_rate": 0.1, "noise": "asymmetric"}, "no label noise named 'asymmetric'; did you mean 'symmetric'"),
        ({"groups": "counts"}, "no grouping named 'counts'; did you mean 'count'"),
        ({"mean": [0.5]}, r"^mean is \(0.5,\), but it must hold one finite number for each of the 3 channels"),
        ({"std": [0.5, 0.0, 0.5]}, "^std is .* one finite number above 0 for each of the 3 channels"),
        ({"class_names": ["a", "b"]}, "A label is 3, but there are 2 class names"),
        ({"imbalance_factor": 2, "seed": -1}, "The seed is -1"),
    ],
)
def test_bad_options_are_told_in_one_sentence(options, message):
    with pytest.raises(RdrError, match=message):
        make(**options)


def test_bad_arrays_are_told_by_name():
    images, labels, test_images, test_labels = arrays()
    with pytest.raises(RdrError, match=r"^train_images has shape"):
        from_arrays(images.transpose(0, 2, 3, 1), labels, test_images, test_labels)
    with pytest.raises(RdrError, match=r"^test_labels has shape 7"):
        from_arrays(images, labels, test_images, test_labels[:7])
    with pytest.raises(RdrError, match=r"^Training images are 3 x 5 x 6 but test images 3 x 4 x 6"):
        from_arrays(images, labels, test_images[:, :, 1:], test_labels)
