"""What pictures that compare methods share: legends by group or method, room for them, and words about seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.ticker import MaxNLocator

from rdr_core.errors import RdrError, unknown_name
from rdr_core.methods.names import method_label
from rdr_viz.analysis.words import dataset_name, listed, plural
from rdr_viz.displays.palette import GROUP_COLORS, GROUP_TEXT, method_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.runs import Run

#: Colours and line styles of the groups: apart without colour too.
GROUP_LOOKS: dict[str, dict[str, Any]] = {
    "Many": {"color": GROUP_COLORS["Many"], "linestyle": "-"},
    "Medium": {"color": GROUP_COLORS["Medium"], "linestyle": "--"},
    "Few": {"color": GROUP_COLORS["Few"], "linestyle": "-"},
}


def data_of(run: Run) -> str:
    """``"CIFAR-10, IF 100"``; the name alone of data taken as they are."""
    factor = run.config.imbalance_factor
    return dataset_name(run.config.dataset) + ("" if factor is None else f", IF {factor:g}")


def seeds_words(data: pd.DataFrame) -> str:
    """``"one seed"``, ``"mean of 3 seeds"``, ``"mean of 2 to 3 seeds"``; ``data`` has ``method`` and ``seed``."""
    per_method = data.groupby("method")["seed"].nunique()
    low, high = int(per_method.min()), int(per_method.max())
    if high == 1:
        return "one seed"
    return f"mean of {plural(high, 'seed')}" if low == high else f"mean of {low} to {high} seeds"


def method_handles(methods: Sequence[str], *, line: bool = True) -> list:
    """Legend entries of methods, as lines with markers or as patches."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Line2D | Patch] = []
    for method in methods:
        style = method_style(method)
        if line:
            handles.append(Line2D([], [], label=style.label, **style.line()))
        else:
            handles.append(
                Patch(facecolor=style.color, edgecolor=style.edge, hatch=style.hatch, label=style.label, lw=0.7)
            )
    return handles


def row_by_row(handles: Sequence, columns: int) -> list:
    """Entries in the order in which a legend of so many columns, which is filled down its columns, reads by rows.

    Example:
        >>> row_by_row("abcde", 4)
        ['a', 'e', 'b', 'c', 'd']
    """
    across = max(1, min(len(handles), columns))
    return [handle for column in range(across) for handle in handles[column::across]]


def legend_above(ax: Axes, handles: Sequence, columns: int = 4, foot: float = 1.0) -> float:
    """A legend between axes and title; returns the title's pad in points that leaves room for it.

    ``foot`` is where it stands, in heights of the axes; above 1 it leaves room for names of groups.
    """
    ax.legend(
        handles=row_by_row(handles, columns), loc="lower left", bbox_to_anchor=(0, foot),
        ncols=min(len(handles), columns), borderaxespad=0.4, borderpad=0, handlelength=1.8, columnspacing=1.2,
    )  # fmt: skip
    return 9 + 12.5 * -(-len(handles) // columns)


def figure_legend(figure: Figure, handles: Sequence, columns: int = 5) -> None:
    """A legend under all panels."""
    figure.legend(
        handles=row_by_row(handles, columns), loc="outside lower center", ncols=min(len(handles), columns),
        handlelength=1.8, columnspacing=1.4, fontsize=8,
    )  # fmt: skip


def group_spans(ax: Axes, classes: pd.DataFrame) -> None:
    """Thin lines between the groups of a class axis (x is ``rank``) and their names above the axes."""
    for group, rows in classes.groupby("group", sort=False):
        left, right = rows["rank"].min() - 0.5, rows["rank"].max() + 0.5
        if left > 1:
            ax.axvline(left, color="#BBBBBB", lw=0.6, zorder=0)
        ax.annotate(
            group, ((left + right) / 2, 1.0), xycoords=ax.get_xaxis_transform(), xytext=(0, 2),
            textcoords="offset points", ha="center", va="bottom", color=GROUP_TEXT[group], weight="bold",
            annotation_clip=False,
        )  # fmt: skip
    ax.set_xlim(0.5, classes["rank"].max() + 0.5)


def class_ticks(ax: Axes, classes: pd.DataFrame, *, counts: bool = True) -> None:
    """Names of up to 12 short-named classes, or of fewer with longer names, and their training images; else ranks."""
    longest = classes["name"].str.len().max()
    if len(classes) > 12 or (longest > 6 and longest * len(classes) > 36):
        ax.set_xlabel("Class, by falling number of images")
        ax.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        return
    words = [f"{row.name_}\n{row.count_:,}" if counts else row.name_ for row in _named(classes)]
    ax.set_xticks(classes["rank"], words)
    ax.tick_params(axis="x", length=0)
    ax.set_xlabel("Class, and its training images" if counts else "Class")


def _named(classes: pd.DataFrame):
    return classes[["name", "count"]].set_axis(["name_", "count_"], axis=1).itertuples(index=False)


def seed_lines(ax: Axes, data: pd.DataFrame, x: str, y: str, *, markers: bool = False) -> None:
    """A line per method: the mean over its seeds, with a band from the least seed to the largest."""
    for method, rows in data.dropna(subset=y).groupby("method", sort=False):
        by_x = rows.groupby(x)[y].agg(["mean", "min", "max"])
        look = method_style(method).line()
        if not markers:
            look = {key: look[key] for key in ("color", "linestyle")}
        ax.plot(by_x.index, by_x["mean"], label=method_label(method), **look)
        if rows["seed"].nunique() > 1:
            ax.fill_between(by_x.index, by_x["min"], by_x["max"], color=look["color"], alpha=0.18, lw=0)


def last_epochs(data: pd.DataFrame) -> pd.DataFrame:
    """The rows of each run's own last epoch: runs with a second stage have fewer than the others."""
    return data[data["epoch"] == data.groupby(["method", "seed"])["epoch"].transform("max")]


def in_methods_order(data: pd.DataFrame) -> list[str]:
    """The methods in ``data`` as they come."""
    return list(dict.fromkeys(data["method"]))


def label_of(method: str) -> str:
    """How pictures call a method."""
    return method_label(method)


def chosen_groups(groups: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The groups to show, in the order of ``known``.

    Raises:
        RdrError: a group that is not known, or none.
    """
    for group in groups:
        if group not in known:
            raise unknown_name("group", group, known)
    if not groups:
        raise RdrError(f"There is no group to show; name some of {', '.join(known)}.")
    return tuple(group for group in known if group in groups)


def rows_of_groups(data: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """The rows of these groups.

    Raises:
        RdrError: there is none.
    """
    rows = data[data["group"].isin(groups)].reset_index(drop=True)
    if rows.empty:
        raise RdrError(f"The run has no class in {listed(groups)}; choose another group.")
    return rows
