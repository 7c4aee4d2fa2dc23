"""What the guard of `make check` has to find: programs whose sixth line judges by the clock; what to use instead."""

from __future__ import annotations

PLANTED = [
    ("import time\n\n\ndef test():\n    t = 0\n    assert time.monotonic() - t < 3\n", "benchmarks/"),
    ("from time import perf_counter as now\n\n\n\n\nassert now() < 3\n", "benchmarks/"),
    ("import datetime\n\n\n\n\nassert datetime.datetime.now()\n", "benchmarks/"),
    ("import time\n\n\n\n\ntime.sleep(0.1)\n", "waiting.wait_for"),
    ("import asyncio\n\n\n\nasync def test():\n    await asyncio.sleep(1)\n", "waiting.wait_until"),
    ("def test(page):\n\n\n\n\n    page.wait_for_timeout(50)\n", "waiting.wait_for"),
    ("import subprocess\n\n\n\n\nsubprocess.run(['a'], timeout=60)\n", "waiting.run"),
    ("LONG = 60\n\n\n\n\nprint(timeout=LONG)\n", "waiting.LIMIT"),
    ("from waiting import LIMIT\n\n\n\n\nprint(timeout=LIMIT / 9)\n", "waiting.LIMIT"),
    ("def test(process):\n\n\n\n\n    process.wait(30)\n", "waiting.ended"),
    ("SCRIPT = '''\nimport time\n\n\n\ntime.sleep(1)\n'''\n", "waiting.wait_for"),
]
