"""Every kind of picture, drawn from the runs that come with the toolkit, as a page: its question, what to look at, what
these runs say, and the line that draws it. `make docs` calls it."""

from __future__ import annotations

import re
from pathlib import Path

from rdr_core.errors import RdrError
from rdr_core.runs.archive import shipped
from rdr_viz.displays.base import DISPLAYS, Display
from rdr_viz.displays.figure import render

#: What a reader types before the lines of the pictures; the page shows it, and it is run.
BEFORE = '''\
import rdr_core
from rdr_core.runs.archive import shipped
from rdr_viz import *


def runs(*methods, factors=(50,), seeds=(0,)):
    """Those on digits without label noise, by the paper's schedule, with what is stored of them."""
    found = rdr_core.list_runs(
        shipped(), dataset="digits", noise_rate=0, schedule="cosine",
        method=methods, imbalance_factor=factors, seed=seeds,
    )
    return [run.as_stored for run in found]


five = ("ce", "la", "inverse", "inverse:gamma=0.5", "rdr")
(rdr,) = runs("rdr")
'''

#: Kind -> the line that draws it; a line before it may give a name.
LINES = {
    "counts": "ClassCounts.from_run(rdr)",
    "accuracy": "GroupAccuracy.from_runs(runs(*five, seeds=range(6)))",
    "weights": "WeightsByClass.from_run(rdr)",
    "b-prime": "WeightAndBPrime.from_run(rdr)",
    "correlations": "Correlations.from_runs(runs(*five))",
    "bound": "BoundTerms.from_runs(runs(*five))",
    "below-zero": "RatiosBelowZero.from_run(rdr)",
    "reliability": "RatioReliability.from_run(rdr)",
    "classes": 'AccuracyByClass.from_runs(runs("ce", "la", "rdr"))',
    "confusion": 'Confusion.from_runs(runs("ce", "rdr"))',
    "answers": """\
of_fashion = {"dataset": "fashion-mnist", "method": ("ce", "rdr:preset=released"), "seed": 0}
Answers.from_runs(rdr_core.list_runs(shipped(), **of_fashion))""",
    "calibration": 'Calibration.from_runs(runs("ce", "rdr"))',
    "shares": "LossShares.from_run(rdr, epoch=60)",
    "collapse": 'NeuralCollapse.from_runs(runs("ce", "la", "rdr"))',
    "norms": 'Norms.from_runs(runs("ce", "rdr"))',
    "surface": 'LossSurface.from_runs(runs("ce", "ce+sam", "rdr"), span=1.0)',
    "density": 'SpectralDensityPlot.from_runs(runs("ce", "ce+sam", "rdr"))',
    "eigenvalues": 'EigenvaluesOverEpochs.from_run(rdr, by="class", classes=range(10))',
    "traces": 'TraceTable.from_runs(runs("ce", "ce+sam", "rdr"), classes=[6, 7, 8, 9])',
    "flatness": 'Flatness.from_runs(runs("ce", "ce+sam", "la", "inverse", "rdr"))',
    "times": 'TimeBars.from_runs(runs("ce", "ce+sam", "inverse", "rdr", "rdr+sam"))',
    "priors": """\
of_fashion = {"dataset": "fashion-mnist", "method": ("ce", "inverse", "inverse+drw", "rdr:preset=released")}
PriorShift.from_runs(rdr_core.list_runs(shipped(), **of_fashion))""",
    "peeking": "Peeking.from_runs(runs(*five, seeds=range(6)))",
    "rare": """\
import tempfile
asked = {"imbalance_factor": 20, "epochs": 10, "runs": tempfile.mkdtemp(), "progress": False}
of_two_classes = [rdr_core.train("digits:3-8", method=method, **asked) for method in ("ce", "rdr")]
RareClass.from_runs(of_two_classes, prevalence=0.01)""",
    "sweep": """\
momenta = [f"rdr:momentum=0.{tenths}" for tenths in (3, 4, 6, 7, 8, 9)]
ParameterSweep.from_runs(runs("rdr", *momenta, seeds=range(6)))""",
    "panels": 'AccuracyPanels.from_runs(runs("ce", "la", "inverse", "rdr", factors=(10, 50)))',
}

HEAD = f"""# Gallery

Each picture answers one question. All are drawn from the runs that come with the toolkit: networks trained on digits at
imbalance factor 50 for 60 epochs, with one seed unless stated otherwise. One seed gives an impression, not a
comparison. On the command line, `rdr plot RUNS --kind accuracy` draws one kind and `rdr gallery RUNS` all of them.
In Python, these lines select shipped runs:

```python
{BEFORE}```

The line below each picture then draws it, and `.save("accuracy")` writes PDF, SVG, PNG and CSV.
"""


def write_gallery(folder: Path) -> None:
    """Write ``gallery.md``, and the pictures below ``pictures``.

    Args:
        folder: it is made.
    """
    names: dict[str, object] = {}
    exec(compile(BEFORE, "the gallery's first lines", "exec"), names)
    sections = [_section(kind, line, names, folder) for kind, line in LINES.items()]
    (folder / "gallery.md").write_text("\n".join([HEAD, *sections]), encoding="utf-8")


def _section(kind: str, line: str, names: dict[str, object], folder: Path) -> str:
    found = DISPLAYS[kind]
    head = f"## {plain(found.title)}\n\n{plain(found.look)}\n"
    try:
        *first, last = line.splitlines()
        exec("\n".join(first), names)
        body = _drawn(kind, eval(last, names), folder)
    except RdrError as error:
        body = f"*Not drawn here:* {plain(str(error).replace(f'{shipped()}/', ''))}\n"
    return f"{head}\n{body}\n```python\n{line}\n```\n"


def _drawn(kind: str, display: Display, folder: Path) -> str:
    pictures = folder / "pictures"
    display.save(pictures / kind)
    dark = render(display.in_theme("dark"), "svg", title=display.title, description=display.alt)
    (pictures / f"{kind}-dark.svg").write_bytes(dark)
    images = "\n".join(
        f"```{{image}} pictures/{kind}{suffix}.svg\n:alt: {' '.join(display.alt.split())}\n:class: only-{theme}\n```\n"
        for theme, suffix in (("light", ""), ("dark", "-dark"))
    )
    files = ", ".join(f"[{ending.upper()}](pictures/{kind}.{ending})" for ending in ("pdf", "svg", "png", "csv"))
    return f"{images}\n{plain(display.finding)}\n\n`--kind {kind}`: {files}\n"


def plain(text: str) -> str:
    """Text whose signs Markdown is not to read."""
    return re.sub(r"([\\`*_{}\[\]<>$#|~&])", r"\\\1", text)
