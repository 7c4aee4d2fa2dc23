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
# # The explorer
#
# Hundreds of networks were trained on long-tailed data for you, with many methods, tails and seeds. Here you choose
# among them and see what each choice does: which classes a method serves, what its weights do while it learns, how
# flat its minima are. You will learn
#
# - **what a longer tail costs**, and whom;
# - **what re-weighting buys**, and what it takes in exchange;
# - **how to check a claim** from a paper against the numbers behind the picture.
#
# Run the cell (Shift+Enter). Nothing is trained unless you press Train.

# %%
from rdr_viz.explorer import Explorer

Explorer()

# %% [markdown]
# Everything works by keyboard: Tab goes from control to control, the arrow keys choose. Hold Ctrl (on a Mac Cmd) or
# Shift to choose several methods or seeds. **Show code** gives the lines of Python that make the picture, **Save** the
# picture as PDF, SVG and PNG and its numbers as CSV, **Share** a link and a small file that bring the view back
# elsewhere, and **Compare** keeps it beside the next ones.
#
# Where a combination has not been trained yet, **Train** makes it; you may close the page meanwhile.
#
# ## Three questions to start with
#
# **1. Whom does the tail hurt?** Choose *Accuracy by group* and the methods CE and LA alone. Move *Imbalance* from 10
# to 100 with the arrow keys. Which group falls, and by how much? Does *All* tell you? *Class counts* shows why: how
# many images has the smallest class at 100?
#
# **2. Do the weights move as the paper says?** Choose *Weights and B′* and the methods 1/n and RDR. The paper claims
# that a class's weight rises where B′ falls. Let the epochs go by, and read ρ above each column: −1 would be "always".
# Now take 1/n, whose weights follow the class sizes alone, as the control: what does its ρ tell you about RDR's? Choose
# another reading of B′: does the answer depend on it?
#
# **3. Is a method better, or was it lucky?** Choose *Accuracy by group*, the methods 1/n and RDR, and one seed after
# the other; then all of them. How often does the order on *Few* turn over? Press **Compare**, and put *Accuracy by
# class* beside it: on how many classes do the intervals overlap?
#
# And then your own. What would convince you that it is the density ratio that helps, and not the weights alone?
