"""TOML of a user's, or of anybody's."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from rdr_core.errors import RdrError


def read_toml(path: Path, advice: str) -> dict[str, Any]:
    """What a file says.

    Args:
        path: of the file.
        advice: what to do if it can't be read, the end of a sentence.

    Raises:
        RdrError: it is missing, no text, no TOML, or nested too deeply.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "grid.toml").write_text("seed = [0, 1]")
        ...     read_toml(Path(folder, "grid.toml"), "fix it")
        {'seed': [0, 1]}
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        why = "it is nested too deeply"
    except OSError as error:
        why = error.strerror or str(error)
    except UnicodeDecodeError:
        why = "it is no text"
    except ValueError as error:  # no TOML, a date that is none, or a number of 5,000 digits
        why = f"it is no TOML: {error}"
    raise RdrError(f"{path} can't be read ({why}); {advice}.")
