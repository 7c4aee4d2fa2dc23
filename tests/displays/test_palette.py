"""Every method can be told from every other: by colour, by marker, with a colour-blind eye and in grey."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest

from rdr_core.methods.names import method_order
from rdr_viz.displays.palette import GROUP_COLORS, GROUP_TEXT, contrast_on_white, darken, known_methods, method_style

# Viénot, Brettel and Mollon 1999: what a deuteranope and a protanope see of linear RGB.
DEUTERANOPIA = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])
PROTANOPIA = np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]])
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(color: str, seen_as: np.ndarray | None = None) -> np.ndarray:
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    if seen_as is not None:
        linear = (seen_as @ linear).clip(0, 1)
    x, y, z = np.cbrt(np.maximum(TO_XYZ @ linear / np.array([0.9505, 1.0, 1.089]), 1e-6))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(a: str, b: str, seen_as: np.ndarray | None = None) -> float:
    return float(np.linalg.norm(lab(a, seen_as) - lab(b, seen_as)))


def test_known_methods_have_colours_and_markers_of_their_own():
    styles = [method_style(method) for method in known_methods()]
    assert len({style.color for style in styles}) == len({style.marker for style in styles}) == len(styles)


@pytest.mark.parametrize("seen_as", [None, DEUTERANOPIA, PROTANOPIA], ids=["full", "deuteranopia", "protanopia"])
def test_known_methods_stay_apart_in_every_eye(seen_as):
    near = {
        (a, b): distance(method_style(a).color, method_style(b).color, seen_as)
        for a, b in combinations(known_methods(), 2)
    }
    assert min(near.values()) > 10, min(near, key=near.get)


@pytest.mark.parametrize("seen_as", [None, DEUTERANOPIA, PROTANOPIA], ids=["full", "deuteranopia", "protanopia"])
def test_groups_stay_apart_from_each_other_and_are_no_methods_colour(seen_as):
    assert min(distance(a, b, seen_as) for a, b in combinations(GROUP_COLORS.values(), 2)) > 15
    methods = [method_style(method).color for method in known_methods()]
    assert min(distance(g, m) for g in GROUP_COLORS.values() for m in methods) > 15


def test_the_three_main_methods_and_the_groups_differ_in_grey_print():
    light = sorted(lab(method_style(method).color)[0] for method in ("ce", "inverse", "rdr"))
    assert np.diff(light).min() > 12
    assert np.diff([lab(GROUP_COLORS[group])[0] for group in ("Few", "Medium", "Many")]).min() > 15


def test_outlines_and_text_have_contrast_on_white():
    assert all(contrast_on_white(method_style(method).edge) >= 3 for method in known_methods())
    assert all(contrast_on_white(color) >= 3 for color in GROUP_COLORS.values())
    assert all(contrast_on_white(color) >= 4.5 for color in GROUP_TEXT.values())
    assert contrast_on_white(darken("#FFFFFF", 4.5)) >= 4.5


@pytest.mark.parametrize(
    ("method", "label"),
    [
        ("ce", "CE"),
        ("inverse", "1/n"),
        ("rdr:gamma=0.5+la", "RDR+LA (γ=0.5)"),
        ("rdr+sam", "RDR+SAM"),
        ("sam", "SAM"),
        ("rdr:ridge=1e+3", "RDR (ridge=1e+3)"),
        ("nobody-knows", "nobody-knows"),
        ("ce+crt", "CE+cRT"),
        ("cb+ldam+drw", "CB+LDAM+DRW"),
        ("rdr+sam+taunorm", "RDR+SAM+τ-norm"),
    ],
)
def test_labels(method, label):
    assert method_style(method).label == label


def test_a_variant_keeps_its_methods_colour_but_looks_different():
    plain, tempered, sam = (method_style(method) for method in ("rdr", "rdr:gamma=0.5", "rdr+sam"))
    assert plain.color == tempered.color == sam.color
    assert len({plain.hatch, tempered.hatch, sam.hatch}) == len({str(s.linestyle) for s in (plain, tempered, sam)}) == 3
    assert plain.filled
    assert not sam.filled
    later = [method_style(f"rdr+{name}") for name in ("drw", "crt", "lws", "taunorm", "posthoc")]
    assert {style.color for style in later} == {plain.color}
    assert len({str(style.linestyle) for style in (plain, sam, *later)}) == 7
    assert len({style.hatch for style in (plain, sam, *later)}) == 7


def test_order_is_fixed_and_unknown_names_come_last():
    methods = ["zzz", "rdr+sam", "rdr", "inverse", "ce+sam", "ce"]
    assert sorted(methods, key=method_order) == ["ce", "ce+sam", "inverse", "rdr", "rdr+sam", "zzz"]


def test_an_unknown_name_looks_the_same_in_every_process():
    script = "from rdr_viz.displays.palette import method_style; print(method_style('nobody-knows'))"
    answers = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert answers == {f"{method_style('nobody-knows')}\n"}
