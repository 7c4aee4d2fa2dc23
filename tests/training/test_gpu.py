"""What only a CUDA device can show; runs wherever there is one."""

from __future__ import annotations

import pytest
import torch

import rdr_core
from rdr_core.training.loop import train_epoch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    "method", ["ce", "la", "focal+cb", "rdr", "rdr+la", "rdr:update=epoch", "rdr+sam", "imbsam", "ccsam"]
)
def test_nothing_in_an_epoch_waits_for_the_host(method, precision):
    from rdr_core.runs import RunConfig
    from rdr_core.training.state import TrainingState

    data = rdr_core.load_data("digits", imbalance_factor=20)
    config = RunConfig(dataset="digits", imbalance_factor=20, method=method, epochs=3, model="small", batch_size=32,
                       learning_rate=0.1, precision=precision)  # fmt: skip
    state = TrainingState(config, data, torch.device("cuda"))
    train_epoch(state, tick=lambda: None, stop=lambda: False)  # kernels are compiled and memory is taken
    state.epoch, state.batch = 1, 0
    torch.cuda.set_sync_debug_mode("error")
    try:
        train_epoch(state, tick=lambda: None, stop=lambda: False)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_ratios_are_those_of_the_cpu():
    draw = torch.Generator().manual_seed(0)
    features, labels = torch.randn(128, 64, generator=draw), torch.randint(10, (128,), generator=draw)
    prototypes = torch.randn(10, 64, generator=draw)
    there = rdr_core.density_ratio(features.cuda(), labels.cuda(), prototypes.cuda())
    torch.testing.assert_close(there.cpu(), rdr_core.density_ratio(features, labels, prototypes), rtol=1e-4, atol=1e-5)


def test_a_run_trains_and_opens_on_the_cpu(tmp_path):
    run = rdr_core.train("digits", imbalance_factor=20, epochs=6, device="cuda", runs=tmp_path, progress=False)
    assert run.history.loss.iloc[-1] < run.history.loss.iloc[0]
    assert next(run.model().parameters()).device.type == "cpu"
