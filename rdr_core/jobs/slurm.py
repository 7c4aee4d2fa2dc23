"""Workers as jobs of a Slurm cluster, by dask-jobqueue; what a site wants is in a small file."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdr_core.errors import RdrError, unknown_name
from rdr_core.files.tomls import read_toml
from rdr_core.files.whole import write_whole

if TYPE_CHECKING:
    from dask_jobqueue import SLURMCluster

#: What a site's file says before anyone has edited it.
TEMPLATE = """\
# Workers as jobs of your Slurm cluster, for `rdr sweep GRID --slurm FILE`. Each job does some runs at once, one after
# another, until all are done or its time is over; a run that is cut off goes on in another job.
jobs = 4                  # at most
runs = 8                  # at once in a job, each with one processor; with a GPU, 1
memory = "16GB"           # of a job
walltime = "04:00:00"     # of a job

# queue = "main"          # the partition
# account = "my-group"
# interface = "ib0"       # the network by which jobs reach this machine, where there are several
directives = []           # further lines of #SBATCH, such as "--gres=gpu:1"
prologue = []             # lines of the shell before the worker starts, such as "module load cuda"
"""


@dataclass(frozen=True)
class Slurm:
    """How workers are started on a Slurm cluster.

    Attributes:
        jobs: at most.
        runs: at once in a job, each with one processor.
        memory, walltime: of a job, as "16GB" and "04:00:00".
        queue, account: the partition and whom it is charged to; "" (default) is the site's own.
        interface: the network by which jobs reach the scheduler, which runs in the process that asks; "" (default)
            leaves it to Dask.
        directives: further lines of ``#SBATCH``, as "--gres=gpu:1".
        prologue: lines of the shell before the worker starts.

    Example:
        >>> Slurm(jobs=2, runs=4, memory="8GB", walltime="01:00:00").jobs_for(6)
        2
    """

    jobs: int
    runs: int
    memory: str
    walltime: str
    queue: str = ""
    account: str = ""
    interface: str = ""
    directives: tuple[str, ...] = ()
    prologue: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("jobs", "runs"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise RdrError(f"{name} is {value!r}; it must be a whole number, 1 or larger.")
        for name in ("memory", "walltime", "queue", "account", "interface"):
            if not isinstance(getattr(self, name), str):
                raise RdrError(f"{name} is {getattr(self, name)!r}; it must be text.")
        for name in ("directives", "prologue"):
            value = getattr(self, name)
            if not isinstance(value, tuple) or not all(isinstance(line, str) for line in value):
                raise RdrError(f"{name} is {value!r}; it must be a list of lines.")

    def jobs_for(self, tasks: int) -> int:
        """How many jobs so many tasks keep busy."""
        return max(1, min(self.jobs, -(-tasks // self.runs)))

    def script(self) -> str:
        """What is given to ``sbatch``, but for the scheduler's address, which is another each time.

        Raises:
            RdrError: as for :meth:`cluster`.
        """
        with self.cluster() as cluster:
            return cluster.job_script()

    def cluster(self) -> SLURMCluster:
        """A scheduler in this process, and no job yet.

        Raises:
            RdrError: dask-jobqueue is not installed, or an amount of memory or a network that is none.
        """
        try:
            from dask.utils import parse_bytes
            from dask_jobqueue import SLURMCluster
            from distributed.utils import get_ip_interface
        except ImportError:
            raise RdrError(
                "Jobs of Slurm are started by dask-jobqueue; it is not installed: pip install 'rdr-toolkit[cluster]'."
            ) from None
        try:
            parse_bytes(self.memory)
            if self.interface:
                get_ip_interface(self.interface)
        except ValueError as error:
            raise RdrError(f"Workers can't be started on Slurm: {error}") from None
        return SLURMCluster(
            cores=self.runs, memory=self.memory, processes=1, job_cpu=self.runs, walltime=self.walltime,
            queue=self.queue or None, account=self.account or None, interface=self.interface or None,
            job_extra_directives=list(self.directives), job_script_prologue=list(self.prologue), job_name="rdr",
            python=sys.executable, worker_extra_args=["--no-dashboard"],
            scheduler_options={"dashboard_address": "127.0.0.1:0"},  # any free port, and no warning of a taken one
        )  # fmt: skip


def read_slurm(path: str | Path) -> Slurm:
    """A site's file. Where there is none, :data:`TEMPLATE` is written there, to be edited.

    Raises:
        RdrError: it was written just now, can't be read, or says what is none of :class:`Slurm`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     site = Path(folder) / "slurm.toml"
        ...     _ = site.write_text(TEMPLATE)
        ...     read_slurm(site).jobs
        4
    """
    place = Path(path)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, lambda beside: Path(beside).write_text(TEMPLATE, encoding="utf-8"))
        raise RdrError(f"{place} was written just now: say in it what your site wants, then repeat the command.")
    given = read_toml(place, "remove it to have it written anew")
    known = [field.name for field in fields(Slurm)]
    for name in given:
        if name not in known:
            raise RdrError(f"{place}: {unknown_name('setting of Slurm', name, known)}")
    if left_out := [name for name in ("jobs", "runs", "memory", "walltime") if name not in given]:
        raise RdrError(f"{place} does not say {', '.join(left_out)}; remove it to have it written anew.")
    try:
        lines: dict[str, Any] = {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
        return Slurm(**given | lines)
    except RdrError as error:
        raise RdrError(f"{place}: {error}") from None
