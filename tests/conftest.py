"""What all tests share: shapes are checked in every call of the core, and where real CIFAR lies."""

from __future__ import annotations

import os
import sys

os.environ["RDR_CHECK_SHAPES"] = "1"
# One thread a process: several test processes share the machine, and networks this small gain nothing from two.
os.environ["OMP_NUM_THREADS"] = "1"
for _name in [name for name in sys.modules if name.split(".")[0] == "rdr_core"]:
    raise RuntimeError(f"{_name} was imported before its shapes could be checked")

from jaxtyping import install_import_hook  # noqa: E402

install_import_hook(["rdr_core.data", "rdr_core.methods", "rdr_core.bound"], "shape_checker.check")

import hypothesis  # noqa: E402

# Time limits for single examples would make a slow machine fail; the same examples every time keep CI steady.
hypothesis.settings.register_profile("rdr", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("rdr")
