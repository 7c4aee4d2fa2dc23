"""Errors that a user can act on: one sentence that names the input, what is allowed and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from rdr_core.visible import SENTENCE, visible


class RdrError(ValueError):
    """A mistake in the input, or something missing, explained in one sentence.

    Commands print the sentence without a traceback and exit with status 2; in Python
    it is an ordinary ``ValueError``.

    Example:
        >>> print(RdrError("runs/\\x1b[2J is not a run's folder."))
        runs/\\x1b[2J is not a run's folder.
    """

    def __str__(self) -> str:
        """What it quotes may be from any file, so all of it is visible, and short."""
        return visible(super().__str__(), SENTENCE)


class MissingData(RdrError):
    """A data file is missing or damaged; the message says what to fetch and where to put it."""


class Damaged(RdrError):
    """A stored file is not as it was written; the message names it and says why, and nothing of it is used."""


class LostRank(RdrError):
    """Another process of the same run ended, so this one cannot go on; the message says how to."""


class RunBusy(RdrError):
    """Another process has the run's folder; it goes on there, or can be taken up when that process ends."""


class TrainingDiverged(RdrError):
    """The loss stopped being a number; the last good state is kept on disk."""


def unknown_name(kind: str, name: object, known: Iterable[str]) -> RdrError:
    """The error for a name that is not one of ``known``, with the nearest ones first.

    Example:
        >>> print(unknown_name("data set", "cifar", ["cifar10", "cifar100", "digits"]))
        There is no data set named 'cifar'; did you mean 'cifar10' or 'cifar100'? Known: cifar10, cifar100, digits.
    """
    names = sorted(known)
    # CIFAR-10 is cifar10, RDR is rdr.
    near = difflib.get_close_matches(str(name).lower().replace("-", ""), names, n=2, cutoff=0.5)
    hint = f"; did you mean {' or '.join(repr(n) for n in near)}?" if near else "."
    return RdrError(f"There is no {kind} named {str(name)!r}{hint} Known: {', '.join(names)}.")
