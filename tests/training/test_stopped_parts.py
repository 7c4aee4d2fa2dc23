"""A run stopped within an epoch and resumed is, bit for bit, the run never stopped: for parts with draws or state."""

from __future__ import annotations

import os
import signal

import pandas as pd
import pytest
import torch

import rdr_core
from rdr_core.training.visits import Visits

METHODS = [
    "ce+balanced_sampling",
    "rdr+progressive_sampling",
    "ce+oversampling",
    "ib+drw:start=0.3",
    "rdr+muon",
    "rdr+mixup",
    "ce+remix",
]


@pytest.mark.parametrize("method", METHODS)
def test_stopped_within_an_epoch_and_resumed(method, tmp_path, monkeypatch):
    request = {"imbalance_factor": 20, "method": method, "epochs": 3, "seed": 3, "progress": False, "device": "cpu"}
    whole = rdr_core.train("digits", runs=tmp_path / "whole", **request)
    with monkeypatch.context() as patch:
        write, calls = Visits.write, []

        def interrupt(self, *arguments):
            calls.append(self)
            if self is not calls[0] and calls.count(self) == 2:  # the second step of the second epoch
                os.kill(os.getpid(), signal.SIGINT)
            write(self, *arguments)

        patch.setattr(Visits, "write", interrupt)
        with pytest.raises(rdr_core.TrainingStopped):
            rdr_core.train("digits", runs=tmp_path / "stopped", **request)
    (path,) = (tmp_path / "stopped").iterdir()
    resumed = rdr_core.resume(path, progress=False)
    pd.testing.assert_frame_equal(
        resumed.history.drop(columns="seconds"), whole.history.drop(columns="seconds"), check_exact=True
    )
    pd.testing.assert_frame_equal(resumed.classes, whole.classes, check_exact=True)
    weights = whole.model().state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in resumed.model().state_dict().items())
