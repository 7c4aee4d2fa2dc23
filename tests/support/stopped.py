"""A training that is stopped in its middle."""

from __future__ import annotations

import pytest

from rdr_core.runs.folder import RunFolder


def stopped_after_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on Ctrl-C comes once, when a training has saved its first epoch."""
    keep, calls = RunFolder.checkpoint, []

    def once(*given, **named):
        kept = keep(*given, **named)
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return kept

    monkeypatch.setattr(RunFolder, "checkpoint", once)
