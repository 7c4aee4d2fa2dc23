"""All parts of methods: importing the files that define the built-in ones registers them."""

from __future__ import annotations

from rdr_core.methods import losses, rdr, second_stage, weights  # noqa: F401
from rdr_core.methods.parts import Part, registered


def parts() -> dict[str, Part]:
    """Every part by name, one's own included.

    Example:
        >>> sorted(parts())
        ['cb', 'ce', 'crt', 'focal', 'inverse', 'la', 'posthoc', 'rdr', 'taunorm']
    """
    return registered()
