"""All files of runs compared with their checksums and with each other, and what can be brought back brought back.

What is wrong with a run is a list of findings, each with its remedy where there is one: history and classes follow from
the checkpoint, the mark of a finished run from all else of it, and analyses and evaluations are computed anew where
they are gone. Nothing is removed but what is damaged or left over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rdr_core.errors import Damaged, RdrError, RunBusy
from rdr_core.files.sealed import damaged, is_sealed
from rdr_core.files.tables import check_table
from rdr_core.files.trees import load_tree, save_tree
from rdr_core.files.whole import HALF_WRITTEN, read_json
from rdr_core.runs.contents import MEASURED, read_done, read_metrics
from rdr_core.runs.done import bring_back_done, file_hash
from rdr_core.runs.layout import DONE, finished
from rdr_core.runs.records import history_line, of_checkpoint, read_classes, read_history, write_history
from rdr_core.runs.run import Run
from rdr_core.runs.sealing import LARGEST_TABLE, seal_all, stored_files
from rdr_core.runs.stand_ins import replaced

#: Seconds after which nobody is still writing such a file of an analysis, which has no lock.
_WRITTEN_WITHIN = 600
_ANEW = "it is computed anew when it is asked for"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        sentence: what, with the file.
        harm: whether it keeps something from being read; what is only left over does not.
        remedy: brings back what can be, and says what it did; None where nothing can be.
    """

    sentence: str
    harm: bool = True
    remedy: Callable[[], str] | None = None


@dataclass
class Checked:
    """What was found of a run.

    Attributes:
        path: its folder.
        files: how many were read.
        sealed: how many were given their checksum, which an older version had written without.
        findings: what is wrong still.
        repaired: what was done about the rest, in sentences.
        busy: another process is training it, so that only what it does not write was looked at.
    """

    path: Path
    files: int = 0
    sealed: int = 0
    findings: list[Finding] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    busy: bool = False

    @property
    def good(self) -> bool:
        """Whether all of it can be read."""
        return not any(finding.harm for finding in self.findings)


def run_folders(places: list[Path]) -> list[Path]:
    """The runs' folders in some places, trunks included: those in a folder of runs, or a run's own.

    Raises:
        RdrError: a place that holds none.
    """
    found: list[Path] = []
    for place in places:
        if _is_run(place):
            found.append(place)
            continue
        inside = sorted(path for path in (*place.glob("*/"), *place.glob("trunks/*/*/")) if _is_run(path))
        if not inside:
            raise RdrError(f"{place} holds no runs; give folders of runs, or runs' own folders.")
        found += inside
    return found


def check_run(path: Path, *, repair: bool = False) -> Checked:
    """Read all of a run, finished or not, and give files of older versions their checksums.

    Args:
        path: its folder.
        repair: whether to bring back what can be (default: it is only told).

    Example:
        >>> import tempfile, rdr_core
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = rdr_core.train("digits", imbalance_factor=50, epochs=1, runs=folder, progress=False)
        ...     (run.path / "done.json").unlink()
        ...     found = [check_run(run.path, repair=repair).good for repair in (False, True)]
        ...     found, run.done
        ([False, True], True)
    """
    from rdr_core.runs.folder import RunFolder

    checked = Checked(path)
    with ExitStack() as stack:
        if not finished(path):
            try:
                stack.enter_context(RunFolder(path).locked())
            except RunBusy:
                checked.busy = True
                return checked
            except RdrError:  # a folder that can't be written can be read
                pass
        try:
            _check(checked, repair)
        except OSError as error:
            checked.findings.append(Finding(f"{path} can't be written ({error}).", harm=False))
    return checked


def _check(checked: Checked, repair: bool) -> None:
    for _ in range(3):  # what is brought back may bring back more
        checked.findings = list(_findings(checked.path))
        remedies = [found.remedy for found in checked.findings if found.remedy]
        if not repair or not remedies:
            break
        checked.repaired += [remedy() for remedy in remedies]
    checked.files = len(list(stored_files(checked.path)))
    if checked.good:
        checked.sealed = seal_all(checked.path)


def _is_run(path: Path) -> bool:
    return any((path / name).exists() for name in ("config.json", "data.json", "history.csv"))


def _findings(path: Path) -> Iterator[Finding]:
    yield from _left_over(path)
    try:
        run = Run.open(path)
        groups = run.groups
    except RdrError as error:
        yield Finding(str(error))
        return
    d = sum(len(classes) for _, classes in groups.items())
    yield from _recorded(run, d)
    yield from _mark(run)
    for read in (lambda: run.base, lambda: run.inherited, lambda: run.indices, lambda: replaced(path)):
        yield from _tried(read)
    if (path / "env.json").exists():
        yield from _tried(lambda: run.environment)
    if run.done:
        yield from _tried(partial(read_metrics, path))
    yield from _weights(run, d)
    yield from _results(run)


def _tried(read: Callable[[], object], remedy: Callable[[], str] | None = None) -> Iterator[Finding]:
    try:
        read()
    except Damaged as error:
        yield Finding(str(error), remedy=remedy)


def _left_over(path: Path) -> Iterator[Finding]:
    for file in sorted(path.rglob(".*")):
        young = file.parent != path and file.lstat().st_mtime > time.time() - _WRITTEN_WITHIN
        if HALF_WRITTEN.fullmatch(file.name) and not file.is_dir() and not young:
            yield Finding(f"{file} was left behind half written.", False, partial(_remove, file))


def _recorded(run: Run, d: int) -> Iterator[Finding]:
    """History and classes, of the same epochs, and the checkpoint of a run in training, from which they follow."""
    history, classes, checkpoint = (
        run.path / name for name in ("history.csv", "classes.safetensors", "checkpoint.safetensors")
    )

    def write_again() -> str:
        rows, _ = of_checkpoint(checkpoint, d)
        write_history(history, map(history_line, rows))
        save_tree(classes, load_tree(checkpoint)["classes"])
        return f"{history} and {classes.name} were written again as the checkpoint has them, {len(rows)} epochs."

    kept = not run.done and checkpoint.exists()
    if kept:
        try:
            of_checkpoint(checkpoint, d)
        except Damaged as error:
            kept = False
            yield Finding(str(error), remedy=partial(_remove, checkpoint, "the run begins anew when it is asked for"))
    if not run.done and not history.exists() and not classes.exists():
        return  # no epoch is finished
    epochs = []
    for file, read in ((history, read_history), (classes, lambda path: read_classes(path, d)["accuracy"])):
        try:
            epochs.append(len(read(file)))
        except Damaged as error:
            if file.exists() or not kept:  # a process that was killed may have left the checkpoint alone
                yield Finding(str(error), remedy=write_again if kept else None)
    if len(set(epochs)) > 1 and not kept:
        yield Finding(f"{history} has {epochs[0]} epochs and {classes.name} {epochs[1]}.")


def _mark(run: Run) -> Iterator[Finding]:
    """Whether the run is finished, as its files say: its mark, what it is of, and what should be gone by then."""
    mark, model, checkpoint = (run.path / name for name in (DONE, "model.safetensors", "checkpoint.safetensors"))

    def write_again() -> str:
        if bring_back_done(run.path):
            return f"{mark} was written again: all else of the finished run is there."
        return _remove(mark, "the run is no longer finished: `rdr resume` goes on with it")

    if not mark.exists():
        if model.exists() and (run.path / "metrics.json").exists() and not checkpoint.exists():
            yield Finding(f"{mark} is missing, though the run was finished.", remedy=write_again)
        return
    try:
        said = read_done(run.path)
        epochs = len(read_history(run.path / "history.csv"))
    except Damaged as error:
        if str(mark) in str(error):
            yield Finding(str(error), remedy=write_again)
        return
    if said.get("epochs", epochs) != epochs:
        yield Finding(f"{mark} says {said['epochs']} epochs, but history.csv has {epochs}.")
    elif checkpoint.exists():
        yield Finding(f"{checkpoint} was left behind when the run was finished.", False, partial(_remove, checkpoint))
    # Once it has its own checksum its file is another one, of the same weights.
    with suppress(Damaged):  # told where its weights are read
        if said.get("weights") and model.is_file() and not is_sealed(model) and file_hash(model) != said["weights"]:
            yield Finding(str(damaged(model, "it is not the network that done.json says")))


def _weights(run: Run, d: int) -> Iterator[Finding]:
    from rdr_core.runs.trained_network import check_weights

    for file in (run.path / "model.safetensors", *sorted(run.path.glob("weights/*.safetensors"))):
        if file.exists():
            yield from _tried(partial(check_weights, file, run.config, d, run.channels))
    for file in sorted(run.path.glob("epoch-*.safetensors")):  # of a trunk
        yield from _tried(partial(load_tree, file), partial(_remove, file, "it is made anew when it is needed"))


def _results(run: Run) -> Iterator[Finding]:
    """Analyses and evaluations, which are computed anew where they are gone."""
    for file in sorted(run.path.glob("analysis/*.csv")):
        beside = file.with_suffix(".json")
        yield from _tried(partial(_read_result, file, beside), partial(_remove, file, _ANEW, beside))
    for file in sorted(run.path.glob("analysis/.*/*.json")):
        yield from _tried(partial(read_json, file, {"rows": [list]}), partial(_remove, file, _ANEW))
    for file in sorted(run.path.glob("evaluations/*.json")):
        yield from _tried(partial(read_json, file, MEASURED), partial(_remove, file, _ANEW))


def _read_result(file: Path, beside: Path) -> None:
    read_json(beside, {"words": [str]})
    check_table(file, LARGEST_TABLE)


def _remove(file: Path, why: str = "", *others: Path) -> str:
    for path in (file, *others):
        path.unlink(missing_ok=True)
    return f"{file} was removed{f'; {why}' if why else ''}."
