"""Tabs of the explorer's page, opened together and closed again: nothing of them stays, slow ones are waited for."""

from __future__ import annotations

import os
import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from awaited import awaited
from lab import complaints, served
from tornado.websocket import websocket_connect
from tried import tried
from waiting import LIMIT, wait_for

#: Tabs that are open at once: each has a kernel of a hundred megabytes.
TABS = int(os.environ.get("RDR_TABS", "3"))
#: Seconds for which the first kernel sleeps before it answers: longer than Jupyter waits by itself.
LATE = 65
#: A kernel's first code: one of them takes its time.
STARTUP = """
import os, time
try:
    os.remove({flag!r})
    time.sleep({late})
except FileNotFoundError:
    pass
"""


def opened(address: str) -> str:
    """A page's kernel, once all of the page is there."""
    with urllib.request.urlopen(address, timeout=LIMIT) as page:
        text = page.read().decode()
    assert "application/vnd.jupyter.widget-view+json" in text
    return re.search(r'"kernelId":\s*"([0-9a-f-]{36})"', text)[1]


def looked_at_and_closed(address: str, kernels: list[str]) -> None:
    """As browsers do: each page talks to its kernel, then says that it is closed."""
    parts = urlsplit(address)

    async def talk() -> None:
        sockets = [await websocket_connect(f"ws://{parts.netloc}/api/kernels/{kernel}/channels?{parts.query}")
                   for kernel in kernels]  # fmt: skip
        for socket in sockets:
            socket.close()
            while await socket.read_message() is not None:  # until the other side has closed it too
                pass

    awaited(talk())
    for kernel in kernels:
        close = urllib.request.Request(f"http://{parts.netloc}/voila/api/shutdown/{kernel}", b"", {
            "Authorization": f"token {parts.query.partition('=')[2]}"})  # fmt: skip
        urllib.request.urlopen(close, timeout=LIMIT).close()


@pytest.mark.slow
def test_tabs_that_are_closed_leave_nothing_and_a_slow_one_is_waited_for(tmp_path, record_property):
    startup, flag = tmp_path / "settings" / "ipython" / "profile_default" / "startup", tmp_path / "late"
    startup.mkdir(parents=True)
    flag.touch()
    (startup / "late.py").write_text(STARTUP.format(flag=str(flag), late=LATE))
    with served("app", cwd=tmp_path) as (process, address):
        server, memory = psutil.Process(process.pid), []
        for _ in range(3):
            with ThreadPoolExecutor(TABS) as tabs:
                kernels = list(tabs.map(opened, [address] * TABS))
            assert len(set(kernels)) == TABS
            assert len(server.children()) >= TABS
            looked_at_and_closed(address, kernels)
            wait_for(lambda: not server.children(recursive=True), "the kernels to end", seen=server.children)
            memory.append(server.memory_info().rss)
        assert not flag.exists()
        assert memory[-1] < 1.1 * memory[-2], memory
    assert "Traceback" not in complaints(Path(tmp_path, "settings", "stderr.txt").read_text())
    record_property("measured", f"{TABS} tabs: {', '.join(f'{each / 2**20:.0f} MB' for each in memory)} when closed")
    tried("Servers", "tabs opened and closed", 3 * TABS)
