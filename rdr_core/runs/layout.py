"""What lies where in a run's folder.

NAME/config.json            what was asked for
     env.json               versions, device, git commit
     stage.json             of a second stage: the run it started from, and its length
     fork.json              of a run that went on from a trunk: which, after which epoch, and the seconds that saved
     data.json              class names and counts, groups, normalisation, hashes of the chosen indices and of all data
     history.csv            a row an epoch
     classes.safetensors    (epochs, d) by column
     indices.safetensors    the training images chosen
     checkpoint.safetensors all that a resume needs, until the run is done
     model.safetensors      the network's weights; these and the next a run may be shipped without
     weights/epoch-*        the same at a quarter, a half and three quarters of the run
     analysis/              results of `rdr analyse`, by name and parameters
     evaluations/           results of `rdr evaluate`
     metrics.json           of the last epoch
     replaced.json          how many weights something stood in for, where there were any
     done.json              written last: the run is finished; with the hash of its weights

Every file carries its own checksum (:mod:`rdr_core.files.sealed`), compared where it is read, and is put in its place
whole: so a process that ends at any moment leaves each file as it was before or as it is after, never one that looks
damaged. What a run in training shows, history and classes, follows from the checkpoint, which is written first; of two
that do not agree readers take either, a resume makes them agree, and where one is damaged the checkpoint stands in.
Files of older versions carry none, and are read as they are until `rdr check` has given them theirs.
"""

from __future__ import annotations

from pathlib import Path

from rdr_core.files.inside import inside

#: Version of the folder's format.
FORMAT = 1
#: Written last, so that a folder that has it holds all of a run.
DONE = "done.json"
#: Of a run that went on from a trunk.
FORK = "fork.json"
#: Columns of ``history``.
HISTORY = (
    "epoch", "learning_rate", "loss", "train_accuracy", "accuracy", "many", "medium", "few",
    "negative_ratios", "bound_terms", "seconds",
)  # fmt: skip


def finished(folder: Path) -> bool:
    """Whether the run in a folder is finished; False where there is none."""
    return (folder / DONE).is_file()


def refuse_links(folder: Path) -> None:
    """Refuse a run's folder in which what is written leads elsewhere; files are replaced, so links in their place go.

    Raises:
        RdrError: its lock, or a folder in it, is a link out of it.
    """
    for name in (".lock", "weights", "analysis", "evaluations"):
        inside(folder, name)


def kept_epochs(epochs: int) -> tuple[int, ...]:
    """Epochs of a run whose weights are kept for analysis, besides the last: a quarter, a half, three quarters.

    Example:
        >>> kept_epochs(200), kept_epochs(2)
        ((50, 100, 150), (1,))
    """
    return tuple(sorted({round(epochs * share) for share in (0.25, 0.5, 0.75)} - {0, epochs}))


def weights_path(folder: Path, epoch: int) -> Path:
    """Where a run keeps an epoch's weights."""
    return folder / "weights" / f"epoch-{epoch:04d}.safetensors"
