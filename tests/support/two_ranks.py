"""Run a function in several processes joined by gloo, as torchrun would start them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from forked import server
from waiting import LIMIT, wait_for


def on_ranks(size: int, function: Callable[..., Any], *arguments: Any, missing: int = 0) -> list[Any]:
    """``function(ranks, *arguments)`` on each rank; the results by rank. The function must be a module's own.

    ``missing`` ranks are expected to end without a result.
    """
    # Kept by this process, at a port that the system chose and nobody else can take before the ranks have it.
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    context = server()
    results = context.SimpleQueue()
    processes = [
        context.Process(target=_start, args=(rank, size, store.port, results, function, arguments))
        for rank in range(size)
    ]
    for process in processes:
        process.start()
    found = dict(
        wait_for(lambda: not results.empty() and results.get(), "a rank to end") for _ in range(size - missing)
    )
    for process in processes:
        process.join()
    failed = {rank: value for rank, value in found.items() if isinstance(value, str)}
    assert not failed, failed
    return [found[rank] for rank in range(size)]


def _start(rank: int, size: int, port: int, results: Any, function: Callable[..., Any], arguments: tuple) -> None:
    import traceback

    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1",
                   "MASTER_PORT": str(port), "TORCHELASTIC_USE_AGENT_STORE": "True",
                   "TORCHELASTIC_RESTART_COUNT": "0"}  # fmt: skip
    torch.set_num_threads(1)
    from rdr_core.training.ranks import joined

    try:
        with joined(torch.device("cpu"), go_on="rdr resume RUN", patience=LIMIT) as ranks:
            results.put((rank, function(ranks, *arguments)))
    except BaseException:
        results.put((rank, traceback.format_exc()))
