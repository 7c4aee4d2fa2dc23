"""The Hessian of a network's mean loss over a set of images: products, eigenvalues, trace, spectral density."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from rdr_core.errors import RdrError
from rdr_core.own_settings import own_settings
from rdr_core.plain import plain_numbers
from rdr_core.shapes import Float, Shaped
from rdr_core.training.inference import Inputs
from rdr_viz.analysis.curvature.density import broaden, grid_over, spectra
from rdr_viz.analysis.curvature.eigenvalues import extreme_eigenpairs
from rdr_viz.analysis.curvature.estimates import Eigenvalues, HowMade, SpectralDensity, Trace
from rdr_viz.analysis.curvature.inputs import (
    as_floats,
    check_last_batch,
    check_options,
    class_labels,
    cross_entropy,
    frozen_copy,
    loss_name,
)
from rdr_viz.analysis.curvature.krylov import NOT_FINITE
from rdr_viz.analysis.curvature.layers import quick_twice
from rdr_viz.analysis.curvature.operator import MEMORY, HessianProducts
from rdr_viz.analysis.curvature.probes import Known, Probes
from rdr_viz.analysis.curvature.trace import PILOT, estimate_trace, mean_cosine, quadratic_forms, standard_error
from rdr_viz.analysis.curvature.trust import check_repeats, check_symmetric, random_layer


class Hessian:
    """Curvature of the mean loss over all the images given, not over one batch of them.

    It copies the model as it is now: the model itself keeps its mode, running statistics, gradients and
    ``requires_grad``, and training it further does not change what is computed here. The Hessian is with respect to
    the parameters with ``requires_grad``.

    Args:
        model: images -> logits, or other outputs that the loss takes.
        images: (N, ...) float, normalised as the network takes them, without random augmentation; or
            :class:`~rdr_core.training.inference.Inputs`, of which a batch at a time is in memory.
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

    The first product is preceded by four that check whether products are a Hessian's: one twice, and one vector times
    another's product both ways (:mod:`rdr_viz.analysis.curvature.trust`).

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
        images: Float[Tensor, "N ..."] | Inputs,
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
        check_options(mode, backend, dtype, batch_size)
        images, labels = as_floats(images), torch.as_tensor(labels)
        if loss is None:
            labels, counted = class_labels(labels)
            if backend == "pyhessian" and counted < len(labels):
                raise RdrError("PyHessian counts ignored labels (-100) in its mean; leave those images out.")
        else:
            counted = len(labels)
        if device is None:
            device = next((p.device for p in model.parameters()), torch.device("cpu"))
        self.mode, self.backend, self.seed, self.batch_size = mode, backend, seed, batch_size
        self.loss_name = "cross-entropy" if loss is None else loss_name(loss)
        self._model = frozen_copy(model, mode, dtype, device)
        if backend == "rdr":
            quick_twice(self._model)
        self._images, self._dtype, self._device = images.to(device, dtype), dtype, torch.device(device)
        self._loss = loss or cross_entropy
        self._products = HessianProducts(
            self._model, self._images, labels.to(device), self._loss, batch_size, memory, counted
        )
        self._counted, self._trusted = counted, False
        if mode == "train":
            check_last_batch(self._model, self._images, batch_size)

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
            from rdr_viz.analysis.curvature.pyhessian_backend import pyhessian_eigenvalues

            batches = list(self._products.batches())
            values, rows = pyhessian_eigenvalues(
                self._model, batches, self._loss, k, which, tolerance, budget, self.seed
            )
            # It gives no residuals, and has been seen to stop where it was far from any eigenvalue.
            images = torch.stack([self._products(row) for row in rows])
            residuals = (images - torch.from_numpy(values).to(rows)[:, None] * rows).norm(dim=1).double().cpu().numpy()
            converged = bool((residuals <= tolerance * np.abs(values)).all())
            return Eigenvalues(values, residuals, None, 0, converged, self._how(started))
        made = self.products
        with self._products.counted(progress, "eigenvalues") as product:
            start = self._vector(self._draw("start").standard_normal(self.parameters))
            pairs = extreme_eigenpairs(
                product, start, k=k, which=which, tolerance=tolerance, budget=budget, dtype=self._dtype
            )
        return Eigenvalues(
            pairs.values, pairs.residuals, pairs.vectors.cpu().numpy() if vectors else None, self.products - made,
            pairs.converged, self._how(started), pairs.spare,
        )  # fmt: skip

    @plain_numbers
    def trace(
        self,
        relative_error: float = 0.03,
        *,
        probes: int | None = None,
        maximum: int = 1000,
        deflate: Eigenvalues | None = None,
        progress: bool = False,
    ) -> Trace:
        """The trace, to a standard error of ``relative_error`` of its size.

        Args:
            relative_error: standard error wanted (default 0.03: the issue's and the usual accuracy of such tables).
            probes: exactly this many probes instead; the same ones for every set of images with the same P and seed, so
                that without ``deflate`` the traces of parts add up to that of the whole exactly.
            maximum: the largest number of probes; a trace near 0 cannot reach a relative error.
            deflate: what :meth:`eigenvalues` gave: the eigenvectors that it came by (10 or k) are taken out of the
                probes, which makes them vary less and the result no less right, exact eigenvectors or not.
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
            from rdr_viz.analysis.curvature.pyhessian_backend import pyhessian_trace

            samples = pyhessian_trace(
                self._model, list(self._products.batches()), self._loss, relative_error, maximum, self.seed
            )
            value, error = float(samples.mean()), standard_error(samples)
            # It stops where its mean changes little, which says nothing of its error.
            return Trace(value, error, len(samples), samples, 0.0, len(samples), error <= relative_error * abs(value),
                         self._how(started))  # fmt: skip
        if self.parameters <= (PILOT if probes is None else probes):  # no probe is needed
            with self._products.counted(progress, "trace") as product:
                value = float(product(self._vector(np.eye(self.parameters))).trace())
            return Trace(value, 0.0, 0, np.zeros(0), value, self.products - made, True, self._how(started))
        with self._products.counted(progress, "trace") as product:
            known = Known.of(product, self._basis(deflate))
            exact = float(known.values.sum())
            sample = quadratic_forms(product, Probes(self._draw("trace"), known), self._products.width)
            found = estimate_trace(
                sample, relative_error=relative_error, exact_part=exact, probes=probes, maximum=maximum
            )
        return Trace(found.value, found.standard_error, len(found.samples), found.samples, exact,
                     self.products - made, found.converged, self._how(started))  # fmt: skip

    @plain_numbers
    def spectral_density(
        self, probes: int = 10, *, steps: int = 60, deflate: Eigenvalues | None = None, progress: bool = False
    ) -> SpectralDensity:
        """The density of the eigenvalues by stochastic Lanczos quadrature.

        Args:
            probes: random start vectors (default 10: fewer leave the bulk's shape to chance).
            steps: Lanczos steps of each (default 60); ``probes * steps`` products in all.
            deflate: what :meth:`eigenvalues` gave: the eigenvectors that it came by have their weight of 1/P each, and
                only the rest is left to chance; without, an outlier's weight is off by its own size.
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
        with self._products.counted(progress, "density") as product:
            known = Known.of(product, self._basis(deflate)).eigenvectors()
            seen = spectra(
                product, Probes(self._draw("density"), known), probes, steps, self._side_by_side(steps), self._dtype
            )
        (low, residual_low), (high, residual_high) = seen.smallest, seen.largest
        grid, sigma = grid_over(low, high)
        with own_settings():  # tails underflow
            density = broaden(seen.nodes, seen.weights / probes, sigma, grid)
        means = self.parameters * (seen.nodes * seen.weights).sum(axis=1)
        return SpectralDensity(
            grid=grid, density=density, nodes=seen.nodes, weights=seen.weights,
            sigma=float(sigma), lambda_min=float(low), lambda_max=float(high), residual_min=float(residual_low),
            residual_max=float(residual_high), trace=float(means.mean()),
            trace_standard_error=standard_error(means, mean_cosine(seen.cosines)),
            products=self.products - made, how=self._how(started),
        )  # fmt: skip

    def _trust(self) -> None:
        """Once, before the first product is given out."""
        if not self._trusted:
            with own_settings():
                self._check_products()
            self._trusted = True

    def _check_products(self) -> None:
        vector, dtype = self._vector(self._draw("trust").standard_normal(self.parameters)), self._dtype
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

    def _basis(self, found: Eigenvalues | None) -> Float[Tensor, "P j"]:
        """What is to be taken out of probes, without columns where there is nothing."""
        if found is None or found.near is None:
            return self._vector(np.zeros((self.parameters, 0)))
        if len(found.near) != self.parameters:
            raise RdrError(
                f"The eigenvalues given are of a Hessian of {len(found.near)} parameters, this one has "
                f"{self.parameters}; give what this Hessian's own eigenvalues() returned."
            )
        return found.near.to(self._vector(np.zeros(0)))

    def _side_by_side(self, steps: int) -> int:
        """How many Krylov spaces of so many steps to fill at a time: as many as their products and memory allow."""
        each = 8 * self.parameters * (steps + 1)
        return max(1, min(self._products.width, self._products.memory // each))

    def _vector(self, values: np.ndarray) -> Tensor:
        """Float64, where vectors are combined: on the model's device if that is a GPU with float64."""
        return torch.from_numpy(values).to(self._device if self._device.type == "cuda" else "cpu")

    def _draw(self, what: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *what.encode()])

    def _how(self, started: float) -> HowMade:
        return HowMade(
            mode="eval" if self.backend == "pyhessian" else self.mode,
            dtype=str(self._dtype).removeprefix("torch."), device=str(self._device),
            images=self._counted, batch_size=self.batch_size, loss=self.loss_name, parameters=self.parameters,
            seed=self.seed, backend=self.backend, seconds=time.perf_counter() - started,
        )  # fmt: skip
