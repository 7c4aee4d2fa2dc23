"""Pictures are kept, bounded, prepared elsewhere, and the same however they came about."""

from __future__ import annotations

import asyncio
import io
import multiprocessing
import os
import signal
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import psutil
import pytest
from PIL import Image
from waiting import wait_until

from rdr_viz.analysis import NotStored
from rdr_viz.explorer import pictures as module
from rdr_viz.explorer.pictures import Pictures
from rdr_viz.explorer.state import State
from rdr_viz.explorer.views import VIEWS, Request, neighbours, plan

STATE = State(methods=("rdr",), seeds=(0,), view="b-prime")


def request_of(catalogue, **changed) -> Request:
    (request,) = plan(replace(STATE, **changed), catalogue).requests
    return request


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", ["accuracy", "density"])
def test_a_picture_is_the_displays_own(catalogue, view, theme):
    from rdr_viz.figure import render

    request = request_of(catalogue, view=view)
    panel = Pictures().panel(request, theme)
    display = request.display()
    assert panel.png == render(display.in_theme(theme), "png", description=display.alt)
    assert (panel.alt, panel.words) == (display.alt, display.finding)


def test_what_was_drawn_is_not_drawn_again(catalogue, monkeypatch):
    pictures = Pictures()
    request = request_of(catalogue)
    first = pictures.panel(request, "light")
    monkeypatch.setattr(pictures, "_draw", None)
    assert pictures.panel(request, "light") is first
    pictures.forget()
    with pytest.raises(TypeError):
        pictures.panel(request, "light")


def test_no_more_is_kept_than_asked_for_and_the_latest_stays(catalogue, monkeypatch):
    asked = [request_of(catalogue, view=view) for view in ("counts", "accuracy", "weights", "bound")]
    drawn = {request: Pictures().panel(request, "light") for request in asked}
    monkeypatch.setattr(Pictures, "_draw", lambda self, request, theme: drawn[request])  # once is enough
    sizes = [len(panel.png) for panel in drawn.values()]
    pictures = Pictures(kept_bytes=sizes[-1] + sizes[-2])
    for request in asked:
        pictures.panel(request, "light")
    assert [request for request, _ in pictures._panels] == asked[-2:]
    tiny = Pictures(kept_bytes=1)
    for request in asked:
        tiny.panel(request, "light")
    assert [request for request, _ in tiny._panels] == asked[-1:]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", [name for name, view in VIEWS.items() if view.epochs == "marked"])
def test_only_the_mark_moves_from_epoch_to_epoch(catalogue, view, theme):
    pictures = Pictures()
    one, other, again = (pictures.panel(request_of(catalogue, view=view, epoch=e), theme) for e in (10, 40, 10))
    assert again is one
    assert Pictures().panel(request_of(catalogue, view=view, epoch=10), theme) == one  # whatever was drawn before
    changed = (pixels(one.png) != pixels(other.png)).any(axis=2)
    columns = np.flatnonzero(changed.any(axis=0))
    strips = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    panels = {"weights": 1, "b-prime": 3, "bound": 4}[view]
    assert len(strips) == 2 * panels  # where the mark was, and where it is
    assert all(len(strip) <= 5 for strip in strips)
    assert "At epoch 10 " in one.words
    assert "At epoch 40 " in other.words


def test_an_epoch_more_draws_no_figure(catalogue, monkeypatch):
    pictures = Pictures()
    pictures.panel(request_of(catalogue, epoch=10), "light")
    monkeypatch.setattr(module, "_Marked", None)
    for epoch in range(11, 15):
        pictures.panel(request_of(catalogue, epoch=epoch), "light")


def test_an_analysis_that_is_not_stored_is_not_computed(catalogue):
    plain = catalogue.find("digits", 50.0, "exponential", "cb", 0).run
    with pytest.raises(NotStored):
        Pictures().panel(Request("density", (plain.path,)), "light")


def in_a_loop(what: Coroutine) -> None:
    """In an event loop of its own, in a thread of its own: a browser's test may have left one in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, what).result()


def drawn_ahead(pictures: Pictures, wanted: list, count: int) -> None:
    """Run an event loop until that many pictures are there."""

    async def waiting() -> None:
        pictures.prepare(wanted)
        await wait_until(lambda: len(pictures._panels) >= count, f"{count} pictures", seen=lambda: pictures._panels)

    in_a_loop(waiting())


@pytest.mark.slow
def test_pictures_are_drawn_ahead_by_another_process_to_the_same_bytes(catalogue, monkeypatch):
    before = set(multiprocessing.active_children())  # another test's may be ending
    pictures = Pictures()
    good = [(request_of(catalogue, view=view), "dark") for view in ("counts", "weights")]
    cb = catalogue.find("digits", 50.0, "exponential", "cb", 0).run
    bad = Request("density", (cb.path,)), "dark"  # is passed over
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "_draw", None)
        drawn_ahead(pictures, [good[0], bad, good[1]], 2)
    assert list(pictures._panels) == good
    for request, theme in good:
        assert pictures.panel(request, theme) == Pictures().panel(request, theme)
    (started,) = set(multiprocessing.active_children()) - before
    process = psutil.Process(started.pid)
    assert process.nice() > os.nice(0)

    # An interrupt is the kernel's; a process that was killed is replaced when something is wanted again.
    process.send_signal(signal.SIGINT)
    more = [(request_of(catalogue, view=view), "dark") for view in ("accuracy", "bound")]
    drawn_ahead(pictures, more[:1], 3)
    process.kill()
    process.wait()

    async def ask_again() -> None:
        pictures.prepare(more)
        await wait_until(lambda: pictures._ahead._process is None, "the killed process to be missed")
        pictures.prepare(more)
        await wait_until(lambda: more[1] in pictures._panels, "the picture from another", seen=lambda: pictures._panels)

    in_a_loop(ask_again())
    assert more[1] in pictures._panels
    pictures.forget()
    assert pictures._panels == {}


def test_without_an_event_loop_nothing_is_prepared(catalogue):
    pictures = Pictures()
    pictures.prepare(
        (request, "light") for state in neighbours(STATE, catalogue) for request in plan(state, catalogue).requests
    )
    assert pictures._ahead._process is None
