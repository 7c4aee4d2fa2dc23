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
# # What a long tail does
#
# Most collections of real images are lopsided: thousands of pictures of a few common things, a handful of each of
# the many rare ones. Sort the classes by size and you see a **long tail**. You will learn
#
# 1. what a long tail is, on handwritten digits that you can look at;
# 2. what it does to a network: **which** digits it gets wrong, and what two remedies change;
# 3. why nobody notices: the loss looks fine, so does the accuracy, and the network is sure of itself;
# 4. to check a paper's claim with your own eyes.
#
# No GPU, no downloads, a minute or two. All networks were trained beforehand and their results come with the toolkit,
# so the sliders answer at once; section 3 trains a few again, and section 5 one in front of you. Run the cells from
# top to bottom (Shift+Enter). The first one only gathers the tools; you need not read it. Cells that only draw are
# folded; click the three dots to open one.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
import ipywidgets as widgets
import matplotlib as mpl
import numpy as np
import pandas as pd
from IPython.display import HTML, display

import rdr_core
from rdr_core import GROUPS, method_label, shipped, train_config
from rdr_viz import (
    GROUP_COLORS,
    Answers,
    Calibration,
    ClassCounts,
    GroupAccuracy,
    PriorShift,
    WeightAndBPrime,
    explore,
    loss_surface,
    new_figure,
    percent,
    picture,
    playground,
    predictions,
    rdr_style,
    short,
    surface_by_group,
)

FACTORS = [10, 50, 100]
REMEDIES = ["inverse", "inverse:gamma=0.5", "rdr", "la", "rdr+la", "ce+sam"]
RUNS = rdr_core.list_runs(shipped(), dataset="digits", noise_rate=0, schedule="cosine")


def find(factor, method):
    """The runs of a method at an imbalance factor, one for each seed."""
    return [
        run
        for run in RUNS
        if run.config.imbalance_factor == factor and run.config.method == method
    ]


def with_networks(runs):
    """The same runs trained again, a second or two each: networks are not shipped."""
    return [train_config(run.config, runs="runs", progress=False) for run in runs]


def drawn(shown):
    """A display's picture with its alt text and its sentence."""
    return picture(shown.figure(), shown.alt, shown.finding)


def slider(options, start, text="Imbalance factor"):
    return widgets.SelectionSlider(
        options=options,
        value=start,
        description=text,
        continuous_update=False,
        style={"description_width": "120px"},
        layout={"width": "420px"},
    )


def method_menu(methods, start, text="Method"):
    return widgets.Dropdown(
        options=[(method_label(method), method) for method in methods],
        value=start,
        description=text,
        style={"description_width": "120px"},
        layout={"width": "420px"},
    )


def not_there(factor, method):
    label = method_label(method)
    return HTML(f"<p>No run of {label} at {factor} is here. Section 5 trains one.</p>")


def show_all(axes, data, digit, columns=31, rows=4):
    """All training images of a digit, with an empty square for each one not there."""
    images = data.train.inputs[data.train.labels == digit, 0].numpy() / 255
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
# Move the slider. At 1 all digits are equally common. **What is left of the 9 at 50? Could *you* learn what a 9 looks
# like from that?**


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


explore(slider([1, 2, 5, 10, 20, 50, 100], 50), draw_counts)

# %% [markdown]
# ## 2. Who pays for it?
#
# The same small network was trained on such data many times, with several random seeds, and each time tested on 50 new
# images of *every* digit. **All** is the accuracy over all of them; **Many**, **Medium** and **Few** are the digits 0
# to 2, 3 to 6 and 7 to 9. The methods differ only in how much they let the rare digits count:
#
# - **CE** (cross-entropy): every image counts the same. This is the usual default.
# - **1/n**: an image counts in inverse proportion to the number *n* of images in its class, so that each class has
#   the same say. With **γ = 0.5** it is the square root of that, a compromise.
# - **RDR**: 1/n times a ratio that is measured during training. The ratio compares the features of a class in the
#   current batch with their running mean. The next notebook computes it by hand.
# - **LA** (logit adjustment): no weights; in training, each class's score gets a head start by how common the class
#   is.
# - **SAM**: no remedy for the tail, but an optimizer step that looks for flat minima.
#
# **Who pays as the imbalance factor grows? And what does a remedy cost the digits that have plenty of images?**


# %%
def draw_accuracy(factor, method):
    if not find(factor, method):
        return not_there(factor, method)
    accuracy = GroupAccuracy.from_runs(find(factor, "ce") + find(factor, method))
    return picture(accuracy.figure(), accuracy.alt, accuracy.finding)


explore(
    [slider(FACTORS, 50), method_menu(REMEDIES, "rdr", "CE against")],
    draw_accuracy,
)

# %% [markdown]
# ### Which images does a remedy win, and which does it lose?
#
# Digits are quick, but a test set of 500 of them decides little. Larger networks of the same kind were trained on
# clothes: **Fashion-MNIST** with an imbalance factor of 100, 6,000 images of the largest class and 60 of the smallest,
# and 10,000 test images. Which classes are rare was drawn at random. The picture shows test images that only one of
# two methods gets right, the first few of each class, and how many there are:
#
# - **1/n+DRW** is 1/n that begins late, in the last fifth of the run; **RDR** is as its authors released it, and
#   begins there too.
#
# **What do the images that CE loses have in common? For each image that the remedy wins on a rare class, how many does
# it lose on a similar common class? Between 1/n and RDR, is there anything left to win?**


# %%
CLOTHES = {
    run.config.method: run.as_stored
    for run in rdr_core.list_runs(shipped(), dataset="fashion-mnist", seed=0)
    if "predictions"
    in {path.name.split("-")[0] for path in run.path.glob("analysis/*.csv")}
}


def draw_answers(first, second):
    if first == second:
        return HTML("<p>Choose two methods.</p>")
    answers = Answers.from_runs([CLOTHES[first], CLOTHES[second]])
    return picture(answers.figure(), answers.alt, answers.finding)


explore(
    [
        method_menu(CLOTHES, "ce", "Set"),
        method_menu(CLOTHES, "rdr:preset=released", "against"),
    ],
    draw_answers,
)

# %% [markdown]
# ## 3. Why nobody noticed
#
# ### The loss looked fine
#
# While a network trains, people watch its **loss**: minus the logarithm of the probability that it gives to the true
# answer, averaged over the training images. 0 is perfect; a coin toss between two digits gets 0.69, and guessing among
# ten gets 2.3. The dashed line is that average, the one number that everybody looks at.
#
# **Whose loss does the dashed line show? How far from it is the loss on *new* images of the rare digits?**


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def loss_by_group(run):
    """Loss of each group, the mean over its digits, on training and on test images; and over all images."""
    surface, test = surface_by_group(loss_surface(run)), predictions(run)
    here = surface[(surface["a"] == 0) & (surface["b"] == 0)]  # the network itself
    training = here.set_index("group")["loss"]
    loss, groups = -np.log(test["probability"]), run.groups.of_class[test["label"]]
    table = pd.DataFrame({"training": training, "test": loss.groupby(groups).mean()})
    return table.loc[list(GROUPS)], training["All"]


PLATE = {"boxstyle": "square,pad=0.1", "fc": "white", "lw": 0}


def draw_loss(factor, method):
    table, overall = loss_by_group(find(factor, method)[0])
    label = method_label(method)
    with rdr_style():
        figure = new_figure(5.5, 2.5)
        axes = figure.subplots()
        for place, (group, row) in enumerate(table.iterrows()):
            color = GROUP_COLORS[group]
            ends = row["training"], row["test"]
            axes.plot(ends, [place, place], color=color, lw=1.2)
            for value, fill in zip(ends, ("white", color), strict=True):
                axes.plot(value, place, "o", ms=8, mec=color, mfc=fill, mew=1.6)
                axes.annotate(short(value), (value, place), (0, 8), ha="center",
                              textcoords="offset points", bbox=PLATE)  # fmt: skip
        axes.axvline(overall, color="#222222", lw=1, ls="--")
        axes.annotate(f"all training images: {short(overall)}", (overall, 2.62),
                      (4, 0), textcoords="offset points", va="center")  # fmt: skip
        for name, fill in (("training images", "white"), ("new images", "#444444")):
            axes.plot([], [], "o", ls="", mec="#444444", mfc=fill, label=name)
        axes.set_xscale("log")
        axes.set(xlim=(4e-4, 3), ylim=(2.85, -0.6), xlabel="Loss (log scale)")
        axes.set_yticks(range(len(GROUPS)), GROUPS)
        axes.set_title(f"{label} at imbalance factor {factor}, one seed", pad=20)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    said = [f"{group}: {short(row['training'])} on training images, "
            f"{short(row['test'])} on new ones" for group, row in table.iterrows()]  # fmt: skip
    few = table.loc["Few"]
    words = (
        f"Over all training images the loss is {short(overall)}. On training images of the "
        f"rare digits it is {short(few['training'] / overall)} times that, and on new "
        f"images of them {short(few['test'] / overall)} times."
    )
    alt = f"Loss of {label} by group. {'; '.join(said)}. Over all: {short(overall)}."
    return picture(figure, alt, words)


ANALYSED = ["ce", "inverse", "inverse:gamma=0.5", "rdr", "la", "rdr+la"]
explore([slider([10, 50], 50), method_menu(ANALYSED, "ce")], draw_loss)

# %% [markdown]
# The average is over images, and nearly all images are of common digits, so it says little about the rare ones. A
# method that gives the rare digits more weight lowers their training loss a lot. **How much of that carries over to
# new images?** (Two training images of a 9 are easily learnt by heart.)
#
# ### The accuracy looked fine too
#
# The overall accuracy hides the rare digits, since they are only three of ten. It gets worse: test images are often
# collected in the same way as the training images, so the rare digits are rare there too. This is what you would then
# have seen (imbalance factor 50, mean over seeds):

# %%
rows = {}
for method in ["ce", *REMEDIES[:4]]:
    by_digit = np.mean([run.metrics["per_class"] for run in find(50, method)], axis=0)
    counts = find(50, method)[0].class_counts
    rows[method_label(method)] = {
        "digits 7 to 9": by_digit[7:].mean(),
        "every digit equally often": by_digit.mean(),
        "digits as often as in training": np.average(by_digit, weights=counts),
    }
table = pd.DataFrame(rows).T
display(table.style.format("{:.1f} %").set_caption("Test accuracy"))
spread = table.max() - table.min()
print(
    f"The methods lie within {spread.iloc[2]:.1f} points where test images are as rare as in "
    f"training, and within {spread.iloc[0]:.1f} points on the digits 7 to 9."
)

# %% [markdown]
# ### Which of them is better, then?
#
# It depends on the test. The two right columns are two points on a line of test sets, in which the frequency of a
# class is proportional to nᵗ: t = 1 is as in training, t = 0 makes all classes equal, and t = −1 reverses the tail. CE
# is there twice: as it is, and with **post-hoc thresholds**, which know the test's t and subtract (1 − t) · log n from
# the class's score. They train nothing. (They need the networks, so CE is trained again here, in a few seconds.)
# **Which method wins at t = 1, and which at t = 0? What do thresholds need that the others do not?**

# %%
compared = [find(50, method)[:6] for method in ("la", "inverse", "rdr")]
priors = PriorShift.from_runs(sum(compared, with_networks(find(50, "ce")[:6])))
explore(
    slider([-1.0, -0.5, 0.0, 0.25, 0.5, 0.75, 1.0], 1.0, "t of the test"),
    lambda t: drawn(priors.marked(t)),
)

# %% [markdown]
# A remedy in training suits only the test that it was made for; thresholds on plain CE adapt to any test at no cost.
# So before you ask which method is best, ask **for which test**, and how CE with thresholds would do.
#
# ### The network did not know either
#
# A network also says how sure it is: its **confidence** is the probability of the class that it predicts. Here are the
# clothes of section 2 again, one seed, 10,000 test images, all classes equally frequent. Each dot stands for images of
# similar confidence; on the dashed line the network is right as often as it says. **On which group is CE
# overconfident? Does *All* show it?**


# %%
def draw_calibration(method):
    return drawn(Calibration.from_runs([CLOTHES["ce"], CLOTHES[method]]))


remedies = [method for method in CLOTHES if method != "ce"]
explore(method_menu(remedies, "inverse", "CE against"), draw_calibration)

# %% [markdown]
# CE expects the rare classes to be as rare as in training, so it predicts another class, with confidence. The remedies
# were not made for this, but they correct most of it, since they change how common each class is taken to be.
#
# ## 4. A claim, and your eyes
#
# How do RDR's weights change while the network learns? The paper that proposed RDR (Luo et al., NeurIPS 2024) claims
# that a class's weight moves **inversely** to a quantity B′ of the class, which comes from the theory of how well a
# network can do on balanced data. To compute B′, take the training image of the class on which the network gives the
# true answer its lowest score. Then
#
# > B′ = √(share of the class in the training set) × (1 − probability that the network gives to the true class).
#
# So B′ is high while the class's worst image is still misclassified, and falls as that image is learnt.
#
# If the claim holds here, the upper curve of a group **rises where the lower one falls**. Spearman's ρ measures this:
# −1 if they always move in opposite directions, 0 if they are unrelated, +1 if they always move together.
#
# Look at RDR first, and try not to see the claim just because you have read it. Then choose **1/n** as a control: its
# weights are fixed by the class sizes, and they vary only because they are scaled to mean 1 in every batch, whose mix
# of digits is random. So any ρ you find there cannot be the method's doing. **Does the claim hold in your eyes? And at
# another imbalance factor?**


# %%
def draw_weights(factor, method):
    if not find(factor, method):
        return not_there(factor, method)
    weights = WeightAndBPrime.from_run(find(factor, method)[0])
    return picture(weights.figure(), weights.alt, weights.finding)


explore([slider(FACTORS, 50), method_menu(["rdr", "inverse"], "rdr")], draw_weights)

# %% [markdown]
# ## 5. Train one yourself
#
# Change the two values and run the cell; it takes a few seconds on any laptop. The run is stored in the folder `runs`
# beside this notebook; if you run the cell again, the run is opened, not trained again. **Before you run it: what do
# you expect on Few?**

# %%
IMBALANCE_FACTOR = 20
METHOD = "rdr"  # "ce", "inverse", "la", "rdr+la", "rdr:gamma=0.5", ...

mine = rdr_core.train(
    "digits", imbalance_factor=IMBALANCE_FACTOR, method=METHOD, runs="runs"
)
accuracy = GroupAccuracy.from_run(mine)
seconds = mine.history["seconds"].sum()
picture(
    accuracy.figure(),
    accuracy.alt,
    f"Trained in {short(seconds)} s: {percent(mine.metrics['top1'])} over all, "
    f"{percent(mine.metrics['few'])} on Few.",
)

# %% [markdown]
# ### Or watch two of them learn
#
# Here are points in the plane, and one of their classes is rare. Two networks start from the same weights and see the
# same batches; only their losses differ. Press **Train**: the background shows the class that each network predicts,
# and the dashed line is the best rule if all classes count equally. Then make the tail longer. It all runs in this
# page, and its five tasks check themselves. `rdr playground` writes it as one HTML file.

# %%
playground()

# %% [markdown]
# ## 6. To discuss
#
# 1. Someone reports "99 % accuracy" for a network that should detect a rare disease. What do you ask first?
# 2. The Few digits have 150 test images in all. By how many images do 1/n and RDR differ in section 2? How many seeds
#    would you want before you say that one is better? (Notebook 5 has a slider for that.)
# 3. In section 3 a remedy lowers the training loss of the rare digits much more than their loss on new images. What
#    would you collect, or change, to lower the loss on new images?
# 4. Did you see the claim of section 4 in your own curves? With the same seed, 1/n and RDR saw the same batches. Which
#    of RDR's spikes are in 1/n's curves too, and which can only come from RDR's ratio? What picture would convince you
#    of the claim, or of its opposite?
#
# **Next:** [RDR by hand](02_rdr_by_hand.ipynb), the same method worked out by hand, on numbers small enough to check.
