"""The look of every picture: ``rdr.mplstyle``, used through ``matplotlib.style.context``, never globally."""

from __future__ import annotations

from pathlib import Path

RDR_STYLE = Path(__file__).with_name("rdr.mplstyle")
