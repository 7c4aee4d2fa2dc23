"""Data sets of torch's kind, as torchvision's: anything that gives (input, label) by number."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from rdr_core.data.disk.decode import Unfit, in_colour
from rdr_core.data.kinds import IMAGES, ROWS, SERIES
from rdr_core.data.long_tailed import LongTailedData
from rdr_core.data.own.labels import read_labels
from rdr_core.data.own.train_and_test import split_off, two_parts
from rdr_core.data.own.unusable import Unusable
from rdr_core.data.sources.raw import RawData
from rdr_core.data.tail import Tail, make_tail
from rdr_core.errors import RdrError
from rdr_core.own_settings import own_settings
from rdr_core.plain import plain_numbers
from rdr_core.shapes import Shaped
from rdr_core.visible import bar_file

#: Bytes in memory, at most.
LARGEST = 2**33


@plain_numbers
@own_settings()
def from_dataset(
    train: Any,
    test: Any | None = None,
    *,
    test_share: float = 0.2,
    leave_out: bool = False,
    name: str = "",
    **tail: Unpack[Tail],
) -> LongTailedData:
    """A long-tailed set of a torch data set's samples, read once into memory.

    Images may come from Pillow, as (C, H, W) bytes, or as (C, H, W) floats from 0 to 1, which are taken for the bytes
    that they were; vectors are rows of a table, and (C, T) floats are series. What a data set draws anew each time, as
    augmentation does, is drawn once: leave augmentation to ``train(augmentation=...)``.

    Args:
        train: with ``len()`` and ``[number]``, which gives (input, label).
        test: for tests, likewise; None (default) draws some of the others.
        test_share: share of each class that is drawn for tests (default a fifth), by ``seed``.
        leave_out: go on without samples that can't be used: that can't be read, without a label, or of a class that
            only training or only tests have. By default they are an error, counted and named.
        name: of the set, for reports (default: its class).
        tail: as for :func:`rdr_core.from_arrays`; the usual imbalance is its own.

    Raises:
        RdrError: samples of different shapes, or what can't be used.

    Example:
        >>> import torch
        >>> from torch.utils.data import TensorDataset
        >>> samples = TensorDataset(torch.rand(12, 3, 8, 8), torch.tensor([0, 0, 1] * 4))
        >>> from_dataset(samples)
        LongTailedData(TensorDataset, imbalance as given, 9 train and 3 test images of 3x8x8, 2 classes from 6 ('0') \
to 3 ('1'))
    """
    inputs, labels, unusable = _read(train, "the training set" if test is not None else "the data set")
    if test is None:
        parts, tests = split_off(labels, unusable, leave_out, test_share, tail.get("seed", 0)), inputs
    else:
        tests, test_labels, of_test = _read(test, "the test set")
        parts = two_parts(labels, test_labels, unusable, of_test, leave_out)
    words = tuple(getattr(train, "classes", ()))
    names = parts.names
    if words and all(name.isdigit() and int(name) < len(words) for name in names):
        names = tuple(str(words[int(name)]) for name in names)
    kept, asked = _stacked(inputs, parts.train), _stacked(tests, parts.test)
    if kept.shape[1:] != asked.shape[1:] or kept.dtype != asked.dtype:
        raise RdrError(f"Training samples are {_words(kept)}, test samples {_words(asked)}; give both the same.")
    raw = RawData(kept, parts.train_labels, asked, parts.test_labels, names)
    return make_tail(raw, name or type(train).__name__, **tail)


def as_sample(given: Any) -> Shaped[np.ndarray, "..."]:
    """One sample as it is kept: an image as (C, H, W) bytes, a row or a series as float32.

    Raises:
        RdrError: of no kind that is known.

    Example:
        >>> as_sample(np.full((1, 2, 2), 0.2))[0, 0].tolist(), as_sample([1, 2]).dtype
        ([51, 51], dtype('float32'))
    """
    if hasattr(given, "convert"):  # an image of Pillow's
        image = given if given.mode in ("L", "RGB") else in_colour(given, "the image")
        pixels = np.asarray(image)
        return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
    array = given.detach().cpu().numpy() if hasattr(given, "detach") else np.asarray(given)
    if array.dtype.kind not in "biuf":
        raise RdrError(f"it is a {type(given).__name__} of {array.dtype}, and must be numbers or an image")
    if array.ndim == 3:
        if array.shape[2] <= 4 < array.shape[0]:
            raise RdrError(f"it has shape {array.shape}, which looks like (H, W, C), and an image must be (C, H, W)")
        if array.dtype == np.uint8:
            return array
        if array.dtype.kind == "f" and np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1:
            return np.rint(array * 255).astype(np.uint8)
        raise RdrError(
            "it has three dimensions, so it is an image, and must be bytes or floats from 0 to 1, not normalised"
        )
    if array.ndim == 2 and array.dtype == np.uint8:
        raise RdrError(f"it has shape {array.shape} and bytes, so it may be a grey image, which must be (1, H, W)")
    if array.ndim not in (1, 2):
        raise RdrError(
            f"it has shape {array.shape}, and must be an {IMAGES.one} (C, H, W), a {ROWS.one} of a table (F,), or a "
            f"{SERIES.one} (C, T)"
        )
    with np.errstate(over="ignore"):  # what is too large is infinite, and noted as that
        return array.astype(np.float32)


def _read(given: Any, where: str) -> tuple[list[np.ndarray], list[str | None], Unusable]:
    from tqdm.auto import tqdm

    if not (hasattr(given, "__len__") and hasattr(given, "__getitem__")):
        raise RdrError(
            f"{where} is a {type(given).__name__}; give a data set with len() and [number], as torchvision's."
        )
    number = len(given)
    if number == 0:
        raise RdrError(f"{where} is empty.")
    unusable, found, labels, size = Unusable("sample", where, range(number)), [], [], 0
    wrong: dict[str, list[int]] = {}
    for at in tqdm(range(number), unit="sample", disable=None, file=bar_file(), leave=False):
        inputs: np.ndarray = np.empty(0, np.float32)
        label = None
        try:
            one = given[at]
            if not isinstance(one, (tuple, list)) or len(one) < 2:
                raise RdrError(f"it is a {type(one).__name__}, and must be a pair (input, label)")
            inputs, label = as_sample(one[0]), one[1]
        except (RdrError, Unfit) as error:
            wrong.setdefault(error.reason if isinstance(error, Unfit) else f"can't be read ({error})", []).append(at)
        except Exception as error:  # a data set of one's own can fail in any way
            first = str(error).partition("\n")[0]
            wrong.setdefault(f"can't be read ({type(error).__name__}: {first:.80})", []).append(at)
        size += inputs.nbytes
        if size > LARGEST:
            raise RdrError(
                f"{where} takes more than {LARGEST >> 30} GB of memory; use load_data('folder:...') for images."
            )
        found.append(inputs)
        labels.append(label)
    for reason, those in wrong.items():
        unusable.add(reason, np.isin(np.arange(number), those))
    floats = np.array([one.dtype.kind == "f" and not np.isfinite(one).all() for one in found])
    unusable.add("hold NaN or infinity", floats)
    return found, read_labels(labels), unusable


def _stacked(inputs: list[np.ndarray], rows: np.ndarray) -> Shaped[np.ndarray, "N ..."]:
    shapes = {(inputs[at].shape, inputs[at].dtype) for at in rows}
    if len(shapes) > 1:
        named = " and ".join(f"{'x'.join(map(str, shape))} {dtype}" for shape, dtype in sorted(shapes, key=str)[:3])
        raise RdrError(
            f"Samples are of different shapes ({named}); resize them in the data set, as by transforms.Resize."
        )
    return np.stack([inputs[at] for at in rows])


def _words(inputs: np.ndarray) -> str:
    return f"{'x'.join(map(str, inputs.shape[1:]))} {inputs.dtype}"
