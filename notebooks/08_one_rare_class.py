# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: jupyter,tags,-all
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
# # One rare class
#
# A fault in a machine, a fraud, a tumour: often there are two classes, and one of them is rare. You will learn
#
# 1. why accuracy is of no use here, and what **recall** and **precision** tell;
# 2. which of the two usual areas, AUROC and AUPRC, to trust when one class is rare;
# 3. that **moving the threshold** is free, and what re-weighting adds to it;
# 4. to ask for the prevalence before you believe a precision.
#
# No downloads, a minute. Run the cells from top to bottom (Shift+Enter); the first gathers the tools.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
from functools import cache

import ipywidgets as widgets
import numpy as np
import pandas as pd
import torch
from IPython.display import display

import rdr_core
from rdr_core import at_threshold, load_data, method_label, moved_threshold
from rdr_viz import RareClass, explore, number, picture, rare_scores

OWN = "runs/rare"  # where the runs of this notebook go, beside it
WIDE = {"style": {"description_width": "190px"}, "layout": {"width": "520px"}}
METHODS = ("ce", "la", "inverse", "rdr")
SEEDS = (0, 1, 2)

# %% [markdown]
# ## 1. A hundred to one
#
# Handwritten digits, told apart in two classes: an eight, or not. Of the training images we keep twelve eights, drawn
# anew by each seed, and all 1,173 others: one in a hundred. The test set has 50 eights and 450 others.


# %%
def eights(seed):
    """Twelve eights among all other digits; the test set is the usual one."""
    digits = load_data("digits", imbalance_factor=None, profile=None)
    eight = digits.train.labels == 8
    few = np.random.default_rng(seed).permutation(np.flatnonzero(eight))[:12]
    rows = torch.cat([torch.nonzero(~eight)[:, 0], torch.as_tensor(few)])
    return rdr_core.from_arrays(
        digits.train.inputs[rows],
        eight[rows].long(),
        digits.test.inputs,
        (digits.test.labels == 8).long(),
        class_names=("no eight", "an eight"),
        name="eights",
        seed=seed,
    )


@cache
def run(method, seed):
    return rdr_core.train(
        eights(seed),
        method=method,
        seed=seed,
        epochs=20,
        batch_size=64,
        runs=OWN,
        progress=False,
    )


@cache
def scores(method, seed):
    return rare_scores(run(method, seed), data=eights(seed))


def means(method, threshold, prevalence):
    """Means over the seeds of what one threshold does."""
    found = [
        at_threshold(*scores(method, seed), threshold, prevalence) for seed in SEEDS
    ]
    return pd.DataFrame(found).mean()


def shown(table):
    """A table with one decimal."""
    display(table.style.hide(axis="index").format(precision=1))


eights(0)

# %% [markdown]
# A program that always answers "no eight" is right 99 times in 100 where one image in a hundred is an eight. So
# **accuracy** says nothing. Two questions do:
#
# - **Recall**: of the eights, how many are found?
# - **Precision**: of the alarms, how many are right?

# %%
rows = [
    {"method": method_label(method)} | dict(means(method, 0.5, 0.01))
    for method in METHODS
]
table = pd.DataFrame(rows)[
    ["method", "recall", "precision", "f1", "roc_auc", "average_precision"]
]
shown(
    table.rename(columns={"roc_auc": "AUROC", "average_precision": "AUPRC", "f1": "F1"})
)

# %% [markdown]
# ## 2. The threshold is yours
#
# Each network gives a probability that the image is an eight; an alarm is raised from some threshold on. Half is only
# a habit: it is right where a miss costs as much as a false alarm. A curve shows what every threshold does. **Where
# on it would you like to be if a miss costs as much as ten false alarms?**


# %%
def draw(prevalence):
    runs = [run("ce", 0), run("rdr", 0)]
    shown = RareClass.from_runs(runs, prevalence=prevalence, data=eights(0))
    return picture(shown.figure(), shown.alt, shown.finding)


explore(
    widgets.SelectionSlider(
        options=[(f"{100 * p:g} %", p) for p in (0.001, 0.01, 0.05, 0.1, 0.5)],
        value=0.01,
        description="Share of eights in use",
        continuous_update=False,
        **WIDE,
    ),
    draw,
)

# %% [markdown]
# Move the slider: it says how rare eights are **where the network is used**. The right panel does not change, nor
# does its area (AUROC): recall and false alarms are each measured within a class. The left one does, and so does its
# area (AUPRC): at one in a thousand, even a few false alarms in a hundred drown the true ones.
#
# So **AUROC compares networks; it does not tell whether one is of use.** An AUROC of 99 may go with one right alarm in
# ten. AUPRC does tell, for one prevalence, which must be given with it: an AUPRC from a balanced test set is an
# answer to a question that nobody has.
#
# ## 3. Moving the threshold, or re-weighting?
#
# Cross-entropy learns how rare eights were in training, so its probabilities are low. If both classes should count
# alike, Bayes' rule moves its threshold from a half down to the training share itself, 1 %. That needs no training.
# Re-weighting (1/n, RDR) and logit adjustment (LA) move the balance in training instead. **Before you look: which
# does best?**

# %%
trained = 12 / (12 + 1173)
chosen = [
    ("CE", "ce", 0.5),
    ("CE, threshold moved", "ce", moved_threshold(trained, 0.5)),
    *((method_label(method), method, 0.5) for method in METHODS[1:]),
]
rows = [
    {"method": label, "threshold": f"{threshold:.2g}"}
    | dict(
        means(method, threshold, 0.01)[
            ["recall", "false_alarms", "balanced_accuracy", "roc_auc"]
        ].round(1)
    )
    for label, method, threshold in chosen
]
columns = {
    "false_alarms": "false alarms",
    "balanced_accuracy": "balanced accuracy",
    "roc_auc": "AUROC",
}
shown(pd.DataFrame(rows).rename(columns=columns))

# %% [markdown]
# Compare "CE, threshold moved" with the rest. Whatever re-weighting adds must show in **AUROC**, which no threshold
# changes: there the order of the images is better, not only the place where it is cut. These are means over three
# draws of the twelve eights; [Beyond images](../docs/beyond_images.md) asks the same of tables, texts and series, with
# intervals.
#
# ## 4. What a precision is worth elsewhere
#
# The same network, the same threshold, at four prevalences: recall stays, precision does not (both in percent).

# %%
rows = [
    {"eights among the images": f"{100 * prevalence:g} %"}
    | {
        method_label(
            method
        ): f"{number(found['recall'])} and {number(found['precision'])}"
        for method in ("ce", "rdr")
        for found in [means(method, 0.5, prevalence)]
    }
    for prevalence in (0.5, 0.1, 0.01, 0.001)
]
shown(pd.DataFrame(rows))

# %% [markdown]
# **What to take along.** Say the prevalence. Show precision and recall at the threshold that is used, or the whole
# curve. Move cross-entropy's threshold before you pay for anything else: it is the baseline that a re-weighting has to
# beat. `RareClass` draws this picture of any run with two classes: `rdr plot RUN --kind rare`.
