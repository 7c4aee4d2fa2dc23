"""pyproject.toml, constraints.txt and environment.yml say the same; the public names are those; a wheel works alone."""

from __future__ import annotations

import os
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from waiting import run

ROOT = Path(__file__).resolve().parents[1]


def declared() -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


def pinned(python: str) -> dict[str, str]:
    """Versions that constraints.txt gives on Linux with this Python."""
    here = {"python_full_version": f"{python}.0", "python_version": python, "sys_platform": "linux",
            "platform_machine": "x86_64", "implementation_name": "cpython", "platform_python_implementation": "CPython",
            "platform_system": "Linux", "os_name": "posix"}  # fmt: skip
    versions = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(here):
            (spec,) = requirement.specifier
            assert spec.operator == "=="
            versions[canonicalize_name(requirement.name)] = spec.version
    return versions


def conda() -> tuple[str, dict[str, str], list[str]]:
    """Python's version, pinned packages and other lines of environment.yml."""
    lines = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (pip,) = (line["pip"] for line in lines if isinstance(line, dict))
    (python,) = (line.split("=")[1] for line in lines if isinstance(line, str) and line.startswith("python="))
    packages = dict(line.split("==") for line in pip if "==" in line)
    return python, {canonicalize_name(k): v for k, v in packages.items()}, [line for line in pip if "==" not in line]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_constraints_pin_every_declared_package_within_its_range(python):
    versions = pinned(python)
    for name, requirement in declared().items():
        assert name in versions, f"{name} is not pinned; run make constraints"
        assert requirement.specifier.contains(versions[name]), name


def test_the_conda_environment_is_the_same():
    python, packages, others = conda()
    versions = pinned(python)
    assert set(packages) == set(declared())
    assert packages == {name: versions[name] for name in packages}
    assert others == ["-c constraints.txt", "-e .[notebooks,cluster,docs,trainers,beyond,dev]"]


def test_the_cards_packages_are_all_there():
    card = {"jupyterlab", "torch", "torchvision", "matplotlib", "seaborn", "pyhessian", "ipywidgets"}
    assert card <= set(declared())


def test_no_address_of_a_registry_is_written_down():
    for name in ("constraints.txt", "environment.yml", "pyproject.toml", "Makefile"):
        text = (ROOT / name).read_text()
        assert "index-url http" not in text
        assert "://" not in text.replace("https://github.com", "")


def run_python(code: str) -> str:
    done = run([sys.executable, "-c", code], env=os.environ | {"RDR_CHECK_SHAPES": "0"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_core_imports_with_little_and_never_imports_the_pictures():
    """Everything that training imports, on a machine with torch, torchvision, numpy, pandas and safetensors only."""
    code = """
import sys
heavy = {"matplotlib", "seaborn", "sklearn", "scipy", "typer", "rich", "tqdm", "jinja2", "rdr_viz", "torchvision",
         "pandas", "IPython", "jaxtyping", "distributed", "dask", "dask_jobqueue", "cloudpickle"}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in heavy:
            raise ImportError(f"{name} is not to be imported")
sys.meta_path.insert(0, Refuse())
import rdr_core, pkgutil, importlib
for module in pkgutil.walk_packages(rdr_core.__path__, "rdr_core."):
    if module.name not in ("rdr_core.cli", "rdr_core.ending", "rdr_core.__main__", "rdr_core.jobs.envoy"):
        importlib.import_module(module.name)
print(len(sys.modules))
"""
    assert int(run_python(code)) > 100


def viewer() -> dict[str, Requirement]:
    lines = (ROOT / "requirements-viewer.txt").read_text().splitlines()
    return {
        canonicalize_name(r.name): r for r in map(Requirement, (line for line in lines if not line.startswith("#")))
    }


def test_the_viewers_packages_are_the_projects():
    assert all(str(declared()[name]) == str(requirement) for name, requirement in viewer().items())


def test_what_looks_at_runs_needs_the_viewers_packages_alone(tmp_path):
    """Lists, draws and publishes a stored run where nothing else of the project's packages is there, so no torch."""
    modules = {"scikit-learn": "sklearn", "ipython": "IPython", "pyyaml": "yaml"}
    absent = {modules.get(name, name.replace("-", "_")) for name in set(declared()) - set(viewer())} | {"triton"}
    code = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
from rdr_core.runs.archive import shipped
from rdr_core.runs import list_runs
from rdr_viz.cli import main
run = list_runs(shipped(), dataset="digits", imbalance_factor=50, method="ce", seed=0)[0].path
for words in (["runs", run.parent], ["plot", run, "--kind", "accuracy", "--out", "a"], ["publish", run, "-o", "p.html"],
              ["playground", "-o", "q.html"], ["train", "digits"]):
    sys.argv = ["rdr", *map(str, words)]
    try:
        main()
    except SystemExit as ended:
        print("ended:", words[0], ended.code)
"""
    said = run([sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"COLUMNS": "80", "RDR_CHECK_SHAPES": "0"})
    ends = [line for line in said.stdout.splitlines() if line.startswith("ended:")]
    assert ends == [f"ended: {word} 0" for word in ("runs", "plot", "publish", "playground")] + ["ended: train 2"], said
    assert said.stderr.endswith("but only the viewer is installed here; install the whole toolkit: pip install .\n")
    assert {path.name for path in tmp_path.iterdir()} >= {"a.png", "p.html", "q.html"}


@pytest.mark.slow
def test_a_wheel_installed_elsewhere_runs_the_demo_without_the_clone(tmp_path):
    said = run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT])
    assert said.returncode == 0, said.stderr
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    data = [path for part in ("paper", "runs", "samples") for path in (ROOT / "data" / part).rglob("*.*")]
    assert not {path for path in packed if path.startswith("rdr_viz/explorer/front/src") or "node_modules" in path}
    assert {f"rdr_core/{path.relative_to(ROOT).as_posix()}" for path in data} <= packed
    home = tmp_path / "elsewhere"
    python = home / "bin" / "python"
    run([sys.executable, "-m", "venv", "--without-pip", home])
    said = run([sys.executable, "-m", "uv", "pip", "install", "--python", python, "--no-deps", "--offline", wheel])
    assert said.returncode == 0, said.stderr
    # The dependencies, and nothing of the clone: a plain path does not run the editable install's hook.
    (site,) = (home / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    work = tmp_path / "work"
    work.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("RDR_", "PYTHON"))}
    code = ("import rdr_core, rdr_viz; from rdr_core.files.places import papers_folder;"
            "from rdr_core.runs.archive import shipped; from rdr_core.runs import list_runs;"
            "print(rdr_core.__file__, rdr_viz.__file__, papers_folder(), len(list_runs(shipped())))")  # fmt: skip
    found = run([python, "-c", code], cwd=work, env=environment | {"RDR_CACHE": str(tmp_path / "cache")})
    assert found.returncode == 0, found.stderr
    *places, runs = found.stdout.split()
    assert len(places) == 3
    assert all(Path(path).is_relative_to(home) for path in places)
    assert (int(runs) > 0) == any((ROOT / "data" / "runs").glob("*.tar.xz"))
    done = run([home / "bin" / "rdr", "demo"], cwd=work, env=environment)
    assert done.returncode == 0, done.stderr
    assert "Medium" in done.stdout
    page = work / "demo" / "index.html"
    assert "RDR" in page.read_text(encoding="utf-8")
    assert str(page.relative_to(work)) in done.stdout.replace("\n", "")


def test_help_imports_nothing_heavy():
    """How `rdr --help` answers at once; benchmarks/speed.py measures it."""
    code = """
import sys
from rdr_viz.cli import main
sys.argv = ["rdr", "--help"]
try:
    main()
except SystemExit as done:
    assert not done.code
print(*sorted({"torch", "numpy", "pandas", "matplotlib", "torchvision", "sklearn"} & set(sys.modules)), file=sys.stderr)
"""
    done = run([sys.executable, "-c", code])
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout
    assert done.stderr.strip() == ""
