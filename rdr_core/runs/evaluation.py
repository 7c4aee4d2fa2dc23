"""Measures of a finished run where the test classes are as frequent as one says: balanced, long-tailed or reversed.

The test images stay the same and are weighted by class, where public code of test-agnostic methods draws a
long-tailed subset of them (LADE: Hong et al. 2021; SADE: Zhang et al. 2022). The weighted accuracy is what the
subset's is on average over the draws, without the noise of one draw, and no class loses images; with 50 images a
class and IF 50 a subset would judge the last class by one.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rdr_core.errors import RdrError, unknown_name
from rdr_core.files.inside import inside
from rdr_core.files.whole import read_json, write_json
from rdr_core.measures.predictions import measures
from rdr_core.methods.parts import format_value
from rdr_core.own_settings import own_settings
from rdr_core.plain import plain_numbers
from rdr_core.runs import Run
from rdr_core.runs.conditions import pick_device
from rdr_core.runs.contents import MEASURED
from rdr_core.shapes import Float, Int

if TYPE_CHECKING:
    from rdr_core.data import LongTailedData

#: How frequent the classes of the test set are.
TESTS = {
    "balanced": "all classes alike",
    "long-tailed": "the exponential profile, the class with most training images first",
    "reversed": "the exponential profile, the class with fewest training images first",
}


@plain_numbers
@own_settings()
def evaluate(
    run: Run | str | Path,
    *,
    test: str = "balanced",
    imbalance_factor: float | None = None,
    device: str = "auto",
    root: str | Path | None = None,
    data: LongTailedData | None = None,
) -> dict[str, Any]:
    """Measures of a finished run on the test set, weighted to another class distribution; stored in the run's folder.

    Args:
        run: finished.
        test: one of :data:`TESTS` (default "balanced": the field's usual).
        imbalance_factor: most over least frequent class of the test; None (default) is the run's own.
        device: as for :func:`rdr_core.train`.
        root: folder of the data files.
        data: whose test set to use (default: the run's own data), with the same classes, such as changed images. Images
            are normalised as in training. If they are not the run's own data, results are stored separately.

    Returns:
        ``test``, ``imbalance_factor`` (1 where balanced) and the numbers of
        :func:`rdr_core.measures.predictions.measures`; of other data than the run's own their ``data_hash`` too.

    Raises:
        Damaged: what was stored is not as it was written; `rdr check --repair` lets it be measured anew.
        RdrError: a run that is not finished, an unknown test, an imbalance factor that does not fit, data of other
            classes or channels, or none where the run was trained on arrays of the user's own.

    Example:
        >>> import tempfile, rdr_core
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = rdr_core.train("digits", imbalance_factor=50, epochs=1, runs=folder, progress=False)
        ...     found = evaluate(run, test="reversed", imbalance_factor=10)
        >>> found["test"], found["imbalance_factor"], len(found["per_class"])
        ('reversed', 10.0, 10)
    """
    run = run if isinstance(run, Run) else Run.open(run)
    factor = _test_factor(run, test, imbalance_factor)
    if not run.done:
        raise RdrError(f"{run.path} is not finished; continue it with `rdr resume {run.path}`.")
    name = test if test == "balanced" else f"{test}-if{format_value(factor)}"
    other = {} if data is None or data.content_hash == run.content_hash(root) else {"data_hash": data.content_hash}
    stored = run.path / "evaluations" / f"{'-'.join([name, *other.values()])}.json"
    shape = {"test": test, "imbalance_factor": float, **MEASURED}
    if not stored.exists():
        if data is None:
            data = run.data(root=root)
        normalisation = run.normalisation(root) if other else (data.mean, data.std)
        probabilities, labels = _test_probabilities(run, data, normalisation, device)
        weights = image_weights(labels, class_shares(run.class_counts, test, factor))
        inside(run.path, stored.relative_to(run.path).as_posix()).parent.mkdir(exist_ok=True)
        found = measures(probabilities, labels, run.groups, weights)
        write_json(stored, {"test": test, "imbalance_factor": factor, **other, **found})
    return read_json(stored, shape)


def class_shares(class_counts: Int[np.ndarray, "d"], test: str, imbalance_factor: float) -> Float[np.ndarray, "d"]:
    """How frequent each class is in the test, adding up to 1: IF^(-rank / (d - 1)), up to scale.

    Args:
        class_counts: training images of each class; rank 0 has most of them, or fewest where ``test`` is "reversed".
        test: one of :data:`TESTS`.
        imbalance_factor: IF, 1 for a balanced test.

    Example:
        >>> class_shares(np.array([50, 10, 2]), "reversed", 4.0).round(3).tolist()
        [0.143, 0.286, 0.571]
    """
    rank = np.argsort(np.argsort(-class_counts, kind="stable"))
    last = max(len(class_counts) - 1, 1)
    shares = imbalance_factor ** (-(last - rank if test == "reversed" else rank) / last)
    return shares / shares.sum()


def image_weights(labels: Int[np.ndarray, "N"], shares: Float[np.ndarray, "d"]) -> Float[np.ndarray, "N"]:
    """Weight of each image, mean 1, by which the classes have these shares; classes without images are passed over.

    Example:
        >>> image_weights(np.array([0, 0, 0, 1]), np.array([0.5, 0.5])).round(3).tolist()
        [0.667, 0.667, 0.667, 2.0]
    """
    weights = shares[labels] / np.bincount(labels)[labels]
    return weights / weights.mean()


def _test_factor(run: Run, test: str, imbalance_factor: float | None) -> float:
    if test not in TESTS:
        raise unknown_name("test", test, TESTS)
    if test == "balanced":
        if imbalance_factor not in (None, 1):
            raise RdrError(
                f"imbalance_factor is {imbalance_factor:g}, but a balanced test has none; "
                "leave it out, or ask for the test 'long-tailed' or 'reversed'."
            )
        return 1.0
    factor = run.config.imbalance_factor if imbalance_factor is None else imbalance_factor
    if factor is None:
        raise RdrError(f"{run.path} used its data's own imbalance; give the test's imbalance_factor, such as 50.")
    if not 1 <= factor < math.inf:
        raise RdrError(f"imbalance_factor is {factor:g}; the test's most frequent class over its least is 1 or larger.")
    return float(factor)


def _test_probabilities(
    run: Run, data: LongTailedData, normalisation: tuple[tuple[float, ...], tuple[float, ...]], device: str
) -> tuple[np.ndarray, np.ndarray]:
    import torch

    from rdr_core.training.inference import Inputs, class_probabilities

    chosen = pick_device(device)
    model, d = run.model().to(chosen), len(run.class_counts)
    if data.num_classes != d or data.channels != run.channels:
        raise RdrError(
            f"{run.path} distinguishes {d} classes in images of {run.channels} channel(s), but the data given have "
            f"{data.num_classes} classes and {data.channels} channel(s)."
        )
    mean, std = (torch.tensor(values, device=chosen) for values in normalisation)
    found = class_probabilities(model, Inputs(data.test.inputs, mean, std))
    return found.numpy(), data.test.labels.numpy()
