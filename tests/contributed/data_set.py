"""Squares with a light corner: which one is the class."""

import numpy as np

from rdr_core.data import RawData, Settings, dataset


@dataset("corners", "squares with a light corner, made up", num_classes=4, image_shape=(1, 8, 8), n_max=60, n_train=240,
         n_test=80, settings=Settings(epochs=2, batch_size=32))  # fmt: skip
def corners(root):
    """All images; ``root`` is the data root, for sets that have files."""
    draw = np.random.default_rng(0)

    def images(of_each):
        labels = np.repeat(np.arange(4), of_each)
        squares = draw.integers(0, 120, (len(labels), 1, 8, 8))
        for square, label in zip(squares, labels, strict=True):
            row, column = 4 * np.array(divmod(label, 2))
            square[0, row : row + 4, column : column + 4] += 100
        return squares.astype(np.uint8), labels  # (N, 1, 8, 8), (N,)

    return RawData(*images(60), *images(20), ("NW", "NE", "SW", "SE"), mean=(0.35,), std=(0.2,))
