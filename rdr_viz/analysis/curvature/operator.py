"""Hessian-vector products of a mean loss by double backward.

For L(w) = 1/N sum_i l(f(x_i; w), y_i) and a vector v, H v = d/dw <dL/dw, v> (Pearlmutter 1994), summed over batches
that count as many images as they have. Where memory allows, the graph of each batch's gradient is kept while products
are made, so that each product costs one backward pass through it: about two gradients, not three. Where a small
network's pass is mostly overhead, one pass serves several vectors.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from rdr_core.errors import RdrError
from rdr_core.own_settings import own_settings
from rdr_core.shapes import Float, Shaped
from rdr_core.training.inference import Inputs

#: Bytes that kept graphs may take in all.
MEMORY = 2**30
#: Vectors that one backward pass serves at most: more gain little.
WIDEST = 16


class HessianProducts:
    """``products(v)`` is H v, and ``products(rows)`` that of each row; counts them in ``made``.

    Attributes:
        width: how many rows are best given at once: 1 but inside :meth:`many`, where a pass may serve several.

    Args:
        model: images -> logits, in the mode wanted, on the images' device. Its forward pass must not be random.
        images, labels: the set; labels are whatever the loss takes.
        loss: (outputs, labels) -> (B,) losses.
        batch_size: images a pass.
        memory: bytes that kept graphs may take (default 1 GiB); 0 keeps none.
        counted: what the sum of losses is divided by (default: the images).

    Raises:
        RdrError: no trainable parameter, no image that counts, or losses that are not one of each image.

    Example:
        >>> cross_entropy = nn.CrossEntropyLoss(reduction="none")
        >>> products = HessianProducts(nn.Linear(1, 2, bias=False), torch.ones(3, 1), torch.tensor([0, 1, 1]),
        ...                            cross_entropy, batch_size=2)
        >>> products(torch.ones(2)).abs().max() < 1e-6   # equal shifts of all logits change nothing
        tensor(True)
    """

    def __init__(
        self,
        model: nn.Module,
        images: Float[Tensor, "N ..."] | Inputs,
        labels: Shaped[Tensor, "N ..."],
        loss: Callable[[Tensor, Tensor], Tensor],
        batch_size: int,
        memory: int = MEMORY,
        counted: int | None = None,
    ) -> None:
        self.model, self.loss, self.memory = model, loss, memory
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        if not self.parameters:
            raise RdrError("The model has no parameter with requires_grad, so no Hessian; unfreeze some.")
        if not len(labels) or len(images) != len(labels):
            raise RdrError(f"A Hessian needs images and a label for each, not {len(images)} and {len(labels)}.")
        self.total = len(labels) if counted is None else counted
        if not self.total:
            raise RdrError(f"None of the {len(labels)} labels counts: all of them are -100, which the loss ignores.")
        self._images, self._labels = images, labels
        self._places = [slice(start, start + batch_size) for start in range(0, len(labels), batch_size)]
        self.sizes = [p.numel() for p in self.parameters]
        self.size = sum(self.sizes)
        self.made, self.width = 0, 1
        self._kept: list[tuple[Tensor, ...]] | None = None

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Images and labels of each batch, one in memory at a time."""
        return ((self._images[place], self._labels[place]) for place in self._places)

    def mean_loss(self) -> float:
        """L itself, summed up in float64."""
        with torch.no_grad():
            return float(sum(self._losses(*batch).double().sum() for batch in self.batches())) / self.total

    def gradient(self) -> Float[Tensor, "P"]:
        """dL/dw, flat."""
        return self._sum(_flat(self._gradient(*batch, create_graph=False)) for batch in self.batches())

    def __call__(self, vector: Float[Tensor, "P"] | Float[Tensor, "n P"]) -> Float[Tensor, "P"] | Float[Tensor, "n P"]:
        """H v, flat, in the parameters' type and on their device; of rows, that of each."""
        if vector.dim() == 2:
            return self._of_rows(vector)
        like = self.parameters[0]
        parts = vector.to(like).split(self.sizes)
        direction = tuple(part.view_as(p) for part, p in zip(parts, self.parameters, strict=True))
        self.made += 1
        if self._kept is not None:
            return self._sum(self._backward(gradient, direction, retain=True) for gradient in self._kept)
        fresh = (self._gradient(*batch, create_graph=True) for batch in self.batches())
        return self._sum(self._backward(gradient, direction, retain=False) for gradient in fresh)

    @contextmanager
    def many(self) -> Iterator[HessianProducts]:
        """Inside, the batches' graphs are kept if they fit in ``memory``; the weights must not change meanwhile."""
        kept: list[tuple[Tensor, ...]] = []
        used = 0
        for images, labels in self.batches():
            # What one batch takes is known only once it is built; its size bounds that of the others.
            if used and used / len(kept) * len(self._places) > self.memory:
                break
            with _saved_bytes() as counted:
                kept.append(self._gradient(images, labels, create_graph=True))
            used += counted[0]
        self._kept = kept if len(kept) == len(self._places) and used <= self.memory else None
        del kept
        if self._kept is not None:
            self.width = max(1, min(WIDEST, self.memory // max(used, 1)))
        try:
            yield self
        finally:
            self._kept, self.width = None, 1

    @contextmanager
    def counted(self, progress: bool, what: str) -> Iterator[Callable[[Tensor], Tensor]]:
        """Inside :meth:`many`, what gives products in the type of its vectors, with a bar that counts them.

        Args:
            progress: whether to show the bar.
            what: said beside it.
        """
        from tqdm.auto import tqdm

        with own_settings(), self.many(), tqdm(desc=what, unit="product", disable=not progress) as bar:

            def product(vector: Tensor) -> Tensor:
                bar.update(len(vector) if vector.dim() == 2 else 1)
                return self(vector).to(vector)

            yield product

    def _of_rows(self, rows: Float[Tensor, "n P"]) -> Float[Tensor, "n P"]:
        kept = self._kept
        if kept is None or self.width == 1 or len(rows) == 1:
            return torch.stack([self(row) for row in rows])
        if len(rows) > self.width:
            return torch.cat([self._of_rows(some) for some in rows.split(self.width)])
        parts = rows.to(self.parameters[0]).split(self.sizes, dim=1)
        directions = tuple(part.view(-1, *p.shape) for part, p in zip(parts, self.parameters, strict=True))
        try:
            with warnings.catch_warnings():
                # So PyTorch says that it does an operation for one vector after the other.
                warnings.filterwarnings("error", message="There is a performance drop")
                found = self._sum(self._backward(gradient, directions, retain=True, rows=True) for gradient in kept)
        except (RuntimeError, UserWarning):  # an operation for one vector alone, or too little memory
            self.width = 1
            return self._of_rows(rows)
        self.made += len(rows)
        return found

    def _gradient(self, images: Tensor, labels: Tensor, *, create_graph: bool) -> tuple[Tensor, ...]:
        # Of attention's ways of computing only the plain one can be differentiated twice.
        with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
            return torch.autograd.grad(
                self._losses(images, labels).sum() / self.total, self.parameters, create_graph=create_graph,
                materialize_grads=True,
            )  # fmt: skip

    def _losses(self, images: Tensor, labels: Tensor) -> Float[Tensor, "B"]:
        """Of each image of a batch."""
        outputs = self.model(images)
        try:
            losses = self.loss(outputs, labels)
        except (TypeError, AttributeError, IndexError) as error:
            raise RdrError(
                f"The loss can't take the model's outputs (of type {type(outputs).__name__}) and these labels: "
                f"{error}. Give loss=, a function of both."
            ) from error
        if losses.shape != labels.shape[:1]:
            raise RdrError(
                f"The loss must give one number for each of {len(labels)} images, not shape {tuple(losses.shape)}; "
                "use reduction='none'."
            )
        return losses

    def _backward(
        self, gradient: tuple[Tensor, ...], direction: tuple[Tensor, ...], *, retain: bool, rows: bool = False
    ) -> Tensor:
        pairs = [(g, v) for g, v in zip(gradient, direction, strict=True) if g.requires_grad]
        if not pairs:  # a loss that is linear in every weight
            shape = (len(direction[0]), self.size) if rows else (self.size,)
            return direction[0].new_zeros(shape)
        outputs, vectors = zip(*pairs, strict=True)
        several = torch.autograd.grad(
            outputs, self.parameters, vectors, retain_graph=retain, allow_unused=True, is_grads_batched=rows
        )
        # Of a weight that nothing depends on, PyTorch would give one row of zeros where several are asked for.
        found = [torch.zeros_like(v) if part is None else part for part, v in zip(several, direction, strict=True)]
        return torch.cat([part.detach().flatten(1) for part in found], dim=1) if rows else _flat(found)

    def _sum(self, parts: Iterator[Tensor]) -> Tensor:
        result = next(parts)
        for part in parts:
            result = result + part
        return result


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


@contextmanager
def _saved_bytes() -> Iterator[list[int]]:
    """``[bytes]`` of the distinct tensors that autograd saves inside."""
    counted, seen = [0], set()

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            seen.add(storage.data_ptr())
            counted[0] += storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield counted
