"""The training loss of each class or group whose curvature is looked at, at the same weights, images and mode.

A network that is surer of its training images has a smaller loss and with it a smaller Hessian: what a curvature says
beyond that is seen when it is divided by this loss (:mod:`rdr_viz.analysis.curvature.scale`). It is no epoch's mean
loss of training, which is of augmented images and of weights that move.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rdr_core.errors import RdrError
from rdr_core.plain import plain_numbers
from rdr_viz.analysis.curvature.request import Request
from rdr_viz.analysis.stored import NotStored, result_path

if TYPE_CHECKING:
    import pandas as pd

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run


@plain_numbers
def class_loss(
    run: Run,
    *,
    by: str = "class",
    epochs: Sequence[int] | None = None,
    classes: Sequence[int] | None = None,
    split: str = "train",
    loss: str = "ce",
    mode: str = "eval",
    batch_size: int = 500,
    data: LongTailedData | None = None,
    device: str | None = None,
) -> pd.DataFrame:
    """Mean loss over each class's (or group's) images, without augmentation; a forward pass in float64; stored.

    Where the network is gone but its loss surface is stored, the surface's centre, which is the same number in single
    precision: of classes, the last epoch, cross-entropy and evaluation mode alone.

    Args:
        run, by, epochs, classes, split, loss, mode, batch_size, data, device: as
            :func:`rdr_viz.analysis.curvature.class_curvature`.

    Returns:
        A row for each epoch and subset: ``epoch``; ``class`` and ``group``, or ``group`` alone; ``images``;
        ``mean_loss`` (nats for cross-entropy); ``mode``, ``loss``, ``split``. Subsets without images have no row, nor
        have epochs that only a network could tell.

    Raises:
        NotStored: the loss is not stored, and the weights are gone or the run is
            :attr:`~rdr_core.Run.as_stored`.
        RdrError: an unknown option, epoch or class, or a run that is not finished.

    Example:
        >>> class_loss(run, classes=run.groups.few).set_index("class")["mean_loss"]   # doctest: +SKIP
    """
    what = Request(run, by, epochs, classes, split, loss, mode, batch_size, 0, "rdr", device, data)
    parameters = {name: value for name, value in what.parameters.items() if name not in ("seed", "backend")}
    gone = [epoch for epoch in what.epochs if epoch not in run.kept]
    if gone and run.done and not result_path(run, "class-loss", parameters).is_file():
        centre = _centre_of_surface(what)
        if centre is not None:
            return centre
        try:
            run.weights_file(gone[0])
        except RdrError as error:
            raise NotStored(str(error)) from None
    return what.stored_at_once("class-loss", parameters, lambda hessian: {"mean_loss": hessian.mean_loss()})


def _centre_of_surface(what: Request) -> pd.DataFrame | None:
    """The loss at the trained weights, from a loss surface around them; None where it is not stored or another loss."""
    from rdr_viz.analysis.surface import loss_surface

    last = what.run.config.epochs
    if (what.by, what.loss, what.mode) != ("class", "ce", "eval") or last not in what.epochs:
        return None
    try:
        surface = loss_surface(what.run.as_stored, split=what.split, data=what.data)
    except NotStored:
        return None
    centre = surface[(surface["a"] == 0) & (surface["b"] == 0) & surface["class"].isin(what.classes)]
    found = centre[["class", "group", "images", "loss"]].rename(columns={"loss": "mean_loss"}).reset_index(drop=True)
    found.insert(0, "epoch", last)
    return found[found["images"] > 0].assign(mode=what.mode, loss=what.loss, split=what.split)
