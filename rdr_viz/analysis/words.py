"""Numbers as a reader wants them in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rdr_core.data.datasets import DATASETS
from rdr_core.visible import NAME, visible


def number(value: float, digits: int = 1) -> str:
    """A number with thousands separators, a true minus sign and ``n/a`` for NaN.

    Example:
        >>> number(-1234.56), number(float("nan")), number(-0.01)
        ('−1,234.6', 'n/a', '0.0')
    """
    if np.isnan(value):
        return "n/a"
    value = round(value, digits) + 0.0  # no negative zero
    return f"{value:,.{digits}f}".replace("-", "−")


def with_sign(text: str) -> str:
    """A difference in words with its sign: a plus before what is above 0; what rounds to 0 has none.

    Example:
        >>> with_sign(number(1.25)), with_sign(number(-1.25)), with_sign(number(0.01))
        ('+1.2', '−1.2', '0.0')
    """
    return f"+{text}" if text[0].isdigit() and any(digit in text for digit in "123456789") else text


def percent(value: float) -> str:
    """A percentage with one decimal, held together by a no-break space.

    Example:
        >>> percent(12.34) == "12.3\N{NO-BREAK SPACE}%"
        True
    """
    return f"{number(value)}\N{NO-BREAK SPACE}%"


def short(value: float) -> str:
    """Three significant digits, for quantities whose size is not known beforehand.

    Example:
        >>> short(0.012345), short(3.14159), short(1234.4)
        ('0.0123', '3.14', '1,234')
    """
    if np.isnan(value):
        return "n/a"
    digits = 2 if value == 0 else max(0, 2 - int(np.floor(np.log10(abs(value)))))
    return number(value, digits)


def factor(value: float | None) -> str:
    """``"imbalance factor 50"`` without a needless decimal; None is a data set taken as it is.

    Example:
        >>> factor(50.0), factor(62.5), factor(None)
        ('imbalance factor 50', 'imbalance factor 62.5', 'its own class counts')
    """
    if value is None:
        return "its own class counts"
    return "imbalance factor " + (f"{value:.4g}" if value < 1000 else f"{value:,.0f}")


def dataset_name(name: str) -> str:
    """A data set's name as its authors write it; unregistered ones, and classes of one, are as they are.

    Example:
        >>> dataset_name("fashion-mnist"), dataset_name("digits")
        ('Fashion-MNIST', 'digits')
    """
    source = DATASETS.get(name)
    return source.title if source else visible(name, NAME)


def class_name(name: str, longest: int | None = None) -> str:
    """A class's name in a sentence: ``"truck"``, but ``"class 9"`` for a number; cut to ``longest`` characters.

    Example:
        >>> class_name("9"), class_name("worm_fence", 6)
        ('class 9', 'worm_…')
    """
    name = visible(f"class {name}" if name.isdigit() else name, NAME)
    return name if longest is None or len(name) <= longest else name[: longest - 1] + "…"


def listed(words: Sequence[str]) -> str:
    """``"a"``, ``"a and b"``, ``"a, b and c"``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def spelt(count: int) -> str:
    """``"three"`` up to nine, then ``"10"``: for the start of a sentence, capitalised there."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[count] if count < len(words) else f"{count:,}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """``"1 image"``, ``"1,280 images"``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
