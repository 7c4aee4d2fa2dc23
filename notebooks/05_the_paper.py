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
# # The paper's figures and claims
#
# *Revive Re-weighting in Imbalanced Learning by Density Ratio Estimation* (Luo et al., NeurIPS 2024) has nine figures,
# several tables and many claims. Its authors released code for CIFAR with cross-entropy
# ([GoodMorningPeter/RDR](https://github.com/GoodMorningPeter/RDR), commit bb55ea9f906f), which differs from the text
# in details that decide the numbers; everything else here is written from the text. You will learn
#
# 1. which of its **claims** hold in our runs, which fail, and which cannot be decided yet;
# 2. what each **table and figure** shows, and what the same picture looks like when someone else trains it;
# 3. where the paper contradicts itself, and how to find that with three lines of code;
# 4. how many **seeds** it takes to decide the undecided claims.
#
# Everything is drawn from stored runs by the same code as `rdr paper`; nothing is trained or downloaded here. It takes
# a minute or two. Folded cells (three dots) only gather tools or draw. Our runs stand in for CIFAR-10-LT, so that
# everybody can repeat them on a laptop. Most use **digits**, a tiny data set, whose imbalance factor 50 stands for the
# paper's 100. The runs that decide what the *ratio* adds use **Fashion-MNIST** at imbalance factor 100, with 10,000
# test images, and each seed draws its own subset and its own rare classes. So do not compare our numbers with the
# paper's; compare the **directions**.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
from pathlib import Path

import ipywidgets as widgets
import pandas as pd
from IPython.display import HTML, display

from rdr_core import shipped
from rdr_viz import explore, listed, picture, plural
from rdr_viz.papers import (
    NOT_MEASURED,
    ClaimIntervals,
    ComparisonTable,
    Judge,
    Shelf,
    compared_cells,
    criterion,
    draw_figure,
    load_paper,
    overall,
    scale_name,
    scales,
    spread_of_the_spread,
)

RUNS = Path("runs")  # your own; those of the toolkit are found besides
paper = load_paper("rdr")
shelf = Shelf([RUNS, shipped()])


def show(what):
    """A display's picture with its alt text and its sentence."""
    display(picture(what.figure(), what.alt, what.finding))


def show_table(name):
    """One of the paper's tables with our numbers in it, for each scale that has some."""
    table = next(table for table in paper.tables if table.name == name)
    display(HTML(f"<p><em>The paper:</em> {table.caption}</p>"))
    for grid in paper.grids.values():
        cells = compared_cells(paper, name, grid, shelf, RUNS)
        if len(cells) and cells["ours"].notna().any():
            show(ComparisonTable(cells, paper.datasets))


def show_figure(number):
    """Our pictures of one of the paper's figures, for each scale that has the runs."""
    figure = next(figure for figure in paper.figures if figure.number == number)
    display(HTML(f"<p><em>The paper:</em> {figure.shows}</p>"))
    shown = [
        (", ".join(filter(None, (scale_name(grid.scale), one.setting))), one.display)
        for grid in paper.grids.values()
        for one in draw_figure(figure, paper, grid, shelf)
        if one is not None
    ]
    if number == "6":  # a diagram needs no run, so it is the same for all
        return show(shown[0][1])
    for where, each in shown:
        display(HTML(f"<h4>{where}</h4>"))
        show(each)


def text_table(rows):
    """A table of sentences."""
    left = {"text-align": "left", "white-space": "normal"}
    heads = [{"selector": "th", "props": [("text-align", "left")]}]
    style = pd.DataFrame(rows).style.hide(axis="index")
    return style.set_properties(**left).set_table_styles(heads)


# %% [markdown]
# ## 1. The claims
#
# A claim of a paper is a sentence. To judge it one needs a number, a rival, a setting, and a threshold chosen
# **before** looking. Ours are in a file (`data/paper/rdr/claims.toml`). A claim holds if the whole interval of the
# mean over seeds lies where the claim says, fails if none of it does, and is **undecided** otherwise. With several
# settings all must hold, and one failure is enough to fail. Whoever asks forty questions at 95 % gets two wrong
# answers by chance, so the intervals are widened until in 95 of 100 such lists no verdict is wrong.
#
# **Before you look: which of these would you bet on? Which matters most if it fails?**

# %%
judge = Judge(paper, shelf)
rows = [
    {"claim": claim.says}
    | {scale: overall(claim, judge.at(scale, claim)) for scale in scales(paper)}
    for claim in paper.claims
]
claims = pd.DataFrame(rows).replace(NOT_MEASURED, "")
claims = claims.loc[:, (claims != "").any()]  # scales that have runs
display(text_table(claims))
for scale in claims.columns.drop("claim"):
    counts = claims[scale].value_counts().drop("", errors="ignore")
    said = [f"{counts[word]} {verb}" for word, verb in
            (("holds", "hold"), ("fails", "fail"), ("undecided", "are undecided"),
             ("depends on the reading", "depend on the reading")) if word in counts]  # fmt: skip
    print(f"{scale}: of {plural(int(counts.sum()), 'claim')} {listed(said)}.")

# %% [markdown]
# Choose a claim and see its numbers: a dot and an interval for each setting; the claim holds in the shaded area. The
# diamond is the paper's own number, which is for CIFAR, not for our settings.
#
# **In which settings would you have decided otherwise, and by which threshold?** Look at the claims on weights and on
# B′ first (figures 1 and 7): there the paper says *what its method does*, not how good it is. Then look at the claims
# that begin "The sample's own ratio helps": they compare the paper's idea with the same method, its ratios shuffled.


# %%
def draw_claim(index):
    claim = paper.claims[index]
    shown = ClaimIntervals.of(claim, judge)
    return picture(shown.figure(), shown.alt, f"{shown.finding} {criterion(claim)}")


def claim_menu(start):
    measured = [i for i, row in claims.iterrows() if any(row.drop("claim"))]
    return widgets.Dropdown(
        options=[(paper.claims[i].says, i) for i in measured],
        value=start,
        description="Claim",
        layout={"width": "700px"},
    )


explore(claim_menu(0), draw_claim)

# %% [markdown]
# ## 2. The tables
#
# In each cell the paper's number is above ours. If ours is in *italics*, it is from another setting, so no difference
# is given: compare the **order** of the rows instead.
#
# ### Table 1: all classes
# **Does the order of the methods agree? How does logit adjustment (LA), one line of code from 2021, compare with
# RDR?**

# %%
show_table("1")

# %% [markdown]
# ### Table 2: methods that seek flat minima, by group
# **The paper says that RDR with SAM gives up less on Many than ImbSAM and CC-SAM. Is Many where you would look for a
# difference between these methods on digits? Why not?**

# %%
show_table("2")

# %% [markdown]
# ### Table 3: curvature of the loss on the Few classes
# Large eigenvalues and traces mean a sharp valley. **By what factor does RDR flatten it in the paper, and by what
# factor in our runs? Before you believe that the *ratio* does it, which row of the ablation would you ask for?** (The
# last of the claims above is that row. Notebook 4 is about curvature.)

# %%
show_table("3")

# %% [markdown]
# ### Table 5: what does the ratio add to 1/n?
# This is the paper's ablation, so the one that tests its idea. **Is 1/n tuned as much as RDR? What would a fair
# control be?** (Figure 7 of the paper shows weights like those of 1/n to the power of 0.4 or 0.5. The claims above
# have 1/n with γ = 0.5 against RDR with γ = 0.5: the same power of 1/n, with and without the ratio.)

# %%
show_table("5")

# %% [markdown]
# ### Table 7: stronger imbalance
# **Where does RDR gain most, and is that where it should?**

# %%
show_table("7")

# %% [markdown]
# Table 4 is for ImageNet-LT and Places-LT. It was not run here; `rdr paper plan` says how long that would take.
#
# ## 3. The figures
#
# ### Figure 1: weights against B′
# **The paper says that the weight moves inversely to B′. If both only fell or rose with the epochs, what would ρ be?
# Is a correlation over epochs evidence that one follows the other?**

# %%
show_figure("1")

# %% [markdown]
# ### Figure 2: what a run costs
# **RDR solves a small system of equations for each class in every batch. How can it cost so little? And why does SAM
# cost twice as much?**

# %%
show_figure("2")

# %% [markdown]
# ### Figure 3: the momentum of the prototypes
# **The curve is flat in the paper. Is it flat here, compared with the spread over seeds? How many values of m could
# you try before one looks best by chance?**

# %%
show_figure("3")

# %% [markdown]
# ### Figure 4: the spectrum of the Hessian on the smallest class
# **The smallest class has 50 images in the paper and two here. Which number of this picture would you not trust for
# that reason? And is one seed enough?**

# %%
show_figure("4")

# %% [markdown]
# ### Figure 5: with wrong labels
# **With 5 % of the labels wrong, a class of a hundred images gets five that do not belong to it. But how many does a
# class of two images get from the large classes? What does 1/n do with those?**

# %%
show_figure("5")

# %% [markdown]
# ### Figure 6: the method
# **Follow one image of a rare class through the picture: where is its weight decided, and by which other images?**

# %%
show_figure("6")

# %% [markdown]
# ### Figure 7: weights through training
# **Many falls and Few rises, in the paper and here. But weights are scaled to mean 1 in each batch: if one group
# falls, what can the others do? How would you test whether the ratio itself changes?**

# %%
show_figure("7")

# %% [markdown]
# ### Figures 8 and 9: by group, without and with SAM
# (Figure 9 is figure 8 on ImageNet-LT and Places-LT; on digits it would repeat the right half of this one.)
#
# **The paper says that 1/n gives up more on Many than RDR does. Compare the grey, blue and orange dots on Many and on
# Few: is RDR a better method, or another point on the same trade-off?**

# %%
show_figure("8")

# %% [markdown]
# ## 4. Slips
#
# Every paper has some. **Can you find them without reading?** A number that is printed twice should be the same both
# times, except for its last digit if one table rounds:

# %%
key = ["dataset", "imbalance_factor", "method", "group"]
twice = paper.cells.groupby(key).agg(
    least=("paper", "min"), most=("paper", "max"), tables=("table", " and ".join)
)
twice["apart"] = twice["most"] - twice["least"]
twice[twice["apart"] > 0.06].sort_values("apart", ascending=False).round(2)

# %% [markdown]
# Here is a list of slips that a reader should know about; a program cannot find all of them. **Which of them could
# change a conclusion?**

# %%
text_table({"where": slip.where, "what": slip.text} for slip in paper.slips)

# %% [markdown]
# A paper also leaves choices open, and whoever reproduces it has to make them. **Which of these would you have made
# differently? Which could reverse a verdict?**

# %%
text_table(
    {"open": each.what, "ours": each.ours, "why": each.why} for each in paper.choices
)

# %% [markdown]
# ## 5. What would decide the undecided claims?
#
# More seeds. An interval shrinks with their number: fast at first, since a few seeds do not even tell their own spread
# well, then like one over the square root. Choose a claim, move the slider, and see the intervals that you would get
# if further seeds had the same mean and the same spread.
#
# **At which number of seeds is the claim decided? Would you pay for that? And if the mean is close to the threshold,
# what would the answer be worth?**


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def draw_plan(index, seeds):
    shown = ClaimIntervals.of(paper.claims[index], judge)
    planned = shown.with_seeds(seeds)
    said = [
        f"{row.setting}: {row.needed:.0f}" if row.needed == row.needed else
        f"{row.setting}: more than a thousand" for row in shown.needed().itertuples()
    ]  # fmt: skip
    words = f"{planned.finding} Seeds that would decide: {'; '.join(said)}."
    return picture(planned.figure(), planned.alt, words)


slider = widgets.SelectionSlider(
    options=[2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100],
    value=20,
    description="Seeds",
    continuous_update=False,
    layout={"width": "420px"},
)
undecided = claims.index[claims["digits"] == "undecided"]
explore([claim_menu(int(undecided[-1])), slider], draw_plan)

# %% [markdown]
# This plan needs a warning: the spread was measured on few seeds and is not well known itself:

# %%
for seeds in (3, 6, 20):
    low, high = spread_of_the_spread(seeds)
    print(f"{seeds:2} seeds: the true spread is {low:.2f} to {high:.2f} times as large")

# %% [markdown]
# So plan with the larger one, and choose the threshold before you train. `rdr paper run --grid digits --seeds 20`
# trains the runs (Ctrl-C stops it, the same command continues), and this notebook finds them.
#
# **Next:** [Your own method](06_your_own_method.ipynb): a weighting of your own, compared fairly.
