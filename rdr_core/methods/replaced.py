"""What stands in for a weight that can't be had as its method says: named, so that it is counted, recorded and told.

A weighting gives a code of each sample (:attr:`rdr_core.methods.contract.Weighing.replaced`); training counts them on
the device and looks once an epoch; a finished run keeps the counts (:mod:`rdr_core.runs.stand_ins`).
"""

from __future__ import annotations

from collections.abc import Mapping

#: All of the sample's features are 0, as of a dead layer, so they say nothing of its ratio: 1, without a ridge 0.
FEATURELESS = 1
#: The class had no prototype yet, so the ratio is what the method's ``unseen`` says.
UNSEEN = 2
#: A feature is no finite number, so the ratio is 1, and the others of the batch are weighed without the sample.
INFINITE = 3
#: All raw weights of the batch are 0, so each is 1.
WEIGHTLESS = 4

#: By the name under which they are counted: the code, None of what is counted without one, and what is told.
KINDS: dict[str, tuple[int | None, str]] = {
    "unseen": (UNSEEN, "of a class without a prototype yet, so without a ratio"),
    "featureless": (FEATURELESS, "with features of 0 alone, so without a ratio"),
    "infinite": (INFINITE, "with a feature that is not finite, so without a ratio or influence of its own"),
    "weightless": (WEIGHTLESS, "in batches whose weights were all 0, so 1 each"),
    "one_class": (None, "in batches of one class, among which weights tell no classes apart"),
}


def told(counts: Mapping[str, int]) -> str:
    """The counts in a sentence; "" where nothing was replaced.

    Args:
        counts: by the names of :data:`KINDS`, and ``visits``, of how many.

    Example:
        >>> told({"visits": 900, "unseen": 0, "featureless": 12})
        'Of 900 visits weighed: 12 with features of 0 alone, so without a ratio.'
        >>> told({"visits": 900})
        ''
    """
    parts = [f"{counts[name]:,} {words}" for name, (_, words) in KINDS.items() if counts.get(name)]
    return f"Of {counts['visits']:,} visits weighed: {'; '.join(parts)}." if parts else ""
