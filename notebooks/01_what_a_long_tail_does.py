# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: -all
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What a long tail does
#
# Most collections of real images are lopsided: thousands of pictures of a few common things, a handful of each of
# the many rare ones. Sort the classes by size and you see a **long tail**.
#
# In this notebook you make such a collection out of handwritten digits, watch what it does to a network, and try two
# remedies. No GPU and no downloads are needed; everything together takes less than a minute.
#
# Run the cells from top to bottom (Shift+Enter). The first one only gathers the tools; there is no need to read it.

# %%
import base64
from functools import cache
from html import escape

import ipywidgets as widgets
import matplotlib as mpl
import numpy as np
import pandas as pd
from IPython.display import HTML, display

import rdr_core
from rdr_viz import ClassCounts, GroupAccuracy, WeightAndBPrime, method_style
from rdr_viz.figure import new_figure, rdr_style, render


def picture(figure, alt, words=""):
    """A figure with a description for those who can't see it, and a sentence below."""
    png = base64.b64encode(render(figure, "png", description=alt)).decode()
    source = f"data:image/png;base64,{png}"
    return HTML(
        '<figure style="max-width: 700px; margin: 0">'
        f'<img src="{source}" alt="{escape(alt)}" style="width: 100%">'
        f"<figcaption>{escape(words)}</figcaption></figure>"
    )


def explore(control, draw):
    """Show a control and, below it, a picture that each choice replaces."""
    draw = cache(draw)  # what was drawn once is kept
    display(control)
    shown = display(draw(control.value), display_id=True)
    control.observe(lambda change: shown.update(draw(change["new"])), names="value")


def show_all(axes, data, digit, columns=31, rows=4):
    """All training images of a digit, with an empty square for each one not there."""
    images = data.train.images[data.train.labels == digit, 0].numpy() / 255
    tiles = np.full((rows * columns, 10, 10), np.nan)
    tiles[:, 1:-1, 1:-1] = -0.1
    tiles[: len(images), 1:-1, 1:-1] = images
    mosaic = tiles.reshape(rows, columns, 10, 10).swapaxes(1, 2)
    greys = mpl.colormaps["gray_r"].with_extremes(under="#F1EEF6", bad="white")
    mosaic = mosaic.reshape(rows * 10, columns * 10)
    axes.imshow(mosaic, cmap=greys, vmin=0, vmax=1, interpolation="nearest")
    axes.set_title(f"All the {digit}s that the network sees: {len(images)}", pad=3)
    axes.set_axis_off()


# %% [markdown]
# ## 1. Make a long tail
#
# We keep all 124 training images of the digit 0, fewer of the 1, fewer still of the 2, and so on down to the 9. The
# **imbalance factor** says how far it goes: the size of the largest class divided by that of the smallest.
# (Counts are rounded down to whole images, so at 50 it is 124 against 2.)
#
# Move the slider. At 1 all digits are equally common. What is left of the 9 at 50? Could *you* learn what a 9 looks
# like from that?


# %%
def draw_counts(imbalance_factor):
    data = rdr_core.load_data("digits", imbalance_factor=imbalance_factor)
    counts = ClassCounts.from_data(data)
    figure = new_figure(5.5, 4.9)
    with rdr_style():
        bars, zeros, nines = figure.subplots(3, 1, height_ratios=[4, 1, 1])
        counts.plot(bars)
        show_all(zeros, data, 0)
        show_all(nines, data, 9)
    return picture(figure, counts.alt, counts.finding)


explore(
    widgets.SelectionSlider(
        options=[1, 2, 5, 10, 20, 50, 100],
        value=50,
        description="Imbalance factor",
        continuous_update=False,
        style={"description_width": "initial"},
        layout={"width": "420px"},
    ),
    draw_counts,
)

# %% [markdown]
# ## 2. Train on it
#
# We train the same small network three times at imbalance factor 50. The three differ only in how much an image
# **counts** in the loss:
#
# - **CE** (cross-entropy): every image counts the same.
# - **1/n**: an image counts in inverse proportion to the number *n* of images in its class, so that each class has
#   the same say.
# - **RDR**: 1/n times a ratio that is measured while training, which compares the features of a class in the current
#   batch with a running mean of them.
#
# Each takes a few seconds. The runs are stored in the folder `runs` beside this notebook: run the cell again and it
# opens them instead of training again.

# %%
runs = {}
for method in ("ce", "inverse", "rdr"):
    runs[method] = rdr_core.train(
        "digits", imbalance_factor=50, method=method, seed=0, runs="runs"
    )

# %% [markdown]
# The test set has 50 images of *every* digit, none of which the networks have seen. **All** is the accuracy over all
# of them; **Many**, **Medium** and **Few** are the digits 0 to 2, 3 to 6 and 7 to 9. Compare All with Few.

# %%
accuracy = GroupAccuracy.from_runs(list(runs.values()))
picture(accuracy.figure(), accuracy.alt, accuracy.finding)

# %% [markdown]
# ### Why nobody noticed
#
# The overall accuracy of CE looks fine, although it fails on many of the rare digits: they are three of ten classes,
# and the other seven hide them. It gets worse. Often the test images are collected as the training images were, so
# that the rare digits are rare there too. This is what you would then have read:

# %%
rows = {}
for method, run in runs.items():
    by_digit = np.array(run.metrics["per_class"])
    rows[method_style(method).label] = {
        "digits 7 to 9": by_digit[7:].mean(),
        "every digit equally often": by_digit.mean(),
        "digits as often as in training": np.average(
            by_digit, weights=run.class_counts
        ),
    }
pd.DataFrame(rows).T.style.format("{:.1f} %").set_caption("Test accuracy")

# %% [markdown]
# ## 3. A claim, and your eyes
#
# Where do RDR's weights go while the network learns? The paper that proposed it (Luo et al., NeurIPS 2024) claims
# that a class's weight moves **inversely** to a quantity B′ of the class, from the theory of how well a network can
# do on balanced data. To get B′, take the training image of the class on which the network gives the true answer its
# lowest score. Then
#
# > B′ = √(share of the class in the training set) × (1 − probability that the network gives to the true class).
#
# So B′ is high while the class's worst image is still misjudged, and falls as it is learned.
#
# If the claim holds here, the upper curve of a group **rises where the lower one falls**. Spearman's ρ puts a number
# on it: −1 if they always go opposite ways, 0 if they do not care about each other, +1 if they always go together.
#
# Look at RDR first, and do not take the claim for what you see. Then choose **1/n** as a control: its weights are
# fixed by the class sizes, and they wobble only because they are scaled to mean 1 in every batch, whose mix of digits
# is chance. Whatever ρ you find there cannot come from any wisdom of the method.


# %%
def draw_weights(method):
    weights = WeightAndBPrime.from_run(runs[method])
    return picture(weights.figure(), weights.alt, weights.finding)


explore(
    widgets.Dropdown(
        options=[(method_style(method).label, method) for method in runs],
        value="rdr",
        description="Method",
    ),
    draw_weights,
)

# %% [markdown]
# ## 4. To discuss
#
# 1. Someone reports "99 % accuracy" for a network that is to find a rare disease. What do you ask first?
# 2. The Few digits have 150 test images in all. How many images lie between 1/n and RDR there? Train both again with
#    `seed=1` and `seed=2` in section 2. How many seeds would you want before you say that one is better?
# 3. Did you see the claim of section 3 in your own curves? With the same seed, 1/n and RDR were given the same batches:
#    which of RDR's spikes are in 1/n's curves too, and what is left that only RDR's ratio can have made? What would a
#    picture look like that convinced you of the claim, or of its opposite?
