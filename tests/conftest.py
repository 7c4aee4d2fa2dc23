"""What all tests share: shapes are checked in every call of the core, and how a command line is run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# But for inputs by the ten thousand, which take half the time without, and of which the usual tests try some with it.
os.environ["RDR_CHECK_SHAPES"] = "0" if "RDR_FUZZ" in os.environ else "1"
# One thread a process: several test processes share the machine, and networks this small gain nothing from two.
os.environ["OMP_NUM_THREADS"] = "1"
for _name in [name for name in sys.modules if name.split(".")[0] == "rdr_core"]:
    raise RuntimeError(f"{_name} was imported before its shapes could be checked")

from jaxtyping import install_import_hook  # noqa: E402

if os.environ["RDR_CHECK_SHAPES"] == "1":
    install_import_hook(["rdr_core.data", "rdr_core.methods", "rdr_core.measures.bound"], "shape_checker.check")

import hypothesis  # noqa: E402
import pytest  # noqa: E402
from headless import browser  # noqa: E402, F401 - a fixture
from waiting import WHOLE_TEST  # noqa: E402

# Time limits for single examples would make a slow machine fail; the same examples every time keep CI steady.
hypothesis.settings.register_profile("rdr", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("rdr")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """A test counts as hung where everything else does: in waiting.py."""
    config.option.timeout = config.option.timeout or WHOLE_TEST


#: Files and folders of tests that take long, the longest first.
LONG = (
    "test_site.py", "explorer/test_in_browser.py", "explorer/front/", "displays/test_kinds.py", "explorer/test_jobs.py",
    "papers/test_commands.py", "papers/test_shipped_paper.py", "runs/test_trunk.py", "notebooks/",
    "test_packaging.py", "training/test_torchrun.py", "analysis/curvature/test_trace_error.py",
    "analysis/curvature/test_against_dense.py", "training/test_sam_runs.py", "training/test_gpu_benchmark.py",
)  # fmt: skip


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """What takes long comes first, or one worker ends alone with it: a file after the other to each worker in turn.

    xdist's worksteal gives each worker one run of the list, and to one that is done what another would do last. A
    file stays together, so that what its tests share is made by one while the others work.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    here = Path(__file__).parent.as_posix()
    files = [[item for item in items if item.path.as_posix().startswith(f"{here}/{name}")] for name in LONG]
    files = [file for file in files if file]
    long = {item for file in files for item in file}
    others, ordered = [item for item in items if item not in long], []
    for worker in range(workers):
        first = [item for file in files[worker::workers] for item in file]
        share = (len(items) - len(ordered)) // (workers - worker)  # as worksteal deals
        room = max(share - len(first), 0)
        ordered += [*first, *others[:room]]
        del others[:room]
    items[:] = ordered + others


@pytest.fixture(scope="session")
def cifar_root() -> Path:
    """Folder of the real CIFAR sets. Without them tests are skipped, on CI they fail."""
    from rdr_core.data.load import data_root

    root = data_root()
    missing = [folder for folder in ("cifar-10-batches-py", "cifar-100-python") if not (root / folder).is_dir()]
    if missing:
        reason = f"{' and '.join(missing)} not in {root}; set RDR_DATA to the folder that holds them"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return root


@pytest.fixture(scope="session")
def mnist_root() -> Path:
    """Folder of the real MNIST; Fashion-MNIST is there too or in Debian's place. As :func:`cifar_root` without them."""
    from rdr_core.data.load import data_root
    from rdr_core.data.sources.mnist import FASHION_MNIST

    root = data_root()
    clothes = [root / FASHION_MNIST.download.put_into, FASHION_MNIST.package[1]]
    missing = [] if (root / "MNIST" / "raw").is_dir() else [f"MNIST/raw is not in {root}"]
    if not any(folder.is_dir() for folder in clothes):
        missing.append(f"none of {', '.join(map(str, clothes))} is there; install {FASHION_MNIST.package[0]}")
    if missing:
        if os.environ.get("CI") == "true":
            pytest.fail("; ".join(missing))
        pytest.skip("; ".join(missing))
    return root


@pytest.fixture
def rdr(monkeypatch, capfd, tmp_path):
    """Run a command line in an empty folder; gives status, output and errors, those of its workers too."""
    from rdr_viz.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rdr", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return ended.value.code or 0, out, err

    return run


def pytest_terminal_summary(terminalreporter):
    """What tests measured, told by ``record_property("measured", ...)``: prints of several processes would be lost."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    lines = [value for report in reports for name, value in report.user_properties if name == "measured"]
    if lines:
        terminalreporter.section("measured")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture
def three_runs():
    """CE, 1/n and RDR with one seed, in an order that is not the pictures'; made up."""
    from made_up_runs import make_run

    return [make_run(method) for method in ("rdr", "ce", "inverse")]
