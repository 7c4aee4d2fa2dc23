"""AutoAugment's policy for CIFAR-10 (Cubuk et al. 2019, table 7), on all of an epoch's images at once.

Libraries take it image by image, some 5 small operations each, which on a GPU is most of a step. Here images that are
to be changed alike are changed together: a few dozen operations an epoch. What is done to an image is torchvision's.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from rdr_core.shapes import Bool, Int, UInt8
from rdr_core.training.transfer import to_device


class Change(NamedTuple):
    """Something that is done to an image.

    Attributes:
        operation: one of :data:`_STRENGTHS`.
        level: how strongly, 0 to 9; None where the operation knows no strength.
    """

    operation: str
    level: int | None = None


#: 25 pairs of changes, each with its probability. An image gets one pair, drawn uniformly.
POLICY: tuple[tuple[tuple[Change, float], tuple[Change, float]], ...] = tuple(
    ((Change(*first[::2]), first[1]), (Change(*second[::2]), second[1]))
    for first, second in (
        (("invert", 0.1), ("contrast", 0.2, 6)),
        (("rotate", 0.7, 2), ("translate_x", 0.3, 9)),
        (("sharpness", 0.8, 1), ("sharpness", 0.9, 3)),
        (("shear_y", 0.5, 8), ("translate_y", 0.7, 9)),
        (("autocontrast", 0.5), ("equalize", 0.9)),
        (("shear_y", 0.2, 7), ("posterize", 0.3, 7)),
        (("color", 0.4, 3), ("brightness", 0.6, 7)),
        (("sharpness", 0.3, 9), ("brightness", 0.7, 9)),
        (("equalize", 0.6), ("equalize", 0.5)),
        (("contrast", 0.6, 7), ("sharpness", 0.6, 5)),
        (("color", 0.7, 7), ("translate_x", 0.5, 8)),
        (("equalize", 0.3), ("autocontrast", 0.4)),
        (("translate_y", 0.4, 3), ("sharpness", 0.2, 6)),
        (("brightness", 0.9, 6), ("color", 0.2, 8)),
        (("solarize", 0.5, 2), ("invert", 0.0)),
        (("equalize", 0.2), ("autocontrast", 0.6)),
        (("equalize", 0.2), ("equalize", 0.6)),
        (("color", 0.9, 9), ("equalize", 0.6)),
        (("autocontrast", 0.8), ("solarize", 0.2, 8)),
        (("brightness", 0.1, 3), ("color", 0.7, 0)),
        (("solarize", 0.4, 5), ("autocontrast", 0.9)),
        (("translate_y", 0.9, 9), ("translate_y", 0.7, 9)),
        (("autocontrast", 0.9), ("solarize", 0.8, 3)),
        (("equalize", 0.8), ("invert", 0.1)),
        (("translate_y", 0.7, 9), ("autocontrast", 0.9)),
    )
)

#: Strength at level 9, in the operation's unit; of those with a sign, either is drawn.
_STRENGTHS = {
    "shear_y": 0.3, "translate_x": 150 / 331, "translate_y": 150 / 331, "rotate": 30.0, "brightness": 0.9,
    "color": 0.9, "contrast": 0.9, "sharpness": 0.9, "posterize": 4.0, "solarize": 1.0, "autocontrast": 0.0,
    "equalize": 0.0, "invert": 0.0,
}  # fmt: skip
_UNSIGNED = ("posterize", "solarize", "autocontrast", "equalize", "invert")
#: Images that are changed at a time: what an operation needs beside them stays within some 100 MB on CIFAR. A GPU has
#: the memory for an epoch's, and each block costs it as many launches as all of them would.
_BLOCK = {"cpu": 4096, "cuda": 2**18}


class Choices(NamedTuple):
    """What is drawn for each visit of an image, on the CPU.

    Attributes:
        pair: (V,) row of :data:`POLICY`.
        taken: (V, 2) whether each of its changes is made.
        mirrored: (V, 2) whether with the other sign.
    """

    pair: Int[Tensor, "V"]
    taken: Bool[Tensor, "V 2"]
    mirrored: Bool[Tensor, "V 2"]


def draw_choices(visits: int, draw: torch.Generator) -> Choices:
    """Of each visit a pair of changes, and which of them are made.

    Example:
        >>> choices = draw_choices(10_000, torch.Generator().manual_seed(0))
        >>> pair = choices.pair == 17  # colour with probability 0.9, then equalize with 0.6
        >>> [round(share, 1) for share in choices.taken[pair].double().mean(0).tolist()]
        [0.9, 0.6]
    """
    chances = torch.tensor([[chance for _, chance in pair] for pair in POLICY])
    pair = torch.randint(len(POLICY), (visits,), generator=draw)
    taken = torch.rand(visits, 2, generator=draw) < chances[pair]
    return Choices(pair, taken, torch.rand(visits, 2, generator=draw) < 0.5)


def auto_augment(images: UInt8[Tensor, "V 3 H W"], choices: Choices, outside: int = 0) -> UInt8[Tensor, "V 3 H W"]:
    """The images, each changed as was chosen for it.

    Args:
        images: to be changed; they stay as they are.
        choices: of each image.
        outside: brightness of what moves in from outside an image, 0 (default: black, as torchvision) to 255.

    Example:
        >>> inverted = Choices(torch.tensor([0]), torch.tensor([[True, False]]), torch.tensor([[False, False]]))
        >>> auto_augment(torch.zeros(1, 3, 2, 2, dtype=torch.uint8), inverted).unique().tolist()
        [255]
    """
    changed = images.clone()
    block = _BLOCK[images.device.type]
    for start in range(0, len(images), block):
        here = slice(start, start + block)
        for stage in (0, 1):
            for change, sign, rows in _alike(Choices(*(chosen[here] for chosen in choices)), stage):
                rows = to_device(rows, images.device) + start
                changed[rows] = apply(changed[rows], change, sign, outside)
    return changed


def _alike(choices: Choices, stage: int) -> list[tuple[Change, int, Int[Tensor, "K"]]]:
    """The visits for which the same change with the same sign is chosen."""
    changes = list(dict.fromkeys(pair[stage][0] for pair in POLICY))
    kind = torch.tensor([changes.index(pair[stage][0]) for pair in POLICY])[choices.pair]
    signed = torch.tensor([change.operation not in _UNSIGNED for change in changes])[kind]
    kind = 2 * kind + (choices.mirrored[:, stage] & signed)
    found = []
    for each in kind[choices.taken[:, stage]].unique().tolist():
        rows = (choices.taken[:, stage] & (kind == each)).nonzero()[:, 0]
        found.append((changes[each // 2], -1 if each % 2 else 1, rows))
    return found


def apply(
    images: UInt8[Tensor, "K 3 H W"], change: Change, sign: int = 1, outside: int = 0
) -> UInt8[Tensor, "K 3 H W"]:
    """The same change to all images, as strong as its level says.

    Args:
        images: to be changed.
        change: what is done.
        sign: 1 or -1; of no account where a strength has none.
        outside: see :func:`auto_augment`.

    Example:
        >>> apply(torch.full((1, 3, 2, 2), 100, dtype=torch.uint8), Change("brightness", 9), -1).unique().tolist()
        [10]
    """
    from torchvision.transforms.v2 import functional as F

    operation, level = change
    # As torchvision has it, whose steps are of single precision.
    strength = 0.0 if level is None else float(torch.linspace(0.0, _STRENGTHS[operation], 10)[level])
    side = images.shape[-1] if operation == "translate_x" else images.shape[-2]
    fill = [float(outside)] * 3 if outside else None
    still = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0], "fill": fill}
    match operation:
        case "shear_y":
            degrees = math.degrees(math.atan(sign * strength))
            return F.affine(images, **still | {"shear": [0.0, degrees]}, center=[0, 0])
        case "translate_x":
            return F.affine(images, **still | {"translate": [sign * int(strength * side), 0]})
        case "translate_y":
            return F.affine(images, **still | {"translate": [0, sign * int(strength * side)]})
        case "rotate":
            return F.rotate(images, sign * strength, fill=fill)
        case "brightness":
            return F.adjust_brightness(images, 1 + sign * strength)
        case "color":
            return F.adjust_saturation(images, 1 + sign * strength)
        case "contrast":
            return F.adjust_contrast(images, 1 + sign * strength)
        case "sharpness":
            return F.adjust_sharpness(images, 1 + sign * strength)
        case "posterize":
            return F.posterize(images, round(8 - strength))
        case "solarize":
            return F.solarize(images, 255 * (1 - strength))
        case "autocontrast":
            return F.autocontrast(images)
        case "equalize":
            return F.equalize(images)
        case _:
            return F.invert(images)
