"""Feeding and cropping of photographs: the right images in order, crops as torchvision has them, by seed alone."""

from __future__ import annotations

import mmap
import threading
from contextlib import closing

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from waiting import wait_for

from rdr_core import RdrError
from rdr_core.data.disk.stored import StoredImages
from rdr_core.models import MODELS, build_model
from rdr_core.models.pretrained import PRETRAINED, pretrained_weights, start_from
from rdr_core.training.augment import Augmentation
from rdr_core.training.feed import AHEAD, feed
from rdr_core.training.inference import Inputs, class_probabilities, features_and_logits, predict
from rdr_core.training.normalise import normalise
from rdr_core.training.resized_crop import EpochCrops, ResizedCrops, interpolation, random_parts, resized_parts

CPU = torch.device("cpu")


def pixels(count: int, side: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 3, side, side), dtype=np.uint8)


@given(st.integers(1, 30), st.integers(1, 7), st.integers(0, 99))
def test_images_on_disk_are_fed_as_those_in_memory(count, size, seed):
    stored = StoredImages(pixels(count), "f", 6)
    order = torch.randint(count, (2 * count,), generator=torch.Generator().manual_seed(seed))
    ours, theirs = (list(feed(images, order.split(size), CPU)) for images in (stored, stored[:]))
    assert len(ours) == len(theirs) == -(-2 * count // size)
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


class Watched(StoredImages):
    """Notes which batches are read; the first and the third when the next has been, so that they end out of order."""

    def __getitem__(self, index):
        number = int(index[0])
        if number in (0, 2):
            wait_for(lambda: number + 1 in self.read, f"batch {number + 1}, read beside {number}")
        self.read.append(number)
        return super().__getitem__(index)


def test_batches_are_read_ahead_but_not_all_of_them_and_come_in_order():
    images = Watched(pixels(40), "f", 8)
    images.read = []
    with closing(feed(images, torch.arange(40).split(1), CPU)) as batches:
        first = next(batches)
        assert torch.equal(first, images.whole[torch.tensor([0])])
        wait_for(lambda: len(images.read) > AHEAD, f"{AHEAD + 1} batches read", seen=lambda: images.read)
        assert sorted(images.read) == list(range(AHEAD + 1)), "one is out, the next are there already"
        rest = torch.cat(list(batches))
    assert torch.equal(torch.cat([first, rest]), torch.from_numpy(images.pixels))


def test_a_feed_that_is_left_early_leaves_no_thread():
    with closing(feed(StoredImages(pixels(40), "f", 8), torch.arange(40).split(1), CPU)) as batches:
        next(batches)
        assert any(thread.name.startswith("feed") for thread in threading.enumerate())
    assert not any(thread.name.startswith("feed") for thread in threading.enumerate())


@pytest.mark.skipif(not hasattr(mmap, "MADV_WILLNEED"), reason="this system takes no such hint")
def test_the_system_is_told_which_pages_of_the_file_are_read_and_of_no_others(tmp_path, monkeypatch):
    class Told(mmap.mmap):
        """Notes the bytes that it is told of."""

        def madvise(self, option, start, length):
            told.append((start, start + length))
            super().madvise(option, start, length)

    told = []
    np.save(tmp_path / "pixels.npy", pixels(9, 64))
    monkeypatch.setattr(mmap, "mmap", Told)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    rows = np.array([7, 2, 8])
    found = StoredImages(mapped, "f", 64, rows=np.arange(9)[::-1])[torch.from_numpy(rows)]
    assert torch.equal(found, torch.from_numpy(pixels(9, 64)[8 - rows]))
    size = 3 * 64 * 64
    for row, (start, end) in zip(8 - rows, told, strict=True):
        wanted = mapped.offset + row * size
        assert start % mmap.PAGESIZE == 0
        assert start <= wanted < start + mmap.PAGESIZE
        assert end == wanted + size


def test_an_error_of_a_reading_thread_ends_the_feed():
    images = StoredImages(pixels(4), "f", 8)
    with pytest.raises(IndexError):
        list(feed(images, torch.tensor([0, 1, 9]).split(1), CPU))


@given(st.data())
def test_a_resized_part_is_torchvisions_resized_crop(data):
    from torchvision.transforms import v2

    total, side = data.draw(st.integers(8, 40)), data.draw(st.integers(2, 24))
    height, width = data.draw(st.integers(1, total)), data.draw(st.integers(1, total))
    top, left = data.draw(st.integers(0, total - height)), data.draw(st.integers(0, total - width))
    flip = data.draw(st.booleans())
    image = torch.from_numpy(pixels(1, total))
    ours = resized_parts(image, torch.tensor([[top, left, height, width]]), torch.tensor([flip]), side)
    expected = v2.functional.resized_crop(
        image.double(), top, left, height, width, [side, side], v2.InterpolationMode.BILINEAR, antialias=True
    )
    expected = expected.flip(3) if flip else expected
    torch.testing.assert_close(ours.double(), expected, atol=1e-3, rtol=0)  # of 255


def test_images_of_a_batch_have_parts_of_their_own():
    images = torch.from_numpy(pixels(4, 32))
    parts = random_parts(4, 32, torch.Generator().manual_seed(0))
    flip = torch.tensor([True, False, True, False])
    together = resized_parts(images, parts, flip, 16)
    alone = [resized_parts(images[i : i + 1], parts[i : i + 1], flip[i : i + 1], 16) for i in range(4)]
    torch.testing.assert_close(together, torch.cat(alone))


def test_interpolation_of_the_whole_at_its_own_size_is_the_identity():
    same = interpolation(torch.tensor([0]), torch.tensor([9]), side=9, total=9)
    assert torch.equal(same[0], torch.eye(9))


def test_random_parts_are_distributed_as_torchvisions():
    from torchvision.transforms import RandomResizedCrop

    count, side = 4000, 256
    ours = random_parts(count, side, torch.Generator().manual_seed(1)).double()
    assert (ours[:, :2] >= 0).all()
    assert (ours[:, :2] + ours[:, 2:] <= side).all()
    with torch.random.fork_rng():
        torch.manual_seed(2)
        image = torch.empty(3, side, side)
        theirs = [RandomResizedCrop.get_params(image, [0.08, 1.0], [3 / 4, 4 / 3]) for _ in range(count)]
    theirs = torch.tensor(theirs, dtype=torch.float64)
    from scipy.stats import ks_2samp

    for name, of in {
        "top": lambda p: p[:, 0],
        "left": lambda p: p[:, 1],
        "area": lambda p: p[:, 2] * p[:, 3],
        "ratio": lambda p: p[:, 3] / p[:, 2],
    }.items():
        # Both seeds are fixed; a wrong distribution (say, ratio uniform instead of log-uniform) gives p < 1e-9.
        assert ks_2samp(of(ours), of(theirs)).pvalue > 0.001, name


def test_an_epochs_crops_depend_on_seed_and_epoch_alone():
    images, stats = torch.from_numpy(pixels(6, 32)), (torch.full((3,), 0.5), torch.full((3,), 0.25))

    def batch(seed, epoch, name="plain"):
        crops = ResizedCrops(name, 24, True, seed)
        return crops.epoch(epoch, 6, images.shape, CPU)(images, 0, *stats)

    once = batch(0, 1)
    torch.rand(3)
    assert torch.equal(once, batch(0, 1))
    assert not torch.equal(once, batch(0, 2))
    assert not torch.equal(once, batch(1, 1))
    whole, half = ResizedCrops("plain", 24, True, 0).epoch(1, 6, images.shape, CPU), slice(3, 6)
    torch.testing.assert_close(whole(images[half], 3, *stats), once[half])
    assert torch.equal(batch(0, 1, "none"), normalise(images[:, :, 4:28, 4:28], *stats)), "the centre, as in evaluation"


def test_crops_are_normalised_as_the_images_that_are_tested():
    """The whole image, unresized, is what evaluation sees of it."""
    images, stats = torch.from_numpy(pixels(2, 24)), (torch.full((3,), 0.5), torch.full((3,), 0.25))
    whole, unflipped = torch.tensor([[0, 0, 24, 24]] * 2), torch.zeros(2, dtype=torch.bool)
    crops = EpochCrops(ResizedCrops("plain", 24, True, 0), whole, unflipped)
    torch.testing.assert_close(crops(images, 0, *stats), normalise(images, *stats))


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("name", ["none", "plain", "strong", "authors"])
def test_what_training_sees_lies_within_the_range_that_tests_see(name, on_disk):
    """Of every augmentation of images, so that none is scaled on its own."""
    if on_disk and name not in ("none", "plain"):
        return
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (8, 3, 40, 40), dtype=torch.uint8, generator=random)
    stats = torch.tensor([0.4, 0.5, 0.6]), torch.tensor([0.2, 0.25, 0.3])
    augmentation = ResizedCrops(name, 32, True, 0) if on_disk else Augmentation(name, 4, True, 0)
    epoch = augmentation.epoch(0, 8, images.shape, CPU)
    prepared, rows = epoch.prepare(images, torch.arange(8))
    seen = epoch(prepared[rows], 0, *stats)
    for channel, (low, high) in enumerate(zip(-stats[0] / stats[1], (1 - stats[0]) / stats[1], strict=True)):
        assert seen[:, channel].amin() >= low - 1e-4
        assert seen[:, channel].amax() <= high + 1e-4
        assert seen[:, channel].std() > 0.2 * (high - low) / 4, "all of the range is used"


def test_augmentations_that_photographs_cant_have_are_told():
    with pytest.raises(RdrError, match="augmentation 'strong' is made for CIFAR"):
        ResizedCrops("strong", 224, True, 0).check(3)
    with pytest.raises(RdrError, match="no augmentation named 'plane'; did you mean 'plain'"):
        ResizedCrops("plane", 224, True, 0).check(3)


def test_a_test_set_on_disk_is_judged_as_in_memory():
    model = build_model("small", num_classes=4, channels=3)
    stored, stats = StoredImages(pixels(50, 32), "f", 24), (torch.full((3,), 0.5), torch.full((3,), 0.25))
    on_disk, in_memory = Inputs(stored, *stats), Inputs(stored[:], *stats)
    assert torch.equal(predict(model, on_disk), predict(model, in_memory))
    assert torch.equal(class_probabilities(model, on_disk), class_probabilities(model, in_memory))
    for one, other in zip(features_and_logits(model, on_disk), features_and_logits(model, in_memory), strict=True):
        assert torch.equal(one, other)
    shares = [predict(model, on_disk, share) for share in (slice(20), slice(20, None))]
    assert torch.equal(torch.cat(shares), predict(model, on_disk))
    rows = torch.tensor([40, 3, 3])
    assert torch.equal(on_disk.choose(rows)[:], normalise(stored[rows], *stats))
    assert torch.equal(on_disk[rows], in_memory.choose(rows)[:])


@pytest.mark.parametrize(
    ("name", "blocks", "feature_dim", "parameters"),
    [("resnet10", 4, 512, 5_418_792), ("resnet50", 16, 2048, 25_557_032), ("resnet152", 50, 2048, 60_192_808)],
)
def test_resnets_for_photographs(name, blocks, feature_dim, parameters):
    network = build_model(name, num_classes=1000, channels=3).eval()
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert sum(type(module).__name__ in ("BasicBlock", "Bottleneck") for module in network.modules()) == blocks
    with torch.no_grad():
        features, logits = network.features_and_logits(torch.zeros(1, 3, 64, 64))
    assert (features.shape, logits.shape) == ((1, feature_dim), (1, 1000))


def test_resnets_for_photographs_refuse_grey_images():
    with pytest.raises(RdrError, match=r"resnet10 takes colour images, these have 1 channel\(s\)"):
        build_model("resnet10", num_classes=10, channels=1)


@pytest.fixture(scope="module")
def published_weights():
    """Weights of torchvision's whole network, as a file of them has it."""
    from torchvision.models import resnet50

    return resnet50(weights=None).state_dict()


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_a_network_starts_from_a_file_of_weights(ending, published_weights, tmp_path):
    from safetensors.torch import save_file

    (tmp_path / "weights").mkdir()
    file = tmp_path / "weights" / f"resnet50{ending}"
    torch.save(published_weights, file) if ending == ".pth" else save_file(published_weights, file)
    network = build_model("resnet50-imagenet", num_classes=7, channels=3)
    classifier = network.classifier.weight.clone()
    start_from(network, pretrained_weights("resnet50-imagenet", tmp_path), "resnet50-imagenet")
    body = network.body.state_dict()
    assert set(body) == {name for name in published_weights if not name.startswith("fc.")}
    assert all(torch.equal(value, published_weights[name]) for name, value in body.items())
    assert torch.equal(network.classifier.weight, classifier), "its classes are others"


def test_weights_that_are_not_there_or_of_another_network_are_told(published_weights, tmp_path, monkeypatch):
    import torch.hub

    def no_network(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    with pytest.raises(
        RdrError, match=r"could not be fetched .*resnet152-394f9c45\.pth and save it as .*resnet152\.pth"
    ):
        pretrained_weights("resnet152-imagenet", tmp_path)
    other = build_model("resnet152-imagenet", num_classes=7, channels=3)
    with pytest.raises(RdrError, match=r"The weights given are not resnet152's"):
        start_from(other, published_weights, "resnet152-imagenet")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "resnet152.pth").write_bytes(b"no weights")
    with pytest.raises(RdrError, match=r"resnet152\.pth can't be read"):
        pretrained_weights("resnet152-imagenet", tmp_path)


def test_pretrained_networks_are_built_like_those_they_start_as():
    assert all(MODELS[name] is MODELS[base] for name, base in PRETRAINED.items())
