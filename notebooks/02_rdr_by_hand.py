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
# # RDR by hand
#
# RDR weights an image by its class's rarity **times a ratio r**, which is solved for in every batch. This notebook
# solves for r with numbers that you can follow on paper, then on a real network's features. You will learn
#
# 1. what question the ratio answers: *how must I weight these images so that their mean lands where the class usually
#    is?*
# 2. how it is solved, for one class with pencil and paper and for all classes at once;
# 3. why r is exactly 1 where the batch looks like the class, and why it can be **below zero**;
# 4. what the ridge, the clamp, the temperature γ and the momentum m do, each with a slider.
#
# The method is from Luo et al., NeurIPS 2024, "Revive Re-weighting in Imbalanced Learning by Density Ratio
# Estimation". No downloads, less than a minute. Run the cells from top to bottom (Shift+Enter); the first gathers the
# tools. Cells that only draw are folded; click the three dots to open one.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
import ipywidgets as widgets
import numpy as np
import pandas as pd
import torch
from matplotlib.ticker import FixedLocator, NullLocator

import rdr_core
from rdr_core import RIDGE, normalise
from rdr_viz import (
    GROUP_COLORS,
    FisherConsistency,
    explore,
    listed,
    new_figure,
    number,
    picture,
    plural,
    rdr_style,
    short,
)

CLASSES = ("Many", "Medium", "Few")
COLORS = [GROUP_COLORS[name] for name in CLASSES]


def slider(text, options, start):
    """One of our sliders: it moves in the steps given, and tells when it is let go."""
    return widgets.SelectionSlider(
        options=options,
        value=start,
        description=text,
        continuous_update=False,
        style={"description_width": "150px"},
        layout={"width": "480px"},
    )


def steps(low, high, step, digits=2):
    """Options of a slider from low to high."""
    values = np.arange(low, high + step / 2, step).round(6).tolist()
    return [(number(value, digits), value) for value in values]


def pair(point):
    return f"({point[0]:g}, {point[1]:g})"


# %% [markdown]
# ## 1. A batch in the plane
#
# A network turns each image into numbers, its **features**; a linear classifier predicts the class from them. Real
# networks have 64 features or more. Ours has two, so that an image is a point in the plane.
#
# Here is a batch of seven images: four of the class *Many*, two of *Medium*, one of *Few*. The method remembers where
# each class usually is: the **prototype** (star) is a running mean of the class's features. The cross is the mean of
# the class's images in this batch. **In which class does the batch look least like the class? Which of its images
# would you give more weight, and which less, so that the cross moves onto the star?**

# %% jupyter={"source_hidden": true} tags=["hide-input"]
features = np.array([[7, 1], [6, 4], [4, 5], [7, 2], [3, 1], [1, 3], [1, 6]], float)
labels = np.array([0, 0, 0, 0, 1, 1, 2])
prototypes = np.array([[5.5, 3.5], [2.5, 1.5], [2.0, 5.5]])
names = [f"{CLASSES[label]} {i + 1 - list(labels).index(label)}"
         for i, label in enumerate(labels)]  # fmt: skip


def draw_plane(axes, points, classes, stars, weights):
    """Points with areas as weights, in rings that stand for 1; cross, arrow, star."""
    for klass in np.unique(classes):
        color, mine = COLORS[klass], points[classes == klass]
        mean, star = mine.mean(0), stars[klass]
        size = 90 * np.clip(weights[classes == klass], 0, None)
        axes.scatter(*mine.T, s=90, ec="#999999", fc="none", lw=0.8)
        axes.scatter(*mine.T, s=size, color=color, label=CLASSES[klass])
        axes.annotate(
            "", star, mean, arrowprops={"arrowstyle": "->", "color": "#666666"}
        )
        axes.plot(*mean, "x", color="#222222", ms=6)
        axes.plot(*star, "*", color="#222222", mfc="white", ms=10)
    axes.set(xlim=(0, 8), ylim=(0, 7), aspect="equal")
    axes.set(xlabel="Feature 1", ylabel="Feature 2")
    axes.grid(True, axis="both")


with rdr_style():
    figure = new_figure(5.5, 3.6)
    axes = figure.subplots()
    draw_plane(axes, features, labels, prototypes, np.ones(len(labels)))
    for name, point in zip(names, features, strict=True):
        axes.annotate(name, point, (6, 5), textcoords="offset points")
    axes.set_title("Seven images, crosses (batch means) and stars (prototypes)")
places = [f"{name} {pair(point)}" for name, point in zip(names, features, strict=True)]
gaps = [np.linalg.norm(prototypes[k] - features[labels == k].mean(0)) for k in range(3)]
picture(
    figure,
    f"Points in the plane: {listed(places)}. Prototypes: "
    f"{listed([f'{n} {pair(p)}' for n, p in zip(CLASSES, prototypes, strict=True)])}.",
    "From cross to star it is "
    f"{listed([f'{short(g)} in {n}' for n, g in zip(CLASSES, gaps, strict=True)])}.",
)

# %% [markdown]
# ## 2. One class, with pencil and paper
#
# Take *Medium*: two images, $x_1 = (3, 1)$ and $x_2 = (1, 3)$, and the prototype $F = (2.5, 1.5)$. We want two ratios
# whose weighted mean of the images is the prototype (the paper's equation 5):
#
# $$\tfrac{1}{b} \, (r_1 x_1 + r_2 x_2) = F, \qquad b = 2 \text{ images in the batch.}$$
#
# Write the images as the columns of $\Phi$. Then $\Phi r = b F$, and multiplying by $\Phi^\top$ from the left gives
# the paper's answer, in three steps:
#
# | step | formula | here |
# | --- | --- | --- |
# | Gram matrix: how similar are the images? | $G = \Phi^\top \Phi$ | $\begin{pmatrix} 3 \cdot 3 + 1 \cdot 1 & 3 \cdot 1 + 1 \cdot 3 \\ 3 \cdot 1 + 1 \cdot 3 & 1 \cdot 1 + 3 \cdot 3 \end{pmatrix} = \begin{pmatrix} 10 & 6 \\ 6 & 10 \end{pmatrix}$ |
# | right-hand side: how similar are image and prototype? | $\Phi^\top F$ | $\begin{pmatrix} 3 \cdot 2.5 + 1 \cdot 1.5 \\ 1 \cdot 2.5 + 3 \cdot 1.5 \end{pmatrix} = \begin{pmatrix} 9 \\ 7 \end{pmatrix}$ |
# | solve | $r = b \, G^{-1} \, \Phi^\top F$ | $\frac{2}{64} \begin{pmatrix} 10 & -6 \\ -6 & 10 \end{pmatrix} \begin{pmatrix} 9 \\ 7 \end{pmatrix} = \begin{pmatrix} 1.5 \\ 0.5 \end{pmatrix}$ |
#
# The first image is on the prototype's side, so it counts one and a half times; the second counts half. Below is the
# same in NumPy, beside the toolkit's `density_ratio`. An `assert` stops the notebook if they differ.

# %%
phi = features[labels == 1].T  # a column for each image
F = prototypes[1]
gram = phi.T @ phi
right = phi.T @ F
r = 2 * np.linalg.solve(gram, right)
print(
    f"G = {gram.tolist()}\nright-hand side = {right.tolist()}\nr = {r.round(9).tolist()}"
)


def toolkit(points, classes, stars, ridge=RIDGE):
    """The toolkit's ratios of NumPy arrays."""
    given = map(torch.as_tensor, (points, classes, stars))
    return rdr_core.density_ratio(*given, ridge=ridge).numpy()


assert np.abs(phi @ r / 2 - F).max() < 1e-12  # the weighted mean is the prototype
assert np.abs(r - toolkit(phi.T, [0, 0], F[None], ridge=0.0)).max() < 1e-6

# %% [markdown]
# ## 3. Move the prototype
#
# Move the star with the two sliders and watch the two ratios. The grey rings show the size of a ratio of 1. **Where
# must the star be for both ratios to be 1? Where does one of them become negative? And where are both larger than 1?**


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def draw_ratios(x, y):
    star, points = np.array([x, y]), features[labels == 1]
    ratios = toolkit(points, [0, 0], star[None])
    with rdr_style():
        figure = new_figure(5.5, 2.9)
        plane, bars = figure.subplots(1, 2, width_ratios=[3, 2])
        draw_plane(plane, points, np.array([1, 1]), {1: star}, ratios)
        plane.set(xlim=(0, 5), ylim=(0, 5))
        for i, point in enumerate(points):
            name = f"$x_{i + 1}$"
            plane.annotate(name, point, (9, 6), textcoords="offset points")
        shown = bars.bar(["$r_1$", "$r_2$"], ratios, color=COLORS[1], width=0.5)
        bars.bar_label(shown, [number(value, 2) for value in ratios], padding=3)
        bars.axhline(1, color="#222222", lw=0.8, ls=":")
        bars.axhline(0, color="#222222", lw=0.8)
        bars.set(ylim=(-3.5, 4.5), title="Ratio")
    said = f"With the prototype at {pair(star)}, r is {listed([short(v) for v in ratios])}."
    if np.array_equal(star, points.mean(0)):
        why = "It lies on the batch mean, so both are exactly 1: nothing is to be changed."
    elif ratios.min() < 0:
        why = "One is below 0: no mix of the two with positive weights has this mean."
    elif ratios.min() > 1:
        why = "Both are above 1: the class usually has longer features than this batch."
    elif ratios.max() < 1:
        why = (
            "Both are below 1: the class usually has shorter features than this batch."
        )
    else:
        why = "The image on the prototype's side counts more."
    return picture(
        figure, f"Two images, their mean and a prototype. {said}", f"{said} {why}"
    )


explore(
    [
        slider(f"Prototype, feature {axis}", steps(0, 4.5, 0.5), at)
        for axis, at in ((1, 2.5), (2, 1.5))
    ],
    draw_ratios,
)

# %% [markdown]
# **r = 1 exactly.** When the star is on the cross, every r is exactly 1, to the last bit, and RDR is just 1/n. This
# holds even if the equations have no unique solution: below, for five copies of the same image, and for a thousand
# images of 40 classes, each with more images than there are features.

# %%
draw = np.random.default_rng(0)
for points, classes in (
    (features[labels == 1], np.zeros(2, int)),
    (np.tile([3.0, 1.0], (5, 1)), np.zeros(5, int)),
    (draw.integers(0, 9, (1000, 16)).astype(float), np.arange(1000) % 40),
):
    stars = np.array([points[classes == k].mean(0) for k in range(classes.max() + 1)])
    assert (toolkit(points, classes, stars) == 1).all()
print("r is 1 to the last bit in all three batches")

# %% [markdown]
# ## 4. All classes at once
#
# The paper solves a small system for each class, and ImageNet has 1,000 classes. Instead, look at the Gram matrix of
# the whole batch, with zeros wherever two images belong to different classes. **What does a single solve with this
# matrix do?**

# %%
same = labels[:, None] == labels
gram = np.where(same, features @ features.T, 0)

with rdr_style():
    figure = new_figure(5.5, 3.4)
    axes = figure.subplots()
    axes.imshow(np.where(same, gram, np.nan), cmap="Purples", vmin=0, vmax=130)
    for (i, j), value in np.ndenumerate(gram):
        color = "#222222" if same[i, j] else "#AAAAAA"
        axes.text(j, i, f"{value:.0f}", ha="center", va="center", color=color)
    axes.set_xticks(range(7), [])
    axes.set_yticks(range(7), names)
    axes.grid(False)
    axes.set_title("The batch's Gram matrix, zero between classes")
picture(
    figure,
    "Heat map of the 7 by 7 Gram matrix: three blocks along the diagonal, of 4, 2 and 1 "
    f"images, with entries from {gram[same].min():.0f} to {gram[same].max():.0f}; "
    "zero elsewhere.",
    "Three blocks that do not touch: one solve gives every class its own answer, however "
    "many classes there are.",
)

# %% [markdown]
# One more thing: *Many* has four images but only two features, so **infinitely many** choices of r put its mean on the
# star. Which one should we take? The toolkit takes the one **closest to 1**, which changes the weights least: write
# r = 1 + δ, so that δ only has to move the mean by the arrow from cross to star, and take the shortest such δ.

# %%
size = same.sum(1)
means = same @ features / size[:, None]
right = size * (features * (prototypes[labels] - means)).sum(1)
r = 1 + np.linalg.lstsq(gram, right)[0]  # lstsq: of all answers the shortest

assert np.abs(r - toolkit(features, labels, prototypes)).max() < 1e-6
moved = same @ (r[:, None] * features) / size[:, None]
reached = np.abs(moved - prototypes[labels]).max(1) < 1e-9
table = {"class": [CLASSES[k] for k in labels], "r": r, "mean on the star": reached}
pd.DataFrame(table, index=names).style.format({"r": "{:.3f}"})

# %% [markdown]
# *Few* is the exception: a ratio can stretch or shrink a single image but not turn it, so the mean goes to the
# reachable point nearest to the star, and $r = \langle x, F \rangle / \lVert x \rVert^2$. Keep this in mind: a rare
# class has only one image in most of its batches, and then r compares little more than **lengths**.
#
# ## 5. What the ridge does
#
# Two images of a class can be nearly the same. To move their mean sideways a little, RDR has to give one of them a
# huge weight and the other a huge *negative* one. The **ridge**, a small number added to the diagonal of the Gram
# matrix, prevents this. (The toolkit iterates it three times and pulls towards r = 1, so that well-posed answers stay
# the same.)
#
# Below, two images are separated by a gap, and the prototype is 0.1 to the side of their mean. **Without a ridge (the
# first position of the slider), how do the ratios change as the gap closes? And what does each stronger ridge give up
# in return?**

# %% jupyter={"source_hidden": true} tags=["hide-input"]
SHIFT, gap = 0.1, np.logspace(-2, 0.5, 60)
sideways = np.array([1, -1]) / np.sqrt(2)
centre = np.array([2.0, 2.0])


def two_ratios(ridge):
    """(60, 2) ratios of two images, for each gap between them."""
    away = gap[:, None] / 2 * sideways
    points = np.stack([centre + away, centre - away], 1)
    star = (centre + SHIFT * sideways)[None]
    return np.array([toolkit(two, [0, 0], star, ridge) for two in points])


exact = two_ratios(0.0)
# By hand: r = 1 ± 2 shift / gap.
assert np.abs(exact / (1 + np.outer(2 * SHIFT / gap, [1, -1])) - 1).max() < 1e-6


def draw_ridge(ridge):
    ratios = two_ratios(ridge)
    with rdr_style():
        figure = new_figure(5.5, 2.9)
        axes = figure.subplots()
        axes.axhspan(-30, 0, color="#F3E8E8", lw=0)
        axes.annotate(
            "clamped to 0: no weight", (0.99, 0.1), xycoords="axes fraction", ha="right"
        )
        axes.plot(gap, exact, color="#888888", lw=1, ls=":")
        for i, (color, name) in enumerate(
            [
                ("#D55E00", "the image on the star's side"),
                ("#0072B2", "the other image"),
            ]
        ):
            axes.plot(gap, ratios[:, i], color=color, lw=2, label=name)
        axes.plot([], [], color="#888888", ls=":", label="without a ridge")
        axes.set_xscale("log")
        axes.set_yscale("asinh", linear_width=1)
        axes.yaxis.set_major_locator(FixedLocator([-20, -5, -2, -1, 0, 1, 2, 5, 20]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter("{x:.0f}")
        axes.xaxis.set_major_locator(FixedLocator([0.01, 0.1, 1]))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set(ylim=(-30, 30), xlabel="Gap between the two images", ylabel="Ratio")
        axes.legend(loc="upper right")
    below = gap[ratios[:, 1] < 0]
    lost = (
        f"below 0 for gaps up to {short(below.max())}"
        if len(below)
        else "nowhere below 0"
    )
    tame = np.abs(ratios - exact)[-1].max()
    words = (
        f"Ridge {ridge:g}: ratios go from {short(ratios.min())} to {short(ratios.max())}, "
        f"{lost}. At the widest gap, {short(gap[-1])}, they differ from the exact ones by "
        f"{tame:.1g}."
    )
    return picture(
        figure, f"Two ratios against the gap between two images. {words}", words
    )


strengths = [0.0, 1e-4, 1e-3, RIDGE, 0.03, 0.3]
explore(
    slider("Ridge", [(f"{s:g}", s) for s in strengths], RIDGE),
    draw_ridge,
)

# %% [markdown]
# A density ratio cannot be negative, but its least-squares estimate can. The paper does not say what it does then. The
# toolkit clamps such ratios to 0: the image gets no weight in this step.
#
# ## 6. From the ratio to the weight
#
# $$w = \left( \frac{\max(r, 0)}{\pi_y} \right)^{\gamma}, \text{ scaled to mean 1 over the batch;} \qquad \pi_y =
# \text{share of the class in the training set.}$$
#
# With r = 1 and γ = 1 this is 1/n. The **temperature γ** softens the whole weight. Suppose the training set has 40, 20
# and 10 images of the three classes. **How much of the differences between classes, and within a class, is left at γ =
# 0.5?**

# %% jupyter={"source_hidden": true} tags=["hide-input"]
counts = np.array([40, 20, 10])


def by_hand(gamma):
    weights = (np.clip(r, 0, None) / (counts / counts.sum())[labels]) ** gamma
    return weights / weights.mean()


def by_toolkit(gamma):
    """The three lines for your own training loop, with the prototypes set for once."""
    weights = rdr_core.RDRWeights(
        torch.tensor(counts), feature_dim=2, gamma=gamma
    ).eval()
    weights.prototypes.copy_(torch.tensor(prototypes))
    weights.started.fill_(True)
    return weights(torch.tensor(features), torch.tensor(labels)).numpy()


def draw_weights(gamma):
    weights = by_hand(gamma)
    assert np.abs(weights - by_toolkit(gamma)).max() < 1e-6
    with rdr_style():
        figure = new_figure(5.5, 2.9)
        plane, bars = figure.subplots(1, 2, width_ratios=[3, 2])
        draw_plane(plane, features, labels, prototypes, weights)
        bars.barh(names, weights, color=[COLORS[k] for k in labels], height=0.6)
        bars.axvline(1, color="#222222", lw=0.8, ls=":")
        bars.invert_yaxis()
        bars.grid(False)
        bars.set(xlim=(0, 3), title="Weight (mean 1)")
    per_class = [
        f"{number(weights[labels == k].mean(), 2)} for {CLASSES[k]}" for k in range(3)
    ]
    inside = f"{number(weights[:4].min(), 2)} to {number(weights[:4].max(), 2)}"
    words = f"γ = {gamma:g}: the mean weight is {listed(per_class)}; within Many from {inside}."
    return picture(figure, f"Images with areas as weights, and bars. {words}", words)


explore(
    slider("Temperature γ", steps(0, 1.5, 0.25), 1.0),
    draw_weights,
)

# %% [markdown]
# ## 7. A real network
#
# Enough toy examples. We train a small network on long-tailed digits with RDR (a few seconds), freeze it at the end,
# and go through the training images three times in batches of 32. (Training also shifts the images a little at
# random.) Each dot below is an image, and its height is the raw ratio. **Move through the batches: in which classes
# are the ratios steady, and in which do they jump? Is that information, or chance?**

# %% jupyter={"source_hidden": true} tags=["hide-input"]
run = rdr_core.train(
    "digits", imbalance_factor=50, method="rdr", epochs=20, runs="runs", progress=False
)
data = run.data()
digits = data.train.labels
mean, std = torch.tensor(data.mean), torch.tensor(data.std)
images = normalise(data.train.inputs, mean, std)


@torch.no_grad()
def features_after(epoch):
    """(N, 64) features of all training images by the network as it was."""
    return run.model(epoch).features(images)


def shuffled_batches(rounds):
    """Batches of 32 training images, as indices; each round sees every image once."""
    draw = np.random.default_rng(0)
    orders = [draw.permutation(len(digits)) for _ in range(rounds)]
    return [
        torch.from_numpy(batch)
        for order in orders
        for batch in np.split(order, range(32, len(order), 32))
    ]


last = features_after(run.config.epochs)
batches = shuffled_batches(3)
weighting = rdr_core.RDRWeights(data.class_counts, feature_dim=last.shape[1])
found = [
    weighting.weigh(last[batch], digits[batch]).ratios.numpy() for batch in batches
]


def draw_batch(at):
    ratios, classes = found[at - 1], digits[batches[at - 1]].numpy()
    here = np.bincount(classes, minlength=10)
    with rdr_style():
        figure = new_figure(5.5, 3.0)
        axes = figure.subplots()
        axes.axhspan(-20, 0, color="#F3E8E8", lw=0)
        axes.axhline(1, color="#222222", lw=0.8, ls=":")
        groups = [run.groups.of_class[k] for k in classes]
        spread = np.linspace(-0.2, 0.2, len(classes))
        axes.scatter(
            classes + spread, ratios, s=16, c=[GROUP_COLORS[g] for g in groups]
        )
        ticks = [f"{k}\n{here[k] or '–'}" for k in range(10)]
        axes.set_xticks(range(10), ticks)
        axes.set_yscale("asinh", linear_width=2)
        axes.yaxis.set_major_locator(FixedLocator([-10, -5, -2, -1, 0, 1, 2, 5, 10]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter("{x:.0f}")
        axes.set(xlim=(-0.5, 9.5), ylim=(-20, 20), ylabel="Raw ratio r")
        axes.set_xlabel("Digit, and its images in this batch")
        axes.set_title(f"Batch {at} of {len(found)}")
    below = int((ratios < 0).sum())
    lone = here[classes] == 1
    words = (
        f"Batch {at}: {plural(len(ratios), 'image')}, raw ratios from {short(ratios.min())} to "
        f"{short(ratios.max())}, {below} below 0; "
        + (f"images alone of their class: r from {short(ratios[lone].min())} to {short(ratios[lone].max())}."
           if lone.any() else "no image is alone of its class.")
    )  # fmt: skip
    return picture(figure, f"Dots, raw ratio by digit. {words}", words)


explore(slider("Batch", range(1, len(found) + 1), 2), draw_batch)

# %% [markdown]
# Here is the same over all of these batches, by group. "Below 0" is the share of images that are clamped, and so teach
# the network nothing in that step.

# %%
settled = torch.cat(
    batches[len(batches) // 3 :]
)  # by now every class has its prototype
ratios = np.concatenate(found)[-len(settled) :]
rows = {}
for group, members in run.groups.items():
    mine = ratios[np.isin(digits[settled].numpy(), members)]
    rows[group] = {"mean r": mine.mean(), "spread (sd)": mine.std()}
    rows[group]["below 0 (%)"] = 100 * (mine < 0).mean()
pd.DataFrame(rows).T.style.format("{:.2f}")

# %% [markdown]
# Are you surprised where r is steady and where it jumps? A large class has many images in a batch, and the trained
# network sees them as nearly the same: that is the case of section 5. In a small class an image is usually the only
# one in its batch, and then $r = \langle x, F \rangle / \lVert x \rVert^2$: the part of F orthogonal to x is out of
# reach. With $x = F + e$, where e is the image's own deviation, the mean r of b images of a class is about $\lVert F
# \rVert^2 / (\lVert F \rVert^2 + \lVert e \rVert^2 / b)$: **below 1 in a small class**, however typical its images
# are. So the mean r of Few says how few images its classes have in a batch, not how dense the classes are.
#
# ### And with infinite data?
#
# Take two classes on a line whose densities are known exactly, infinitely many images, and a network that can
# represent anything. Then every method has one best answer at each x, which can be solved for. **Which methods give
# the same answer? What happens if the imbalance is corrected twice, by 1/n and LA (logit adjustment, notebook 1)? And
# what does RDR give if r of the rare class is as small as in the row of Few?**


# %%
def draw_infinite(factor, ratio):
    shown = FisherConsistency.of(imbalance_factor=factor, ratio=ratio)
    return picture(shown.figure(), shown.alt, shown.finding)


factors = slider("Imbalance factor", [1, 2, 5, 10, 20, 50, 100, 200, 500], 100)
explore(
    [factors, slider("r of the rare class", steps(0.4, 1.2, 0.1, 1), 1.0)],
    draw_infinite,
)

# %% [markdown]
# With infinite data 1/n, LA and RDR with r = 1 draw the same line, the best one if both classes count equally
# (**Fisher consistency**). An r below 1 for the rare class undoes a part of this; focal loss changes the confidence,
# not the boundary. In real runs the first three differ only because data are finite.
#
# ## 8. How a prototype trails
#
# After each batch the prototype moves towards the batch's mean: $F \leftarrow m F + (1 - m) \, \text{mean}$. With
# **momentum** m = 0 it *is* the last batch's mean; with m near 1 it is stable, but lags when the network changes.
#
# To see both, we use four networks: the same run after 5, 10, 15 and 20 epochs, with two rounds through the training
# images for each. (In training the features move a little in every step; here they jump.) A dot is the mean of the
# class's images in a batch, along the direction in which the class moved most. **Which m would you choose for a large
# class, and which for a small one?**

# %% jupyter={"source_hidden": true} tags=["hide-input"]
stages = [features_after(epoch) for epoch in run.milestones]
walk = [(stage, batch) for stage in stages for batch in shuffled_batches(2)]


def trail(digit, momentum):
    """Along one direction: the true mean, the batch's mean and the prototype, by batch."""
    true = torch.stack([stage[digits == digit].mean(0) for stage in stages])
    direction = torch.linalg.svd(true - true.mean(0)).Vh[0]
    prototype, points = None, []
    for at, (stage, batch) in enumerate(walk):
        mine = batch[digits[batch] == digit]
        if not len(mine):
            continue
        mean = stage[mine].mean(0)
        prototype = (
            mean if prototype is None else momentum * prototype + (1 - momentum) * mean
        )
        truth = true[at * len(stages) // len(walk)]
        points.append(
            [at + 1, *(float(p @ direction) for p in (truth, mean, prototype))]
        )
    return np.array(points).T


def draw_trail(digit, momentum):
    at, truth, mean, prototype = trail(digit, momentum)
    group = run.groups.of_class[digit]
    with rdr_style():
        figure = new_figure(5.5, 2.9)
        axes = figure.subplots()
        axes.plot(
            at,
            truth,
            color="#222222",
            lw=1,
            ls="--",
            drawstyle="steps-mid",
            label="mean of all its images",
        )
        axes.plot(
            at, mean, "o", color=GROUP_COLORS[group], ms=3.5, label="mean in the batch"
        )
        axes.plot(at, prototype, color="#D55E00", lw=1.8, label="prototype")
        axes.set(xlabel="Batch", ylabel="Place along the direction")
        figure.legend(
            *axes.get_legend_handles_labels(), loc="outside upper center", ncols=3
        )
    off = [np.sqrt(np.mean((line - truth) ** 2)) for line in (mean, prototype)]
    words = (
        f"Digit {digit} ({plural(int(run.class_counts[digit]), 'training image')}), m = {momentum:g}: the prototype "
        f"is {short(off[1])} from the mean of all images (root mean square), the batches' own means {short(off[0])}."
    )
    return picture(figure, f"Line chart over {len(walk)} batches. {words}", words)


explore(
    [
        widgets.Dropdown(
            options=[
                (f"{k} (n = {n})", k) for k, n in enumerate(run.class_counts.tolist())
            ],
            value=4,
            description="Digit",
            style={"description_width": "150px"},
        ),
        slider(
            "Momentum m",
            [(f"{m:g}", m) for m in (0.0, 0.3, 0.5, 0.7, 0.9, 0.97)],
            0.5,
        ),
    ],
    draw_trail,
)

# %% [markdown]
# ## 9. To remember, and to discuss
#
# - The ratio weights the images of a batch so that their mean lands on the class's prototype; if the mean is already
#   there, RDR is 1/n.
# - It is a least-squares estimate from few, noisy numbers, so ridge and clamp decide much of the result.
#
# 1. In section 7, the prototypes and the batches come from the same network and the same images. So what do the ratios
#    there measure, if not chance? What would have to be true of a data set for them to measure more?
# 2. With one image of a class in the batch, $r = \langle x, F \rangle / \lVert x \rVert^2$. Show that this follows
#    from section 2. Which images get a large weight then: typical ones or odd ones?
# 3. The paper calls it a ratio of the *balanced* to the *training* density of the features. The word "balanced"
#    appears nowhere in the formula. Where is it hidden? (Hint: what is the prototype a mean of?)
# 4. `rdr:ratio=class` takes the mean of r over the class's images in the batch. Which of the sliders above would then
#    matter less?
#
# **Next:** [The explorer](03_explorer.ipynb), all the runs that come with the toolkit, to explore.
