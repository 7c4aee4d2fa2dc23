"""Processes that draw beside another: an interrupt is not theirs, and they don't outlive the one they draw for."""

from __future__ import annotations

import signal
import subprocess
import sys

import psutil
from waiting import ended, wait_for

from rdr_core.jobs.beside import end_with_parent

#: One process of its executor waits for work, the other is at it for ever.
SCRIPT = """
import os, signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context
from rdr_core.jobs.beside import stand_by
pool = ProcessPoolExecutor(2, get_context("spawn"), initializer=stand_by)
pool.submit(signal.pause)
free = pool.submit(os.getpid).result()
print(*(child.pid for child in active_children()), flush=True)
input()
print(pool.submit(os.getpid).result() == free, flush=True)
input()
"""


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_they_leave_interrupts_to_the_other_and_end_when_it_is_killed():
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], **pipes)
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert len(pids) == 2
    assert all(map(lives, pids))
    for pid in pids:
        psutil.Process(pid).send_signal(signal.SIGINT)
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "True\n"
    process.kill()
    ended(process)
    wait_for(lambda: not any(map(lives, pids)), "its processes to end", seen=lambda: list(filter(lives, pids)))


def test_a_process_that_nothing_started_stands_by_nobody():
    end_with_parent()
