"""A paper on squares, whose TOML and CSV lie beside this file."""

from pathlib import Path

from rdr_viz.papers.folders import paper


@paper("corners")
def corners():
    return Path(__file__).parent / "corners"
