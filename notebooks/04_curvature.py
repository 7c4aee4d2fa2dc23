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
# # Curvature: sharp and flat minima, class by class
#
# The paper says that networks trained on a long tail end in **sharp** minima for the rare classes, and that RDR leads
# them to **flat** ones. Its evidence is numbers: eigenvalues of a matrix called the Hessian. You will learn
#
# 1. what an eigenvalue of the Hessian is, on a network so small that you can see its whole loss;
# 2. what the eigenvalues say about networks trained on long-tailed digits, with CE, 1/n, RDR and SAM, and whether
#    RDR's ratio is what flattens the loss;
# 3. how the usual tool, PyHessian, can be wrong without a warning, and how to notice it;
# 4. why a curvature means little without the mode of BatchNorm.
#
# No downloads; a minute or two. Run the cells from top to bottom (Shift+Enter); the first gathers the tools. Cells
# that only draw are folded; click the three dots to open one.

# %% jupyter={"source_hidden": true} tags=["hide-input"]
from functools import partial

import ipywidgets as widgets
import numpy as np
import pandas as pd
import torch
from matplotlib.ticker import FixedLocator, NullLocator
from torch import nn

import rdr_core
from rdr_core import normalise, shipped
from rdr_viz import (
    EigenvaluesOverEpochs,
    Flatness,
    Hessian,
    SpectralDensityPlot,
    class_curvature,
    explore,
    listed,
    method_style,
    new_figure,
    picture,
    rdr_style,
    short,
)

torch.set_num_threads(1)  # networks this small are quickest on one core
WIDE = {"style": {"description_width": "150px"}, "layout": {"width": "480px"}}
Slider = partial(widgets.SelectionSlider, continuous_update=False, **WIDE)
Dropdown = partial(widgets.Dropdown, **WIDE)


def plain_ticks(axis, *ticks):
    """Just these ticks, as plain numbers, on a logarithmic axis."""
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter("{x:g}")


# %% [markdown]
# ## 1. A network with two weights
#
# The smallest deep network multiplies its input by $w_1$ and the result by $w_2$. It should turn a 1 into a 1, so its
# loss is $L = \frac{1}{2} (w_1 w_2 - 1)^2$: zero wherever $w_1 w_2 = 1$, all along a curve.
#
# Stand at a point of that landscape and look in a direction. How fast the loss **bends upwards** there is the
# curvature in that direction. The **Hessian** H is the matrix of second derivatives, and it gives the curvature in
# every direction v of length 1: $v^\top H v$. The largest of these over all directions is the largest **eigenvalue**,
# and the smallest is the smallest eigenvalue.
#
# Choose a place and turn the direction. **At which of the two minima is the steepest direction steeper? What is
# special about the saddle? And what does a direction with curvature 0 look like?**

# %% jupyter={"source_hidden": true} tags=["hide-input"]
PLACES = {
    "flat minimum, w = (1, 1)": (1.0, 1.0),
    "sharp minimum, w = (2.5, 0.4)": (2.5, 0.4),
    "saddle, w = (0, 0)": (0.0, 0.0),
}


def toy_loss(w1, w2):
    return (w1 * w2 - 1) ** 2 / 2


def toy_hessian(w1, w2):
    mixed = 2 * w1 * w2 - 1
    return np.array([[w2**2, mixed], [mixed, w1**2]])


def draw_direction(place, degrees):
    at, hessian = np.array(PLACES[place]), toy_hessian(*PLACES[place])
    angle = np.deg2rad(degrees)
    v = np.array([np.cos(angle), np.sin(angle)])
    curvature, gradient = v @ hessian @ v, (at[0] * at[1] - 1) * at[::-1] @ v
    step = np.linspace(-0.8, 0.8, 81)
    path = at[:, None] + step * v[:, None]
    parabola = toy_loss(*at) + gradient * step + curvature * step**2 / 2
    with rdr_style():
        figure = new_figure(5.5, 2.9)
        surface = figure.add_subplot(1, 2, 1, projection="3d")
        w1, w2 = np.meshgrid(np.linspace(-1, 3.4, 60), np.linspace(-1, 2, 60))
        height = toy_loss(w1, w2).clip(max=2)  # cut off, for a free view of the valley
        surface.plot_surface(
            w1, w2, height, cmap="Purples", vmin=-1, vmax=4, alpha=0.7, lw=0
        )
        surface.plot(*path, toy_loss(*path) + 0.03, color="#D55E00", lw=2.5, zorder=10)
        surface.plot(*at, toy_loss(*at) + 0.03, "o", color="#222222", zorder=11)
        surface.set(xlabel="$w_1$", ylabel="$w_2$", zlim=(0, 2))
        surface.set(xticks=[0, 1, 2, 3], yticks=[-1, 0, 1, 2], zticks=[0, 1, 2])
        surface.view_init(elev=50, azim=-70)
        surface.set_box_aspect((4, 3, 2), zoom=0.9)
        section = figure.add_subplot(1, 2, 2)
        section.plot(
            step, toy_loss(*path), color="#D55E00", lw=2.5, label="loss along the line"
        )
        section.plot(
            step, parabola, color="#222222", lw=1, ls="--", label="curvature alone"
        )
        section.set(ylim=(-0.15, 2.2), xlabel="Step along the direction", ylabel="Loss")
        section.legend(loc="upper center")
    low, high = np.linalg.eigvalsh(hessian)
    words = (
        f"At the {place}, the curvature at {degrees} degrees is {short(curvature)}; the eigenvalues "
        f"of H, its smallest and largest, are {short(low)} and {short(high)}."
    )
    return picture(figure, f"Loss surface and a section through it. {words}", words)


explore(
    [
        Dropdown(options=list(PLACES), description="Place"),
        Slider(
            options=[(f"{a}°", a) for a in range(0, 180, 15)],
            value=45,
            description="Direction",
        ),
    ],
    draw_direction,
)

# %% [markdown]
# Both minima have the same loss, 0, and both fit the data perfectly. In the sharp one a small change of the weights
# costs much more. Whether flat minima also do better on new images is a conjecture with evidence on both sides. The
# paper's numbers measure this curvature, for the loss over the training images of **one class** at a time.
#
# ## 2. Networks trained on a long tail
#
# A real Hessian is a square matrix with as many rows as the network has weights (24,058 in our small network for
# digits). That is too large to look at, but its extreme eigenvalues can be computed. This was done for runs that come
# with the toolkit, at the end of training, separately for each digit, so nothing is computed here.
#
# **Which digits are sharp under CE? What does SAM, made to find flat minima, do to them? And what does RDR do?**

# %% jupyter={"source_hidden": true} tags=["hide-input"]
runs = {
    (
        run.config.imbalance_factor,
        run.config.method,
        run.config.seed,
    ): run.as_stored
    for run in rdr_core.list_runs(
        shipped(), dataset="digits", noise_rate=0, schedule="cosine"
    )
}
METHODS = ("ce", "ce+sam", "inverse", "rdr", "rdr+sam")
QUANTITIES = {
    "largest eigenvalue": "lambda_max",
    "trace (sum of all eigenvalues)": "trace",
}


def draw_by_class(imbalance_factor, quantity):
    column, said = QUANTITIES[quantity], []
    with rdr_style():
        figure = new_figure(5.5, 3.2)
        axes = figure.subplots()
        for method in METHODS:
            run, style = runs[imbalance_factor, method, 0], method_style(method)
            table = class_curvature(run)
            table = table[table["epoch"] == run.config.epochs]
            axes.plot(
                table["class"], table[column], label=style.label, lw=1.2, **style.line()
            )
            few = table.loc[table["group"] == "Few", column]
            said.append(f"{short(np.exp(np.log(few).mean()))} for {style.label}")
        axes.set_yscale("log")
        plain_ticks(axes.yaxis, 0.1, 1, 10, 100)
        counts = [f"{k}\n{n}" for k, n in enumerate(run.class_counts)]
        axes.set_xticks(range(10), counts)
        axes.set(xlabel="Digit, and its training images", ylabel=quantity.capitalize())
        figure.legend(
            *axes.get_legend_handles_labels(), loc="outside upper center", ncols=5
        )
    words = (
        f"Imbalance factor {imbalance_factor:g}, one seed: over the Few digits, the {quantity} is "
        f"(geometric mean) {listed(said)}. BatchNorm in eval mode."
    )
    return picture(figure, f"Line chart by digit, log scale. {words}", words)


explore(
    [
        Slider(
            options=[("10", 10.0), ("50", 50.0)],
            value=50.0,
            description="Imbalance factor",
        ),
        Dropdown(options=list(QUANTITIES), description="Quantity"),
    ],
    draw_by_class,
)

# %% [markdown]
# ### Is it the ratio?
#
# RDR is 1/n times a ratio. So CE is not the only comparison to make: the fair control for the *ratio* is **1/n**. And
# one seed is one throw of the dice. Here are ten seeds of each, each with its own images; each dot is the mean over the three Few digits. **Does
# the ratio make the Few digits flatter than 1/n does?**

# %% jupyter={"source_hidden": true} tags=["hide-input"]
few = {}
for method in ("ce", "inverse", "rdr"):
    for seed in range(10):
        run = runs[50, method, seed]
        table = class_curvature(run, classes=[6, 7, 8, 9], epochs=[run.config.epochs])
        few[method, seed] = np.log(
            table.loc[table["group"] == "Few", "lambda_max"]
        ).mean()
few = np.exp(pd.Series(few)).unstack(0)

with rdr_style():
    figure = new_figure(5.5, 2.0)
    axes = figure.subplots()
    for row, method in enumerate(few):
        style = method_style(method)
        axes.plot(
            few[method],
            [row] * len(few),
            style.marker,
            color=style.color,
            ms=6,
            alpha=0.8,
        )
    axes.set_yticks(range(3), [method_style(method).label for method in few])
    axes.set_xscale("log")
    plain_ticks(axes.xaxis, 1, 2, 5, 10, 20, 50, 100)
    axes.set(
        ylim=(2.5, -0.5),
        xlabel="Largest eigenvalue, mean over the Few digits (log scale)",
    )
    axes.grid(True, axis="x")
flatter = int((few["rdr"] < few["inverse"]).sum())
ranges = [
    f"{method_style(m).label} {short(few[m].min())} to {short(few[m].max())}"
    for m in few
]
words = (
    f"Over ten seeds: {listed(ranges)}. RDR is flatter than 1/n in {flatter} of {len(few)} seeds. "
    "Imbalance factor 50, BatchNorm in eval mode."
)
picture(figure, f"Dots by method. {words}", words)

# %% [markdown]
# On digits, giving the rare classes more weight is by far what flattens their loss; the ratio adds nothing to that.
# There is also a simpler explanation than "flat minima": if a network is *sure* of its training images, for whatever
# reason, the loss is near zero and so is its curvature. 1/n makes the network sure of two images of a nine.
#
# ### Flat, or only small?
#
# So put the loss beside the curvature. Each point is one digit of one network, with its training loss on the
# horizontal axis and the trace on the vertical one. Along a grey line both fall together, which says nothing about
# flatness: multiplying any loss by a hundredth does the same. **Is RDR below CE, or only further down the line?**

# %%
flatness = Flatness.from_runs([runs[50, method, 0] for method in METHODS])
picture(flatness.figure(), flatness.alt, flatness.finding)

# %% [markdown]
# Most of what looked like flatness is a small loss: divided by the loss, the methods differ little. And that little
# comes from one seed; the paper's page judges it over seeds, at equal loss, and against 1/n too.
#
# What digits **cannot** show: what happens on CIFAR, with a deep network, over 200 epochs. There the same command
# (`rdr analyse RUN`) computes the same numbers.
#
# ## 3. The whole spectrum
#
# All other eigenvalues are between the extremes. The paper's figure 4 shows their density for the class with the
# fewest images; here it is for that digit. **Roughly how many of the 24,058 directions are steep? And what do values
# below 0 mean?**

# %%
spectra = SpectralDensityPlot.from_runs(
    [runs[50, m, 0] for m in ("ce", "ce+sam", "rdr", "rdr+sam")]
)
picture(spectra.figure(), spectra.alt, spectra.finding)

# %% [markdown]
# Nearly all directions are flat: the height is on a log scale, and the spike at 0 is thousands of times as high as the
# rest. Values below 0 are directions in which the loss bends *downwards*: strictly, no trained network here is in a
# minimum of this class's loss. That is no surprise, since it was trained on all classes at once.
#
# ## 4. How it came about
#
# The weights of each run were kept at four points of training. **Follow digits 0 and 9: which one was sharp early?
# Does that hold for every method?**


# %%
def draw_epochs(method):
    shown = EigenvaluesOverEpochs.from_run(runs[50, method, 0], by="class")
    return picture(shown.figure(), shown.alt, shown.finding)


explore(
    Dropdown(
        options=[(method_style(m).label, m) for m in METHODS], description="Method"
    ),
    draw_epochs,
)

# %% [markdown]
# ## 5. What the usual tool gets wrong
#
# Most published figures of this kind were made with PyHessian (Yao et al. 2020). It finds "the top eigenvalue" by
# **power iteration**: multiply a random vector by H again and again, until the estimate stops changing. That finds the
# eigenvalue of largest *magnitude*, and only if there is a single one.
#
# **A saddle.** The network of section 1 at w = (0, 0) has the eigenvalues +1 and −1, exactly. They are equally large
# in magnitude, so a power iteration never settles on either. **What will it return? Ten random starts:**


# %% jupyter={"source_hidden": true} tags=["hide-input"]
def toy_network(w1, w2):
    """The network of section 1 with these weights, its one input and what to make of it."""
    network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    for layer, weight in zip(network, (w1, w2), strict=True):
        nn.init.constant_(layer.weight, weight)
    return network, torch.ones(1, 1), torch.ones(1, dtype=torch.int64)


def squared_error(outputs, targets):
    return (outputs[:, 0] - targets) ** 2 / 2


saddle = partial(Hessian, *toy_network(0, 0), loss=squared_error)
assert np.allclose(np.linalg.eigvalsh(toy_hessian(0, 0)), [-1, 1])
claimed = np.array(
    [saddle(seed=s, backend="pyhessian").eigenvalues().largest for s in range(10)]
)
ours = np.array([saddle(seed=s).eigenvalues(which="both").values for s in range(10)])
assert np.abs(ours - [1, -1]).max() < 1e-5

with rdr_style():
    figure = new_figure(5.5, 2.4)
    axes = figure.subplots()
    axes.axhline(1, color="#222222", lw=1, ls="--")
    axes.axhline(-1, color="#222222", lw=1, ls="--")
    axes.annotate("exact", (9.4, 1), (0, 3), textcoords="offset points", ha="right")
    axes.annotate("exact", (9.4, -1), (0, 3), textcoords="offset points", ha="right")
    axes.plot(
        claimed, "s", color="#E69F00", mec="#222222", label="PyHessian's top eigenvalue"
    )
    axes.plot(
        ours,
        "o",
        color="#0072B2",
        ms=3,
        label=["Lanczos, largest", "Lanczos, smallest"],
    )
    axes.set(
        xlabel="Random start", ylabel="Eigenvalue", ylim=(-1.3, 1.4), xticks=range(10)
    )
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper center", ncols=3
    )
words = (
    f"At a saddle with eigenvalues +1 and −1, PyHessian returns {short(claimed.min())} to "
    f"{short(claimed.max())}, according to its random start and without a warning; the "
    "toolkit's Lanczos iteration returns 1 and −1 from every start."
)
picture(figure, f"Dots for ten random starts. {words}", words)

# %% [markdown]
# The toolkit's `Hessian` gives the **residual** $\lVert H v - \lambda v \rVert$ with each eigenvalue: a true
# eigenvalue is within that distance, whatever method found it. Ask for the residual wherever you read such numbers.
#
# **A tolerance that is not an error.** PyHessian stops when its estimate *changes* by less than the tolerance (0.001
# by default). If it changes slowly, it stops far from the goal: if the second eigenvalue is ρ times the first, each
# round shrinks the error only by ρ², so the error left at the end is the tolerance times ρ² / (1 − ρ²), or 1 − ρ if it
# mistook the second eigenvalue for the first.
#
# To know the truth we take a network whose Hessian can be written down: a linear one, with the squared error over
# inputs X, has $H = X^\top X / N$, so we can choose its eigenvalues. **If you ask for an error of 0.1 %, what do you
# get as the second eigenvalue approaches the first?**

# %% jupyter={"source_hidden": true} tags=["hide-input"]
SIZE = 50


def linear_network(rho):
    """A network, inputs and targets whose Hessian has eigenvalues 1, rho and smaller ones."""
    draw = np.random.default_rng(0)
    turn, _ = np.linalg.qr(draw.normal(size=(SIZE, SIZE)))
    eigenvalues = np.concatenate([[1, rho], np.linspace(0, rho / 2, SIZE - 2)])
    inputs = np.sqrt(SIZE * eigenvalues)[:, None] * turn.T
    assert np.allclose(np.linalg.eigvalsh(inputs.T @ inputs / SIZE)[-2:], [rho, 1])
    network = nn.Linear(SIZE, 1, bias=False)
    return network, torch.from_numpy(inputs), torch.zeros(SIZE, dtype=torch.int64)


TOOLS = {"PyHessian": ("pyhessian", "#E69F00", "s"), "toolkit": ("rdr", "#0072B2", "o")}
rhos = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99]
errors = {name: [] for name in TOOLS}
for rho in rhos:
    known = partial(
        Hessian, *linear_network(rho), loss=squared_error, dtype=torch.float64
    )
    for name, (backend, _, _) in TOOLS.items():
        found = [
            known(seed=s, backend=backend).eigenvalues(tolerance=1e-3)
            for s in range(10)
        ]
        errors[name].append([100 * abs(each.largest - 1) for each in found])

with rdr_style():
    figure = new_figure(5.5, 2.8)
    axes = figure.subplots()
    at = np.arange(len(rhos))
    for name, (_, color, marker) in TOOLS.items():
        axes.plot(at, errors[name], marker, color=color, ms=4, alpha=0.6)
        axes.plot([], [], marker, color=color, label=name)
    predicted = [min(0.1 * rho**2 / (1 - rho**2), 100 * (1 - rho)) for rho in rhos]
    axes.plot(at, predicted, color="#E69F00", lw=1, label="predicted")
    axes.axhline(0.1, color="#222222", lw=1, ls="--", label="asked for")
    axes.set(
        yscale="log",
        xlabel="Second eigenvalue, as a share of the first",
        ylabel="Error of the largest (%)",
    )
    axes.set_xticks(at, [f"{rho:g}" for rho in rhos])
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper center", ncols=4
    )
off = {name: np.array(values) for name, values in errors.items()}
worst = np.unravel_index(off["PyHessian"].argmax(), off["PyHessian"].shape)
words = (
    f"Asked for 0.1 %, PyHessian is off by more in {(off['PyHessian'] > 0.1).sum()} of "
    f"{off['PyHessian'].size} starts, and by {short(off['PyHessian'][worst])} % in the worst, where the second "
    f"eigenvalue is {rhos[worst[0]]:g}; the toolkit by no more than {off['toolkit'].max():.1g} %."
)
picture(
    figure, f"Errors of ten starts by the second eigenvalue, log scale. {words}", words
)

# %% [markdown]
# **The trace** has the same weakness: PyHessian stops when the mean over its random probes changes little, after two
# of them at the earliest. The toolkit stops when the *standard error* of the mean is small enough, and returns it.

# %%
known = partial(Hessian, *linear_network(0.9), loss=squared_error, dtype=torch.float64)
truth = 1 + 0.9 + np.linspace(0, 0.45, SIZE - 2).sum()
rows = {}
for name, (backend, _, _) in TOOLS.items():
    traces = [known(seed=s, backend=backend).trace(0.01) for s in range(10)]
    off = np.array([100 * abs(trace.value / truth - 1) for trace in traces])
    probes = [trace.probes for trace in traces]
    rows[name] = {
        "probes": f"{min(probes)} to {max(probes)}",
        "error (root mean square)": f"{np.sqrt((off**2).mean()):.1f} %",
        "worst of 10": f"{off.max():.1f} %",
    }
pd.DataFrame(rows).T.style.set_caption(
    f"Trace, asked for 1 %; the truth is {short(truth)}"
)

# %% [markdown]
# ## 6. Which network? The mode of BatchNorm
#
# BatchNorm scales features by means and variances: in **train** mode by those of the current batch, in **eval** mode
# by those stored during training. These are two different functions of the weights, with two different Hessians. We
# train a small network on long-tailed digits (a few seconds) and compute both. **How far apart are they? Which one is
# "the curvature of the trained network"?**

# %% jupyter={"source_hidden": true} tags=["hide-input"]
run = rdr_core.train(
    "digits", imbalance_factor=50, method="ce", epochs=20, runs="runs", progress=False
)
data, network = run.data(), run.model()
images = normalise(data.train.inputs, torch.tensor(data.mean), torch.tensor(data.std))

sharpest = {}
for digit in (0, 4, 7):
    mine = data.train.labels == digit
    for mode in ("eval", "train"):
        found = Hessian(
            network, images[mine], data.train.labels[mine], mode=mode
        ).eigenvalues()
        sharpest[digit, mode] = found.largest
sharpest = pd.Series(sharpest).unstack()

with rdr_style():
    figure = new_figure(5.5, 2.6)
    axes = figure.subplots()
    for mode, color, marker in (("eval", "#0072B2", "o"), ("train", "#E69F00", "s")):
        axes.plot(
            sharpest[mode].to_numpy(), marker, color=color, ms=7, label=f"{mode} mode"
        )
        for at, value in enumerate(sharpest[mode]):
            axes.annotate(
                short(value), (at, value), (8, -3), textcoords="offset points"
            )
    axes.set_yscale("log")
    plain_ticks(axes.yaxis, 1, 10, 100)
    axes.set(xlim=(-0.5, 2.5), ylim=(1, 500), ylabel="Largest eigenvalue")
    axes.set_xticks(
        range(3), [f"digit {k}\nn = {run.class_counts[k]}" for k in sharpest.index]
    )
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper center", ncols=2
    )
ratio = np.exp(np.abs(np.log(sharpest["eval"] / sharpest["train"])))
words = (
    f"The two modes differ by a factor of {short(ratio.min())} to {short(ratio.max())} for the same "
    "weights and the same images."
)
picture(figure, f"Dots by digit and mode, log scale. {words}", words)

# %% [markdown]
# In train mode the class alone fills the batch and is scaled by its own mean and variance, which never happened in
# training. In eval mode the Hessian is that of the network that makes the predictions. The toolkit uses eval mode by
# default, writes the mode into every figure, and leaves your model unchanged; PyHessian switches it to eval mode and
# leaves it there.
#
# ## 7. To discuss
#
# 1. A paper prints "λ max = 0.13" for a rare class and cites PyHessian. Which three things do you ask for before you
#    believe it?
# 2. In section 1, the points (1, 1) and (2.5, 0.4) are the *same function* of the input. So can sharpness, measured
#    this way, decide how well a network does on new images? What could one measure instead?
# 3. In section 2, compare 1/n with CE. Find an explanation for the flat rare classes of 1/n that has nothing to do
#    with the shape of the minima. How would you test it with these runs?
# 4. SAM is made to find flat minima of the loss over *all* images. Why might that leave the digit 9 as sharp as
#    before?
#
# **Next:** [The paper's figures and claims](05_the_paper.ipynb): every figure, table and claim beside the paper's own
# numbers.
