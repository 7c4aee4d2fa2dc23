"""Things that anyone can add, by name: one file defines and registers them, here or in any package."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from threading import RLock
from typing import Generic, TypeVar

from rdr_core.errors import RdrError, unknown_name

T = TypeVar("T")


class Registry(Generic[T]):
    """Things by name: those of folders of this toolkit, those of installed packages, and those of a notebook's cell.

    Each is registered where it is defined, when its file is imported: the folders' files, and all modules that
    installed packages name as entry points, are imported when somebody first asks for a name.

    Args:
        what: one of them, in words: "kind of picture".
        group: of the entry points, such as "rdr.displays".
        homes: the packages whose files define the toolkit's own; none where they are registered as they are needed.
        mark: what a file of these has in it that registers any, such as "@analysis("; others are not imported
            (default: all are).

    Example:
        >>> fruits = Registry("fruit", "rdr.fruits")
        >>> fruits.add("apple", 1)
        >>> fruits["apple"], list(fruits.all())
        (1, ['apple'])
        >>> fruits["appel"]
        Traceback (most recent call last):
            ...
        rdr_core.errors.RdrError: There is no fruit named 'appel'; did you mean 'apple'? Known: apple.
    """

    def __init__(self, what: str, group: str, *homes: str, mark: str = "") -> None:
        self.what, self.group, self.homes, self.mark = what, group, homes, mark
        self._one = f"{'an' if what[0] in 'aeiou' else 'a'} {what}"
        self._things: dict[str, tuple[T, str]] = {}
        self._lock = RLock()
        self._complete = False

    def add(self, name: str, thing: T, module: str = "__main__") -> None:
        """Register a thing. What a notebook's cell or a script has defined it may define anew; other names stay.

        Args:
            name: its own.
            thing: what it stands for.
            module: that defines it.

        Raises:
            RdrError: another has the name, be it one of the toolkit's own that nobody has asked for yet.

        Example:
            >>> fruits = Registry("fruit", "rdr.fruits")
            >>> fruits.add("apple", 1)
            >>> fruits.add("apple", 2)
            >>> fruits.add("apple", 3, "another_package")
            Traceback (most recent call last):
                ...
            rdr_core.errors.RdrError: There is a fruit named 'apple' already; choose another name.
        """
        if not self._complete and module.rpartition(".")[0] not in self.homes:
            self._import_homes()  # their names are taken, though nobody may have asked for one yet
        there, theirs = self._things.get(name, (thing, module))
        if there != thing and not theirs == module == "__main__":
            raise RdrError(f"There is {self._one} named {name!r} already; choose another name.")
        self._things[name] = thing, module

    def remove(self, name: str) -> None:
        """Forget a thing, if it is there: for notebooks that define one again, and for tests."""
        self._things.pop(name, None)

    def refresh(self) -> None:
        """Look for installed packages anew at the next question: for one that was installed meanwhile."""
        self._complete = False

    def all(self) -> dict[str, T]:
        """All of them by name.

        Raises:
            RdrError: an installed package offers some that can't be imported.
        """
        with self._lock:
            if not self._complete:
                self._complete = True  # what is imported now may ask, too
                try:
                    self._import_homes()
                    self._import_installed()
                except BaseException:
                    self._complete = False  # the next one to ask is told as well
                    raise
            return {name: thing for name, (thing, _) in self._things.items()}

    def get(self, name: str) -> T | None:
        """The thing of that name, None where there is none.

        Raises:
            RdrError: as :meth:`all`.
        """
        if name not in self._things and not self._complete:
            self._import_homes(f'("{name}"')
        if name not in self._things and not self._complete:
            self.all()
        thing, _ = self._things.get(name, (None, ""))
        return thing

    def __getitem__(self, name: str) -> T:
        """The thing of that name.

        Raises:
            RdrError: there is none, with the nearest names; or as :meth:`all`.
        """
        thing = self.get(name)
        if thing is None:
            raise unknown_name(self.what, name, self.all())
        return thing

    def files(self) -> Iterator[tuple[str, Path]]:
        """The files that register the toolkit's own, each with the name of its module.

        Example:
            >>> parts = Registry("part of a method", "rdr.parts", "rdr_core.methods", "rdr_core.data", mark="@part(")
            >>> [module for module, _ in parts.files()][:3]
            ['rdr_core.methods.ccsam', 'rdr_core.methods.deferred', 'rdr_core.methods.difficulty']
        """
        for home in self.homes:
            for folder in map(Path, import_module(home).__path__):
                for file in sorted(folder.glob("[!_]*.py")):
                    if self.mark in file.read_text(encoding="utf-8"):
                        yield f"{home}.{file.stem}", file

    def _import_homes(self, words: str = "") -> None:
        """Import the files that register and have these words in them: of one thing, a few, which takes less time."""
        for module, file in self.files():
            if words in file.read_text(encoding="utf-8"):
                import_module(module)

    def _import_installed(self) -> None:
        for entry in entry_points(group=self.group):
            before = dict(self._things)
            try:
                entry.load()
            except Exception as error:  # another's code: anything can go wrong in it
                self._things = before  # what it had registered would be in its own way the next time
                package = entry.dist.name if entry.dist else entry.name
                raise RdrError(
                    f"The package {package} offers {self._one} in {entry.value}, which can't be imported "
                    f"({type(error).__name__}: {error}); fix or uninstall it."
                ) from error
