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
# # Your own method
#
# You have an idea for weighting a long tail. How long until you know whether it is any good? Here it takes a dozen
# lines and a minute. You will learn
#
# 1. to write a weighting as a plain function, and to try it before any training;
# 2. to make it a **part** of the toolkit, which then knows it by name, explains it, checks its options and combines it
#    with every loss and optimizer;
# 3. to compare it **fairly** with RDR and with the simplest thing that does the same job;
# 4. to write a weighting that looks at the features, as RDR does;
# 5. to share it as a package, and, in an exercise that checks itself, to write one alone.
#
# No downloads; a minute or two. Run the cells from top to bottom (Shift+Enter); the first gathers the tools. Cells
# that only draw are folded; click the three dots to open one.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
import shutil

import ipywidgets as widgets
import numpy as np
import torch

import rdr_core
from rdr_core import (
    Weighing,
    Weighting,
    at_least,
    between,
    class_means,
    explain,
    mean_one,
    method_label,
    method_order,
    part,
    shipped,
)
from rdr_viz import (
    GROUP_COLORS,
    GroupAccuracy,
    WeightsByClass,
    accuracy_table,
    explore,
    listed,
    method_style,
    new_figure,
    number,
    picture,
    print_table,
    rdr_style,
    short,
)

OWN = "runs/own"  # where the runs of this notebook go, beside it
WIDE = {"style": {"description_width": "150px"}, "layout": {"width": "480px"}}

# %% [markdown]
# ## 1. The idea
#
# 1/n gives the digit 9, with its two images, sixty times the weight of the digit 0, with its 124. Should two images
# count for so much? An old trick against small numbers is to add a few: **pretend that every class had some extra
# images**, and weight by 1/(n + extra). With no extra images this is 1/n; with very many, all classes have the same
# weight, as in CE.
#
# A class weighting is a function from the class counts to weights with mean 1. This is all of it:


# %%
def smoothed(class_counts, extra=10.0):
    """1/n as if each class had a few more images than it has."""
    weights = 1 / (class_counts + extra)
    return weights / weights.mean()


# %% [markdown]
# Try it before training anything: check the two limits above, and look at what is between them. **How many extra
# images does it take until the rarest digit counts ten times as much as the most common one, not sixty?**

# %%
data = rdr_core.load_data("digits", imbalance_factor=50)
counts = data.class_counts
assert torch.allclose(smoothed(counts, 0) * counts, smoothed(counts, 0)[0] * counts[0])
assert torch.allclose(smoothed(counts, 1e9), torch.ones(10))


def draw_idea(extra):
    weights = smoothed(counts, extra).numpy()
    with rdr_style():
        figure = new_figure(5.5, 2.6)
        axes = figure.subplots()
        colors = [GROUP_COLORS[group] for group in data.groups.of_class]
        axes.bar(range(10), weights, color=colors, width=0.6)
        axes.axhline(1, color="#222222", lw=0.8, ls=":")
        axes.set_xticks(range(10), [f"{k}\n{n}" for k, n in enumerate(counts)])
        axes.set(ylim=(0, 4.2), xlabel="Digit, and its training images")
        axes.set_ylabel("Weight (mean 1)")
    words = (
        f"With {extra:g} extra images, the digit 9 weighs {short(weights[9])} and the digit 0 "
        f"{short(weights[0])}: {short(weights[9] / weights[0])} times as much."
    )
    return picture(figure, f"Bars, weight by digit. {words}", words)


extras = (0, 1, 3, 5, 10, 30, 100, 1000)
explore(
    widgets.SelectionSlider(
        options=extras,
        value=10,
        description="Extra images",
        continuous_update=False,
        **WIDE,
    ),
    draw_idea,
)

# %% [markdown]
# ## 2. Make it a part
#
# The decorator `@part` gives the function a name and says what it is for; the function itself stays the same. Its
# arguments with defaults become the method's options. If you run the cell again, the new part replaces the old one.

# %%
smoothed = part(
    "smoothed",
    kind="class weights",
    summary="1/n as if each class had a few more images than it has",
    formula="w_c ~ 1 / (n_c + extra)",
    source="",  # a paper and its equation, where there is one
    ranges={"extra": at_least(0)},
)(smoothed)

print(explain("smoothed:extra=3+la+sam"))

# %% [markdown]
# In a file of your own you would write it as a decorator, `@part(...)` on the line above `def smoothed`. The toolkit
# now knows the part by name, in any combination, and refuses combinations that make no sense, with a sentence:

# %%
for wrong in ("smoothed:extra=-1", "smoothed:exta=3", "smoothed+inverse"):
    try:
        explain(wrong)
    except rdr_core.RdrError as error:
        print(f"{wrong:18}  {error}")

# %% [markdown]
# ## 3. Train and compare
#
# Runs of CE, 1/n and RDR come with the toolkit, each seed with images of its own, the same for all methods. So do runs
# of the **square root** of 1/n, which is also milder than 1/n: it is the fair control for our idea. Only our own method
# is trained here, with three seeds, in a minute or two.
#
# (A finished run is opened, not trained again, and a run's name does not depend on what your function *does*. So
# whenever you change the function, delete its old runs: that is what the first line is for.)

# %%
shutil.rmtree(OWN, ignore_errors=True)
SEEDS = (0, 1, 2)
own = [
    rdr_core.train(
        "digits",
        imbalance_factor=50,
        method="smoothed",
        seed=seed,
        data_seed=seed,  # which images: as in the runs below
        runs=OWN,
        progress=False,
    )
    for seed in SEEDS
]
others = rdr_core.list_runs(
    shipped(),
    dataset="digits",
    imbalance_factor=50,
    noise_rate=0,
    schedule="cosine",
    method=["ce", "inverse", "inverse:gamma=0.5", "rdr"],
    seed=SEEDS,
)
runs = {(run.config.method, run.config.seed): run for run in others + own}

print_table(accuracy_table(list(runs.values())))

# %% [markdown]
# **Which method is best? Would you still say so if you had seen one seed only? Look at the spread before the means.**

# %%
accuracy = GroupAccuracy.from_runs(list(runs.values()))
picture(accuracy.figure(), accuracy.alt, accuracy.finding)

# %% [markdown]
# The same seed gives every method the same start and the same batches, so the methods can be compared **seed by
# seed**, and the differences vary less by chance than the means above. A difference that changes sign between seeds
# does not count yet.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
METHODS = sorted({method for method, _ in runs}, key=method_order)
OTHERS = [method for method in METHODS if method != "smoothed"]


def draw_differences(measure):
    said = []
    with rdr_style():
        figure = new_figure(5.5, 2.1)
        axes = figure.subplots()
        for row, method in enumerate(OTHERS):
            gains = np.array([
                runs["smoothed", seed].metrics[measure] - runs[method, seed].metrics[measure]
                for seed in SEEDS
            ])  # fmt: skip
            style = method_style(method)
            axes.plot(
                gains,
                [row] * len(gains),
                style.marker,
                color=style.color,
                mec=style.edge,
                ms=7,
            )
            signs = f"ahead in {(gains > 0).sum()} of {len(gains)} seeds"
            said.append(f"{number(gains.mean())} points over {style.label} ({signs})")
        axes.axvline(0, color="#222222", lw=0.8)
        axes.set_yticks(range(len(OTHERS)), [method_label(m) for m in OTHERS])
        axes.set(
            ylim=(len(OTHERS) - 0.5, -0.5),
            xlabel="Points that smoothed is ahead, each seed a dot",
        )
        axes.grid(True, axis="x")
    words = f"Mean gain of smoothed: {listed(said)}."
    return picture(figure, f"Dots, difference by method and seed. {words}", words)


MEASURES = {"All": "top1", "Many": "many", "Medium": "medium", "Few": "few"}
explore(
    widgets.Dropdown(
        options=MEASURES.items(), value="few", description="Accuracy on", **WIDE
    ),
    draw_differences,
)

# %% [markdown]
# How do the weights change while the network learns? **Which methods fix their weights at the start, and which one
# moves them?** (The lines of fixed weights vary a little too, since each batch's weights are scaled to mean 1.)


# %%
def draw_weights(method):
    weights = WeightsByClass.from_run(runs[method, 0])
    return picture(weights.figure(), weights.alt, weights.finding)


explore(
    widgets.Dropdown(
        options=[(method_label(m), m) for m in METHODS],
        value="smoothed",
        description="Method",
        **WIDE,
    ),
    draw_weights,
)


# %% [markdown]
# ## 4. A weighting that looks at the features
#
# A weight can also depend on the image. Then the weighting is a small class with a method `weigh`, which gets the
# features and labels of a batch and returns weights with mean 1. What it remembers between batches is kept in
# *buffers*, so that a stopped run continues exactly as if nothing had happened.
#
# This one keeps a running mean for each class, as RDR does, and weights an image by 1/n times its distance from the
# mean: unusual images count more. (Is that a good idea? With noisy labels? You can find out in a minute.)


# %%
class OddOnes(Weighting):
    """1/n times the distance of an image's features from its class's running mean."""

    def __init__(self, class_counts, feature_dim, momentum):
        super().__init__()
        self.momentum = momentum
        self.register_buffer("inverse", 1 / class_counts.float())
        self.register_buffer("centres", torch.zeros(len(class_counts), feature_dim))

    @torch.no_grad()
    def weigh(self, features, labels):
        features, centres = features.float(), self.centres[labels]
        weights = self.inverse[labels] * (features - centres).norm(dim=1)
        if self.training:
            means, _, _ = class_means(features, labels)
            self.centres[labels] = torch.lerp(means, centres, self.momentum)
        return Weighing(mean_one(weights))


@part(
    "odd",
    kind="weighting",
    summary="1/n times the distance from the class's running mean",
    formula="w ~ ||f - F_y|| / n_y, F_y <- m F_y + (1 - m) mean of the batch's f",
    source="",
    ranges={"momentum": between(0, 1, "[)")},
)
def odd(context, momentum=0.9):
    """For a run: the context knows its data and its network."""
    return OddOnes(context.class_counts, context.feature_dim, momentum)


# %% [markdown]
# First by hand, in a case that you can follow: two images of one class at distances 3 and 4 from the mean, which is
# still 0, so that their weights must be in the ratio 3 to 4. Then ten epochs of training, to see that the network
# learns something: one digit in ten would be right by chance.

# %%
weighting = OddOnes(torch.tensor([5, 5]), feature_dim=2, momentum=0.5)
weights = weighting(torch.tensor([[3.0, 0], [0, 4]]), torch.tensor([0, 0]))
assert torch.allclose(weights, torch.tensor([6 / 7, 8 / 7]))
assert torch.allclose(weighting.centres[0], torch.tensor([0.75, 1]))  # half of (1.5, 2)

run = rdr_core.train(
    "digits", imbalance_factor=50, method="odd", epochs=10, runs=OWN, progress=False
)
print(
    f"{run.config.method}: {run.metrics['top1']:.1f} % after {run.epochs_done} epochs"
)

# %% [markdown]
# ## 5. Share it
#
# A part registered in a notebook is gone when its kernel ends. To use your method in commands
# (`rdr train digits -m smoothed`) and to share it, put it into a package: a folder with two files.
#
# `my_methods.py`, the function with its decorator:
#
# ```python
# from rdr_core.methods.parts import at_least, part
#
#
# @part(
#     "smoothed",
#     kind="class weights",
#     summary="1/n as if each class had a few more images than it has",
#     formula="w_c ~ 1 / (n_c + extra)",
#     source="",
#     ranges={"extra": at_least(0)},
# )
# def smoothed(class_counts, extra=10.0):
#     weights = 1 / (class_counts + extra)
#     return weights / weights.mean()
# ```
#
# `pyproject.toml`, which tells the toolkit where to look (the *entry point* `rdr.parts`):
#
# ```toml
# [build-system]
# requires = ["hatchling"]
# build-backend = "hatchling.build"
#
# [project]
# name = "my-methods"
# version = "0.1"
# dependencies = ["rdr-toolkit"]
#
# [project.entry-points."rdr.parts"]
# smoothed = "my_methods"
#
# [tool.hatch.build.targets.wheel]
# include = ["my_methods.py"]
# ```
#
# After `pip install .` in that folder, `rdr methods smoothed` explains it and `rdr train` trains with it.
#
# ## 6. An exercise that checks itself
#
# Write a weighting `capped`: 1/n, but **no class may have more than `most` times the smallest weight**. The weights of
# the classes under the cap are in the same proportion as in 1/n, and the mean is 1. Change the function below and run
# the cell; it tells you how far you are.


# %%
def capped(class_counts, most=10.0):
    weights = torch.ones(len(class_counts))  # yours to change
    return weights / weights.mean()


def check(function):
    """Say in a sentence what is still missing."""
    many = torch.tensor([1000, 300, 40, 7, 1])
    try:
        weights, free = (
            torch.as_tensor(function(many, most=m)).double() for m in (10, 1e6)
        )
    except Exception as error:  # whatever an unfinished function does
        return f"Not yet: it stops with {type(error).__name__}: {error}."
    if weights.shape != (5,):
        return "Not yet: for five classes there have to be five weights."
    if not torch.isclose(weights.mean(), torch.tensor(1.0).double()):
        return f"Not yet: the weights' mean has to be 1, it is {weights.mean():.3g}."
    if not torch.isclose(weights[1] / weights[0], torch.tensor(1000 / 300).double()):
        return "Not yet: a class with 300 images has to weigh 1000 / 300 times as much as one with 1,000."
    if weights.max() / weights.min() > 10 * (1 + 1e-6):
        return f"Not yet: the heaviest weighs {weights.max() / weights.min():,.0f} times the lightest, over 10."
    if not torch.allclose(weights[2:], 10 * weights[0]):
        return "Not yet: classes that 1/n would lift over the cap have to stand at the cap."
    if not torch.allclose(free * many, free[0] * many[0]):
        return "Not yet: with a cap that no class reaches, it has to be 1/n."
    return "Right. Make it a part, train it, and see whether it beats the square root of 1/n."


print(check(capped))

# %% [markdown]
# <details>
# <summary>An answer</summary>
#
# ```python
# def capped(class_counts, most=10.0):
#     weights = (class_counts.max() / class_counts).clamp(max=most)
#     return weights / weights.mean()
# ```
#
# The largest class has the weight 1 before scaling, so `most` is the cap itself.
#
# </details>
#
# ## 7. To discuss
#
# 1. `extra=10` was a guess. Suppose that you try eight values and report the best test accuracy. What is wrong with
#    that, and what would be honest? (Hint: `held_out` in `rdr_core.load_data`.)
# 2. Is "smoothed" a new method? What would you have to show a reviewer who says that it is the square root of 1/n
#    under another name?
# 3. RDR has a ratio and a temperature; "smoothed" has one number. Which of the differences in section 3 would remain
#    with thirty seeds? How many seeds do you need to detect one point of accuracy on 150 test images of the Few
#    digits?
#
# **Next:** [A reading group's session: the paper in an hour](07_reading_group.ipynb), for a group.
