"""Where real CIFAR lies, a network that is down, and generators that nobody may touch."""

from __future__ import annotations

import urllib.request
from urllib.error import URLError

import numpy as np
import pytest
import torch


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every download fails as without a network; the list holds what was asked for."""
    asked: list[str] = []

    def urlopen(request: urllib.request.Request, *args: object, **kwargs: object) -> None:
        asked.append(request.full_url)
        raise URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return asked


@pytest.fixture
def global_generators_untouched():
    """Fails a test after which numpy's or torch's global generator gives other numbers."""
    before_numpy, before_torch = np.random.get_state(), torch.get_rng_state()
    yield
    after_numpy = np.random.get_state()
    assert all(np.array_equal(a, b) for a, b in zip(before_numpy, after_numpy, strict=True))
    assert torch.equal(before_torch, torch.get_rng_state())
