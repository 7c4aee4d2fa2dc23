"""Files are the same bytes every time, and drawing leaves matplotlib as it was."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from made_up_runs import make_run

from rdr_core.errors import RdrError
from rdr_viz import ClassCounts, GroupAccuracy, WeightAndBPrime, WeightsByClass
from rdr_viz.displays.figure import new_axes, render, save


def displays():
    runs = [make_run(method, seed=seed) for method in ("ce", "rdr", "rdr+sam") for seed in (0, 1)]
    rdr = make_run("rdr", warm_up=4)
    return {
        "class_counts": ClassCounts.from_run(rdr),
        "group_accuracy": GroupAccuracy.from_runs(runs),
        "weights_by_class": WeightsByClass.from_run(rdr),
        "weight_and_b_prime": WeightAndBPrime.from_run(rdr),
    }


def digests(folder: Path) -> dict[str, str]:
    for name, display in displays().items():
        display.save(folder / name)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


HERE = Path(__file__).parent


def test_files_are_equal_in_this_and_in_other_processes(tmp_path):
    here = digests(tmp_path / "here")
    assert len(here) == 16
    script = (
        f"import sys; sys.path[:0] = {[str(HERE), str(HERE.parent / 'support')]!r}\n"
        "from pathlib import Path; from test_figure_files import digests\n"
        "print(digests(Path(sys.argv[1])))"
    )
    for seed in ("1", "2"):
        answer = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / seed)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert answer.stdout == f"{here}\n"


def test_global_rc_and_pyplot_stay_as_they_were():
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams)
    for display in displays().values():
        render(display.figure(), "svg")
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


def test_plot_draws_on_the_axes_given_twice_the_same():
    for display in displays().values():
        ax = new_axes()
        assert display.plot(ax) is ax
        again = display.plot(new_axes())
        assert [t.get_text() for t in again.texts] == [t.get_text() for t in ax.texts]


def test_csv_is_the_plotted_data(tmp_path):
    display = displays()["group_accuracy"]
    paths = display.save(tmp_path / "deep" / "accuracy")
    assert sorted(paths) == ["csv", "pdf", "png", "svg"]
    pd.testing.assert_frame_equal(pd.read_csv(paths["csv"]), display.data, check_dtype=False)
    assert b"\r" not in paths["csv"].read_bytes()


def test_svg_needs_no_font_and_says_what_it_shows():
    display = displays()["class_counts"]
    svg = render(display.figure(), "svg", title=display.title, description=display.alt).decode()
    assert "<text" not in svg
    assert "<title>How long is the tail?</title>" in svg
    assert "from 124 images (class 0)" in svg


def test_all_letters_are_at_least_8_points():
    from matplotlib.text import Text

    for display in displays().values():
        for text in display.figure().findobj(Text):
            if text.get_text():
                assert text.get_fontsize() >= 8, text


def test_a_format_does_not_depend_on_those_written_before():
    for display in displays().values():
        figure = display.figure()
        render(figure, "pdf")
        assert render(figure, "svg") == render(display.figure(), "svg")


def test_unknown_format_is_refused():
    with pytest.raises(RdrError, match="choose one of pdf, svg, png"):
        render(new_axes().figure, "gif")


def test_a_failed_write_leaves_the_old_file_and_nothing_beside(tmp_path, monkeypatch):
    path = tmp_path / "a.pdf"
    path.write_bytes(b"old")

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", broken)
    with pytest.raises(RdrError, match="disk full"):
        save(new_axes().figure, tmp_path / "a", pd.DataFrame({"x": [1]}))
    assert [p.name for p in tmp_path.iterdir()] == ["a.pdf"]
    assert path.read_bytes() == b"old"
