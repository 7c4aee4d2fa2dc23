"""`rdr lab` and `rdr app`: on this machine alone, behind a token, never over someone's changes, ended by Ctrl-C."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import signal
import socket
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab import served
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError
from tried import tried
from waiting import LIMIT, ended, wait_for

from rdr_core.errors import RdrError
from rdr_viz.explorer import launch
from rdr_viz.explorer.launch import copy_notebooks, notebooks_folder

A = "01_one.ipynb"


@pytest.fixture
def source(tmp_path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    (source / A).write_text("first")
    (source / "02_two.ipynb").write_text("two")
    (source / "01_one.py").write_text("its twin")
    return source


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("*.ipynb")}


def test_notebooks_are_copied_and_the_unchanged_brought_up_to_date(source, tmp_path):
    copies = tmp_path / "deep" / "copies"
    assert copy_notebooks(copies, source) == []
    assert contents(copies) == {A: "first", "02_two.ipynb": "two"}
    (source / A).write_text("second")
    assert copy_notebooks(copies, source) == []
    assert contents(copies)[A] == "second"


def test_a_changed_copy_is_kept_and_a_new_version_goes_beside_it_once(source, tmp_path):
    copies = tmp_path / "copies"
    copy_notebooks(copies, source)
    (copies / A).write_text("mine")
    assert copy_notebooks(copies, source) == []  # nothing new to give
    (source / A).write_text("second")
    (said,) = copy_notebooks(copies, source)
    assert "is kept" in said
    assert "01_one-new.ipynb" in said
    assert copy_notebooks(copies, source) == []
    (copies / "01_one-new.ipynb").write_text("mine too")
    (source / A).write_text("third")
    (said,) = copy_notebooks(copies, source)
    assert contents(copies) == {
        A: "mine", "01_one-new.ipynb": "mine too", "01_one-new-2.ipynb": "third", "02_two.ipynb": "two",
    }  # fmt: skip


def test_without_a_record_of_what_was_given_nothing_is_replaced(source, tmp_path):
    copies = tmp_path / "copies"
    copy_notebooks(copies, source)
    (copies / ".rdr-notebooks.json").write_text("{")
    (source / A).write_text("second")
    assert len(copy_notebooks(copies, source)) == 1
    assert contents(copies)[A] == "first"


@given(st.lists(st.tuples(st.sampled_from(["user", "toolkit"]), st.sampled_from("abc")), max_size=12))
def test_what_a_user_wrote_is_never_lost(tmp_path_factory, changes):
    folder = tmp_path_factory.mktemp("copies")
    source, copies = folder / "source", folder / "copies"
    source.mkdir()
    (source / A).write_text("toolkit's a")
    copy_notebooks(copies, source)
    for who, word in changes:
        version = (source / A).read_text()
        if who == "toolkit":
            (source / A).write_text(f"toolkit's {word}")
        else:
            (copies / A).write_text(f"user's {word}")
        before = contents(copies)
        copy_notebooks(copies, source)
        after = contents(copies)
        assert all(after[name] == text for name, text in before.items() if text.startswith("user's"))
        if (source / A).read_text() != version:  # a new one is at hand, there or beside
            assert (source / A).read_text() in after.values()


def test_a_folder_that_cannot_be_made_is_a_sentence(source, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RdrError, match="choose another folder"):
        copy_notebooks(tmp_path / "file" / "copies", source)


def test_the_toolkits_own_notebooks_are_there():
    assert {"01_what_a_long_tail_does", "02_rdr_by_hand"} <= {path.stem for path in notebooks_folder().glob("*.ipynb")}


def test_a_port_that_is_taken_is_a_sentence(rdr):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for command in ("lab", "app"):
            status, out, err = rdr(command, "--port", port, "--no-browser")
            assert (status, out) == (2, "")
            assert (
                err
                == f"rdr: Port {port} is not available, another program may be using it; choose another with --port.\n"
            )
    assert not Path("rdr-notebooks").exists()


def test_what_is_not_installed_is_a_sentence(rdr, monkeypatch):
    monkeypatch.setattr(launch, "find_spec", lambda name: None)
    for command, name in (("lab", "JupyterLab"), ("app", "Voila")):
        status, _, err = rdr(command, "--no-browser")
        assert status == 2
        assert err == f"rdr: {name} is not installed; pip install 'rdr-toolkit[notebooks]' installs it.\n"


def answer(url: str) -> tuple[int, str]:
    """Status and final address."""
    try:
        with urllib.request.urlopen(url, timeout=LIMIT) as page:
            return page.status, page.url
    except urllib.error.HTTPError as error:
        return error.code, error.url


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("lab", "copies"), ("app", "--dark")], ids=["lab", "app"])
def test_only_this_machine_with_the_token_is_served_and_ctrl_c_ends_it(arguments, tmp_path):
    # Someone's settings must not open it to others.
    config = tmp_path / "settings" / "config"
    config.mkdir(parents=True)
    for name in ("jupyter_server_config.json", "jupyter_lab_config.json", "voila.json"):
        open_to_all = {"ip": "0.0.0.0", "token": "", "port": 1}
        settings = {"ServerApp": {"ip": "0.0.0.0"}, "IdentityProvider": {"token": ""}, "Voila": open_to_all}
        (config / name).write_text(json.dumps(settings))
    with served(*arguments, cwd=tmp_path) as (process, url):
        listening = {c.laddr for c in psutil.Process(process.pid).net_connections() if c.status == "LISTEN"}
        assert {place.ip for place in listening} == {"127.0.0.1"}
        token = url.partition("token=")[2]
        assert token not in " ".join(psutil.Process(process.pid).cmdline())
        address = url.partition("?")[0]
        kernels = address.removesuffix("lab").rstrip("/") + "/api/kernels/00000000-0000-0000-0000-000000000000"
        status, landed = answer(address)
        assert status in (401, 403) or "login" in landed
        assert answer(kernels)[0] in (401, 403)
        assert answer(f"{kernels}?token={token}")[0] not in (401, 403)
        if arguments[0] == "lab":
            assert answer(url) == (200, url)
            copied = {path.name for path in (tmp_path / "copies").glob("*.ipynb")}
            assert copied == {path.name for path in notebooks_folder().glob("*.ipynb")}
        tried("Servers", "requests without the token refused", 2)
        process.send_signal(signal.SIGINT)
        assert ended(process).returncode == 130
    err = (tmp_path / "settings" / "stderr.txt").read_text()
    assert err.endswith("Ended.\n")
    assert "Traceback" not in err
    assert "Warning" not in err


@pytest.mark.slow
def test_a_file_in_the_working_folder_is_imported_neither_by_the_page_nor_by_its_kernel(tmp_path):
    names = ("ipywidgets", "anywidget", "torch", "numpy", "voila", "ipykernel_launcher", "rdr_core", "json")
    for name in names:
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'a').write({name!r} + ' ')\n")
    with served("app", cwd=tmp_path) as (_, address), urllib.request.urlopen(address, timeout=LIMIT) as page:
        shown = page.read().decode()
    assert "rdr_viz.explorer" in shown or "application/vnd.jupyter.widget-view+json" in shown
    assert not (tmp_path / "trace").exists(), (tmp_path / "trace").read_text()


def test_a_page_closed_while_it_was_written_to_is_not_logged_and_other_errors_are(caplog):
    async def fail(error: Exception) -> None:
        raise error

    async def leave(*errors: Exception) -> None:
        for error in errors:
            asyncio.get_running_loop().create_task(fail(error))
        await asyncio.sleep(0)  # until each has run
        gc.collect()  # a task tells that nobody took its error when it goes

    logger = logging.getLogger("asyncio")
    logger.addFilter(launch._is_news)
    try:
        with caplog.at_level(logging.ERROR, "asyncio"), ThreadPoolExecutor(1) as thread:  # a loop may run in this one
            thread.submit(asyncio.run, leave(WebSocketClosedError(), StreamClosedError(), ValueError("told"))).result()
    finally:
        logger.removeFilter(launch._is_news)
    assert [str(record.exc_info[1]) for record in caplog.records] == ["told"]


def test_the_browser_is_led_to_the_token_by_a_page_that_only_its_owner_reads(tmp_path, monkeypatch):
    opened = Event()
    arguments = []
    monkeypatch.setattr("webbrowser.open", lambda *given: arguments.extend(given) or opened.set())
    launch._open_browser("http://127.0.0.1:8866/?token=se-cret_1", tmp_path)
    wait_for(opened.is_set, "the browser to be opened")
    address, *_ = arguments
    assert "se-cret" not in address
    assert 'url=http://127.0.0.1:8866/?token=se-cret_1"' in Path(urlsplit(address).path).read_text()
