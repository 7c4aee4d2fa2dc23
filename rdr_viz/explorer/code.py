"""The few lines of Python that make the pictures of a state."""

from __future__ import annotations

from pathlib import Path

from rdr_core.errors import RdrError
from rdr_core.papers.shipped import shipped
from rdr_viz.explorer.views import VIEWS, Request, View


def code_of(requests: tuple[Request, ...]) -> str:
    """A cell that makes the pictures asked for.

    Args:
        requests: pictures of one view, as :func:`rdr_viz.explorer.views.plan` gives them.

    Example:
        >>> from rdr_viz.explorer.catalogue import Catalogue
        >>> ce = Catalogue([shipped()]).find("digits", 50.0, "exponential", "ce", 0)
        >>> print(code_of((Request("counts", (ce.run.path,)),)))  # doctest: +ELLIPSIS
        from rdr_core import Run
        from rdr_core.papers.shipped import shipped
        from rdr_viz import make_display
        from rdr_viz.notebook import picture
        <BLANKLINE>
        shown = make_display("counts", [Run.open(shipped() / "digits-if50-ce-s0-...")])
        picture(shown.figure(), shown.alt, shown.finding)
        <BLANKLINE>
    """
    view = VIEWS[requests[0].view]
    paths = [path for request in requests for path in request.paths]
    imports = {"from rdr_core import Run", "from rdr_viz import make_display", "from rdr_viz.notebook import picture"}
    opened = []
    for path in paths:
        place, name = _place(path)
        if "shipped" in place:
            imports.add("from rdr_core.papers.shipped import shipped")
        opened.append(f"Run.open({place})" if name is None else f"Run.open({place} / {name!r})".replace("'", '"'))
    if view.choose.__name__ != "<lambda>":
        imports.add(f"from {view.choose.__module__} import {view.choose.__name__}")
    marked = view.epochs == "marked" and requests[0].epoch is not None
    if marked:
        imports.add("from rdr_viz.displays.epochs import mark_epoch")
    if len(requests) > 1:
        imports.add("from IPython.display import display")

    lines = [*sorted(imports), ""]
    if len(paths) > 1:
        lines += ["runs = [", *(f"    {run}," for run in opened), "]"]
    runs = f"[{opened[0]}]" if len(paths) == 1 else "runs"
    if len(requests) == 1:
        lines += _drawing(view, requests[0], runs, marked)
    else:
        inner = _drawing(view, requests[0], "[run]", marked)
        inner[-1] = f"display({inner[-1]})"
        lines += ["for run in runs:", *(f"    {line}" for line in inner)]
    return "\n".join(lines) + "\n"


def _drawing(view: View, request: Request, runs: str, marked: bool) -> list[str]:
    arguments = "".join(f", {name}={_literal(value)}" for name, value in request.arguments.items())
    lines = [f'shown = make_display("{view.kind}", {runs}{arguments})']
    if view.choose.__name__ != "<lambda>":
        lines.append(f"shown = {view.choose.__name__}(shown)")
    if marked:
        lines += ["figure = shown.figure()", f"mark_epoch(figure, {request.epoch})"]
    figure = "figure" if marked else "shown.figure()"
    return [*lines, f"picture({figure}, shown.alt, shown.finding)"]


def _literal(value: object) -> str:
    return repr(value).replace("'", '"')


def _place(path: Path) -> tuple[str, str | None]:
    """Where a run lies, so that it can be opened on other machines where that can be: code, and a name in it."""
    try:
        if path.parent == shipped():
            return "shipped()", path.name
    except RdrError:
        pass
    near = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return _literal(str(near)), None
