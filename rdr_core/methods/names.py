"""Methods as readers know them, and the order in which tables and pictures list them.

A method is a sum of parts (``"rdr+la+sam"``): how the loss is weighted, which is its base; a flatness-seeking
optimizer; and what is done later in its run, or after it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rdr_core.visible import NAME, visible

#: Base methods in the order in which they are listed, as readers know them.
BASES: dict[str, str] = {
    "ce": "CE",
    "focal": "Focal",
    "cb": "CB",
    "la": "LA",
    "balanced_softmax": "BalSoftmax",
    "vs": "VS",
    "ldam": "LDAM",
    "seesaw": "Seesaw",
    "las": "LAS",
    "sade": "SADE",
    "cdb": "CDB",
    "ib": "IB",
    "ilr": "ILR",
    "inverse": "1/n",
    "rdr": "RDR",
    "rdr+la": "RDR+LA",
}
#: What is done to the data: part of the base, since another base trains on other visits.
DATA: dict[str, str] = {
    "balanced_sampling": "balanced",
    "sqrt_sampling": "square root",
    "progressive_sampling": "progressive",
    "oversampling": "over-sampled",
    "undersampling": "under-sampled",
    "mixup": "mixup",
    "remix": "Remix",
}
OPTIMIZERS: dict[str, str] = {
    "sam": "SAM",
    "imbsam": "ImbSAM",
    "ccsam": "CC-SAM",
    "focalsam": "Focal-SAM",
    "muon": "Muon",
}
#: What is done to a method later in its run, or after it.
LATER: dict[str, str] = {
    "drw": "DRW",
    "crt": "cRT",
    "lws": "LWS",
    "taunorm": "τ-norm",
    "posthoc": "post-hoc",
    "agreement": "agreement (transductive)",
}

_SHORT = BASES | DATA
_GREEK = {"gamma": "γ", "tau": "τ", "beta": "β", "alpha": "α", "rho": "ρ", "lambda": "λ", "momentum": "m"}


class Pieces(NamedTuple):
    """A method taken apart.

    Attributes:
        base: the parts that are neither of the next two, joined; cross-entropy goes without saying.
        optimizers: names of :data:`OPTIMIZERS`.
        later: names of :data:`LATER`.
        options: as ``"γ=0.5"``.
    """

    base: str
    optimizers: tuple[str, ...]
    later: tuple[str, ...]
    options: tuple[str, ...]


def pieces_of(method: str) -> Pieces:
    """A canonical method name taken apart; names that nobody has listed are part of the base.

    A ``+`` inside a number (``1e+3``) does not split, and a preset goes by its name alone: ``"rdr:preset=released"`` is
    RDR (released).

    Example:
        >>> pieces_of("rdr:gamma=0.5+la+sam")
        Pieces(base='rdr+la', optimizers=('sam',), later=(), options=('γ=0.5',))
    """
    names, options = [], []
    for part in re.split(r"\+(?=[^\d])", method):
        name, _, rest = part.partition(":")
        names.append(name)
        for option in filter(None, rest.split(",")):
            key, equals, value = option.partition("=")
            options.append(value if key == "preset" else _GREEK.get(key, key) + equals + value)
    base = [name for name in names if name not in OPTIMIZERS and name not in LATER and name != "ce"]
    return Pieces(
        "+".join(base) or "ce",
        tuple(name for name in names if name in OPTIMIZERS),
        tuple(name for name in names if name in LATER),
        tuple(options),
    )


def method_label(method: str) -> str:
    """A method as readers know it; any name gets a label, without what is not seen and not longer than a line.

    Example:
        >>> method_label("inverse"), method_label("rdr:gamma=0.5+la"), method_label("sam")
        ('1/n', 'RDR+LA (γ=0.5)', 'SAM')
    """
    base, optimizers, later, options = pieces_of(method)
    label = BASES.get(base) or "+".join(_SHORT.get(part, part) for part in base.split("+"))
    if optimizers:
        shown = [OPTIMIZERS[name] for name in optimizers]
        label = "+".join(shown if base == "ce" else [label, *shown])
    label = "+".join([label, *(LATER[name] for name in later)])
    return visible(f"{label} ({', '.join(options)})" if options else label, NAME)


def method_order(method: str) -> tuple[int, int, str]:
    """Sort key: the listed methods in their order, each followed by its variants, unlisted names last.

    Example:
        >>> sorted(["zebra", "rdr+sam", "rdr", "ce"], key=method_order)
        ['ce', 'rdr', 'rdr+sam', 'zebra']
    """
    base, optimizers, later, _ = pieces_of(method)
    bases, known = list(BASES), [*OPTIMIZERS, *LATER]
    at = bases.index(base) if base in bases else len(bases)
    return at, max((known.index(name) + 1 for name in (*optimizers, *later)), default=0), method
