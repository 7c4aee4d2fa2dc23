"""Where real CIFAR lies, a network that is down, and generators that nobody may touch."""

from __future__ import annotations

import os
import urllib.request
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch

from rdr_core.data.load import data_root


@pytest.fixture(scope="session")
def cifar_root() -> Path:
    """Folder of the real CIFAR sets. Without them tests are skipped, on CI they fail."""
    root = data_root()
    missing = [folder for folder in ("cifar-10-batches-py", "cifar-100-python") if not (root / folder).is_dir()]
    if missing:
        reason = f"{' and '.join(missing)} not in {root}; set RDR_DATA to the folder that holds them"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return root


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
