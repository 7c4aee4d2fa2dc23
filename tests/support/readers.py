"""Every reader of a file that somebody else may have written: a file by the real writer, and how it is read.

A reader is called through what a user calls, not alone: a configuration is read to be listed, named and described, so
what is allowed to it ends there too.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from damage import finished_run, stopped_run
from PIL import Image

import rdr_core
from rdr_core import RdrError, Run
from rdr_core.data.disk.cache import stored_images
from rdr_core.data.disk.decode import decode
from rdr_core.data.disk.find import find_files
from rdr_core.data.disk.lists import read_list
from rdr_core.data.samples import read_sheet, sheet
from rdr_core.files.places import papers_folder
from rdr_core.files.whole import write_json
from rdr_core.jobs.grid import grid_configs
from rdr_core.jobs.notice import Notice, under_way
from rdr_core.jobs.slurm import TEMPLATE, read_slurm
from rdr_core.methods.grammar import parse
from rdr_core.methods.names import method_label
from rdr_core.methods.replaced import told
from rdr_core.runs.archive import pack, unpack
from rdr_core.runs.branching import beginning_of, kept_states
from rdr_core.runs.command import command_of
from rdr_core.runs.conditions import Conditions
from rdr_core.runs.folder import RunFolder
from rdr_core.runs.stand_ins import keep_replaced, replaced
from rdr_core.training.state import TrainingState
from rdr_core.training.trunk import branch_tree
from rdr_viz.analysis.pieces import Pieces
from rdr_viz.analysis.predictions import predictions
from rdr_viz.analysis.weights import shares
from rdr_viz.explorer.arrays import numbers_of
from rdr_viz.explorer.at_hand import data_words
from rdr_viz.explorer.jobs import Jobs
from rdr_viz.explorer.launch import copy_notebooks
from rdr_viz.papers.paper import load_paper


@dataclass(frozen=True)
class Reader:
    """A reader of one file.

    Attributes:
        name: of what it reads.
        file: in its place, as the real writer left it.
        read: reads what is there, and uses it as far as the toolkit does.
        kind: how its content is changed (:data:`mutations.KINDS`).
        sealed: whether the file has a checksum, so that content that is changed is refused or the same.
        errors: what may be raised; a sentence of the toolkit's (default).
    """

    name: str
    file: Path
    read: Callable[[], Any]
    kind: str
    sealed: bool = False
    errors: tuple[type[Exception], ...] = (RdrError,)

    def told(self, content: bytes) -> Any:
        """What is read where the file holds that, or the error that is allowed; any other is raised."""
        self.file.write_bytes(content)
        try:
            with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):  # what is passed over is told there
                return self.read()
        except self.errors as error:
            return error


def all_readers(folder: Path) -> dict[str, Reader]:
    """All of them by their names, each with its own files below a folder."""
    done, left = finished_run(folder / "done"), stopped_run(folder / "left")
    found = [
        *_of_a_finished_run(done), *_of_a_run_in_training(left), *_of_results(done), *_of_other_folders(folder, done),
        *_of_data(folder), *_of_papers(folder), *_of_sweeps(folder),
    ]  # fmt: skip
    return {reader.name: reader for reader in found}


def _of_a_finished_run(place: Path) -> Iterator[Reader]:
    def opened(get: Callable[[Run], Any]) -> Callable[[], Any]:
        return lambda: get(Run.open(place))

    def described(run: Run) -> Any:
        config = run.config
        return config, config.name, data_words(config), method_label(config.method), command_of(config)

    def data(run: Run) -> Any:
        counts, groups = run.class_counts.tolist(), run.groups.of_class.tolist()
        return run.class_names, counts, groups, run.channels, run.normalisation(), run.content_hash()

    def drawn(run: Run) -> Any:
        numbers = numbers_of(run)
        return json.dumps(numbers.layout), numbers.buffer

    keep_replaced(place, {"visits": 90, "one_class": 3})
    yield Reader("config.json", place / "config.json", opened(described), "json", True)
    yield Reader("data.json", place / "data.json", opened(data), "json", True)
    yield Reader("env.json", place / "env.json", opened(lambda run: run.environment), "json", True)
    history = opened(lambda run: (run.history, run.last_epoch, float(run.seconds_in_all), drawn(run)))
    yield Reader("history.csv", place / "history.csv", history, "table", True)
    yield Reader("classes", place / "classes.safetensors", opened(lambda run: (run.classes, drawn(run))), "tree", True)
    yield Reader("indices", place / "indices.safetensors", opened(lambda run: run.indices.tolist()), "tree", True)
    yield Reader("metrics.json", place / "metrics.json", opened(lambda run: json.dumps(run.metrics)), "json", True)
    mark = opened(lambda run: (run.done, run.weights_hash, run.epochs_done, len(run.classes)))
    yield Reader("done.json", place / "done.json", mark, "json", True)
    counts = lambda: (replaced(place), told(replaced(place)))  # noqa: E731
    yield Reader("replaced.json", place / "replaced.json", counts, "json", True)
    weights = opened(lambda run: run.model().state_dict())
    yield Reader("weights", place / "model.safetensors", weights, "tree", True)
    early = opened(lambda run: run.model(1).state_dict())
    yield Reader("weights of an epoch", next(place.glob("weights/*1.safetensors")), early, "tree", True)

    second = Path(shutil.copytree(place, place.parent.parent / "second" / place.name))
    write_json(second / "stage.json", {"base": place.name, "epochs": 3})
    stage = lambda: (lambda run: (run.base, run.epochs, run.milestones))(Run.open(second))  # noqa: E731
    yield Reader("stage.json", second / "stage.json", stage, "json", True)
    third = Path(shutil.copytree(place, place.parent.parent / "third" / place.name))
    write_json(third / "fork.json", {"trunk": "trunk-ce", "epoch": 1, "seconds": 0.5})
    fork = lambda: (lambda run: (run.inherited, run.seconds.tolist(), run.seconds_in_all))(Run.open(third))  # noqa: E731
    yield Reader("fork.json", third / "fork.json", fork, "json", True)


def _of_a_run_in_training(place: Path) -> Iterator[Reader]:
    run, cpu = Run.open(place), torch.device("cpu")
    again = RunFolder(Path(shutil.copytree(place, place.parent.parent / "again" / place.name)))
    state = TrainingState(run.config, run.data(), cpu)
    for name in ("history.csv", "classes.safetensors"):  # then the checkpoint says what they are
        (place / name).unlink()

    def gone_on() -> Any:
        tree = again.restore(state)
        again.publish(tree)
        return {name: value for name, value in tree.items() if name != "random"}, state.epoch, state.batch

    listed = lambda: (Run.open(place).history, Run.open(place).last_epoch, Run.open(place).classes)  # noqa: E731
    yield Reader("checkpoint that is gone on from", again.path / "checkpoint.safetensors", gone_on, "tree", True)
    yield Reader("checkpoint that is told of", place / "checkpoint.safetensors", listed, "tree", True)

    runs = place.parents[1] / "branches"
    branch = rdr_core.train("digits", method="inverse+drw", imbalance_factor=50, epochs=5, runs=runs, progress=False,
                            device="cpu")  # fmt: skip
    (kept,) = (file for trunk in runs.glob("trunks/*/*/") for file in kept_states(trunk).values())
    fresh, written = TrainingState(branch.config, branch.data(), cpu), RunFolder(branch.path)

    def branched() -> Any:
        """As a run that has such a trunk begins; it begins from nothing where the trunk can't be read."""
        how = Conditions(device="cpu", progress=False)
        if (beginning := beginning_of(runs, branch.config, fresh.data, cpu, how)) is None:
            raise RdrError("It starts from scratch.")
        written.begin_at(branch_tree(beginning.tree, fresh), beginning)
        found = written.restore(fresh)
        return {name: value for name, value in found.items() if name != "random"}

    yield Reader("trunk", kept, branched, "tree", True)


def _of_results(place: Path) -> Iterator[Reader]:
    run = Run.open(place)
    for name, analysis in (("predictions", predictions), ("shares", shares)):
        table = next(place.glob(f"analysis/{name}-*.csv"))
        read = lambda analysis=analysis: analysis(Run.open(place).as_stored)  # noqa: E731
        yield Reader(f"{name}, its table", table, read, "table", True)
        yield Reader(f"{name}, how it was made", table.with_suffix(".json"), read, "json", True)
    evaluation = next(place.glob("evaluations/reversed*.json"))
    yield Reader("evaluation", evaluation, lambda: json.dumps(rdr_core.evaluate(run, test="reversed")), "json", True)
    pieces = Pieces(place / "analysis" / "curvature-0123456789.csv")
    rows = [{"class": "9", "trace": 2.0, "converged": True}]
    pieces.rows(0, lambda: rows)
    anew = lambda: pieces.rows(0, lambda: rows)  # noqa: E731 - what can't be read is computed
    yield Reader("pieces of an analysis", pieces.folder / "0.json", anew, "json", True)


def _of_other_folders(folder: Path, done: Path) -> Iterator[Reader]:
    archive, out = folder / "archive" / "runs.tar.xz", folder / "archive" / "unpacked" / "runs"
    pack([Run.open(done)], archive)

    def unpacked() -> Any:
        shutil.rmtree(out.parent, ignore_errors=True)
        try:
            unpack(archive, out)
        finally:
            assert {path.name for path in archive.parent.iterdir()} <= {archive.name, "unpacked"}
            assert {path.name for path in out.parent.glob("*")} <= {"runs"}
        return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}

    yield Reader("archive", archive, unpacked, "archive")

    runs = folder / "jobs"
    job = runs / ".jobs" / "0123456789"
    job.mkdir(parents=True)
    config = Run.open(done).config.to_dict()
    write_json(job / "request.json", {"title": "RDR", "tasks": [{"config": config, "runs": str(runs), "what": ""}]})
    write_json(job / "process.json", {"pid": 999_999_999, "asked_to_stop": False})
    write_json(job / "outcome.json", {"state": "failed", "error": "No data."})

    def listed() -> Any:
        return [(one.title, one.state, one.error, one.share, one.seconds_left) for one in Jobs(runs).all()]

    for name in ("request", "process", "outcome"):
        yield Reader(f"a job's {name}", job / f"{name}.json", listed, "json")

    copies, source = folder / "copies", folder / "notebooks"
    source.mkdir()
    (source / "1.ipynb").write_text("{}")
    copy_notebooks(copies, source)
    given = copies / ".rdr-notebooks.json"
    yield Reader("notebooks that were copied", given, lambda: len(copy_notebooks(copies, source)), "json")


def _of_data(folder: Path) -> Iterator[Reader]:
    tree = folder / "images"
    for name in ("a/1.png", "b/two words.png", "b/3.png"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), 9).save(tree / name)
    listed = tree / "list.txt"
    listed.write_text("a/1.png 0\nb/two words.png 1\nb/3.png 1\n")

    def images() -> Any:
        found = read_list(listed, 2)
        files = find_files(found.names, tree)
        assert all(file.resolve().is_relative_to(tree.resolve()) for file in files)
        return files, found.labels.tolist(), found.content

    yield Reader("list of images", listed, images, "lines")
    for ending in ("jpg", "png", "webp", "gif", "tif", "bmp", "ppm"):
        photo = tree / f"photo.{ending}"
        pixels = np.random.default_rng(0).integers(0, 255, (6, 9, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(photo)
        # Whatever Pillow raises is that one image's error, counted and named.
        yield Reader(
            f"photograph, {ending}", photo, lambda photo=photo: decode(photo).tobytes(), "bytes", errors=(Exception,)
        )
    cache, files = folder / "cache", sorted((tree / "b").glob("*.png"))
    stored_images(files, tree, "flowers", cache)
    cached = lambda: stored_images(files, tree, "flowers", cache)[0:2]  # noqa: E731
    noted = next(path for path in cache.glob("*.json"))
    yield Reader("cache of images, its notes", noted, cached, "json", True)
    yield Reader("cache of images, its checksums", noted.with_suffix(".sums.npy"), cached, "bytes")
    samples = folder / "sheet.png"
    shutil.copy(sheet("fashion-mnist"), samples)
    yield Reader(
        "sheet of images",
        samples,
        lambda: {name: rows.tobytes() for name, rows in read_sheet(samples).items()},
        "bytes",
    )


def _of_papers(folder: Path) -> Iterator[Reader]:
    papers = folder / "papers"
    shutil.copytree(papers_folder() / "rdr", papers / "rdr")
    # A part of each is read many times as fast, and has all that the whole has.
    for name, begin, count in (
        ("paper", "[[tables]]", 2),
        ("grids", "[[grids]]", 2),
        ("claims", "[[claims]]", 3),
        ("figures", "[[figures]]", 3),
    ):
        file = papers / "rdr" / f"{name}.toml"
        file.write_text(begin.join(file.read_text().split(begin)[: count + 1]))
    printed = papers / "rdr" / "tables.csv"
    printed.write_text("".join(printed.read_text().splitlines(keepends=True)[:20]))

    def paper() -> Any:
        found = load_paper("rdr", papers)
        settings = [grid.config(request, 0) for grid in found.grids.values() for request in _asked(found)[:3]]
        return found, found.artifacts, [config and config.name for config in settings]

    for name in ("paper.toml", "grids.toml", "claims.toml", "figures.toml"):
        yield Reader(f"a paper's {name}", papers / "rdr" / name, paper, "lines")
    yield Reader("a paper's tables.csv", papers / "rdr" / "tables.csv", paper, "table")
    method = folder / "method.txt"
    method.write_text("rdr:gamma=0.5,momentum=0.9+la:tau=1.5+sam")
    named = lambda: parse(method.read_text(encoding="utf-8", errors="surrogateescape")).name  # noqa: E731
    yield Reader("method's name", method, named, "lines")


def _of_sweeps(folder: Path) -> Iterator[Reader]:
    grid, site, runs = folder / "grid.toml", folder / "site.toml", folder / "swept"
    grid.write_text(
        'dataset = "digits"\nmethod = ["ce", "rdr"]\nseed = [0, 1]\nepochs = 2\ndraws = ["data_seed"]\n\n'
        "[[grid]]\nimbalance_factor = [10, 50]\n\n[[grid]]\nimbalance_factor = 20\nlearning_rate = 0.05\n"
    )
    yield Reader("a sweep's grid", grid, lambda: [config.name for config in grid_configs(grid)], "lines")
    site.write_text(TEMPLATE)
    yield Reader("a site of Slurm", site, lambda: read_slurm(site), "lines")
    Notice(runs, "Sweep of grid.toml", ("a", "b")).put([1.0, 0.5], seconds_left=60.0)
    (notice,) = (runs / ".under_way").glob("*.json")

    def told() -> str:
        """As an explorer's page is told; what can't be read is nobody's work."""
        found = under_way(runs)
        assert all(0 <= one.done <= one.total and 0 <= one.share <= 1 for one in found)
        return json.dumps([one._asdict() for one in found], allow_nan=False)

    yield Reader("a notice of work", notice, told, "json")


def _asked(paper: Any) -> list[Any]:
    pictures = [picture for figure in paper.figures for picture in figure.pictures]
    return [request for part in (*paper.claims, *pictures) for request in part.requests]
