"""Start JupyterLab with the notebooks, or the explorer as a page: on this machine alone, behind a token.

Both servers run in this process and are told their token as an argument of a call, so that no list of processes shows
it, and so that no configuration file can take it away.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import signal
import socket
import tempfile
import warnings
import webbrowser
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from types import FrameType
from urllib.parse import quote

from rdr_core.errors import Damaged, RdrError
from rdr_core.files.inside import inside
from rdr_core.files.whole import read_json, write_json
from rdr_core.safe_path import safe_path
from rdr_core.visible import say

HOST = "127.0.0.1"
#: Where a folder of copied notebooks keeps which versions it was given.
_GIVEN = ".rdr-notebooks.json"
#: Seconds after which a page's kernel ends that was not heard of and that no page shows, and between looks at it.
_IDLE, _LOOK_EVERY = 600, 60
#: Seconds that a kernel may take to start, on a machine that has much else to do, before its page gives up.
_START = 600
#: Between a server and its kernels, where they know how to: others on the machine could listen to what is not.
_ENCRYPTED = "--KernelManager.transport_encryption=auto"
#: What the explorer's page needs of JupyterLab; other extensions would only make it slower to open.
_EXTENSIONS = ["@voila-dashboards/widgets-manager8", "@jupyter-widgets/jupyterlab-manager", "anywidget"]
#: The page may load from this machine alone: Voila's template asks another for a font, and waits for it.
_POLICY = f"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob: ws://{HOST}:*; frame-ancestors 'self'"

_APP_HEAD = """\
## The explorer

Hundreds of networks were trained on long-tailed data for you. Choose among them, and see what each choice does.
"""


def run_lab(folder: Path, *, port: int | None, browser: bool) -> None:
    """Copy the notebooks to a folder and serve it with JupyterLab until it is ended.

    Args:
        folder: of the copies; made if it is not there.
        port: to listen on; None is JupyterLab's usual one, 8888, or a free one where that is taken.
        browser: whether to open it in the browser.

    Raises:
        RdrError: JupyterLab is not installed, the folder can't be written, or the port is taken.
        KeyboardInterrupt: Ctrl-C.
    """
    _need("jupyterlab", "JupyterLab")
    _look_at_port(port)
    for sentence in copy_notebooks(folder):
        say(sentence)

    from jupyterlab.labapp import LabApp

    token = secrets.token_urlsafe(24)
    arguments = [
        f"--ServerApp.root_dir={folder.absolute()}",
        f"--ServerApp.ip={HOST}",
        *_port_arguments("ServerApp", port),
        f"--ServerApp.open_browser={browser}",
        "--ServerApp.allow_root=True",  # containers run as root, and nobody else can reach the server
        f"--IdentityProvider.token={token}",
        "--ServerApp.log_level=ERROR",
        "--LabApp.log_level=ERROR",
        f"--MappingKernelManager.kernel_info_timeout={_START}",
        _ENCRYPTED,
    ]
    with warnings.catch_warnings(record=True):  # Jupyter's own extensions use what it deprecates, and say so
        server = LabApp.initialize_server(arguments)

    def listening() -> None:
        _tell("JupyterLab", f"http://{HOST}:{server.port}/lab?token={token}")

    _serve(server.start, lambda: server.stop(from_signal=True), listening)


def run_app(runs: Path, *, port: int | None, browser: bool, dark: bool) -> None:
    """Serve the explorer as a page until it is ended; each visitor has a kernel, which ends when the page is closed.

    Args:
        runs: folder of runs, besides those shipped with the toolkit.
        port: to listen on; None is Voila's usual one, 8866, or a free one where that is taken.
        browser: whether to open it in the browser.
        dark: whether the page is dark.

    Raises:
        RdrError: Voila is not installed, or the port is taken.
        KeyboardInterrupt: Ctrl-C.
    """
    _need("voila", "Voila")
    _look_at_port(port)

    from jupyter_core.paths import jupyter_config_path
    from tornado.ioloop import IOLoop
    from voila.app import Voila

    token = secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory(prefix="rdr-app-") as private:
        # Its own default has the working folder too, where a voila.py would run.
        server = Voila(config_file_paths=jupyter_config_path())
        server.initialize(
            [
                str(_app_notebook(Path(private), runs)),
                f"--Voila.ip={HOST}",
                *_port_arguments("Voila", port),
                "--Voila.open_browser=False",  # it would open the page without its token
                f"--Voila.token={token}",
                "--Voila.log_level=ERROR",
                f"--VoilaConfiguration.theme={'dark' if dark else 'light'}",
                *(f"--VoilaConfiguration.extension_allowlist={name}" for name in _EXTENSIONS),
                f"--MappingKernelManager.cull_idle_timeout={_IDLE}",
                f"--MappingKernelManager.cull_interval={_LOOK_EVERY}",
                f"--MappingKernelManager.kernel_info_timeout={_START}",
                f"--VoilaExecutor.startup_timeout={_START}",
                _ENCRYPTED,
            ]
        )
        server.tornado_settings = {"headers": {"Content-Security-Policy": _POLICY}}
        loop = IOLoop.current()

        def listening() -> None:
            url = f"http://{HOST}:{server.port}/?token={token}"
            _tell("The explorer", url)
            if browser:
                _open_browser(url, Path(private))

        _serve(server.start, lambda: loop.add_callback_from_signal(loop.stop), listening)


def notebooks_folder() -> Path:
    """Where the toolkit's notebooks lie: ``notebooks`` of a checkout, or inside the package where it was installed.

    Raises:
        RdrError: in neither.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package.parent / "notebooks", package / "notebooks"):
        if folder.is_dir():
            return folder
    raise RdrError(f"The toolkit's notebooks are not beside {package}; install the toolkit again.")


def copy_notebooks(folder: Path, source: Path | None = None) -> list[str]:
    """Copy the notebooks to a folder, never over what someone changed there.

    A copy that nobody changed is brought up to date. One that was changed, or run and saved, is kept; if there is a
    new version since it was copied, that one is written beside it, once.

    Args:
        folder: of the copies; made if it is not there.
        source: of the notebooks (default: the toolkit's own).

    Returns:
        A sentence for each new version beside a kept copy.

    Raises:
        RdrError: the folder can't be written, or has a link to elsewhere in place of a copy.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sentences = copy_notebooks(Path(folder))
        ...     sentences, sorted(path.stem for path in Path(folder).glob("01*"))
        ([], ['01_what_a_long_tail_does'])
    """
    said = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        given = _read_given(folder)
        for notebook in sorted((source or notebooks_folder()).glob("*.ipynb")):
            fresh = notebook.read_bytes()
            copy, version = inside(folder, notebook.name), _digest(fresh)
            there = _digest(copy.read_bytes()) if copy.exists() else None
            if there in (None, given.get(notebook.name)):
                copy.write_bytes(fresh)
            elif version not in (there, given.get(notebook.name)):
                beside = _beside(copy, fresh)
                beside.write_bytes(fresh)
                said.append(f"{copy} was changed and is kept; its new version is {beside.name} beside it.")
            given[notebook.name] = version
        write_json(folder / _GIVEN, given)
    except OSError as error:
        raise RdrError(f"{folder} can't be written ({error}); choose another folder for the notebooks.") from None
    return said


def _read_given(folder: Path) -> dict[str, str]:
    """Which version of each notebook was copied there last; none where that is lost, so that nothing is replaced."""
    try:
        return read_json(folder / _GIVEN)
    except Damaged:
        return {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _beside(copy: Path, fresh: bytes) -> Path:
    """The first name beside a notebook that is free, or has that content already."""
    number = 1
    while True:
        place = copy.with_stem(f"{copy.stem}-new" + (f"-{number}" if number > 1 else ""))
        if not place.exists() or place.read_bytes() == fresh:
            return place
        number += 1


def _app_notebook(folder: Path, runs: Path) -> Path:
    """Write what Voila shows: the explorer, working in the folder that the command was given in, and what to ask it."""
    import nbformat

    code = f"""\
import os
os.chdir({str(Path.cwd())!r})
from IPython.display import display
from rdr_core.errors import RdrError
from rdr_core.runs.archive import shipped
from rdr_viz.explorer import Explorer
try:
    display(Explorer([{str(runs)!r}, shipped()]))
except RdrError as error:
    print(error)
"""
    *_, questions = nbformat.read(notebooks_folder() / "03_explorer.ipynb", as_version=4).cells
    cells = [nbformat.v4.new_markdown_cell(_APP_HEAD), nbformat.v4.new_code_cell(code), questions]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    path = folder / "Explorer.ipynb"  # its name is the page's title
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    return path


def _need(module: str, name: str) -> None:
    if find_spec(module) is None:
        raise RdrError(f"{name} is not installed; pip install 'rdr-toolkit[notebooks]' installs it.")


def _look_at_port(asked: int | None) -> None:
    """RdrError if the port asked for can't be had, which the servers would tell at length."""
    if asked is None:
        return
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        try:
            trial.bind((HOST, asked))
        except OSError:
            raise RdrError(
                f"Port {asked} is not available, another program may be using it; choose another with --port."
            ) from None


def _port_arguments(server: str, asked: int | None) -> list[str]:
    """A server tries others by itself where its usual port is taken, and should where nobody asked for one."""
    return [] if asked is None else [f"--{server}.port={asked}", f"--{server}.port_retries=0"]


def _tell(name: str, url: str) -> None:
    print(f"{name} is at {url}\nOnly this machine can reach it. Ctrl-C ends it; trainings that it started go on.",
          flush=True)  # fmt: skip


def _open_browser(url: str, private: Path) -> None:
    """Open a page that leads to the URL, so that the token is not among the browser's arguments, which others see."""
    page = private / "open.html"
    page.write_text(f'<meta http-equiv="refresh" content="0; url={quote(url, safe=":/?=&")}">', encoding="utf-8")
    Thread(target=webbrowser.open, args=(page.as_uri(), 2), daemon=True).start()  # some browsers hold their caller


def _serve(start: Callable[[], object], stop: Callable[[], object], listening: Callable[[], None]) -> None:
    """Run a server to its end; KeyboardInterrupt if Ctrl-C was it. The servers themselves would ask, or not tell.

    Args:
        start: runs it, and returns at its end.
        stop: asks it to end, from a signal's handler.
        listening: called once it answers.
    """
    from tornado.ioloop import IOLoop

    for name in ("asyncio", "tornado.general"):
        logging.getLogger(name).addFilter(_is_news)
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        stop()

    before = signal.signal(signal.SIGINT, interrupt)
    IOLoop.current().add_callback(listening)
    try:
        with safe_path():  # its kernels
            start()
    finally:
        signal.signal(signal.SIGINT, before)
    if interrupted:
        raise KeyboardInterrupt("Ended.")


def _is_news(record: logging.LogRecord) -> bool:
    """Whether to log it. Two things are none: that a page was closed while something was on its way to it, an error to
    tornado, and that Jupyter gives tornado in milliseconds what it takes in seconds, which harms nobody."""
    from tornado.iostream import StreamClosedError
    from tornado.websocket import WebSocketClosedError

    error = record.exc_info[1] if record.exc_info else None
    closed = isinstance(error, (StreamClosedError, WebSocketClosedError))
    return not closed and "websocket_ping_timeout" not in record.getMessage()
