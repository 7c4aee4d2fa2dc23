"""The processes that train one run together, as ``torchrun`` starts them: each takes its share of every batch.

A run's result does not depend on how many there are, but for rounding: the order of visits, the augmentation and the
batches are functions of the seed; BatchNorm, the weights and the mean of the loss are taken over the whole batch; and
all ranks hold the same state, so a checkpoint is one rank's.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from rdr_core.errors import LostRank, RdrError
from rdr_core.shapes import Float

#: Steps between looks at whether any rank was asked to stop: a look waits for the slowest one.
LOOK_EVERY = 10


class Ranks:
    """This process among those of the run. One alone (the default) talks to nobody.

    Attributes:
        rank: this process's number, from 0.
        size: how many there are.
        batch: samples in the batch under way, over all of them.

    Example:
        >>> ranks = Ranks()
        >>> ranks.take(10), ranks.first, ranks.gather(torch.tensor([1, 2]), 2)
        (slice(0, 10, None), True, tensor([1, 2]))
        >>> Ranks(1, 3).share(10)
        slice(3, 6, None)
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size, self.batch = rank, size, 0

    @property
    def first(self) -> bool:
        """Whether this one writes the run's folder."""
        return self.rank == 0

    def take(self, count: int) -> slice:
        """Begin a batch of ``count`` samples; what is this rank's :meth:`share` of it."""
        self.batch = count
        return self.share(count)

    def share(self, count: int) -> slice:
        """This rank's part of a batch of ``count`` samples: neighbours, as even as can be."""
        return self._share(self.rank, count)

    def _share(self, rank: int, count: int) -> slice:
        return slice(count * rank // self.size, count * (rank + 1) // self.size)

    def gather(self, mine: Float[Tensor, "b ..."], count: int) -> Float[Tensor, "B ..."]:
        """The whole batch's rows from every rank's share of it, without gradient.

        Args:
            mine: this rank's rows, as many as ``share(count)`` has.
            count: B.
        """
        if self.size == 1:
            return mine
        lengths = [len(range(count)[self._share(rank, count)]) for rank in range(self.size)]
        padded = mine.new_zeros(max(lengths), *mine.shape[1:])
        padded[: len(mine)] = mine.detach()
        everyone = [torch.empty_like(padded) for _ in lengths]
        dist.all_gather(everyone, padded)
        return torch.cat([rows[:length] for rows, length in zip(everyone, lengths, strict=True)])

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the ranks, in one message."""
        if self.size == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        for tensor, summed in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(summed.view_as(tensor))

    def any(self, flag: bool) -> bool:
        """Whether any rank says so; waits for all of them."""
        if self.size == 1:
            return flag
        said = torch.tensor(float(flag))
        dist.all_reduce(said, op=dist.ReduceOp.MAX, group=_control())
        return bool(said)

    def wait(self) -> None:
        """Until every rank is here."""
        self.any(False)


_groups: dict[str, dist.ProcessGroup] = {}


def _control() -> dist.ProcessGroup:
    """A group on the CPU, for words between the ranks that must not wait for their GPUs."""
    return _groups["control"]


def launched() -> bool:
    """Whether ``torchrun`` started this process as one of several."""
    return _number("WORLD_SIZE", least=1, default=1) > 1


def _number(name: str, *, least: int, default: int | None = None) -> int:
    """What torchrun says in a variable of the environment.

    Raises:
        RdrError: somebody else said it, and it is no such number, or is missing beside the others.
    """
    said = os.environ.get(name)
    if said is None and default is not None:
        return default
    if said is None or not (said.isascii() and said.isdigit()) or int(said) < least:
        raise RdrError(
            f"{name} is {said!r} in the environment; several processes of one run are started by torchrun, which sets "
            "it to a number. For one process unset WORLD_SIZE, RANK and LOCAL_RANK."
        )
    return int(said)


def _check_environment() -> None:
    """Refuse what torch would wait half an hour for, or tell at length.

    Raises:
        RdrError: processes that torchrun did not start.
    """
    size = _number("WORLD_SIZE", least=1)
    for name in ("RANK", "LOCAL_RANK"):
        if _number(name, least=0) >= size:
            raise RdrError(f"{name} is {os.environ[name]} of WORLD_SIZE {size}; torchrun counts from 0. Start it anew.")
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        if not os.environ.get(name):
            raise RdrError(f"{name} is not set, but WORLD_SIZE is {size}; start the processes with torchrun.")


@contextmanager
def joined(device: torch.device, *, go_on: str, patience: float = 1800) -> Iterator[Ranks]:
    """The ranks that this process is one of, connected; one alone where torchrun did not start it.

    Args:
        device: where this one computes; NCCL connects GPUs, gloo connects CPUs.
        go_on: the command that goes on with the run, for the message.
        patience: seconds to wait for a rank before it counts as lost (default: torch's own half hour, since the
            first rank may fetch and check data).

    Raises:
        LostRank: a rank ended or did not answer; the others' checkpoint stays whole.
        RdrError: the environment is none that torchrun makes.
    """
    if not launched():
        yield Ranks()
        return
    if not dist.is_initialized():
        _check_environment()
        wait = timedelta(seconds=patience)
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=wait)
        control = dist.new_group(backend="gloo", timeout=wait)
        if isinstance(control, dist.ProcessGroup):  # a number tells a rank that is not of the group; all are
            _groups["control"] = control
        # For as long as the process lives: a second connection would find the first one's traces at the meeting place.
        atexit.register(dist.destroy_process_group)
    ranks = Ranks(dist.get_rank(), dist.get_world_size())
    try:
        yield ranks
    except RuntimeError as error:
        # torch has no class of error for a broken connection that both of its backends use.
        if not any(word in str(error).lower() for word in ("gloo", "nccl", "connection", "peer", "timed out")):
            raise
        raise LostRank(
            f"rank {ranks.rank} of {ranks.size} lost another one in the middle of a step; the last checkpoint is "
            f"whole. Go on, with any number of ranks, by: {go_on} ({str(error).splitlines()[0][:120]})"
        ) from None
