"""Whether products are a Hessian's: the same at every call, and symmetric. Checked once, before any is believed.

Lanczos and Hutchinson take both for granted. Where a network draws random numbers, or an operation's second derivative
is wrong, they return numbers that look like any others.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from rdr_core.errors import RdrError
from rdr_core.shapes import Float
from rdr_core.training.inference import Inputs

#: By the products' type: what rounding may change of a product from call to call, and of a symmetric form, relatively.
#: Measured on a CPU: at most 2.3e-5 and 7.4e-15, of ResNet-32; test_trust.py asks for a twentieth of these bounds.
ALLOWED = {torch.float32: 1e-3, torch.float64: 1e-9}
#: Images by which the layer that is random is looked for.
FEW = 32


def check_repeats(first: Float[Tensor, "P"], again: Float[Tensor, "P"], dtype: torch.dtype) -> bool:
    """Whether two products with one vector are the same but for rounding.

    Example:
        >>> check_repeats(torch.ones(2), torch.tensor([1.0, 1.1]), torch.float32)
        False
    """
    return bool((first - again).norm() <= ALLOWED[dtype] * first.norm())


def check_symmetric(
    product: Callable[[Float[Tensor, "P"]], Float[Tensor, "P"]], image: Float[Tensor, "P"], dtype: torch.dtype
) -> None:
    """Compare u.Hv with v.Hu; two products.

    Args:
        product: v -> Hv.
        image: the product of a random vector: it and its own product are u and v, since random vectors themselves lie
            nearly all outside what a Hessian of low rank sees, and their forms drown in rounding.
        dtype: that products are computed in.

    Raises:
        RdrError: they differ by more than rounding makes.

    Example:
        >>> matrix = torch.tensor([[0.0, 1.0], [1.0, -2.0]])
        >>> check_symmetric(lambda v: matrix @ v, torch.ones(2), torch.float32)
    """
    if not image.norm():
        return
    v = image / image.norm()
    of_v = product(v)
    if not of_v.norm():
        return
    u = of_v / of_v.norm()
    one, other = float(u @ of_v), float(v @ product(u))
    if not abs(one - other) <= ALLOWED[dtype] * abs(one):
        raise RdrError(
            f"These products are not a Hessian's: u.Hv is {one:.4g} and v.Hu is {other:.4g} for the same two vectors. "
            "An operation of the network or the loss has a wrong second derivative; a torch.autograd.Function of your "
            "own is the usual cause."
        )


def random_layer(model: nn.Module, images: Float[Tensor, "B ..."] | Inputs) -> str | None:
    """Name and type of the first layer that gives two outputs for one input; None where none does.

    Example:
        >>> random_layer(nn.Sequential(nn.Linear(2, 2), nn.Dropout()), torch.ones(9, 2))
        "'1' (Dropout)"
    """
    seen: list[list[tuple[str, list[Tensor], list[Tensor]]]] = [[], []]
    names = {module: name for name, module in model.named_modules()}
    for passed in seen:

        def note(module: nn.Module, given: object, made: object, passed=passed) -> None:
            passed.append((names[module], *([x.detach().clone() for x in tree_leaves(of) if isinstance(x, Tensor)]
                                            for of in (given, made))))  # fmt: skip

        hooks = [module.register_forward_hook(note) for module in names]
        try:
            with torch.no_grad():
                model(images[:FEW])
        finally:
            for hook in hooks:
                hook.remove()
    for (name, given, made), (_, given_again, made_again) in zip(*seen, strict=False):
        same = all(map(torch.equal, given, given_again))
        if same and not all(map(torch.equal, made, made_again)):
            kind = type(model.get_submodule(name)).__name__
            return f"'{name}' ({kind})" if name else f"the network's own forward ({kind})"
    return None
