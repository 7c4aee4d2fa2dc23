"""That benchmarks/gpu.py runs: its tiny case, on any machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from waiting import WHOLE_TEST, run


@pytest.mark.slow
def test_the_tiny_case_measures_all_that_is_promised():
    script = Path(__file__).parents[2] / "benchmarks" / "gpu.py"
    done = run([sys.executable, script, "--small"], limit=WHOLE_TEST)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["methods"].keys() == {"ce", "rdr", "ce, strong"}
    for row in said["methods"].values():
        assert row["recorded_over_plain"] == row["step_ms"] / row["plain_step_ms"] > 0
        assert row["run_seconds"] > 200 * row["rest_of_epoch_ms"] / 1e3
    assert said["methods"]["ce"]["step_over_ce"] == 1
    assert said["seconds_a_run_of_rdr"].keys() == {"1", "2"}
