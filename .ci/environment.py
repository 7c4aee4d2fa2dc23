"""Write environment.yml from pyproject.toml and constraints.txt, for conda: `make constraints` calls it."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "3.12"

HEAD = f"""# The same environment as `make setup`, for conda: conda env create -f environment.yml
# Written by `make constraints` with the versions of constraints.txt.
name: rdr
channels:
  - conda-forge
dependencies:
  - python={PYTHON}
  - make
  - pip
  - pip:
      - -c constraints.txt
"""


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    wanted = {canonicalize_name(Requirement(line).name) for line in lines}
    linux = {"python_full_version": f"{PYTHON}.0", "python_version": PYTHON, "sys_platform": "linux"}
    pins = map(Requirement, (ROOT / "constraints.txt").read_text().splitlines())
    versions = {p.name: str(p.specifier) for p in pins if p.marker is None or p.marker.evaluate(linux)}
    listed = "".join(f"      - {name}{versions[name]}\n" for name in sorted(wanted))
    (ROOT / "environment.yml").write_text(f"{HEAD}{listed}      - -e .[notebooks,cluster,docs,trainers,beyond,dev]\n")


if __name__ == "__main__":
    main()
