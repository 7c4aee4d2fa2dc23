"""The training loss that runs end with."""

from dataclasses import dataclass

import pandas as pd

from rdr_viz import Display, display, method_style, new_axes, rdr_style


@display("last-loss")
@dataclass(frozen=True)
class LastLoss(Display):
    data: pd.DataFrame
    title = "Which method fits its training images best?"
    look = "A mark is a run: the further left, the smaller its training loss."
    finding = property(lambda self: f"The smallest training loss is {self.data['loss'].min():.3g}.")
    alt = property(lambda self: f"Marks, training loss of {len(self.data)} runs. {self.finding}")

    @classmethod
    def from_runs(cls, runs):
        rows = [(run.config.method, run.config.seed, run.history["loss"].iloc[-1]) for run in runs]
        return cls(pd.DataFrame(rows, columns=["method", "seed", "loss"]))

    def plot(self, ax=None):
        ax = ax or new_axes(height=2.2)
        with rdr_style():
            for method, rows in self.data.groupby("method"):
                style = method_style(method)
                ax.plot(rows["loss"], [style.label] * len(rows), **style.line() | {"linestyle": "none"})
        return ax
