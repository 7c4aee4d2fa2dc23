"""Texts as bags of hashed words and pairs of words: no vocabulary to build, nothing to download."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Unpack
from zlib import crc32

import numpy as np

from rdr_core.data.long_tailed import LongTailedData
from rdr_core.data.own.labels import is_missing, read_labels
from rdr_core.data.own.train_and_test import split_off, two_parts
from rdr_core.data.own.unusable import Unusable
from rdr_core.data.sources.raw import RawData
from rdr_core.data.tail import Tail, make_tail
from rdr_core.errors import RdrError
from rdr_core.own_settings import own_settings
from rdr_core.plain import plain_numbers
from rdr_core.shapes import Int
from rdr_core.visible import tell

#: Different words that are told apart, 0 among them, which stands for none; others share numbers by chance.
VOCABULARY = 2**15
#: Words and pairs of a text that are read.
LONGEST = 256
#: Letters of scripts that are written without spaces: Thai, Lao, kana, ideographs.
_LETTERS = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORDS = re.compile(rf"[{_LETTERS}]|[^\W{_LETTERS}]+")


@plain_numbers
@own_settings()
def from_text(
    texts: Iterable[Any],
    labels: Iterable[Any],
    test_texts: Iterable[Any] | None = None,
    test_labels: Iterable[Any] | None = None,
    *,
    test_share: float = 0.2,
    vocabulary: int = VOCABULARY,
    leave_out: bool = False,
    name: str = "texts",
    **tail: Unpack[Tail],
) -> LongTailedData:
    """A long-tailed set of texts.

    Words and pairs of neighbouring words are numbered by a hash (Weinberger et al. 2009; fastText's n-grams, Joulin et
    al. 2017); of languages written without spaces, letters are words.

    Args:
        texts: N of them.
        labels: N classes: words or whole numbers.
        test_texts, test_labels: for tests; None (default) draws some of the others.
        test_share: share of each class that is drawn for tests (default a fifth), by ``seed``.
        vocabulary: how many words and pairs are told apart (default 2^15); others share a number by chance.
        leave_out: go on without texts that can't be used: without a word, without a label, or of a class that only
            training or only tests have. By default they are an error, counted and named.
        name: of the set, for reports.
        tail: as for :func:`rdr_core.from_arrays`; the usual imbalance is their own.

    Raises:
        RdrError: what can't be used.

    Example:
        >>> from_text(["a good day", "bad luck", "good luck"] * 4, ["good", "bad", "good"] * 4)
        LongTailedData(texts, imbalance as given, 9 train and 3 test texts of up to 5 words, 2 classes from 6 ('good') \
to 3 ('bad'))
    """
    raw = texts_as_numbers(texts, labels, test_texts, test_labels, test_share=test_share, vocabulary=vocabulary,
                           leave_out=leave_out, seed=tail.get("seed", 0))  # fmt: skip
    return make_tail(raw, name, **tail)


def texts_as_numbers(
    texts: Iterable[Any], labels: Iterable[Any], test_texts: Iterable[Any] | None = None,
    test_labels: Iterable[Any] | None = None, *, test_share: float, vocabulary: int, leave_out: bool, seed: int,
) -> RawData:  # fmt: skip
    """Texts as numbers of their words, before any subset.

    Args:
        texts, labels, test_texts, test_labels, test_share, vocabulary, leave_out: as for :func:`from_text`.
        seed: of the draw of texts for tests.

    Raises:
        RdrError: as :func:`from_text`.

    Example:
        >>> raw = texts_as_numbers(["a good day", "bad luck"] * 4, ["good", "bad"] * 4, test_share=0.2, vocabulary=100,
        ...                        leave_out=False, seed=0)
        >>> raw.train_inputs.shape, raw.class_names
        ((6, 5), ('bad', 'good'))
    """
    if not 2 <= vocabulary < 2**31:
        raise RdrError(f"vocabulary is {vocabulary}; it must be 2 or larger, such as {VOCABULARY}.")
    words = read_labels(labels)
    found, unusable = _read(texts, words, "the texts", vocabulary)
    if test_texts is None:
        parts, tests = split_off(words, unusable, leave_out, test_share, seed), found
    else:
        test_words = read_labels([] if test_labels is None else test_labels, "test_labels")
        tests, of_test = _read(test_texts, test_words, "the test texts", vocabulary)
        parts = two_parts(words, test_words, unusable, of_test, leave_out)
    used = [found[at] for at in parts.train], [tests[at] for at in parts.test]
    longest = max(len(one) for part in used for one in part)
    train, test = (_padded(part, longest) for part in used)
    return RawData(train, parts.train_labels, test, parts.test_labels, parts.names, vocabulary=vocabulary)


def words_of(text: str) -> Iterator[str]:
    """The words of a text, in small letters; letters that stand for words, as in Chinese, each by itself.

    Example:
        >>> list(words_of("It's 3 o'clock")), list(words_of("你好"))
        (['it', 's', '3', 'o', 'clock'], ['你', '好'])
    """
    return iter(_WORDS.findall(text.casefold()))


def hashed(text: str, vocabulary: int = VOCABULARY, longest: int = LONGEST) -> Int[np.ndarray, "L"]:
    """Numbers of a text's words and pairs of words, 1 to vocabulary - 1, in order; at most ``longest`` of them.

    Example:
        >>> len(hashed("a good day")), set(hashed("day").tolist()) < set(hashed("a good day").tolist())
        (5, True)
    """
    words = list(words_of(text))
    grams = [*words, *(f"{first} {second}" for first, second in pairwise(words))]
    numbers = [1 + crc32(gram.encode(errors="surrogatepass")) % (vocabulary - 1) for gram in grams[:longest]]
    return np.array(numbers, dtype=np.int64)


def _read(
    texts: Iterable[Any], labels: Sequence[str | None], where: str, vocabulary: int
) -> tuple[list[np.ndarray], Unusable]:
    if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
        raise RdrError(f"{where} are {texts!r:.40}; give a list of texts.")
    given = list(texts)
    if len(labels) != len(given):
        raise RdrError(f"There are {len(given)} of {where}, but {len(labels)} labels; give one a text.")
    if not given:
        raise RdrError(f"There are no texts in {where}; give two or more.")
    unusable = Unusable("text", where, range(len(given)))
    unusable.add("are missing", np.array([is_missing(text) for text in given]))
    odd = next(
        (text for text, out in zip(given, unusable.out, strict=True) if not out and not isinstance(text, str)), ""
    )
    if odd != "":
        raise RdrError(f"{where} hold {odd!r:.40}, a {type(odd).__name__}; give words.")
    found = [
        hashed(text, vocabulary, LONGEST + 1) if isinstance(text, str) else np.empty(0, np.int64) for text in given
    ]
    unusable.add("have no word", np.array([len(one) == 0 for one in found]))
    cut = sum(len(one) > LONGEST for one in found)
    if cut:
        tell(f"{cut:,} of {len(found):,} of {where} are longer than {LONGEST} words and pairs; the rest is not read.")
    return [one[:LONGEST] for one in found], unusable


def _padded(texts: list[np.ndarray], longest: int) -> Int[np.ndarray, "N L"]:
    made = np.zeros((len(texts), longest), dtype=np.int64)
    for at, one in enumerate(texts):
        made[at, : len(one)] = one
    return made
