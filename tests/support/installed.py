"""Packages with an entry point, laid where Python finds them, as pip would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import rdr_core


def lay_package(folder: Path, name: str, code: str, group: str) -> None:
    """A package of one file, which it names in the group, as if installed into ``folder``."""
    (folder / f"{name}.py").write_text(dedent(code).lstrip())
    facts = folder / f"{name}-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(f"[{group}]\n{name} = {name}\n")


def rdr_beside(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of rdr's, in ``folder`` and with the packages there installed."""
    places = os.pathsep.join([str(folder), str(Path(rdr_core.__file__).parents[1])])
    command = [sys.executable, "-m", "rdr_core", *arguments]
    set_to = os.environ | {"PYTHONPATH": places, "RDR_CHECK_SHAPES": "0"}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=set_to)


#: A display in a file of its own, of the package rdr_last_loss.
LAST_LOSS = """
from dataclasses import dataclass

import pandas as pd

from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import new_axes, rdr_style
from rdr_viz.displays.palette import method_style

@display("last-loss")
@dataclass(frozen=True)
class LastLoss(Display):
    data: pd.DataFrame
    title = "Which method fits its training images best?"
    look = "A mark is a run: the further left, the smaller its training loss."

    @classmethod
    def from_runs(cls, runs):
        rows = [(run.config.method, run.config.seed, run.history["loss"].iloc[-1]) for run in runs]
        return cls(pd.DataFrame(rows, columns=["method", "seed", "loss"]))

    alt = property(lambda self: f"Marks, training loss of {len(self.data)} runs. {self.finding}")
    finding = property(lambda self: f"The smallest training loss is {self.data['loss'].min():.3g}.")

    def plot(self, ax=None):
        ax = ax or new_axes(height=2.2)
        with rdr_style():
            for style, rows in ((method_style(method), rows) for method, rows in self.data.groupby("method")):
                ax.plot(rows["loss"], [style.label] * len(rows), **style.line() | {"linestyle": "none"})
            ax.set(xlabel="Training loss in the last epoch", title="Of each run")
        return ax
"""
