"""A disk that fails: the n-th thing that is done to a folder's files to change them raises an error of the system's."""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import safetensors.numpy
from safetensors import SafetensorError

#: What a disk says that is full, broken, or no longer ours.
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES)


class Disk:
    """Counts what is done to the files below a folder, and fails once.

    Attributes:
        done: what was, by name, in order.
        fails_at: which of them fails, from 0; None is none.
    """

    def __init__(self, folder: Path, fails_at: int | None = None, error: int = errno.EIO) -> None:
        self.folder, self.fails_at, self.error = str(folder), fails_at, error
        self.done: list[str] = []

    def _touch(self, what: str, path: object) -> None:
        if isinstance(path, int):
            try:
                path = os.readlink(f"/proc/self/fd/{path}")
            except OSError:
                return
        if not str(path).startswith(self.folder):
            return
        self.done.append(f"{what} {Path(str(path)).name}")
        if len(self.done) - 1 == self.fails_at:
            raise OSError(self.error, os.strerror(self.error), str(path))

    def _counted(self, what: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: object, *args: object, **options: object) -> Any:
            self._touch(what, path)
            return function(path, *args, **options)

        return call

    def _open(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, mode: str = "r", *args: object, **options: object) -> Any:
            if set(mode) & set("wax+"):
                self._touch("open", path)
            return function(path, mode, *args, **options)

        return call

    def _save(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(tensors: object, path: str, *args: object, **options: object) -> None:
            function(tensors, path, *args, **options)
            try:
                self._touch("save", path)
            except OSError as error:  # as it tells it, after a part was written
                os.truncate(path, os.path.getsize(path) // 2)
                raise SafetensorError(f"I/O error: {error}") from None

        return call


@contextmanager
def failing(disk: Disk) -> Iterator[Disk]:
    """Inside, the disk is what files below its folder lie on."""
    with ExitStack() as stack:
        for name in ("open", "fsync", "replace", "chmod", "mkdir", "rename", "write", "truncate", "ftruncate", "link"):
            stack.enter_context(mock.patch.object(os, name, disk._counted(name, getattr(os, name))))
        for module in (builtins, io):
            stack.enter_context(mock.patch.object(module, "open", disk._open(io.open)))
        save = disk._save(safetensors.numpy.save_file)
        stack.enter_context(mock.patch.object(safetensors.numpy, "save_file", save))
        yield disk
