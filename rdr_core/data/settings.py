"""How each data set is trained unless told otherwise, as its registration says."""

from __future__ import annotations

from rdr_core.data.datasets import ARRAYS, DATASETS, Settings


def settings_of(dataset: str) -> Settings:
    """Defaults of a data set by its name, without what follows a colon; those of arrays for any other name.

    Raises:
        RdrError: an installed package offers data sets that can't be imported.

    Example:
        >>> settings_of("mnist:9-4").epochs, settings_of("arrays").epochs
        (20, 60)
    """
    source = DATASETS.get(dataset.partition(":")[0])
    return source.settings if source else ARRAYS
