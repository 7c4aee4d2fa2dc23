"""Text that was read from files, on its way out: to a terminal, a picture, a page.

Whoever wrote the file chose it. Here it becomes text that only says something, wherever it goes: nothing that a
terminal does, that turns a line around, that no encoding has, or that is too long to be shown. What a way out takes for
markup of its own is escaped there: by rich's ``Text``, by :mod:`rdr_viz.displays.literal`, by templates.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from unicodedata import category

#: Characters of a name in a table, a legend or a title; a longer one would push out everything else.
NAME = 80
#: Characters of a sentence.
SENTENCE = 2000
#: What is seen as nothing, or not as what it is: controls, formats (such as those that turn a line around), halves of
#: pairs, what nobody has assigned, and ends of lines.
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def visible(text: object, longest: int | None = None, *, keep: str = "") -> str:
    """The text with every character that is not seen as an escape, and cut where it is too long.

    Args:
        text: anything that has a text.
        longest: characters, of which the last but a few are given to the end; None (default) is no limit.
        keep: characters that stay, such as ends of lines on a page.

    Example:
        >>> print(visible("\\x1b[2Jrun"), visible("a\\nb"), visible("caf\\udce9"), visible("été"))
        \\x1b[2Jrun a\\nb caf\\udce9 été
        >>> visible("a very long name", 10)
        'a very …me'
    """
    text = str(text)
    if longest is not None and len(text) > longest:
        end = longest // 4
        text = f"{text[: longest - 1 - end]}…{text[len(text) - end :]}"
    if text.isprintable():
        return text
    return "".join(
        sign if sign in keep or category(sign) not in _UNSEEN else sign.encode("unicode_escape").decode("ascii")
        for sign in text
    )


class Stderr:
    """stderr as it is now, but that nothing fails where it is closed, full or not there: nobody reads it then."""

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.flush()

    def isatty(self) -> bool:
        """Whether a person may watch."""
        with suppress(OSError, ValueError, AttributeError):
            return sys.stderr.isatty()
        return False

    def fileno(self) -> int:
        """As a terminal's width is asked of it."""
        if sys.stderr is None:
            raise OSError("there is no stderr")
        return sys.stderr.fileno()


def watched() -> bool:
    """Whether a person may watch stderr: a bar there is to move, where a log file wants a line now and then."""
    return "ipykernel" in sys.modules or Stderr().isatty()


def bar_file() -> Stderr | None:
    """Where a bar of tqdm's is drawn, so that a bar never ends what it tells of; None leaves it to a notebook."""
    return None if "ipykernel" in sys.modules else Stderr()


def tell(sentence: object) -> None:
    """Say a sentence on stderr, whatever it quotes, and whether or not anybody can read it."""
    print(visible(sentence), file=Stderr(), flush=True)


def say(sentence: object) -> None:
    """Say a sentence on stdout, whatever it quotes.

    Raises:
        OSError: it can't be written.
    """
    print(visible(sentence))


def leave_stdout() -> None:
    """Give up what stdout could not take: Python would try it again at its end, and tell of it at length."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        return
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
