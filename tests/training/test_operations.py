"""A step on a device that tells the host nothing: it asks for nothing, and takes no more operations than measured."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import torch
from marked import marked
from torch import Tensor
from torch.utils._pytree import tree_leaves

from rdr_core.methods.grammar import parse
from rdr_core.methods.parts import PARTS

ROOT = Path(__file__).parents[2]
#: Beside those of the table: options and sums by which a step takes another way.
MORE = (
    "rdr:ratio=class,count=dataset,start=zero", "rdr:update=epoch,warmup=0.4", "rdr:ratio=matched,warmup=0.4",
    "rdr+drw:start=0.5", "ldam+cb+drw:start=0.5", "ib+drw:start=0.5", "inverse:gamma=0.5+imbsam", "rdr+ccsam",
    "rdr+focalsam", "rdr+mixup", "ce+remix+sam", "rdr+sqrt_sampling", "oversampling", "cb+drw:start=0.5",
)  # fmt: skip
#: Its own matrices lie where the weights were first.
NOT_COUNTED = {"muon"}


@cache
def benchmark() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        return importlib.import_module("operations")


class Elsewhere(benchmark().Operations):
    """Counts, and demands that no operation touches a tensor on the CPU: on a GPU that is a copy, which waits.

    Tensors without values refuse to tell any, so no branch, no number and no index can come from them.
    """

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = super().__torch_dispatch__(function, types, args, kwargs)
        for value in tree_leaves((args, kwargs, out)):
            assert not (isinstance(value, Tensor) and value.device.type == "cpu"), function
        return out


def walked(method: str, model: str) -> int:
    watch = Elsewhere()
    benchmark().watch_a_step(method, model, watch)
    return sum(watch.counted.values()) + 1


@pytest.mark.parametrize("method", [*benchmark().measured(), *MORE])
def test_a_step_asks_the_host_for_nothing_and_takes_no_more_operations_than_measured(method):
    taken = walked(method, "small")
    bound = benchmark().measured().get(method)
    assert bound is None or taken <= bound["small"]
    assert taken > 50


@pytest.mark.parametrize("method", ["ce", "rdr", "sam"])
def test_nor_does_one_of_resnet32(method):
    assert walked(method, "resnet32") <= benchmark().measured()[method]["resnet32"]


def test_every_part_of_a_step_is_in_the_table():
    counted = {used.part.name for method in benchmark().measured() for used in parse(method).used}
    ours = {name for name, made in PARTS.all().items() if made.make.__module__.startswith("rdr_core.")}
    of_a_step = {name for name in ours if PARTS[name].kind not in ("second stage", "sampler")}
    assert of_a_step - counted == NOT_COUNTED
    assert set(benchmark().METHODS) == set(benchmark().measured())


def test_what_starts_nothing_is_not_counted():
    x = torch.empty(4, 6, device="meta")
    with benchmark().Operations() as watch:
        x.view(6, 4).t()[1:].detach().unsqueeze(0).expand(2, -1, -1)
        torch.empty_like(x)
        torch.empty(3, device="meta")
    assert not watch.counted
    with benchmark().Operations() as watch:
        x.t().add_(1).mul(2).sum()
    assert watch.counted == {"aten.add_.Tensor": 1, "aten.mul.Tensor": 1, "aten.sum.default": 1}


@pytest.mark.parametrize("what", [float, bool, lambda x: x[x > 0], lambda x: x.nonzero(), torch.unique])
def test_what_waits_for_a_device_can_not_be_walked(what):
    """That the walk can fail."""
    with Elsewhere(), pytest.raises((RuntimeError, NotImplementedError)):
        what(torch.empty((), device="meta") if what in (float, bool) else torch.empty(3, device="meta"))


def test_a_constant_from_the_host_is_found_out():
    with Elsewhere(), pytest.raises(AssertionError):
        torch.empty(3, device="meta") + torch.tensor(1.0)


def test_the_table_is_what_was_counted():
    """`python benchmarks/operations.py` prints it; none is typed."""
    page = (ROOT / "docs" / "methods" / "README.md").read_text(encoding="utf-8")
    assert marked(page, "operations") == benchmark().table()
