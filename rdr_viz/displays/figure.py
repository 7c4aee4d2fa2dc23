"""Figures made without pyplot's state, and files that are the same bytes from run to run."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from rdr_core.errors import RdrError
from rdr_core.files.whole import write_whole
from rdr_core.visible import visible
from rdr_viz.displays.style import RDR_STYLE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Text width of a NeurIPS page in inches.
TEXT_WIDTH = 5.5

FORMATS = ("pdf", "svg", "png")


@contextmanager
def rdr_style() -> Iterator[None]:
    """The toolkit's look inside the block, whatever the user's is; the global rc is as before after it."""
    with matplotlib.style.context(RDR_STYLE, after_reset=True):
        yield


def new_figure(width: float = TEXT_WIDTH, height: float = 3.1) -> Figure:
    """An empty figure of ``width`` by ``height`` inches that pyplot does not know, laid out by constrained layout."""
    with rdr_style():
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        return figure


def new_axes(width: float = TEXT_WIDTH, height: float = 3.1) -> Axes:
    """The only axes of a new figure of ``width`` by ``height`` inches; the figure is ``axes.figure``.

    Example:
        >>> new_axes(height=2).figure.get_size_inches().tolist()
        [5.5, 2.0]
    """
    with rdr_style():
        return new_figure(width, height).subplots()


def render(figure: Figure, file_format: str, *, title: str = "", description: str = "") -> bytes:
    """The figure as a file's bytes; equal figures give equal bytes, on any day and in any process.

    The first call settles the figure's layout.

    Args:
        figure: What to draw; vector formats have no background, PNG has the figure's at 200 dots per inch.
        file_format: ``"pdf"``, ``"svg"`` (text as outlines) or ``"png"``.
        title: Goes into the file's metadata.
        description: Alt text, goes into the file's metadata.

    Raises:
        RdrError: for another format.
    """
    if file_format not in FORMATS:
        raise RdrError(f"A picture cannot be written as {file_format!r}; choose one of {', '.join(FORMATS)}.")
    title, description = (visible(words, keep="\n") for words in (title, description))
    metadata: dict[str, str | None] = {
        "pdf": {"CreationDate": None, "Creator": "rdr", "Producer": None, "Title": title, "Subject": description},
        "svg": {"Date": None, "Creator": "rdr", "Title": title, "Description": description},
        "png": {"Software": None, "Title": title, "Description": description},
    }[file_format]
    buffer = io.BytesIO()
    with rdr_style():
        if isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):
            # Each pass moves the axes a little on from where the last one left them; one pass, then every format alike.
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
        figure.savefig(
            buffer,
            format=file_format,
            metadata={key: value for key, value in metadata.items() if value or value is None},
            facecolor=figure.get_facecolor() if file_format == "png" else "none",
        )
    return buffer.getvalue()


def save(
    figure: Figure,
    target: str | os.PathLike[str],
    data: pd.DataFrame,
    *,
    name: str = "picture",
    title: str = "",
    description: str = "",
) -> dict[str, Path]:
    """Write a picture as PDF, SVG and PNG, and the plotted data as CSV; folders are made.

    Each file appears whole or not at all (written beside, then renamed).

    Args:
        figure: what to draw.
        target: where, as :func:`files_of` reads it.
        data: what is plotted.
        name: of the files in a folder.
        title, description: as for :func:`render`.

    Returns:
        The path of each file written, by its ending.

    Raises:
        RdrError: a place that can't be written to.
    """
    paths = files_of(target, name)
    for kind, path in paths.items():
        if kind == "csv":
            content = csv_text(data).encode(errors="backslashreplace")
        else:
            content = render(figure, kind, title=title, description=description)
        _write(path, content)
    return paths


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda beside: Path(beside).write_bytes(content))
    except OSError as error:
        raise RdrError(f"{path} can't be written ({error.strerror or error}); choose another place.") from None


def files_of(target: str | os.PathLike[str], name: str) -> dict[str, Path]:
    """The files that a picture is written to, by their endings.

    Args:
        target: a name without ending (all files), with one of theirs (that file alone), or a folder: one that is there,
            or that ends in a slash (all files, in it).
        name: of the files in a folder.

    Example:
        >>> [path.as_posix() for path in files_of("new/", "accuracy").values()]
        ['new/accuracy.pdf', 'new/accuracy.svg', 'new/accuracy.png', 'new/accuracy.csv']
        >>> files_of("talk/tail.png", "counts")
        {'png': PosixPath('talk/tail.png')}
    """
    path, endings = Path(target), (*FORMATS, "csv")
    if os.fspath(target).endswith(("/", os.sep)) or path.is_dir():
        path = path / name
    elif path.suffix[1:] in endings:
        return {path.suffix[1:]: path}
    return {ending: path.parent / f"{path.name}.{ending}" for ending in endings}


def csv_text(data: pd.DataFrame) -> str:
    """The data as CSV with Unix line ends, no index and empty cells where a number is missing."""
    return data.to_csv(index=False, lineterminator="\n")
