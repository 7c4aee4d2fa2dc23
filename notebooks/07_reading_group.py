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
# # A reading group's session: the paper in an hour
#
# *Revive Re-weighting in Imbalanced Learning by Density Ratio Estimation* (RDR; Luo, Hong, Yao, Han, Zhang, Wang,
# NeurIPS 2024). For three to ten people, one of whom shares this screen. You will learn
#
# 1. what the paper claims, and what would have to be true for the claims to hold;
# 2. its method in five steps, by computing it with pencil and paper;
# 3. what happened when someone else ran it, and how sure we can be;
# 4. what was easy and what was hard to reproduce, in the form of the ML Reproducibility Challenge.
#
# | minutes | what | who |
# | --- | --- | --- |
# | 0 - 5 | Look at the long tail: notebook 1, its first two pictures | the host |
# | 5 - 15 | 1. Scope: what is claimed? | someone who has read the paper |
# | 15 - 30 | 2. The method in five steps | in pairs, with paper |
# | 30 - 45 | 3. Results: judge them | a **sceptic** and an **advocate**, drawn by lot |
# | 45 - 55 | 4. What was easy, what was hard? | all |
# | 55 - 60 | 5. Vote | all |
#
# Exercises check themselves: write your answer in place of the three dots and run the cell. It tells you whether the
# answer is right, but not what the answer is; that is folded away below, as are cells that only gather tools or draw.
# No downloads, a minute or two. Run all cells once before the session (*Run*, *Run All Cells*).

# %% jupyter={"source_hidden": true} tags=["hide-input"]
from pathlib import Path

import ipywidgets as widgets
import pandas as pd
from IPython.display import HTML, display

from rdr_core import shipped
from rdr_viz import (
    GroupAccuracy,
    MethodDiagram,
    TimeBars,
    explore,
    listed,
    number,
    picture,
)
from rdr_viz.papers import (
    DATASET,
    FACTOR,
    GRID,
    ClaimIntervals,
    ComparisonTable,
    ReadingGroup,
    Request,
    Shelf,
    compared_cells,
    load_paper,
)

paper = load_paper("rdr")
shelf = Shelf([shipped()])
group = ReadingGroup(paper, shelf)


def check(name, answer):
    """Say whether an answer is right, and fold the right one away below."""
    reply = f'<p role="status"><strong>{group.check(name, answer)}</strong></p>'
    display(HTML(reply + group.answer(name)))


def show(what):
    """A display's picture with its alt text and its sentence."""
    display(picture(what.figure(), what.alt, what.finding))


def runs(*methods):
    """The runs of methods on digits at imbalance factor 50, all seeds."""
    grid = paper.grids[GRID]
    return [
        run
        for method in methods
        for run in shelf.runs(grid, Request(DATASET, FACTOR, method))
    ]


# %% [markdown]
# ## 1. Scope: what is claimed? (10 minutes)
#
# Data are long-tailed: a few classes have many images, and many classes have few. Weighting an image by one over the
# size of its class (1/n) is the oldest remedy, and a crude one: it uses only the sizes. The paper **revives** it with
# a factor that is measured while the network trains: how well do the images in the batch represent their class? It
# claims
#
# - better accuracy than cross-entropy (CE) and 1/n, and, combined with logit adjustment (LA) or SAM, than these alone;
# - the largest gains on the classes with few images, without giving up the large ones;
# - weights that follow the theory: they move inversely to a term B′ of a bound on the balanced error;
# - flatter minima, at almost no cost.
#
# *Ask the reader: which of these would you miss least? Which is the reason to read the paper?*
#
# Here is table 1. In each cell the paper's number is above ours, which is for digits, a small stand-in.

# %%
show(
    ComparisonTable(
        compared_cells(paper, "1", paper.grids[GRID], shelf, Path("runs")),
        paper.datasets,
    )
)

# %% [markdown]
# **1a.** By how many points does RDR beat CE on CIFAR-10-LT at imbalance factor 100, by the paper's own numbers?

# %%
check("1a", ...)

# %% [markdown]
# **1b.** To test whether *the ratio* makes the difference, which pairs of runs would you compare on the Few classes?
#
# - a: RDR with CE, runs of the same seed;
# - b: RDR with 1/n, runs of the same seed;
# - c: the best of five runs of RDR with the best of five of 1/n, by test accuracy.
#
# Answer with the letter in quotes: `check("1b", "a")`.

# %%
check("1b", ...)

# %% [markdown]
# ## 2. The method in five steps (15 minutes)
#
# 1. **Features.** The network turns each image of a batch into numbers *x*, just before its last layer.
# 2. **Prototypes.** For each class keep a running mean *F* of its features: where the class usually is.
# 3. **Ratio.** For each class, find one number *r* for each of its *b* images in the batch, so that their weighted
#    mean is the prototype: (r₁x₁ + … + r_b x_b) / b = F, or as near to it as possible.
# 4. **Weight.** An image has the weight w = r / π, with π its class's share of the training images; then all weights
#    of the batch are divided by their mean.
# 5. **Step.** Minimise the weighted loss, then move the prototypes. (In the first steps w = 1.)
#
# If the batch looks as the class usually does, every *r* is 1, and RDR is 1/n.
#
# *Follow one image of a rare class through the picture. Which other images have a say in its weight?*

# %%
show(MethodDiagram())

# %% [markdown]
# **2a.** A class has one image in the batch, with features x = (2, 1); its prototype is F = (3, 4). One number cannot
# move x onto F; the least-squares answer is r = ⟨x, F⟩ / ⟨x, x⟩, with ⟨·, ·⟩ the inner product. What is r?

# %%
check("2a", ...)

# %% [markdown]
# **2b.** A class has two images, x₁ = (2, 0) and x₂ = (0, 1); its prototype is F = (1.5, 0.25). What are r₁
# and r₂? Answer with both, in brackets: `check("2b", (1, 1))`.

# %%
check("2b", ...)

# %% [markdown]
# **2c.** A batch holds three images of a class that has 90 % of the training images, with r = 1, and one of a class
# that has 10 %, with r = 0.5. What is the final weight of the last one?

# %%
check("2c", ...)

# %% [markdown]
# **2d.** Step 3 may give r = −0.3. Which weight does the toolkit give such an image?

# %%
check("2d", ...)

# %% [markdown]
# **2e.** The theory: the error on balanced data is bounded by a sum over classes of the weight times
# B′ = √π · (1 − p), with p the probability of the true class on the class's worst image. What is B′ of a class with
# 10 % of the images and p = 0.2? Is it larger than that of the other class, with 90 % and p = 0.8?

# %%
check("2e", ...)

# %% [markdown]
# *If you are done early: what is r of a class with a single image whose features are exactly the prototype's, but
# twice as long? What does RDR then do to the images with the largest features?* Notebook 2 has sliders for all of
# this.
#
# ## 3. Results: judge them (15 minutes)
#
# Our runs: digits at imbalance factor 50, where the smallest class has two images; several seeds. *The advocate speaks
# for the paper for two minutes; the sceptic answers. Neither may use a number that has no interval.*

# %%
show(GroupAccuracy.from_runs(runs("ce", "inverse", "rdr", "la")))

# %% [markdown]
# **3a.** On which group (Many, Medium or Few) do CE and RDR differ most in this picture? Answer with the word in
# quotes.

# %%
check("3a", ...)

# %% [markdown]
# On Few, RDR is ahead of 1/n too. By chance? With the same seed both see the same data, start from the same network
# and get the images in the same order, so we can subtract seed by seed:

# %%
differences = pd.Series(group.differences(), name="RDR minus 1/n on Few, points")
display(differences.rename_axis("seed").to_frame().T.style.format("{:.1f}"))
print(f"n = {len(differences)}, mean = {number(differences.mean(), 2)}, "
      f"standard deviation = {number(differences.std(), 2)}")  # fmt: skip

# %% [markdown]
# **3b.** The 95 % interval of a mean is mean ± t · s / √n, with s the standard deviation and t Student's factor: 4.30
# for 3 seeds, 2.78 for 5, 2.57 for 6, 2.26 for 10, 2.09 for 20. What number comes after the ±?

# %%
check("3b", ...)

# %% [markdown]
# **3c.** The claim "RDR beats 1/n on Few" *holds* if all of the interval is above 0, *fails* if none of it is, and is
# *undecided* otherwise. Which is it by this interval alone, on digits at imbalance factor 50? Answer with the word in
# quotes.

# %%
check("3c", ...)

# %% [markdown]
# **3d.** RDR as its authors released it starts to weight when four fifths of the run are over. So its **fair control**
# is 1/n that starts then too, with the same schedule: here both are compared, on digits *and* on Fashion-MNIST with
# its 10,000 test images. The thick lines are 95 % intervals, as in 3b. We ask dozens of questions of these runs, and
# one in twenty would be answered wrongly by chance; so the thin lines are wider, and they decide. Over all intervals
# in the picture: does the claim that RDR beats its control hold (all are right of 0), fail (one is left of it), or is
# it undecided? Try other claims, too.


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def draw_claim(index):
    claim = paper.claims[index]
    shown = ClaimIntervals.of(claim, group.judge)
    return picture(shown.figure(), shown.alt, shown.finding)


measured = [
    i
    for i, claim in enumerate(paper.claims)
    if any(shelf.runs(paper.grids[GRID], request) for request in claim.requests)
]
control = next(
    i
    for i in measured
    if paper.claims[i].says.startswith("The released RDR beats its fair control")
)
explore(
    widgets.Dropdown(
        options=[(paper.claims[i].says, i) for i in measured],
        value=control,
        description="Claim",
        layout={"width": "700px"},
    ),
    draw_claim,
)

# %%
check("3d", ...)

# %% [markdown]
# **3e.** About how many seeds would it take to decide 3c, if mean and standard deviation stayed the same? (Answers
# within a fifth count as right. Notebook 5 has a slider for it.)

# %%
check("3e", ...)

# %% [markdown]
# **3f.** Ten images decide little, however many seeds there are. On Fashion-MNIST there are 10,000 test images, and
# each seed draws its own subset and its own rare classes. There the strictest control was run too: RDR as its authors
# released it, with the ratios of each class **shuffled** among its images in the batch. If an image's own ratio says
# anything about that image, shuffling must cost accuracy. Over all classes: does the claim hold, fail, or is it
# undecided?

# %%
own = next(
    claim
    for claim in paper.claims
    if claim.says.startswith("The sample's own ratio helps")
)
show(ClaimIntervals.of(own, group.judge))

# %%
check("3f", ...)

# %% [markdown]
# *Would you have believed the paper's table if it had printed one seed? It prints ± for some cells: does it say over
# how many seeds?*
#
# ## 4. What was easy, what was hard? (10 minutes)
#
# **4a.** Table 5 prints 48.06 for CE with RDR+SAM on Places-LT, but table 4 has another number. Which data set does
# 48.06 belong to? Here is that row; answer with the data set's name in quotes.

# %%
cells = paper.cells
row = cells[(cells["table"] == "5") & (cells["method"] == "rdr+sam")]
row = row.assign(dataset=row["dataset"].map(paper.datasets))
row[["dataset", "imbalance_factor", "paper"]].style.hide(axis="index").format(
    {"imbalance_factor": "{:g}", "paper": "{:.2f}"}
)

# %%
check("4a", ...)

# %% [markdown]
# **4b.** The paper says that RDR costs little and SAM doubles the time. Read it off the picture: how many times as
# long as CE does SAM take here?

# %%
show(TimeBars.from_runs(runs("ce", "rdr", "ce+sam", "rdr+sam")))

# %%
check("4b", ...)

# %% [markdown]
# Now fill in the form, with one sentence each, before you open ours.
#
# | | your group |
# | --- | --- |
# | **Scope of reproducibility**: which claims did you test? | |
# | **Methodology**: what did you run, on what? | |
# | **Results**: which claims hold, by how much? | |
# | **What was easy** | |
# | **What was difficult** | |

# %% jupyter={"source_hidden": true} tags=["hide-input"]
judged = {
    paper.claims[i].says: ClaimIntervals.of(paper.claims[i], group.judge).data[
        "verdict"
    ]
    for i in measured
}
counts = pd.concat(judged.values()).value_counts()
said = listed([f"{counts.get(word, 0)} {verb}" for word, verb in
               (("holds", "hold"), ("fails", "fail"), ("undecided", "are undecided"))])  # fmt: skip
failing = [f"“{says}”" for says, verdicts in judged.items() if "fails" in set(verdicts)]
form = {
    "Scope of reproducibility": f"{len(measured)} of the paper's {len(paper.claims)} claims, each written down with "
    "what decides it before the runs that judge it; at the small scale.",
    "Methodology": "Written anew from the paper's text, and checked against the authors' code (CIFAR with cross-entropy, "
    "github.com/GoodMorningPeter/RDR, commit bb55ea9f906f); digits at imbalance factors 10, 50 and 100, several seeds, every number with an interval, and 1/n with the same temperature as a control.",
    "Results": f"Of the {counts.sum()} settings of these claims {said}. Those with a setting that fails: {' '.join(failing) or 'none.'}",
    "What was easy": "The method is one small linear system for each class; r = 1 where batch and prototype agree is a "
    "sharp test. It costs little. Networks, data and schedules are the field's usual ones.",
    "What was difficult": f"{len(paper.choices)} choices are left open, among them what is done where the equations "
    f"have no unique answer or r is below zero; {len(paper.slips)} slips, some in the tables; the printed accuracy of "
    "plain CE is higher than other public code gives, so augmentation may differ.",
}
rows = "".join(f"<dt><strong>{k}</strong></dt><dd>{v}</dd>" for k, v in form.items())
HTML(f"<details><summary>Our form</summary><dl>{rows}</dl></details>")

# %% [markdown]
# ## 5. Vote (5 minutes)
#
# Raise your hands before you talk: **accept or reject**, as a reviewer who has seen these pictures? And would you use
# RDR on your own data tomorrow, or 1/n with γ = 0.5, or LA? Which *one* experiment would change your vote?
#
# **To continue.** Notebook 5 has every table and figure; in notebook 6 you write a weighting of your own in a dozen
# lines and compare it with RDR. `rdr paper run --grid cifar` repeats the paper at its own scale, on a GPU.
