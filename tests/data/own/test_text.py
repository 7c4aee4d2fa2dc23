"""Texts of any script become bags of hashed words, against a plain count; and what is no text is a sentence."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdr_core import RdrError, from_text
from rdr_core.data.own.text import hashed, words_of

TEXTS = ["a good day", "bad luck", "good luck", "what a bad day"]
LABELS = ["good", "bad", "good", "bad"]


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=5), max_size=20), st.integers(2, 2**20))
def test_words_and_pairs_are_numbered_by_their_hash(words, vocabulary):
    grams = words + [f"{words[at]} {words[at + 1]}" for at in range(len(words) - 1)]
    expected = [1 + crc32(gram.encode()) % (vocabulary - 1) for gram in grams]
    assert hashed(" ".join(words), vocabulary).tolist() == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's 3 o'clock!", ["it", "s", "3", "o", "clock"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("你好 world", ["你", "好", "world"]),
        ("Привет, мир", ["привет", "мир"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("สวัสดี", list("สวัสดี")),
        ("...", []),
    ],
)
def test_words_of_any_script(text, words):
    assert list(words_of(text)) == words


@given(st.lists(st.text(max_size=30), min_size=4, max_size=8))
def test_any_texts_are_read_or_refused(texts):
    labels = (["a", "b"] * 4)[: len(texts)]
    for leave_out in (False, True):
        try:
            data = from_text(texts, labels, leave_out=leave_out)
        except RdrError as error:
            assert "can" in str(error) or "one class only" in str(error)  # noqa: PT017 - either is right
        else:
            assert len(data.train) + len(data.test) == sum(any(words_of(text)) for text in texts)


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (
            ["a good day", "", "luck", "bad"],
            r"2 of 4 texts of the texts can't be used: 1 have no word \(1\); 1 are the only",
        ),
        (["a good day", "?!", "luck", "bad"], r"1 have no word \(1\)"),
        (["a good day", None, "luck", "bad"], r"1 are missing \(1\)"),
        (pd.Series(["a good day", pd.NA, "luck", "bad"]), r"1 are missing \(1\)"),
        (np.array(["a good day", np.nan, "luck", "bad"], dtype=object), r"1 are missing \(1\)"),
        (["a good day", 5, "luck", "bad"], "hold 5, a int; give words"),
        (["a good day", b"bytes", "luck", "bad"], "hold b'bytes', a bytes; give words"),
        (TEXTS[:3], "There are 3 of the texts, but 4 labels"),
        ("a good day", "the texts are 'a good day'; give a list"),
    ],
)
def test_what_is_no_text_is_one_sentence(texts, sentence):
    with pytest.raises(RdrError, match=sentence) as refused:
        from_text(texts, LABELS)
    assert "\n" not in str(refused.value)
    with pytest.raises(RdrError):
        from_text([], [])


def test_long_texts_are_cut_and_told(capsys):
    data = from_text(["word " * 500, *TEXTS], ["good", *LABELS])
    assert data.train.inputs.shape[1] == 256
    assert "1 of 5 of the texts are longer than 256 words and pairs; the rest is not read." in capsys.readouterr().err


def test_test_texts_are_read_alike():
    data = from_text(TEXTS, LABELS, ["good day", "never seen"], ["good", "bad"])
    assert data.test.inputs[0, :3].tolist() == [*hashed("good day").tolist()]
    assert data.vocabulary == data.channels == 2**15
    with pytest.raises(RdrError, match="There are 1 of the test texts, but 0 labels"):
        from_text(TEXTS, LABELS, ["good"])


@pytest.mark.parametrize("vocabulary", [0, 1, -5, 2**31])
def test_a_vocabulary_must_be_one(vocabulary):
    with pytest.raises(RdrError, match="vocabulary is"):
        from_text(TEXTS, LABELS, vocabulary=vocabulary)
