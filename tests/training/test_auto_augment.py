"""AutoAugment on all images at once does to each image what torchvision does to one."""

from __future__ import annotations

import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode

from rdr_core.training.auto_augment import POLICY, Change, Choices, apply, auto_augment, draw_choices

THEIRS = v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10)
NAMES = {
    "AutoContrast": "autocontrast", "Brightness": "brightness", "Color": "color", "Contrast": "contrast",
    "Equalize": "equalize", "Invert": "invert", "Posterize": "posterize", "Rotate": "rotate", "Sharpness": "sharpness",
    "ShearY": "shear_y", "Solarize": "solarize", "TranslateX": "translate_x", "TranslateY": "translate_y",
}  # fmt: skip
CHANGES = sorted({change for pair in POLICY for change, _ in pair}, key=str)


def images(count: int, seed: int = 0, height: int = 32, width: int = 32) -> torch.Tensor:
    """Smooth ones and noise: equalising and contrast see both."""
    draw = torch.Generator().manual_seed(seed)
    noise = torch.randint(0, 256, (count, 3, height, width), generator=draw)
    ramp = torch.linspace(20, 200, width).expand(count, 3, height, width)
    even = torch.arange(count)[:, None, None, None] % 2 == 0
    return torch.where(even, noise, (ramp + noise / 8).long()).to(torch.uint8)


def theirs(image: torch.Tensor, change: Change, sign: int) -> torch.Tensor:
    """What torchvision does to a single image."""
    name = next(known for known, mine in NAMES.items() if mine == change.operation)
    strengths, signed = THEIRS._AUGMENTATION_SPACE[name]
    strength = 0.0 if change.level is None else float(strengths(10, *image.shape[1:])[change.level])
    return THEIRS._apply_image_or_video_transform(
        image, name, strength * (sign if signed else 1), interpolation=InterpolationMode.NEAREST, fill={}
    )


def test_the_policy_is_torchvisions():
    known = [
        tuple(((NAMES[name], level), chance) for name, chance, level in pair)
        for pair in THEIRS._get_policies(v2.AutoAugmentPolicy.CIFAR10)
    ]
    assert [tuple((tuple(change), chance) for change, chance in pair) for pair in POLICY] == known


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change.operation}-{change.level}")
@pytest.mark.parametrize("size", [(32, 32), (20, 28)])
def test_a_change_is_torchvisions(monkeypatch, change, sign, size):
    monkeypatch.setattr(THEIRS, "_fill", {})
    batch = images(6, 0, *size)
    expected = torch.stack([theirs(image, change, sign) for image in batch])
    assert torch.equal(apply(batch, change, sign), expected)


def test_each_image_gets_its_own_changes_in_their_order():
    batch = images(400, seed=1)
    choices = draw_choices(400, torch.Generator().manual_seed(2))
    before = batch.clone()
    changed = auto_augment(batch, choices)
    assert torch.equal(batch, before), "the originals stay as they are"
    for at, image in enumerate(batch):
        expected = image[None]
        for stage in (0, 1):
            if choices.taken[at, stage]:
                change = POLICY[choices.pair[at]][stage][0]
                expected = apply(expected, change, -1 if choices.mirrored[at, stage] else 1)
        assert torch.equal(changed[at], expected[0]), at


def test_blocks_do_not_matter(monkeypatch):
    from rdr_core.training import auto_augment as module

    batch, choices = images(50), draw_choices(50, torch.Generator().manual_seed(3))
    whole = auto_augment(batch, choices)
    monkeypatch.setitem(module._BLOCK, "cpu", 7)
    assert torch.equal(auto_augment(batch, choices), whole)


def test_pairs_are_drawn_evenly_and_changes_by_their_chances():
    choices = draw_choices(200_000, torch.Generator().manual_seed(0))
    counts = torch.bincount(choices.pair, minlength=25).double()
    # Standard deviation of a count is 88, of a share at most 0.0056.
    assert (counts - 8000).abs().max() < 5 * 88
    for row, pair in enumerate(POLICY):
        shares = choices.taken[choices.pair == row].double().mean(0)
        for share, (_, chance) in zip(shares.tolist(), pair, strict=True):
            assert abs(share - chance) < 5 * 0.0056
            assert chance or not share
    assert abs(choices.mirrored.double().mean() - 0.5) < 0.005


def test_no_change_where_none_is_taken():
    batch = images(5)
    none = Choices(torch.arange(5), torch.zeros(5, 2, dtype=torch.bool), torch.zeros(5, 2, dtype=torch.bool))
    assert torch.equal(auto_augment(batch, none), batch)
