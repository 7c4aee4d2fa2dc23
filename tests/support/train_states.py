"""Training a state without a folder."""

from __future__ import annotations

from rdr_core.training.loop import close_epoch, train_epoch
from rdr_core.training.state import TrainingState


def train(state: TrainingState, epochs: int) -> TrainingState:
    """To the end of this many epochs."""
    while state.epoch < epochs:
        train_epoch(state, tick=lambda: None, stop=lambda: False)
        close_epoch(state)
    return state
