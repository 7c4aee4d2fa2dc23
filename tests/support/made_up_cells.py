"""The paper's own tables with made-up numbers of ours beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rdr_core.methods.names import method_label
from rdr_viz.papers.paper import Paper


def made_up_cells(paper: Paper, table: str, *, scale: str = "paper", share: float = 0.4) -> pd.DataFrame:
    """The cells of a table, the given share of its runs measured, of one seed or of three."""
    rng = np.random.default_rng(0)
    cells = paper.cells[paper.cells["table"] == table].reset_index(drop=True)
    measured = cells.groupby(["dataset", "imbalance_factor", "method"])["paper"].transform(
        lambda rows: rng.random() < share
    )
    several = rng.random(len(cells)) < 0.7
    ours = (cells["paper"] + rng.normal(-0.1, 1, len(cells))).where(measured.astype(bool))
    spread = pd.Series(np.abs(rng.normal(0.5, 0.2, len(cells))) + 0.01).where(ours.notna() & several)
    difference = ours - cells["paper"] if scale == "paper" else pd.Series(np.nan, cells.index)
    allowed = spread.fillna(0) + cells["paper_sd"].fillna(0)
    known = difference.notna() & (spread.notna() | cells["paper_sd"].notna())
    return cells.assign(
        row=[method_label(method) for method in cells["method"]],
        ours=ours,
        ours_sd=spread,
        seeds=np.where(ours.isna(), 0, np.where(several, 3, 1)),
        difference=difference,
        within=[bool(abs(d) <= a) if k else None for d, a, k in zip(difference, allowed, known, strict=True)],
        scale=scale,
        stands="" if scale == "paper" else "digits, IF 50",
        command=[
            "" if one == one else f"rdr train {row.dataset} -i {row.imbalance_factor:g} -m {row.method}"
            for one, row in zip(ours, cells.itertuples(), strict=True)
        ],
    )
