"""Curvature of a run's smallest classes after the last epoch, and their training loss: what papers print numbers of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rdr_viz.analysis.catalogue import analysis
from rdr_viz.analysis.curvature.by_class import class_curvature, class_density, how_far
from rdr_viz.analysis.curvature.losses import class_loss

if TYPE_CHECKING:
    import pandas as pd

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run
    from rdr_viz.analysis.pieces import HowFar

#: Their names, by which papers ask for them.
CURVATURE = "curvature of the four smallest classes"
LOSS = "training loss of the four smallest classes"
DENSITY = "density of the smallest class"


def four_smallest(run: Run) -> list[int]:
    """The classes with the fewest training images, the smallest first."""
    # A stable sort from the end: of classes with equally many images the later ones, which are Few in every grouping.
    smallest = len(run.class_counts) - 1 - np.argsort(run.class_counts[::-1], kind="stable")[:4]
    return [int(c) for c in smallest]


def _smallest(run: Run) -> list[int]:
    return [int(np.argmin(run.class_counts))]  # as the picture takes it


def _curvature_so_far(run: Run) -> HowFar:
    return how_far(class_curvature, run, classes=four_smallest(run), epochs=[run.config.epochs])


def _density_so_far(run: Run) -> HowFar:
    return how_far(class_density, run, classes=_smallest(run), epochs=[run.config.epochs])


@analysis(
    CURVATURE, "extreme eigenvalues and trace, last epoch", results=("curvature",), how_far=_curvature_so_far,
    of_papers=True,
)  # fmt: skip
def curvature_of_smallest(
    run: Run, *, data: LongTailedData | None = None, device: str | None = None, progress: bool = True
) -> pd.DataFrame:
    """:func:`rdr_viz.analysis.curvature.class_curvature` of the four smallest classes after the last epoch; stored."""
    return class_curvature(
        run, classes=four_smallest(run), epochs=[run.config.epochs], data=data, device=device, progress=progress
    )


@analysis(LOSS, "comes with their curvature; asked for where that was stored without", results=("class-loss",),
          of_papers=True)  # fmt: skip
def loss_of_smallest(run: Run, *, data: LongTailedData | None = None, device: str | None = None) -> pd.DataFrame:
    """:func:`rdr_viz.analysis.curvature.class_loss` of the four smallest classes after the last epoch; stored."""
    return class_loss(run, classes=four_smallest(run), epochs=[run.config.epochs], data=data, device=device)


@analysis(
    DENSITY, "spectral density of its Hessian, last epoch", results=("density",), how_far=_density_so_far,
    of_papers=True,
)  # fmt: skip
def density_of_smallest(
    run: Run, *, data: LongTailedData | None = None, device: str | None = None, progress: bool = True
) -> pd.DataFrame:
    """:func:`rdr_viz.analysis.curvature.class_density` of the smallest class after the last epoch; stored."""
    return class_density(
        run, classes=_smallest(run), epochs=[run.config.epochs], data=data, device=device, progress=progress
    )
