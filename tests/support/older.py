"""Files as older versions of the toolkit wrote them: the same, without a checksum."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from safetensors import safe_open
from safetensors.numpy import save_file

KEY = "file_checksum"


def drop_checksum(path: Path, keep_rows: int | None = None) -> None:
    """Write a file of a run again without its checksum; of a table only so many rows, where that is said."""
    if path.suffix == ".json":
        content = json.loads(path.read_text())
        path.write_text(json.dumps({name: value for name, value in content.items() if name != KEY}))
    elif path.suffix == ".csv":
        rows = list(csv.reader(io.StringIO(path.read_text())))
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(row[:-1] for row in rows[: None if keep_rows is None else keep_rows + 1])
    else:
        with safe_open(path, "np") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            tree = json.loads(file.metadata()["tree"])
        del tree[KEY]
        save_file(tensors, path, metadata={"tree": json.dumps(tree)})
