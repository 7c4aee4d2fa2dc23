"""Results beside a run: what was computed is what is read, and damage is told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rdr_core import RdrError
from rdr_viz.analysis.stored import how_made, result_path, stored


def test_a_table_is_read_back_to_the_bit(rdr_run):
    table = pd.DataFrame(
        {"name": ["3", "nan", "", "NA"], "class": [0, 1, 2, 3], "right": [True, False, True, True],
         "value": [0.1 + 0.2, np.nan, np.nextafter(1, 2), 5e-324]}
    )  # fmt: skip
    calls = []
    for _ in range(2):
        found = stored(rdr_run, "trial", {"k": 1}, lambda: calls.append(1) or table)
        pd.testing.assert_frame_equal(found, table, check_exact=True, check_dtype=False)
        assert found["name"].tolist() == ["3", "nan", "", "NA"]
        assert (found["right"].dtype, found["class"].dtype) == (bool, np.int64)
    assert len(calls) == 1
    assert how_made(rdr_run, "trial", {"k": 1})["parameters"] == {"k": 1}
    stored(rdr_run, "trial", {"k": 2}, lambda: calls.append(1) or table)
    assert len(calls) == 2


def test_damage_is_told_in_a_sentence(rdr_run):
    table = pd.DataFrame({"value": [1.0]})
    for damage in ("csv", "json"):
        path = result_path(rdr_run, "damaged", {"by": damage}).with_suffix(f".{damage}")
        stored(rdr_run, "damaged", {"by": damage}, lambda: table)
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(RdrError, match=r"can't be read .*; `rdr check --repair` brings back"):
            stored(rdr_run, "damaged", {"by": damage}, lambda: table)
