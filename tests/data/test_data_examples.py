"""Every example in the docstrings of ``rdr_core.data`` runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import rdr_core.data

MODULES = ["rdr_core.data"] + [
    module.name for module in pkgutil.walk_packages(rdr_core.data.__path__, prefix="rdr_core.data.")
]
# They need files or a network; their tests are in test_cifar.py and test_mnist.py.
WITHOUT_EXAMPLE = {"load_cifar10", "load_cifar100", "load_mnist", "read_or_fetch", "Download", "RawData", "Source"}


def documented(module_name: str) -> dict[str, object]:
    """Public functions and classes defined in the module, with the examples' namespace being the module's."""
    module = importlib.import_module(module_name)
    return {
        name: thing
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(thing) or inspect.isclass(thing))
        and thing.__module__ == module_name
    }


@pytest.mark.parametrize("module_name", MODULES)
def test_examples_run_and_public_things_have_one(module_name):
    # testmod would pass over functions that are wrapped by the shape checker.
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for name, thing in documented(module_name).items():
        examples = finder.find(thing, name, module=False, globs=dict(vars(importlib.import_module(module_name))))
        for example in examples:
            runner.run(example)
        if name not in WITHOUT_EXAMPLE:
            assert any(example.examples for example in examples), f"{name} has no example"
    assert runner.summarize(verbose=False).failed == 0
