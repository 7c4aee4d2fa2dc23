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
# among them and see what each choice does: which classes a method helps, how its weights change during training, how
# flat its minima are. You will learn
#
# - **what a longer tail costs**, and which classes pay;
# - **what re-weighting gains**, and what it costs in return;
# - **how to check a claim** from a paper against the numbers behind the picture.
#
# Run the cell (Shift+Enter). Nothing is trained unless you press Train.

# %%
from rdr_viz import Explorer

Explorer()

# %% [markdown]
# Start with **Tour**: six stops set the choices and say what to look at. The control below the picture moves through
# the epochs. A method's chip is its legend. Point with the mouse, or use the arrow keys on the picture, to read exact
# values; **Numbers** shows them all. **Compare** keeps a picture beside the next ones. **Copy link** gives an address
# that brings the view back. **Show code** gives the lines of Python that draw it for print. **Save** stores the
# picture as SVG or PNG and its numbers as CSV.
#
# If a combination has not been trained yet, **Train** trains it; you may close the page meanwhile.
#
# `rdr publish` writes all of this as one HTML file, which needs no Python, no server and no network: mail it to a
# class.
#
# ## Three questions to start with
#
# **1. Which classes does the tail hurt?** Choose *By group* and only the methods CE and LA. Move *Imbalance* from 1 to
# 100 with the arrow keys. Which group falls, and by how much? Does *All* show it? *Class counts* shows why: how many
# images does the smallest class have at 100?
#
# **2. Do the weights move as the paper says?** Choose *Weights, B′* and the methods 1/n and RDR. The paper claims that
# a class's weight rises where B′ falls. Move through the epochs, and read ρ above each panel: −1 would be "always".
# Now take 1/n as the control, since its weights follow only the class sizes: what does its ρ tell you about RDR's?
# Choose another reading of B′: does the answer depend on it?
#
# **3. Is a method better, or was it lucky?** Choose *By group*, the methods 1/n and RDR, and one seed after the other;
# then all of them. How often does the order on *Few* change? Press **Compare**, and put *By class* beside it: on how
# many classes do the intervals overlap?
#
# Then ask your own question. What would convince you that the density ratio helps, and not the weights alone?
#
# **Next:** [Curvature: sharp and flat minima, class by class](04_curvature.ipynb): are flat minima the reason?
