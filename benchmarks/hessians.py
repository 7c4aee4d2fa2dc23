"""Eigenvalues and traces of twenty small networks: ours, PyHessian and curvlinops beside a dense solver.

    python benchmarks/hessians.py               measures, writes the CSV, prints the table
    python benchmarks/hessians.py --from-csv    prints the table of what was measured

The dense Hessian is that of the mean loss in float64, row by row by double backward. The others compute in float32, as
one does with networks: ours and PyHessian's power iteration and Hutchinson estimate at their defaults; curvlinops'
operator given to SciPy's `eigsh` with our tolerance, and to a Hutchinson estimate of as many probes as ours took. An
error is told by the size of the largest eigenvalue; that of a trace by the sum of all eigenvalues' sizes, since some
traces are near 0.
"""

from __future__ import annotations

import argparse
import copy
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from torch import Tensor, nn
from tqdm import tqdm

from rdr_viz.analysis.curvature import Hessian

RESULTS = Path(__file__).resolve().parents[1] / "data" / "measurements" / "hessians.csv"
IMAGES, CLASSES, K = 48, 4, 5


class Recurrent(nn.Module):
    """A GRU over four steps of two numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.gru, self.out = nn.GRU(2, 5, batch_first=True), nn.Linear(5, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.gru(x.view(len(x), 4, 2))[0][:, -1])


class Residual(nn.Module):
    """Two layers around which the input goes."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.out = nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 8)), nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(x + self.inner(x))


def mlp(activation: type[nn.Module], *, scale: float = 1.0) -> nn.Module:
    """8-10-4; all weights times ``scale``."""
    network = nn.Sequential(nn.Linear(8, 10), activation(), nn.Linear(10, CLASSES))
    for parameter in network.parameters():
        parameter.data.mul_(scale)
    return network


def conv(norm: Callable[[], nn.Module]) -> nn.Module:
    """One convolution of 2 x 4 images, a norm, and a linear layer."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 2, 4)), nn.Conv2d(1, 6, 2, bias=False), norm(), nn.Softplus(), nn.Flatten(),
        nn.Linear(18, CLASSES),
    )  # fmt: skip


def linear(scale: float) -> nn.Module:
    """Softmax regression; at ``scale`` 0 every eigenvalue is there three times."""
    network = nn.Linear(8, CLASSES, bias=False)
    network.weight.data.mul_(scale)
    return network


def saddle(scale: float) -> nn.Module:
    """Two linear layers near 0: both ends are alike in size."""
    network = nn.Sequential(nn.Linear(8, 6, bias=False), nn.Linear(6, CLASSES, bias=False))
    for parameter in network.parameters():
        parameter.data.mul_(scale)
    return network


def half_frozen() -> nn.Module:
    """The first layer has no curvature to give."""
    network = mlp(nn.Tanh)
    network[0].requires_grad_(False)
    return network


#: Name -> a network, and steps of training before it is looked at.
NETWORKS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "tanh": (lambda: mlp(nn.Tanh), 0),
    "tanh, trained": (lambda: mlp(nn.Tanh), 300),
    "ReLU": (lambda: mlp(nn.ReLU), 0),
    "ReLU, trained": (lambda: mlp(nn.ReLU), 300),
    "GELU": (lambda: mlp(nn.GELU), 50),
    "softplus": (lambda: mlp(nn.Softplus), 50),
    "large weights": (lambda: mlp(nn.Tanh, scale=4), 0),
    "small weights": (lambda: mlp(nn.Tanh, scale=0.1), 0),
    "deep": (lambda: nn.Sequential(nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, CLASSES)), 50),
    "BatchNorm": (lambda: conv(lambda: nn.BatchNorm2d(6)), 0),
    "BatchNorm, trained": (lambda: conv(lambda: nn.BatchNorm2d(6)), 300),
    "GroupNorm": (lambda: conv(lambda: nn.GroupNorm(2, 6)), 50),
    "no norm": (lambda: conv(nn.Identity), 50),
    "linear at 0": (lambda: linear(0), 0),
    "linear": (lambda: linear(1), 0),
    "saddle": (lambda: saddle(1e-3), 0),
    "near a saddle": (lambda: saddle(0.3), 0),
    "GRU": (Recurrent, 50),
    "residual": (Residual, 50),
    "half frozen": (half_frozen, 0),
}


def problem(name: str) -> tuple[nn.Module, Tensor, Tensor]:
    """The network in evaluation mode, with images and long-tailed labels."""
    torch.manual_seed(sorted(NETWORKS).index(name))
    make, steps = NETWORKS[name]
    x = torch.randn(IMAGES, 8)
    y = torch.arange(CLASSES).repeat_interleave(torch.tensor([30, 11, 5, 2]))
    model = make()
    if steps:
        sgd = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        for _ in range(steps):
            sgd.zero_grad()
            F.cross_entropy(model(x), y).backward()
            sgd.step()
    return model.eval(), x, y


def dense(model: nn.Module, x: Tensor, y: Tensor) -> np.ndarray:
    """(P, P) float64."""
    model = copy.deepcopy(model).double()
    parameters = [p for p in model.parameters() if p.requires_grad]
    gradient = torch.autograd.grad(F.cross_entropy(model(x.double()), y), parameters, create_graph=True)
    flat = torch.cat([part.reshape(-1) for part in gradient])
    rows = [
        torch.cat([part.reshape(-1) for part in torch.autograd.grad(entry, parameters, retain_graph=True,
                                                                    materialize_grads=True)])
        for entry in flat
    ]  # fmt: skip
    return torch.stack(rows).numpy()


def measured(name: str) -> Iterator[dict[str, object]]:
    """A row for each tool and question: the error, and the products it took."""
    model, x, y = problem(name)
    exact = np.linalg.eigvalsh(matrix := dense(model, x, y))[::-1]
    size, trace = np.abs(exact).max(), float(np.trace(matrix))

    def row(tool: str, question: str, error: float, products: int) -> dict[str, object]:
        return {"network": name, "tool": tool, "question": question, "error": float(error), "products": products}

    wanted = {"largest": exact[:1], f"{K} largest": exact[:K], "smallest": exact[-1:]}
    for question, values in wanted.items():
        hessian = Hessian(model, x, y)
        found = hessian.eigenvalues(len(values), "smallest" if question == "smallest" else "largest")
        assert found.converged, (name, question)
        yield row("ours", question, np.abs(found.values - values).max() / size, hessian.products)
    hessian = Hessian(model, x, y)
    ours = hessian.trace()
    yield row("ours", "trace", abs(ours.value - trace) / np.abs(exact).sum(), hessian.products)

    counted = [0]
    with counting_pyhessian(counted):
        for question in ("largest", f"{K} largest"):
            counted[0] = 0
            k = len(wanted[question])
            values = Hessian(model, x, y, backend="pyhessian").eigenvalues(k, tolerance=1e-3, budget=100).values
            yield row("PyHessian", question, np.abs(np.sort(values)[::-1] - wanted[question]).max() / size, counted[0])
        counted[0] = 0
        theirs = Hessian(model, x, y, backend="pyhessian").trace(1e-3, maximum=100)
        yield row("PyHessian", "trace", abs(theirs.value - trace) / np.abs(exact).sum(), counted[0])

    operator, products = curvlinops(model, x, y)
    try:
        operator.matvec(np.ones(operator.shape[0], dtype=np.float32))
    except NotImplementedError:  # it differentiates forward, which not every operation can
        for question in (*wanted, "trace"):
            yield row("curvlinops", question, np.nan, 0)
        return
    for question, values in wanted.items():
        products[0] = 0
        which = "SA" if question == "smallest" else "LA"
        start = np.random.default_rng(0).standard_normal(operator.shape[0]).astype(np.float32)
        try:
            found = eigsh(operator, len(values), which=which, tol=1e-4, v0=start, return_eigenvectors=False)
        except ArpackNoConvergence:
            yield row("curvlinops", question, np.nan, products[0])
            continue
        yield row("curvlinops", question, np.abs(np.sort(found)[::-1] - values).max() / size, products[0])
    products[0] = 0
    signs = np.random.default_rng(0).integers(0, 2, (max(ours.probes, 1), operator.shape[0])) * 2.0 - 1
    samples = [float(sign @ operator.matvec(sign.astype(np.float32))) for sign in signs]
    yield row("curvlinops", "trace", abs(np.mean(samples) - trace) / np.abs(exact).sum(), products[0])


@contextmanager
def counting_pyhessian(counted: list[int]) -> Iterator[None]:
    """Inside, PyHessian's products are counted."""
    module = import_module("pyhessian.hessian")  # a class of the package has that name too
    real = module.hessian_vector_product

    def count(*given: object) -> object:
        counted[0] += 1
        return real(*given)

    module.hessian_vector_product = count
    try:
        yield
    finally:
        module.hessian_vector_product = real


def curvlinops(model: nn.Module, x: Tensor, y: Tensor) -> tuple[LinearOperator, list[int]]:
    """curvlinops' Hessian as SciPy takes it, and its count of products."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from curvlinops import HessianLinearOperator

        parameters = [p for p in model.parameters() if p.requires_grad]
        inner = HessianLinearOperator(
            model, nn.CrossEntropyLoss(), parameters, [(x, y)], check_deterministic=False
        ).to_scipy()
    products = [0]

    def multiply(vector: np.ndarray) -> np.ndarray:
        products[0] += 1
        return inner.matvec(vector.astype(np.float32))

    return LinearOperator(inner.shape, matvec=multiply, dtype=np.float32), products


def markdown(table: pd.DataFrame) -> str:
    """A row for each question and tool: largest and median error over the networks, and products."""
    lines = ["| question | tool | largest error | median error | products, median | most |", "| --- " * 6 + "|"]
    for (question, tool), rows in table.groupby(["question", "tool"], sort=False):
        rows = rows.dropna()
        tool = tool if len(rows) == len(NETWORKS) else f"{tool} ({len(rows)} of {len(NETWORKS)})"
        lines.append(
            f"| {question} | {tool} | {rows.error.max():.0e} | {rows.error.median():.0e} | "
            f"{rows.products.median():.0f} | {rows.products.max()} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--from-csv", action="store_true", help="print the table of what was measured")
    if not parser.parse_args().from_csv:
        rows = [row for name in tqdm(NETWORKS) for row in measured(name)]
        found = pd.DataFrame(rows)
        order = {question: at for at, question in enumerate(("largest", f"{K} largest", "smallest", "trace"))}
        found = found.sort_values("question", key=lambda column: column.map(order), kind="stable")
        found.to_csv(RESULTS, index=False, lineterminator="\n", float_format="%.3g")
    print(markdown(pd.read_csv(RESULTS)))


if __name__ == "__main__":
    main()
