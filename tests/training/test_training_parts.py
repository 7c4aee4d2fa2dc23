"""Schedule, augmentation, networks, randomness and evaluation, each by its definition."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rdr_core import RdrError
from rdr_core.data import groups_by_count, groups_by_rank
from rdr_core.measures.predictions import accuracies
from rdr_core.models import build_model
from rdr_core.models.resnet_cifar import resnet32
from rdr_core.training.augment import Augmentation, crop_and_flip, cut_out
from rdr_core.training.inference import Inputs, predict
from rdr_core.training.normalise import normalise
from rdr_core.training.randomness import isolated, random_states, restore_random_states
from rdr_core.training.sampling import Shuffled
from rdr_core.training.schedule import learning_rate


@given(steps=st.integers(1, 3000), warmup=st.floats(0, 0.5))
def test_learning_rate_rises_to_its_peak_and_falls_to_zero(steps, warmup):
    rates = [learning_rate(s, batches=steps, epochs=1, peak=0.1, warmup=warmup) for s in range(steps)]
    top = int(np.argmax(rates))
    assert max(rates) == pytest.approx(0.1)
    assert (np.diff(rates[: top + 1]) >= 0).all()
    assert (np.diff(rates[top:]) <= 0).all()
    assert min(rates) > 0


def test_without_warm_up_it_is_the_papers_cosine_as_torch_computes_it():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 50)
    for step in range(50):
        rate = learning_rate(step, batches=10, epochs=5, peak=0.1, warmup=0)
        assert rate == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        cosine.step()


def test_the_step_schedule_is_ldam_drws_at_200_epochs():
    """Cao et al.'s, which the RDR authors' code has: epoch / 5 of the rate, 1, 0.01 after 160, 0.0001 after 180."""
    for epoch in range(1, 201):
        factor = epoch / 5 if epoch <= 5 else 0.0001 if epoch > 180 else 0.01 if epoch > 160 else 1
        steps = range((epoch - 1) * 97, epoch * 97)
        rates = {learning_rate(s, batches=97, epochs=200, peak=0.1, warmup=0.025, schedule="step") for s in steps}
        assert len(rates) == 1
        assert rates.pop() == pytest.approx(0.1 * factor)


@given(epochs=st.integers(10, 400).map(lambda n: 10 * n), batches=st.integers(1, 5))
def test_the_step_schedule_scales_with_the_run(epochs, batches):
    def rate(share):
        step = round(share * epochs) * batches
        return learning_rate(step, batches=batches, epochs=epochs, peak=1.0, warmup=0.025, schedule="step")

    assert [rate(share) for share in (0.1, 0.8, 0.9)] == [1.0, 1e-2, 1e-4]
    assert learning_rate(0, batches=batches, epochs=epochs, peak=1.0, warmup=0.025, schedule="step") < 1.0


@given(st.integers(0, 1000), st.integers(0, 4))
def test_crop_and_flip_is_pad_slice_and_mirror_image_by_image(seed, padding):
    draw = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (5, 3, 6, 8), dtype=torch.uint8, generator=draw)
    top, left = torch.randint(0, 2 * padding + 1, (2, 5), generator=draw)
    flip = torch.rand(5, generator=draw) < 0.5
    ours = crop_and_flip(images, top, left, flip, padding)
    for i in range(5):
        canvas = torch.zeros(3, 6 + 2 * padding, 8 + 2 * padding, dtype=torch.uint8)
        canvas[:, padding : padding + 6, padding : padding + 8] = images[i]
        cut = canvas[:, top[i] : top[i] + 6, left[i] : left[i] + 8]
        assert torch.equal(ours[i], cut.flip(2) if flip[i] else cut)


def test_normalise_is_the_fields_transform():
    images = torch.randint(0, 256, (2, 3, 4, 4), dtype=torch.uint8)
    mean, std = torch.tensor([0.5, 0.4, 0.3]), torch.tensor([0.2, 0.3, 0.4])
    from torchvision.transforms import v2

    expected = v2.functional.normalize(images.float() / 255, mean.tolist(), std.tolist())
    torch.testing.assert_close(normalise(images, mean, std), expected)


def test_cut_out_takes_half_the_side_and_less_at_the_border():
    images = torch.ones(2, 3, 32, 32)
    cut = cut_out(images, torch.tensor([[16, 16], [0, 31]]))
    assert (cut[0] == 0).sum() == 3 * 16 * 16
    assert (cut[1] == 0).sum() == 3 * 8 * 9
    assert cut[0, 0, 8:24, 8:24].eq(0).all()


@pytest.mark.parametrize("name", ["none", "plain", "strong", "authors"])
def test_an_epochs_augmentation_depends_on_seed_and_epoch_alone(name):
    images = torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8)
    stats = torch.full((3,), 0.5), torch.full((3,), 0.25)

    def batch(seed, epoch, start=0):
        augmentation = Augmentation(name, padding=4, flip=True, seed=seed)
        draws = augmentation.epoch(epoch, 12, images.shape, torch.device("cpu"))
        pixels, rows = draws.prepare(images, torch.arange(12) % 6)
        return draws(pixels[rows[start : start + 6]], start, *stats)

    before = torch.get_rng_state()
    first = batch(0, 0)
    assert torch.equal(first, batch(0, 0))
    assert torch.equal(before, torch.get_rng_state()), "the global generator is not touched"
    if name != "none":
        for other in (batch(1, 0), batch(0, 1), batch(0, 0, start=6)):
            assert not torch.equal(first, other)


def test_every_corner_of_the_padding_is_drawn():
    draws = Augmentation("plain", padding=2, flip=True, seed=0).epoch(
        0, 500, torch.Size((9, 3, 8, 8)), torch.device("cpu")
    )
    assert sorted(draws.corner.unique().tolist()) == [0, 1, 2, 3, 4]
    assert 0.4 < draws.flip.float().mean() < 0.6
    still = Augmentation("plain", padding=0, flip=False, seed=0).epoch(
        0, 99, torch.Size((9, 3, 8, 8)), torch.device("cpu")
    )
    assert not still.flip.any()
    assert not still.corner.any()


def test_auto_augments_policy_depends_on_seed_epoch_and_visit(monkeypatch):
    """With nothing else that is random: no crop, no flip, no Cutout."""
    from rdr_core.training import augment

    monkeypatch.setattr(augment, "cut_out", lambda images, centre: images)
    images = torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8)
    stats = torch.full((3,), 0.5), torch.full((3,), 0.25)

    def batch(seed, epoch, start):
        draws = Augmentation("strong", 0, False, seed).epoch(epoch, 12, images.shape, torch.device("cpu"))
        pixels, rows = draws.prepare(images, torch.arange(12) % 6)
        return draws(pixels[rows[start : start + 6]], start, *stats)

    first = batch(0, 0, 0)
    assert torch.equal(first, batch(0, 0, 0))
    for other in (batch(1, 0, 0), batch(0, 1, 0), batch(0, 0, 6)):
        assert not torch.equal(first, other)


def test_strong_augmentation_is_refused_for_grey_images():
    with pytest.raises(RdrError, match=r"'strong' needs colour images, these have 1 channel"):
        Augmentation("strong", 1, False, 0).check(1)


def test_resnet32_is_the_original():
    model = resnet32(10)
    convolutions = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 31
    assert all(m.kernel_size == (3, 3) for m in convolutions), "no 1x1 shortcut"
    assert sum(p.numel() for p in model.parameters()) == 464_154
    features, logits = model.features_and_logits(torch.randn(2, 3, 32, 32))
    assert features.shape == (2, 64)
    torch.testing.assert_close(logits, model.classifier(features))


def test_resnet32s_shortcut_takes_every_second_pixel_and_pads_channels_with_zeros():
    block = next(m for m in resnet32(10).modules() if getattr(m, "stride", None) == 2 and hasattr(m, "extra")).eval()
    torch.nn.init.zeros_(block.norm2.weight)
    x = torch.rand(2, 16, 8, 8)
    expected = torch.zeros(2, 32, 4, 4)
    expected[:, 8:24] = x[:, :, ::2, ::2]
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize(("name", "size", "channels"), [("resnet32", 32, 3), ("small", 8, 1), ("small", 28, 1)])
def test_networks_give_logits_and_features(name, size, channels):
    model = build_model(name, num_classes=7, channels=channels).eval()
    images = torch.randn(3, channels, size, size)
    features, logits = model.features_and_logits(images)
    assert features.shape == (3, model.feature_dim)
    torch.testing.assert_close(model(images), logits)


def test_a_shuffle_depends_on_seed_and_epoch_alone():
    orders = [Shuffled(50, seed).order(epoch) for seed, epoch in [(0, 0), (0, 0), (0, 1), (1, 0)]]
    assert torch.equal(orders[0], orders[1])
    assert not torch.equal(orders[0], orders[2])
    assert not torch.equal(orders[0], orders[3])
    assert all(torch.equal(order.sort().values, torch.arange(50)) for order in orders)


def draw_from_all():
    return random.random(), np.random.rand(), torch.rand(1).item(), np.random.randn()


def test_global_random_states_are_the_users_again():
    expected_states = random_states()
    with isolated(5):
        inside = draw_from_all()
    with isolated(5):
        assert draw_from_all() == inside
    after = draw_from_all()
    restore_random_states(expected_states)
    assert draw_from_all() == after


def test_a_run_that_goes_on_with_another_gpu_takes_its_random_state_along(monkeypatch):
    """As where runs side by side take GPUs by turns; a checkpoint of a version that saved those of all GPUs too."""
    states = {torch.device("cuda", index): torch.tensor([index]) for index in range(2)}
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: states[device])
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: states.update({device: state}))
    first, second = states
    saved = random_states(second)
    states[second] = torch.tensor([5])
    restore_random_states(saved, first)
    assert [int(state) for state in states.values()] == [1, 5]
    restore_random_states(saved | {"cuda": [torch.tensor([7]), torch.tensor([8])]}, second)
    assert [int(state) for state in states.values()] == [1, 8]
    restore_random_states(saved, torch.device("cpu"))  # where there is no such device
    assert "cuda" not in random_states(torch.device("cpu"))


def test_a_groups_accuracy_is_the_mean_over_its_classes_however_many_images_they_have():
    """Two Many classes, of 90 and 10 test images, those of the second all wrong: 50, not the images' 90."""
    groups = groups_by_count([500, 400, 5])
    found = accuracies(np.array([90.0, 0, 0]), np.array([90.0, 10, 0]), groups)
    assert found["many"] == 50
    assert found["accuracy"] == 90  # over images, as its name says
    assert np.isnan(found["few"])


def test_accuracy_by_group_and_a_missing_group_is_missing():
    counts = np.array([500, 200, 50, 30])
    right, total = np.array([9.0, 5, 3, 1]), np.array([10.0, 10, 5, 5])
    found = accuracies(right, total, groups_by_count(counts))
    assert found["accuracy"] == 60
    assert found["many"] == 70
    assert found["medium"] == 40
    assert np.isnan(found["few"])
    by_rank = accuracies(right, total, groups_by_rank(counts))
    assert {name: by_rank[name] for name in ("many", "few")} == {"many": 90, "few": 20}


def test_prediction_restores_the_models_mode():
    model = build_model("small", num_classes=3, channels=1).train()
    images = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8)
    one = torch.ones(1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    inputs = Inputs(images, one, one)
    shares = [predict(model, inputs, share) for share in (slice(2), slice(2, None))]
    assert torch.equal(torch.cat(shares), predict(model, inputs))
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
