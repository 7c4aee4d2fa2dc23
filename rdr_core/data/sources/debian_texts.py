"""A long tail of texts that nobody made: what Debian's packages say of themselves, by section.

Descriptions come from the lists that ``apt-get update`` has put on a Debian machine, so nothing is downloaded. Their
licences are those of the packages.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from rdr_core.data.datasets import Settings, dataset
from rdr_core.data.kinds import TEXTS
from rdr_core.data.sources.raw import RawData
from rdr_core.data.sources.said import read_draw, read_said
from rdr_core.errors import MissingData, unknown_name

#: Fewer texts than this are no list of a whole release.
_LEAST = 1000


@dataset("text", "text:debian, what Debian's packages say of themselves, by section", asks="NAME", kind=TEXTS, place=77,
         settings=Settings("embedding_bag", epochs=10, batch_size=128, learning_rate=0.5, threads=1))  # fmt: skip
def load_text(root: Path, text: str) -> RawData:
    """The texts of a set; a fifth of each class is for tests, drawn by ``draw``.

    Args:
        root: unused; apt has the lists.
        text: ``debian``, and which draw of texts for tests, as in ``debian?draw=3``.

    Raises:
        MissingData: the machine has no lists of packages.
        RdrError: no such set, or no such draw.
    """
    from rdr_core.data.own.text import VOCABULARY, texts_as_numbers  # by need: it brings torch

    name, asked = read_said(text, ("draw",), "texts")
    if name != "debian":
        raise unknown_name("set of texts", name, ["debian"])
    texts, labels = read_debian()
    return texts_as_numbers(texts, labels, test_share=0.2, vocabulary=VOCABULARY, leave_out=True,
                            seed=read_draw(asked, text))  # fmt: skip


def read_debian() -> tuple[list[str], list[str]]:
    """Short descriptions of all packages that apt knows, each text once, and their sections, in the order of names.

    Raises:
        MissingData: there is no apt, or it has no lists.

    Example:
        >>> texts, sections = read_debian()  # doctest: +SKIP
        >>> len(texts), len(set(sections))  # of Debian 12  # doctest: +SKIP
        (60012, 58)
    """
    command = shutil.which("apt-cache")
    found: dict[str, str] = {}
    if command:
        listed = subprocess.run([command, "dumpavail"], capture_output=True, text=True, errors="replace", check=False)
        found = {text: section for _, text, section in sorted(packages(listed.stdout.splitlines()))}
    if len(found) < _LEAST:
        raise MissingData(
            "text:debian is read from the lists of packages that a Debian machine has, and there are none here; on "
            "Debian, run apt-get update."
        )
    return list(found), list(found.values())


def packages(lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Name, short description and section of each package in a list of apt's; those without one of them are left out.

    The section is without its area: "contrib/games" is "games".

    Example:
        >>> list(packages(["Package: 0ad", "Description: Strategy game", "Section: games", "", "Package: b"]))
        [('0ad', 'Strategy game', 'games')]
    """
    wanted = ("Package", "Description", "Section")
    fields: dict[str, str] = {}
    for line in (*lines, ""):
        if not line:
            if all(fields.get(field) for field in wanted):
                yield fields["Package"], fields["Description"], fields["Section"].rpartition("/")[2]
            fields = {}
            continue
        field, colon, value = line.partition(":")
        if colon and field in wanted:
            fields[field] = value.strip()
