"""What an epoch's training passes showed, kept on the device and reduced once at the end of the epoch.

Nothing is reduced by class, and nothing leaves the device, while batches run: each batch writes its
rows, so the recording costs the same whatever the number of classes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rdr_core.measures.bound import READINGS, b_prime, bound_terms, class_mean
from rdr_core.methods.contract import Outcome
from rdr_core.methods.replaced import KINDS
from rdr_core.shapes import Bool, Float, Int
from rdr_core.training.ranks import Ranks
from rdr_core.training.transfer import consecutive

_FIELDS = ("loss", "weight", "ratio", "logit", "probability", "correct", "replaced")


class Visits:
    """One row for each visit of a training image.

    Args:
        labels: (V,) class of each visit, in order.
        batch_size: visits a batch.
    """

    def __init__(self, labels: Int[Tensor, "V"], batch_size: int) -> None:
        self.labels, self.batch_size = labels, batch_size
        self.values = torch.full((len(_FIELDS), len(labels)), torch.nan, device=labels.device)
        self["replaced"].zero_()  # which most weightings leave so

    def __getitem__(self, name: str) -> Float[Tensor, "V"]:
        return self.values[_FIELDS.index(name)]

    def follow(self, other: Visits) -> None:
        """Take over another epoch's labels and records, into the memory that holds these."""
        self.labels.copy_(other.labels)
        self.values.copy_(other.values)

    @torch.no_grad()
    def write(self, start: int | Int[Tensor, "1"], outcome: Outcome, ranks: Ranks) -> None:
        """Keep the batch that starts at visit ``start``, of which the outcome is this rank's share."""
        count = len(outcome.losses) if ranks.size == 1 else ranks.batch
        here = consecutive(start, count)
        labels = self.labels[here][ranks.share(count)]
        logits = outcome.logits.detach()
        true = logits.gather(1, labels[:, None])[:, 0]
        rows = [
            outcome.losses.detach(),
            outcome.weights,
            torch.full_like(true, torch.nan) if outcome.ratios is None else outcome.ratios,
            true,
            (true - logits.logsumexp(1)).exp(),
            (logits.argmax(1) == labels).float(),
            *(() if outcome.replaced is None else (outcome.replaced,)),
        ]
        mine = torch.stack([row.float() for row in rows])
        self.values[: len(rows), here] = ranks.gather(mine.T, count).T

    def first_bad_batch(self, visits: int) -> int | None:
        """Number of the first batch, among the first ``visits``, that has a loss or a weight which is none."""
        bad = (~self._sound(slice(visits))).nonzero()
        return int(bad[0]) // self.batch_size if len(bad) else None

    def what_is_bad(self, batch: int) -> tuple[str, int]:
        """What the first bad visit of a batch has, in words, and its class."""
        here = slice(batch * self.batch_size, (batch + 1) * self.batch_size)
        first = here.start + int((~self._sound(here)).nonzero()[0])
        loss, weight = float(self["loss"][first]), float(self["weight"][first])
        what, value = ("weight of a sample", weight) if math.isfinite(loss) else ("loss", loss)
        how = "not a number" if math.isnan(value) else "infinite" if math.isinf(value) else f"{value:g}, below 0,"
        return f"{what} is {how}", int(self.labels[first])

    def _sound(self, visits: slice) -> Bool[Tensor, "K"]:
        weight = self["weight"][visits]
        return self["loss"][visits].isfinite() & weight.isfinite() & (weight >= 0)

    def replaced(self) -> dict[str, Int[Tensor, ""]]:
        """Visits weighed, and how many of them something stands in for (:mod:`rdr_core.methods.replaced`).

        None of a weighting by design without weights is to be asked for; on the device.
        """
        codes, labels = self["replaced"], self.labels.long()
        weighed = ~codes.isnan()
        batch = torch.arange(len(labels), device=labels.device) // self.batch_size
        least, most = (
            torch.zeros_like(labels).scatter_reduce(0, batch, labels, reduce, include_self=False)[batch]
            for reduce in ("amin", "amax")
        )
        counts = {name: (codes == code).sum() for name, (code, _) in KINDS.items() if code is not None}
        return {"visits": weighed.sum(), **counts, "one_class": (weighed & (least == most)).sum()}

    def by_class(self, priors: Float[Tensor, "d"]) -> dict[str, Float[Tensor, "d"]]:
        """Columns of a run's ``classes``: mean weight and ratio, and B' in each reading; NaN where unseen."""
        d, labels = len(priors), self.labels
        batches = torch.arange(len(labels), device=labels.device) // self.batch_size
        columns = {name: class_mean(self[name], labels, d) for name in ("weight", "ratio")}
        for reading, column in READINGS.items():
            columns[column] = b_prime(
                self["logit"], self["probability"], labels, priors, reading=reading, batches=batches
            )
        return columns

    def summary(self, columns: dict[str, Float[Tensor, "d"]]) -> dict[str, Tensor]:
        """The epoch's row of ``history``, as far as training gives it; scalars still on the device."""
        return {
            "loss": (self["weight"] * self["loss"]).mean(),
            "train_accuracy": 100 * self["correct"].mean(),
            "negative_ratios": share_below_zero(self["ratio"]),
            "bound_terms": bound_terms(columns["weight"], columns["b_prime"]),
        }


def share_below_zero(ratios: Float[Tensor, "V"]) -> Float[Tensor, ""]:
    """Share of raw ratios below 0; NaN without ratios.

    Example:
        >>> share_below_zero(torch.tensor([-1.0, 0.5]))
        tensor(0.5000)
    """
    return torch.where(ratios.isnan(), torch.nan, (ratios < 0).float()).mean()
