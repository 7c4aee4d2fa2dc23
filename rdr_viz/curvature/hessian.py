"""The Hessian of a network's mean loss over a set of images: products, eigenvalues, trace, spectral density."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rdr_core.errors import RdrError
from rdr_core.own_settings import own_settings
from rdr_core.plain import plain_numbers
from rdr_core.shapes import Float, Shaped
from rdr_viz.curvature.density import broaden, fill, grid_over, quadrature
from rdr_viz.curvature.eigenvalues import extreme_eigenpairs
from rdr_viz.curvature.inputs import check_last_batch, class_labels, frozen_copy
from rdr_viz.curvature.krylov import NOT_FINITE, Krylov
from rdr_viz.curvature.layers import quick_twice
from rdr_viz.curvature.operator import MEMORY, HessianProducts
from rdr_viz.curvature.results import Eigenvalues, HowMade, SpectralDensity, Trace
from rdr_viz.curvature.trace import PILOT, estimate_trace, mean_cosine, standard_error
from rdr_viz.curvature.trust import check_repeats, check_symmetric, random_layer

MODES = ("eval", "train")
BACKENDS = ("rdr", "pyhessian")


class Hessian:
    """Curvature of the mean loss over all the images given, not over one batch of them.

    It takes a copy of the model as it is now: the model itself keeps its mode, running statistics, gradients and
    ``requires_grad``, whatever happens, and training it on does not change what is computed here. The Hessian is by
    the parameters with ``requires_grad``.

    Args:
        model: images -> logits, or other outputs that the loss takes.
        images: (N, ...) float, normalised as the network takes them, without random augmentation.
        labels: (N, ...) whatever the loss takes. With cross-entropy (N,) integers, where -100 leaves an image out of
            the mean, or (N, d) probabilities.
        loss: (outputs, labels) -> (N,) losses (default: cross-entropy, without weights).
        batch_size: images a pass; the last batch may be shorter, each counts by its images (default 500).
        mode: ``"eval"``, BatchNorm with its running statistics, or ``"train"``, with each batch's own, so that the
            result depends on ``batch_size``. One network's lambda_max was 295 in one and 8 in the other. Everything
            else is in evaluation mode in both, so that nothing is random.
        dtype: of the products: ``torch.float32`` or ``torch.float64``. Vectors are combined in float64 in any case.
        device: where (default: where the model's parameters are).
        seed: of start vectors and probes, drawn from private generators: the same on every call.
        backend: ``"rdr"``, or ``"pyhessian"`` for PyHessian's figures, to repeat others' (eigenvalues and trace).
        memory: bytes that graphs kept between products may take (default 1 GiB).

    The first product of all is preceded by four that say whether products are a Hessian's: one twice, and one vector
    by another's product both ways (:mod:`rdr_viz.curvature.trust`).

    Raises:
        RdrError: an unknown mode, dtype or backend; no images; a model without trainable parameters or that cannot be
            copied; labels that the loss can't take. By the first product: a network that is random, or products that
            are no Hessian's.

    Example:
        >>> network = nn.Linear(2, 3)
        >>> images, labels = torch.eye(2).repeat(4, 1), torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
        >>> hessian = Hessian(network, images, labels, dtype=torch.float64)
        >>> top = hessian.eigenvalues(which="largest")
        >>> bool(top.largest > 0 and top.residuals[0] < 1e-6)
        True
    """

    @plain_numbers
    def __init__(
        self,
        model: nn.Module,
        images: Float[Tensor, "N ..."],
        labels: Shaped[Tensor, "N ..."],
        *,
        loss: Callable[[Tensor, Tensor], Tensor] | None = None,
        batch_size: int = 500,
        mode: str = "eval",
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
        seed: int = 0,
        backend: str = "rdr",
        memory: int = MEMORY,
    ) -> None:
        if mode not in MODES:
            raise RdrError(f"mode={mode!r} is not 'eval' or 'train'.")
        if backend not in BACKENDS:
            raise RdrError(f"backend={backend!r} is not 'rdr' or 'pyhessian'.")
        if dtype not in (torch.float32, torch.float64):
            raise RdrError(f"dtype={dtype} is not torch.float32 or torch.float64; a Hessian needs at least float32.")
        if batch_size < 1:
            raise RdrError(f"batch_size={batch_size} must be at least 1.")
        images, labels = torch.as_tensor(images), torch.as_tensor(labels)
        if not torch.is_floating_point(images):
            raise RdrError(f"images are {images.dtype}; give them as the network takes them, normalised floats.")
        if loss is None:
            labels, counted = class_labels(labels)
            if backend == "pyhessian" and counted < len(labels):
                raise RdrError("PyHessian counts ignored labels (-100) in its mean; leave those images out.")
        else:
            counted = len(labels)
        if device is None:
            device = next((p.device for p in model.parameters()), torch.device("cpu"))
        self.mode, self.backend, self.seed, self.batch_size = mode, backend, seed, batch_size
        self.loss_name = "cross-entropy" if loss is None else _name(loss)
        self._model = frozen_copy(model, mode, dtype, device)
        if backend == "rdr":
            quick_twice(self._model)
        self._images = images.detach().to(device=device, dtype=dtype)
        self._loss = loss or _cross_entropy
        self._products = HessianProducts(
            self._model, self._images, labels.to(device), self._loss, batch_size, memory, counted
        )
        self._counted, self._trusted = counted, False
        if mode == "train":
            check_last_batch(self._model, self._images, batch_size)
        self._near: Tensor | None = None  # (P, j), orthonormal, near eigenvectors
        self._quotients: np.ndarray | None = None  # (2, j): u^T H u of each, and its residual as an eigenvalue

    @property
    def parameters(self) -> int:
        """P, the Hessian's size."""
        return self._products.size

    @property
    def products(self) -> int:
        """Hessian-vector products made so far."""
        return self._products.made

    def hvp(self, vector: Float[Tensor, "P"]) -> Float[Tensor, "P"]:
        """H v, flat, parameters in the order of ``model.parameters()``; in the Hessian's dtype, on its device."""
        if vector.shape != (self.parameters,):
            raise RdrError(f"The vector has shape {tuple(vector.shape)}; it must be ({self.parameters},).")
        self._trust()
        with own_settings():
            return self._products(vector)

    def mean_loss(self) -> float:
        """The mean loss itself, whose Hessian this is: of the same weights, images and mode; summed up in float64."""
        with own_settings():
            return self._products.mean_loss()

    def gradient(self) -> Float[Tensor, "P"]:
        """Gradient of the mean loss, flat like :meth:`hvp`."""
        with own_settings():
            return self._products.gradient()

    @plain_numbers
    def eigenvalues(
        self,
        k: int = 1,
        which: str = "largest",
        *,
        tolerance: float = 1e-4,
        budget: int = 1000,
        vectors: bool = False,
        progress: bool = False,
    ) -> Eigenvalues:
        """The k largest or smallest eigenvalues by value, or k at each end.

        Args:
            k: how many at an end.
            which: ``"largest"``, ``"smallest"`` or ``"both"``. The smallest lies near the bulk, so it takes more.
            tolerance: residual wanted, relative to the eigenvalue; an eigenvalue is at least that near, in practice
                much nearer (its error goes with the residual's square). Single-precision products leave
                about 1e-6 of the largest eigenvalue.
            budget: products in all; when they are spent, the best found so far is returned, with its residual.
            vectors: return the eigenvectors too.
            progress: a bar that counts products.

        Raises:
            RdrError: an unknown ``which``, a k that does not fit, a product that is not finite.
        """
        started = time.perf_counter()
        self._trust()
        if self.backend == "pyhessian":
            from rdr_viz.curvature.pyhessian_backend import pyhessian_eigenvalues

            values, rows = pyhessian_eigenvalues(self._model, self._batches(), self._loss, k, which, tolerance, budget,
                                                 self.seed)  # fmt: skip
            # It gives no residuals, and has been seen to stop where it was far from any eigenvalue.
            images = torch.stack([self._products(row) for row in rows])
            residuals = (images - torch.from_numpy(values).to(rows)[:, None] * rows).norm(dim=1).double().cpu().numpy()
            converged = bool((residuals <= tolerance * np.abs(values)).all())
            return Eigenvalues(values, residuals, None, 0, converged, self._how(started))
        made = self.products
        with self._many(progress, "eigenvalues") as product:
            start = self._vector(self._draw("start").standard_normal(self.parameters))
            pairs = extreme_eigenpairs(
                product, start, k=k, which=which, tolerance=tolerance, budget=budget, dtype=self._images.dtype
            )
        if self._near is None or pairs.spare.shape[1] >= self._near.shape[1]:
            self._near, self._quotients = pairs.spare, None
        return Eigenvalues(
            pairs.values, pairs.residuals, pairs.vectors.cpu().numpy() if vectors else None, self.products - made,
            pairs.converged, self._how(started),
        )  # fmt: skip

    @plain_numbers
    def trace(
        self,
        relative_error: float = 0.03,
        *,
        probes: int | None = None,
        maximum: int = 1000,
        deflate: bool = True,
        progress: bool = False,
    ) -> Trace:
        """The trace, to a standard error of ``relative_error`` of its size.

        Args:
            relative_error: standard error wanted (default 0.03: the issue's and the usual accuracy of such tables).
            probes: just so many probes instead; the same ones for every set of images with the same P and seed, so
                that with ``deflate=False`` the traces of parts add up to that of the whole exactly.
            maximum: no more probes than so many; a trace near 0 cannot be had to a relative error.
            deflate: take the eigenvectors that :meth:`eigenvalues` came by (10 or k) out of the probes, which makes
                them vary less and the result no less right, exact eigenvectors or not.
            progress: a bar that counts products.

        With no more parameters than probes the trace is summed up exactly, by a product for each of them.
        """
        if not relative_error > 0 or maximum < 2 or (probes is not None and probes < 2):
            raise RdrError(
                f"relative_error={relative_error} must be above 0, maximum={maximum} and probes={probes} at least 2."
            )
        started = time.perf_counter()
        self._trust()
        made = self.products
        if self.backend == "pyhessian":
            from rdr_viz.curvature.pyhessian_backend import pyhessian_trace

            samples = pyhessian_trace(self._model, self._batches(), self._loss, relative_error, maximum, self.seed)
            value, error = float(samples.mean()), standard_error(samples)
            # It stops where its mean changes little, which says nothing of its error.
            return Trace(value, error, len(samples), samples, 0.0, len(samples), error <= relative_error * abs(value),
                         self._how(started))  # fmt: skip
        if self.parameters <= (PILOT if probes is None else probes):  # no probe is needed
            with self._many(progress, "trace") as product:
                value = float(product(self._vector(np.eye(self.parameters))).trace())
            return Trace(value, 0.0, 0, np.zeros(0), value, self.products - made, True, self._how(started))
        draw = self._draw("trace")
        with self._many(progress, "trace") as product:
            known, basis, _ = self._deflation(product, deflate)

            previous = basis.new_zeros(1, self.parameters)

            def sample(n: int) -> tuple[np.ndarray, np.ndarray]:
                nonlocal previous
                values: list[Tensor] = []
                cosines: list[Tensor] = []
                while len(values) < n:
                    rows = self._probes(draw, min(self._products.width, n - len(values)), basis)
                    images = product(rows)
                    values.extend((rows * images).sum(dim=1))
                    both = torch.cat([previous, images - (images @ basis) @ basis.T])
                    cosines.extend(_squared_cosines(both))
                    previous = both[-1:]
                return torch.stack(values).cpu().numpy(), torch.stack(cosines).cpu().numpy()

            found = estimate_trace(
                sample, relative_error=relative_error, exact_part=float(known.sum()), probes=probes, maximum=maximum
            )
        return Trace(found.value, found.standard_error, len(found.samples), found.samples, float(known.sum()),
                     self.products - made, found.converged, self._how(started))  # fmt: skip

    @plain_numbers
    def spectral_density(
        self, probes: int = 10, *, steps: int = 60, deflate: bool = True, progress: bool = False
    ) -> SpectralDensity:
        """The density of the eigenvalues by stochastic Lanczos quadrature.

        Args:
            probes: random start vectors (default 10: fewer leave the bulk's shape to chance).
            steps: Lanczos steps of each (default 60); ``probes * steps`` products in all.
            deflate: give the eigenvectors that :meth:`eigenvalues` came by their weight of 1/P each, and leave only
                the rest to chance; without, an outlier's weight is off by its own size.
            progress: a bar that counts products.

        Raises:
            RdrError: with the backend ``"pyhessian"``, whose density needs a function that PyTorch has dropped.
        """
        if self.backend == "pyhessian":
            raise RdrError("PyHessian's density always fails (it calls torch.eig); use backend='rdr'.")
        if probes < 1 or steps < 2:
            raise RdrError(f"probes={probes} must be at least 1 and steps={steps} at least 2.")
        started = time.perf_counter()
        self._trust()
        made = self.products
        draw = self._draw("density")
        ends: list[tuple[float, float, float, float]] = []
        with self._many(progress, "density") as product:
            # Only what are eigenvectors may be left out of the rest, or its spectrum is not the rest of the Hessian's.
            known, basis, residuals = self._deflation(product, deflate)
            good = residuals <= 1e-3 * np.abs(known).max(initial=0)
            known, basis, residuals = known[good], basis[:, torch.from_numpy(good)], residuals[good]
            j = len(known)
            share = 1 - j / self.parameters
            nodes, weights = np.zeros((2, probes, j + steps))
            nodes[:, :j], weights[:, :j] = known, 1 / self.parameters

            def rest(rows: Tensor) -> Tensor:
                images = product(rows)
                return images - (images @ basis) @ basis.T

            together = self._side_by_side(steps)
            previous, cosines = basis.new_zeros(self.parameters), []
            for first in range(0, probes if share > 0 else 0, together):
                rows = self._probes(draw, min(together, probes - first), basis)
                spaces = [Krylov(rest, row, steps, self._images.dtype) for row in rows]
                fill(spaces, rest)
                images = torch.stack([previous, *(space.first_image() for space in spaces)])
                cosines.extend(_squared_cosines(images).tolist())
                previous = images[-1]
                for row, space in enumerate(spaces, start=first):
                    found, weight, left = quadrature(space)
                    here = slice(j, j + len(found))
                    nodes[row, here], weights[row, here] = found, share * weight
                    nodes[row, here.stop :] = found[0]
                    ends.append((found[0], left[0], found[-1], left[-1]))
            for value, residual in zip(known, residuals, strict=True):
                ends.append((value, residual, value, residual))
        low, residual_low = min((end[0], end[1]) for end in ends)
        high, residual_high = max((end[2], end[3]) for end in ends)
        grid, sigma = grid_over(low, high)
        with own_settings():  # tails underflow
            density = broaden(nodes, weights / probes, sigma, grid)
        means = self.parameters * (nodes * weights).sum(axis=1)
        return SpectralDensity(
            grid=grid, density=density, nodes=nodes, weights=weights,
            sigma=float(sigma), lambda_min=float(low), lambda_max=float(high), residual_min=float(residual_low),
            residual_max=float(residual_high), trace=float(means.mean()),
            trace_standard_error=standard_error(means, mean_cosine(np.array(cosines))),
            products=self.products - made, how=self._how(started),
        )  # fmt: skip

    def _trust(self) -> None:
        """Once, before the first product is given out."""
        if not self._trusted:
            with own_settings():
                self._check_products()
            self._trusted = True

    def _check_products(self) -> None:
        vector, dtype = self._vector(self._draw("trust").standard_normal(self.parameters)), self._images.dtype
        # Outside `many`, so that each has a forward pass of its own.
        first, again = self._products(vector), self._products(vector)
        if not (first.isfinite().all() and again.isfinite().all()):
            raise RdrError(NOT_FINITE)
        if not check_repeats(first, again, dtype):
            layer = random_layer(self._model, self._images)
            raise RdrError(
                f"The network is random: the same images give other products each time"
                f"{f', by {layer}' if layer else ''}. Switch that off in the network that you give."
            )
        with self._products.many() as products:
            check_symmetric(products, first, dtype)

    def _deflation(self, product: Callable[[Tensor], Tensor], wanted: bool) -> tuple[np.ndarray, Tensor, np.ndarray]:
        """Rayleigh quotients (j,), vectors (P, j), residuals (j,) to take out of probes; j = 0 where there are none."""
        if not wanted or self._near is None:
            return np.zeros(0), self._vector(np.zeros((self.parameters, 0))), np.zeros(0)
        if self._quotients is None:
            images = product(self._near.T.contiguous()).T
            values = (self._near * images).sum(dim=0)
            self._quotients = torch.stack([values, (images - self._near * values).norm(dim=0)]).cpu().numpy()
        return self._quotients[0], self._near, self._quotients[1]

    def _probes(self, draw: np.random.Generator, n: int, basis: Float[Tensor, "P j"]) -> Float[Tensor, "n P"]:
        """Random signs, less what lies along the basis."""
        rows = torch.stack([self._vector(_signs(draw, self.parameters)) for _ in range(n)])
        return rows - (rows @ basis) @ basis.T

    def _side_by_side(self, steps: int) -> int:
        """How many Krylov spaces of so many steps to fill at a time: as many as their products and memory allow."""
        each = 8 * self.parameters * (steps + 1)
        return max(1, min(self._products.width, self._products.memory // each))

    def _vector(self, values: np.ndarray) -> Tensor:
        """Float64, where vectors are combined: on the model's device if that is a GPU with float64."""
        return torch.from_numpy(values).to(self._images.device if self._images.is_cuda else "cpu")

    def _draw(self, what: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *what.encode()])

    def _batches(self) -> list[tuple[Tensor, Tensor]]:
        return self._products.batches

    def _how(self, started: float) -> HowMade:
        return HowMade(
            mode="eval" if self.backend == "pyhessian" else self.mode,
            dtype=str(self._images.dtype).removeprefix("torch."), device=str(self._images.device),
            images=self._counted, batch_size=self.batch_size, loss=self.loss_name, parameters=self.parameters,
            seed=self.seed, backend=self.backend, seconds=time.perf_counter() - started,
        )  # fmt: skip

    @contextmanager
    def _many(self, progress: bool, what: str) -> Iterator[Callable[[Tensor], Tensor]]:
        from tqdm.auto import tqdm

        with own_settings(), self._products.many(), tqdm(desc=what, unit="product", disable=not progress) as bar:

            def product(vector: Tensor) -> Tensor:
                bar.update(len(vector) if vector.dim() == 2 else 1)
                return self._products(vector).to(vector)

            yield product


def _squared_cosines(rows: Float[Tensor, "n P"]) -> Float[Tensor, "m"]:
    """Of each row with the one before; NaN where either is 0."""
    lengths = (rows * rows).sum(dim=1)
    return (rows[1:] * rows[:-1]).sum(dim=1) ** 2 / (lengths[1:] * lengths[:-1])


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels, reduction="none")


def _name(loss: Callable) -> str:
    function = getattr(loss, "func", loss)
    return str(getattr(function, "__name__", type(function).__name__))


def _signs(draw: np.random.Generator, size: int) -> np.ndarray:
    return draw.integers(0, 2, size).astype(np.float64) * 2 - 1
