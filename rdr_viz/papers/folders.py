"""Where papers lie: those shipped with the toolkit, and those that installed packages and notebooks offer.

A paper of one's own is its folder of TOML and CSV, and a function that says where that is:

    >>> from pathlib import Path
    >>> @paper("mine")
    ... def mine():
    ...     return Path("papers/mine")
    >>> folder_of("mine").as_posix()
    'papers/mine'
    >>> PAPERS.remove("mine")

For the commands, put both into a package that names the function's module as an entry point of the group "rdr.papers";
where the package is installed the paper is listed and built beside the shipped ones::

    [project.entry-points."rdr.papers"]
    mine = "my_package.paper"
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rdr_core.errors import RdrError, unknown_name
from rdr_core.files.places import papers_folder
from rdr_core.registry import Registry

Folder = Callable[[], str | Path]

#: What tells the folder of each paper that is not the toolkit's own.
PAPERS: Registry[Folder] = Registry("paper", "rdr.papers")


def paper(name: str) -> Callable[[Folder], Folder]:
    """Register a function that returns the folder of a paper, which has its paper.toml; it stays what it was.

    Args:
        name: of the paper, for `rdr paper`.

    Raises:
        RdrError: another paper has the name.

    Example:
        >>> @paper("ours")
        ... def ours():
        ...     return "papers/ours"
        >>> "ours" in paper_names()
        True
        >>> PAPERS.remove("ours")
    """
    if name in shipped_papers():
        raise RdrError(f"There is a paper named {name!r} already; choose another name.")

    def register(folder: Folder) -> Folder:
        PAPERS.add(name, folder, folder.__module__)
        return folder

    return register


def shipped_papers(folder: Path | None = None) -> dict[str, Path]:
    """The papers' folders in the toolkit's own, or another, by name; RDR's is the first."""
    found = sorted(path.parent for path in (folder or papers_folder()).glob("*/paper.toml"))
    return {home.name: home for home in sorted(found, key=lambda home: home.name != "rdr")}


def paper_names(folder: Path | None = None) -> list[str]:
    """The papers there are, RDR's first; those of packages and notebooks come after the shipped ones.

    Args:
        folder: that holds the papers' folders (default: the toolkit's own, and whatever is registered).

    Raises:
        RdrError: a package that offers one can't be imported.

    Example:
        >>> paper_names()
        ['rdr', 'cdb']
    """
    return [*shipped_papers(folder), *(sorted(PAPERS.all()) if folder is None else ())]


def folder_of(name: str, folder: Path | None = None) -> Path:
    """The folder of a paper; the arguments are those of :func:`rdr_viz.papers.paper.load_paper`.

    Raises:
        RdrError: an unknown name, or a function that fails to tell the folder.
    """
    shipped = shipped_papers(folder)
    if name in shipped:
        return shipped[name]
    if folder is not None or name not in PAPERS.all():
        raise unknown_name("paper", name, paper_names(folder))
    try:
        return Path(PAPERS[name]())
    except Exception as error:  # another's code: anything can go wrong in it
        raise RdrError(
            f"The paper {name!r} does not return its folder ({type(error).__name__}: {error}); "
            "fix the function that is registered for it."
        ) from error
