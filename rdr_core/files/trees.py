"""Trees of tensors and plain values in one safetensors file, which never runs code when it is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdr_core.errors import RdrError
from rdr_core.files.whole import write_whole

if TYPE_CHECKING:
    import torch

_TREE = "tree"


def save_tree(path: Path, tree: Any) -> None:
    """Save nested dicts, lists and tuples of tensors, numbers, strings, booleans and None.

    Tuples come back as lists; keys keep their type. The file is whole or not there.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors: dict[str, torch.Tensor] = {}
    skeleton = json.dumps(_take_out(tree, tensors))

    def write(beside: str) -> None:
        try:
            save_file(tensors, beside, metadata={_TREE: skeleton})
        except SafetensorError as error:  # a full disk, told as Python tells it
            raise OSError(str(error)) from error

    write_whole(path, write)


def load_tree(path: Path) -> Any:
    """What :func:`save_tree` saved, on the CPU.

    Raises:
        RdrError: missing or damaged.
    """
    # A copy: the file's own memory may be mapped, and is replaced while the run goes on.
    return _load(path, "pt", lambda tensor: tensor.clone())


def load_arrays(path: Path) -> Any:
    """What :func:`save_tree` saved, with NumPy arrays for its tensors, of which none may be bfloat16; without torch.

    Raises:
        RdrError: missing or damaged.
    """
    return _load(path, "np", lambda array: array.copy())


def _load(path: Path, framework: str, copied: Callable[[Any], Any]) -> Any:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework=framework) as file:
            skeleton = json.loads(file.metadata()[_TREE])
            tensors = {key: copied(file.get_tensor(key)) for key in file.keys()}  # noqa: SIM118
        return _put_back(skeleton, tensors)
    except (OSError, SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise RdrError(f"{path} can't be read ({error}); remove the run's folder and train it again.") from None


def _take_out(node: Any, tensors: dict[str, torch.Tensor]) -> Any:
    import torch

    if isinstance(node, torch.Tensor):
        key = str(len(tensors))
        # A clone: safetensors refuses tensors that share memory.
        tensors[key] = node.detach().cpu().contiguous().clone()
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


def _put_back(node: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if not isinstance(node, dict):
        return node
    if "table" in node:
        kinds = [int if name in node["whole"] else float for name in node["columns"]]
        rows = _put_back(node["table"], tensors).tolist()
        return [{name: kind(value) for name, kind, value in zip(node["columns"], kinds, row, strict=True)}
                for row in rows]  # fmt: skip
    if "tensor" in node:
        return tensors[node["tensor"]]
    if "dict" in node:
        return {_put_back(k, tensors): _put_back(v, tensors) for k, v in node["dict"]}
    return [_put_back(item, tensors) for item in node["list"]]
