"""Trees of tensors and plain values in one safetensors file, which never runs code when it is read."""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rdr_core.errors import Damaged
from rdr_core.files.sealed import BLANK, KEY, damaged, open_plain, verify
from rdr_core.files.whole import write_sealed

if TYPE_CHECKING:
    import torch

_TREE = "tree"
#: Bytes that a file may have.
LARGEST = 2**34
#: Bytes of the JSON at its beginning; safetensors' own limit.
_HEAD = 10**8
#: NumPy's types by the format's names; of bfloat16 it has none.
_TYPES = {
    "F64": "f8", "F32": "f4", "F16": "f2", "I64": "i8", "I32": "i4", "I16": "i2", "I8": "i1", "U64": "u8", "U32": "u4",
    "U16": "u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip


def save_tree(path: Path, tree: Any) -> None:
    """Save nested dicts, lists and tuples of tensors, numbers, strings, booleans and None, with a checksum.

    Tuples come back as lists; keys keep their type. The file is whole or not there.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file  # its twin for torch leaves a type behind for each size that it saves

    tensors: dict[str, np.ndarray] = {}
    node = _take_out(tree, tensors)
    skeleton = json.dumps({KEY: BLANK} | (node if isinstance(node, dict) else {"leaf": node}))

    def write(beside: str) -> None:
        try:
            save_file(tensors, beside, metadata={_TREE: skeleton})
        except SafetensorError as error:  # a full disk, told as Python tells it
            raise OSError(str(error)) from error

    write_sealed(path, write)


def load_tree(path: Path) -> Any:
    """What :func:`save_tree` saved, on the CPU.

    Raises:
        Damaged: missing, or not as it was written.
    """
    import torch

    def tensor(content: memoryview, kind: str, shape: list[int]) -> torch.Tensor:
        if kind == "BF16":
            return torch.from_numpy(np.frombuffer(content, "i2").reshape(shape).copy()).view(torch.bfloat16)
        return torch.from_numpy(_array(content, kind, shape))

    return _load(path, tensor)


def load_arrays(path: Path) -> Any:
    """What :func:`save_tree` saved, with NumPy arrays for its tensors, of which none may be bfloat16; without torch.

    Raises:
        Damaged: missing, or not as it was written.
    """
    return _load(path, _array)


def _array(content: memoryview, kind: str, shape: list[int]) -> np.ndarray:
    # A copy: the file's own memory is mapped, and goes with the file.
    return np.frombuffer(content, _TYPES[kind]).reshape(shape).copy()


def _load(path: Path, make: Callable[[memoryview, str, list[int]], Any]) -> Any:
    try:
        with open_plain(path, LARGEST) as file:
            return _read(path, memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)), make)
    except Damaged:
        raise
    except RecursionError:
        raise damaged(path, "it is nested too deeply") from None
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise damaged(path, f"it is no tree of tensors: {error}") from None


def _read(path: Path, content: memoryview, make: Callable[[memoryview, str, list[int]], Any]) -> Any:
    size = int.from_bytes(content[:8], "little")
    if not 2 <= size <= min(_HEAD, len(content) - 8):
        raise damaged(path, "it is cut short, or no safetensors file")
    head = bytes(content[: 8 + size])
    entries = json.loads(head[8:].decode())
    skeleton = json.loads(entries.pop("__metadata__")[_TREE])
    tensors: dict[str, Any] = {}

    def pieces() -> Iterator[memoryview]:
        at = 0
        for name, entry in sorted(entries.items(), key=lambda item: item[1]["data_offsets"]):
            shape, (begins, ends) = entry["shape"], entry["data_offsets"]
            kind = entry["dtype"]
            itemsize = 2 if kind == "BF16" else np.dtype(_TYPES[kind]).itemsize
            if begins != at or ends - begins != math.prod(shape) * itemsize or min(shape, default=0) < 0:
                raise damaged(path, f"tensor {name!r} is not where it should be")
            at = ends
            piece = content[8 + size + begins : 8 + size + ends]
            tensors[name] = make(piece, kind, shape)
            yield piece  # while it is in the processor's cache
        if at != len(content) - 8 - size:
            raise damaged(path, "it is cut short, or has more in it than it says")

    verify(path, head, pieces())
    return _put_back(skeleton, tensors)


def _take_out(node: Any, tensors: dict[str, np.ndarray]) -> Any:
    import torch

    if isinstance(node, torch.Tensor):
        key = str(len(tensors))
        plain = node.detach().cpu().contiguous()
        if node.dtype is torch.bfloat16:  # which NumPy has not
            tensors[key] = plain.view(torch.int16).numpy()
            return {"tensor": key, "bfloat16": True}
        tensors[key] = plain.numpy()
        return {"tensor": key}
    if (names := _columns(node)) is not None:
        rows = torch.tensor([list(row.values()) for row in node], dtype=torch.float64)
        whole = [name for name, value in node[0].items() if isinstance(value, int)]
        return {"table": _take_out(rows, tensors), "columns": names, "whole": whole}
    if isinstance(node, dict):
        return {"dict": [[_take_out(k, tensors), _take_out(v, tensors)] for k, v in node.items()]}
    if isinstance(node, (list, tuple)):
        return {"list": [_take_out(item, tensors) for item in node]}
    return node


def _columns(node: Any) -> list[str] | None:
    """Names of the columns where the node is a list of rows of numbers, all alike; None of anything else.

    A history grows by a row an epoch and is saved in each: as one tensor a thousand rows take no longer than ten.
    """
    if not isinstance(node, list) or not node or not isinstance(node[0], dict) or not node[0]:
        return None
    names, kinds = list(node[0]), list(map(type, node[0].values()))
    if not all(isinstance(name, str) for name in names) or not set(kinds) <= {int, float}:
        return None
    alike = all(type(row) is dict and list(row) == names and list(map(type, row.values())) == kinds for row in node)
    return names if alike else None


def _put_back(node: Any, tensors: dict[str, Any]) -> Any:
    if not isinstance(node, dict):
        return node
    if "table" in node:
        kinds = [int if name in node["whole"] else float for name in node["columns"]]
        rows = _put_back(node["table"], tensors).tolist()
        return [{name: kind(value) for name, kind, value in zip(node["columns"], kinds, row, strict=True)}
                for row in rows]  # fmt: skip
    if "tensor" in node:
        found = tensors[node["tensor"]]
        if node.get("bfloat16"):
            import torch

            return found.view(torch.bfloat16)
        return found
    if "dict" in node:
        return {_put_back(k, tensors): _put_back(v, tensors) for k, v in node["dict"]}
    return _put_back(node["leaf"], tensors) if "leaf" in node else [_put_back(item, tensors) for item in node["list"]]
