"""A lent GPU's minutes, spent by one script: what maintainers run where a GPU can be had for a quarter of an hour.

    python .ci/gpu_minutes.py pack --root DIR --out DIR    here: CIFAR's long-tailed subsets and tests in sheets (52 MB)
    python .ci/gpu_minutes.py run --pack FILE --seconds N  there: training, gate and probes beside it; results in $OUT
    python .ci/gpu_minutes.py probe ...                    there, started by `run`: the smoke test alone

It has run on CPUs at small size; it has met no GPU yet. Needs the working tree on PYTHONPATH (torch, torchvision, numpy,
pandas, safetensors, scikit-learn, filelock, Pillow, xxhash). Every process of `run` imports this file's top, workers
too (multiprocessing's spawn runs it as __mp_main__): what is changed in the toolkit is changed here.
"""
# ruff: noqa: E501, SIM115

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import gc
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

BEGUN = float(os.environ.get("MINUTES_BEGUN") or time.monotonic())
HERE = Path(__file__).resolve()


def _scratch() -> Path:
    """Where all lies between two calls: in memory, unless that is small."""
    if "MINUTES_SHM" in os.environ:
        return Path(os.environ["MINUTES_SHM"])
    memory, disk = Path("/dev/shm/rdr"), Path("/tmp/rdr-minutes")
    if memory.is_dir() or disk.is_dir():
        return memory if memory.is_dir() else disk
    return memory if Path("/dev/shm").is_dir() and shutil.disk_usage("/dev/shm").free > 2 * 2**30 else disk


SHM = _scratch()
OUT = Path(os.environ.get("OUT", "/tmp/gpu_minutes"))
MIB = 2**20
LIMIT = (
    14.6 * 2**20
)  # of a large file that comes back; four of them, finished.tar.xz and the small ones are below 64 MiB
COLUMNS = 64


def say(*words: object) -> None:
    line = f"[{time.monotonic() - BEGUN:5.0f}s] " + " ".join(str(word) for word in words)
    print(line, flush=True)
    try:
        OUT.mkdir(parents=True, exist_ok=True)
        with (OUT / "log.txt").open("a") as log:
            log.write(line + "\n")
    except OSError:
        pass


# ---------------------------------------------------------------- data: the subsets alone, as lossless WebP sheets


def pack_data(root: Path, out: Path) -> None:
    import numpy as np
    from PIL import Image

    from rdr_core.data import load_data
    from rdr_core.data.sources import load_source

    out.mkdir(parents=True, exist_ok=True)
    for name in ("cifar10", "cifar100"):
        raw = load_source(name, root)
        kept = {int(i) for f in (10, 50, 100, 200, 500) for i in load_data(name, imbalance_factor=f, root=root).indices}
        rows = np.array(sorted(kept))  # that of IF 10 holds the others
        file = out / f"{name}.tar"
        with tarfile.open(file, "w") as tar:

            def add(member: str, content: bytes) -> None:
                entry = tarfile.TarInfo(member)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))

            for part, images in (("train", raw.train_images[rows]), ("test", raw.test_images)):
                for at in range(0, len(images), 4096):
                    some = images[at : at + 4096]
                    pad = -len(some) % COLUMNS
                    some = np.concatenate([some, np.zeros((pad, 3, 32, 32), np.uint8)])
                    sheet = some.transpose(0, 2, 3, 1).reshape(-1, COLUMNS, 32, 32, 3).transpose(0, 2, 1, 3, 4)
                    buffer = io.BytesIO()
                    Image.fromarray(np.ascontiguousarray(sheet).reshape(-1, COLUMNS * 32, 3)).save(
                        buffer, "WEBP", lossless=True, quality=100, method=4)  # fmt: skip
                    add(f"{part}-{at:06d}.webp", buffer.getvalue())
            buffer = io.BytesIO()
            np.savez_compressed(
                buffer, rows=rows.astype(np.int32), train_labels=raw.train_labels.astype(np.uint8),
                test_labels=raw.test_labels.astype(np.uint8), tests=len(raw.test_images))  # fmt: skip
            add("facts.npz", buffer.getvalue())
            digest = hashlib.sha256(raw.train_images[rows].tobytes() + raw.test_images.tobytes()).hexdigest()
            add("facts.json", json.dumps({"names": raw.class_names, "mean": raw.mean, "std": raw.std,
                                          "sha256": digest}).encode())  # fmt: skip
        print(f"{file}: {len(rows)} + {len(raw.test_images)} images, {file.stat().st_size / MIB:.1f} MiB")


def unpack_data(file: Path, folder: Path) -> str:
    """Sheets -> folder/NAME/{train,test}.npy, checked; a second call finds them there."""
    import numpy as np
    from PIL import Image

    name = file.stem
    there = folder / name
    if (there / "facts.json").is_file():
        return name
    there.mkdir(parents=True, exist_ok=True)
    parts: dict[str, list] = {"train": [], "test": []}
    with tarfile.open(file) as tar:
        facts = json.loads(tar.extractfile("facts.json").read())
        known = np.load(io.BytesIO(tar.extractfile("facts.npz").read()))
        for member in sorted(tar.getnames()):
            part = member.split("-")[0]
            if part in parts and member.endswith(".webp"):
                sheet = np.asarray(Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB"))
                tiles = sheet.reshape(-1, 32, COLUMNS, 32, 3).transpose(0, 2, 4, 1, 3).reshape(-1, 3, 32, 32)
                parts[part].append(tiles)
    rows, tests = known["rows"], int(known["tests"])
    train, test = np.concatenate(parts["train"])[: len(rows)], np.concatenate(parts["test"])[:tests]
    if hashlib.sha256(train.tobytes() + test.tobytes()).hexdigest() != facts["sha256"]:
        raise SystemExit(f"{file} unpacked to other images than were packed (another WebP decoder?)")
    whole = np.zeros((len(known["train_labels"]), 3, 32, 32), np.uint8)  # what no subset takes stays black
    whole[rows] = train
    np.save(there / "train.npy", whole)
    np.save(there / "test.npy", test)
    np.savez(there / "labels.npz", train=known["train_labels"].astype(np.int64), test=known["test_labels"].astype(np.int64),
             rows=rows)  # fmt: skip
    (there / "facts.json").write_text(json.dumps(facts))
    return name


def _load_packed(name: str, root: Path):
    """In place of rdr_core's loader, which wants the published files."""
    import numpy as np

    from rdr_core.data.sources.raw import RawData

    there = SHM / "data" / name
    facts, labels = json.loads((there / "facts.json").read_text()), np.load(there / "labels.npz")
    return RawData(
        train_inputs=np.load(there / "train.npy"), train_labels=labels["train"], test_inputs=np.load(there / "test.npy"),
        test_labels=labels["test"], class_names=tuple(facts["names"]), mean=tuple(facts["mean"]), std=tuple(facts["std"]),
    )  # fmt: skip


PLAIN = False  # of this process's run: plain steps
SINCE = {"images and steps": 0.0, "test": 0.0, "checkpoint": 0.0, "epochs": 0, "steps": 0}


def _change_toolkit() -> None:
    """In every process: packed data, and what was found to be slow or to fail on a GPU (see the brief's answer)."""
    import torch

    import rdr_core.data
    import rdr_core.data.load as load
    import rdr_core.training.loop as loop
    import rdr_core.training.state as state
    from rdr_core.data import DATASETS
    from rdr_core.files.whole import read_json
    from rdr_core.runs.folder import RunFolder

    if getattr(load, "minutes", False):
        return
    load.minutes = True
    for name in ("cifar10", "cifar100"):
        if (SHM / "data" / name / "facts.json").is_file():
            packed = dataclasses.replace(DATASETS[name], load=functools.partial(_load_packed, name))
            DATASETS.remove(name)
            DATASETS.add(name, packed, __name__)

    # 1. Data are read once a process; a run that asks for images that were not packed is refused.
    read, kept = load.load_data, {}

    def load_data(name, **given):
        given.pop("root", None)
        key = (name, *sorted(given.items()))
        if key not in kept:
            import numpy as np

            kept[key] = read(name, **given)
            if every := int(os.environ.get("MINUTES_TINY", 0)):  # a rehearsal on a CPU
                whole = kept[key]
                kept[key] = rdr_core.data.from_arrays(
                    whole.train.inputs[::every], whole.train.labels[::every], whole.test.inputs[::50],
                    whole.test.labels[::50], imbalance_factor=None, name=name, class_names=whole.class_names,
                    mean=whole.mean, std=whole.std)  # fmt: skip
                return kept[key]
            rows = SHM / "data" / str(name) / "labels.npz"
            if rows.is_file() and not np.isin(kept[key].indices, np.load(rows)["rows"]).all():
                raise SystemExit(f"{name}: a run asks for images that were not packed")
        return kept[key]

    load.load_data = rdr_core.data.load_data = load_data

    # 2. AutoAugment's changes to all of an epoch's images at a time: 59 groups an epoch, not 217; the same images.

    # 3. Momentum read from a file is laid out otherwise than channels-last weights, which the fused update refuses.
    restore = state.TrainingState.restore

    def restored(self, tree):
        restore(self, tree)
        for parameter, kept in self.step.optimizer.state.items():
            for key, value in kept.items():
                if (
                    isinstance(value, torch.Tensor)
                    and value.shape == parameter.shape
                    and value.stride() != parameter.stride()
                ):
                    kept[key] = torch.empty_like(parameter, requires_grad=False).copy_(value)
        if (SHM / "plain-restored").exists():
            self.steps = loop.plain_steps

    state.TrainingState.restore = restored

    # 4. Plain steps, where the smoke test or a failure of the run asks for them.
    recorded = loop.recorded_steps
    loop.recorded_steps = lambda of: None if PLAIN or (SHM / "no-recording").exists() else recorded(of)

    # 5. A checkpoint every few seconds, not every epoch; those of epochs whose weights are kept, and of stops, always.
    whole, written, facts = RunFolder.checkpoint, {}, {}

    def checkpoint(self, tree):
        now = time.monotonic()
        if self.path not in facts:
            epochs = read_json(self.path / "config.json")["config"]["epochs"]
            facts[self.path] = {*self._kept_epochs(), epochs}
        due = tree["batch"] or tree["epoch"] in facts[self.path] or now - written.get(self.path, 0.0) > 4
        if due:
            whole(self, tree)
            written[self.path] = now
        SINCE["checkpoint"] += time.monotonic() - now

    RunFolder.checkpoint = checkpoint

    if "MINUTES_COMMIT" in os.environ:  # the copy there has no history
        import rdr_core.runs.environment as environment

        environment._commit = lambda: os.environ["MINUTES_COMMIT"]

    # 6. Count epochs, and what their parts take.
    train, close, counted = loop.train_epoch, loop.close_epoch, SHM / "counts" / str(os.getpid())

    def train_epoch(of, **given):
        SINCE["began"] = time.monotonic()
        train(of, **given)

    def close_epoch(of):
        now = time.monotonic()  # refuse_divergence has waited for the steps
        SINCE["images and steps"] += now - SINCE.pop("began")
        close(of)
        SINCE["test"] += time.monotonic() - now
        SINCE["epochs"] += 1
        SINCE["steps"] += of.batches
        counted.parent.mkdir(exist_ok=True)
        counted.with_suffix(".new").write_text(json.dumps(SINCE))
        counted.with_suffix(".new").replace(counted.with_suffix(".json"))

    loop.train_epoch, loop.close_epoch = train_epoch, close_epoch


def counts() -> dict[str, dict[str, float]]:
    found = {}
    for file in (SHM / "counts").glob("*.json"):
        with contextlib.suppress(OSError, ValueError):
            found[file.stem] = json.loads(file.read_text())
    return found


# ---------------------------------------------------------------- which runs, in order

LEADER = "rdr:preset=released"
BRANCHES = ["inverse+drw", "ce", "inverse:gamma=0.5+drw", "rdr:warmup=0.8", "cb+drw"]
STRONG = ["rdr", "inverse", "la", "rdr+la", "inverse:gamma=0.5", "rdr:gamma=0.5"]
FIVE = ["ce", "rdr", "inverse", "la", "rdr+la"]
ORDER = [  # (grid, the paper's IF, methods, seeds); all methods of a seed before the next seed's
    ("cifar-authors", 100, [LEADER], [0, 1, 2]),
    ("cifar-authors", 100, BRANCHES, [0, 1, 2]),
    ("cifar-authors", 100, ["la", "inverse"], [0, 1, 2]),
    ("cifar", 100, STRONG, [0]),
    ("cifar", 100, FIVE, [1, 2]),
    ("cifar", 100, ["sam", "rdr+sam"], [0]),
    ("cifar-authors", 10, [LEADER, *BRANCHES], [0]),
    ("cifar", 10, ["rdr", "inverse", "la", "rdr+la", "ce", "inverse:gamma=0.5", "rdr:gamma=0.5"], [0]),
    ("cifar", 100, ["ce"], [0]),  # shipped already, made on a CPU; last, as a check of one against the other
]


def plan(changes: dict[str, object]) -> list[dict[str, object]]:
    """What is to be made, in order: a run's configuration, its grid, whether it waits for a trunk, its analyses."""
    from rdr_core.methods.grammar import parse
    from rdr_viz.papers.grids import Request
    from rdr_viz.papers.paper import load_paper
    from rdr_viz.papers.wanted import wanted

    paper = load_paper("rdr")
    found: dict[str, dict[str, object]] = {}
    for grid_name, factor, methods, seeds in ORDER:
        grid = paper.grids[grid_name]
        analyses = {want.config: want.analyses for want in wanted(paper, grid)}
        for seed in seeds:
            for method in methods:
                # Not of `wanted`: it leaves out methods of `only` that no part of the paper asks for.
                config = grid.config(Request("cifar10-lt", factor, parse(method).name), seed)
                if config is None:
                    say(f"no run of {grid_name} for {method}, IF {factor}")
                    continue
                of = analyses.get(config, ())
                config = dataclasses.replace(config, **changes)
                waits = grid_name == "cifar-authors" and method in BRANCHES
                found.setdefault(config.name, {"config": config.to_dict(), "grid": grid_name, "waits": waits,
                                               "analyses": list(of)})  # fmt: skip
    return list(found.values())


# ---------------------------------------------------------------- there: train, watch, pack


def worker(index: int, deadline: float, runs: str, device: str, final: bool) -> None:
    """One process: again and again the first run of the list that nobody is at; ends at the deadline with all saved."""
    global PLAIN
    _change_toolkit()
    import torch

    from rdr_core.data.settings import settings_of
    from rdr_core.errors import RdrError, RunBusy
    from rdr_core.methods.fork import fork_of
    from rdr_core.runs import Run, RunConfig
    from rdr_core.runs.conditions import Conditions
    from rdr_core.runs.session import Session
    from rdr_core.runs.trunks import machine, state_file, trunks_of

    torch.set_num_threads(1)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(runs)
    items = json.loads((SHM / "plan.json").read_text())
    for item in items:
        config = item["config"] = RunConfig(**item["config"])
        item["state"] = None
        if item["waits"]:
            fork = fork_of(config.method, config.epochs)
            epoch = fork.epoch if fork.weights else round(0.8 * config.epochs)
            item["state"] = state_file(
                trunks_of(folder, config, fork.trunk) / machine(device, settings_of(config.dataset).threads), epoch
            )
    failed = SHM / "failed"
    failed.mkdir(exist_ok=True)

    def failures(config: RunConfig) -> int:
        file = failed / config.name
        return len(file.read_text().splitlines()) if file.is_file() else 0

    def waits(item: dict) -> bool:
        """For a trunk, unless nobody will make it: its leader is done or given up."""
        if item["state"] is None or item["state"].is_file():
            return False
        leader = dataclasses.replace(item["config"], method=LEADER)
        return failures(leader) < 3 and not (folder / leader.name / "done.json").is_file()

    def too_long(item: dict) -> bool:
        """In the last call: whether the run would not be more than half way at the end."""
        config = item["config"]
        if not final or not SINCE["epochs"] or SINCE["epochs"] < 3:
            return False
        each = sum(SINCE[part] for part in ("images and steps", "test", "checkpoint")) / SINCE["epochs"]
        done = 0
        with contextlib.suppress(RdrError):
            done = Run.open(folder / config.name).epochs_done
        if not done and item["state"] is not None:
            done = round(0.8 * config.epochs)
        return each * (config.epochs - done) > 1.8 * (deadline - time.monotonic())

    def step() -> bool:
        """Take one run; False where there is none to take now."""
        global PLAIN
        for item in items:
            config = item["config"]
            if time.monotonic() >= deadline - 3:
                return False
            if (folder / config.name / "done.json").is_file() or waits(item):
                continue
            bad = failures(config)
            if bad >= 3 or too_long(item):
                continue
            PLAIN = bad >= 1
            try:
                how = Conditions(device, None, False, deadline, trunk=bad < 2, aside=True)
                Session(folder / config.name, config, None, how).run()
            except RunBusy:
                continue
            except Exception as error:
                with (failed / config.name).open("a") as file:
                    file.write(f"{type(error).__name__}: {str(error)[:200]!r}\n")
                print(
                    f"worker {index}: {config.name}: {type(error).__name__}: {str(error)[:400]}",
                    file=sys.stderr,
                    flush=True,
                )
                if not isinstance(error, RdrError):
                    import traceback

                    traceback.print_exc()
                    if device != "cpu":  # an error of the device stays until the process ends
                        torch.cuda.synchronize()
                        torch.cuda.set_stream(torch.cuda.default_stream())
            gc.collect()
            if device != "cpu":
                torch.cuda.empty_cache()
            return True
        return False

    try:
        while time.monotonic() < deadline - 3:
            if not step():
                if all(
                    (folder / i["config"].name / "done.json").is_file() or failures(i["config"]) >= 3 for i in items
                ):
                    return
                (SHM / "counts" / f"{os.getpid()}.idle").touch()
                time.sleep(0.3)
    except KeyboardInterrupt:  # the deadline, or SIGTERM: saved
        return


def curve(deadline: float, device: str) -> None:
    """Curvature that the paper prints numbers of, of runs as they are finished, seed 0 first; kept piece by piece."""
    _change_toolkit()
    import torch

    from rdr_core.runs import Run, RunConfig
    from rdr_viz.analysis.catalogue import analyse, has_analysis

    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False
    items = [
        i | {"config": RunConfig(**i["config"])} for i in json.loads((SHM / "plan.json").read_text()) if i["analyses"]
    ]
    items.sort(key=lambda item: item["config"].seed)
    bad: set[tuple[str, str]] = set()
    while time.monotonic() < deadline:
        work = [(SHM / "runs" / item["config"].name, name) for item in items for name in item["analyses"]]
        work = [(path, name) for path, name in work if (path / "done.json").is_file() and (str(path), name) not in bad
                and not has_analysis(Run.open(path), name)]  # fmt: skip
        if not work:
            if all((SHM / "runs" / item["config"].name / "done.json").is_file() for item in items):
                return
            time.sleep(2)
            continue
        path, name = work[0]
        run, started = Run.open(path), time.monotonic()
        try:
            table = analyse(run, name, run.data(), device=device, progress=False)
        except Exception as error:
            bad.add((str(path), name))
            say(f"curvature: {run.name}, {name}: FAILED {type(error).__name__}: {str(error)[:300]}")
            continue
        shown = table.drop_duplicates(["class"]) if "class" in table else table[:4]
        told = "; ".join(f"class {int(row['class'])}: {row['lambda_min']:.2f} to {row['lambda_max']:.2f}, trace {row['trace']:.1f}"
                         + (f", {row['products']} products, converged {row['converged']}" if "products" in row else "")
                         for _, row in shown.iterrows())  # fmt: skip
        say(f"curvature: {run.name}, {name}: {time.monotonic() - started:.1f} s: {told}")


def standing(runs: Path) -> tuple[int, list[str]]:
    import csv

    lines, done = [], 0
    for folder in sorted([*runs.glob("cifar*"), *runs.glob("trunks/*/*")]):
        history = folder / "history.csv"
        ended = (folder / "done.json").is_file()
        done += ended
        if history.is_file():
            rows = list(csv.DictReader(history.open()))
            if rows:
                took = [float(row["seconds"]) for row in rows[-5:]]
                few = rows[-1].get("few", "?")
                name = f"trunk {folder.parent.name}" if folder.parent.parent.name == "trunks" else folder.name
                lines.append(f"{name[:50]:50} {len(rows):3d} epochs, {1e3 * sum(took) / len(took):5.0f} ms each, "
                             f"all {float(rows[-1]['accuracy']):.1f} few {few if few == '?' else f'{float(few):.1f}'}"
                             f"{' DONE' if ended else ''}")  # fmt: skip
    return done, lines


def collect(runs: Path, *, last: bool = False) -> None:
    """Results under $OUT: finished runs in one archive; at the end new weights of seed 0, then unfinished checkpoints."""
    from rdr_core.runs import list_runs
    from rdr_core.runs.archive import pack

    try:
        every = [run for run in list_runs(runs) if run.path.parent == runs] if runs.is_dir() else []
        finished = [run for run in every if run.done]
        if finished:
            pack(finished, OUT / "finished.tar.xz")  # written beside, then put in place
        if not last:
            return
        brought = SHM / "brought"
        before = set(brought.read_text().split()) if brought.is_file() else set()
        at = {name_of(item): k for k, item in enumerate(json.loads((SHM / "plan.json").read_text()))}
        weights = [r for r in finished if not r.config.seed and r.name not in before]
        weights.sort(key=lambda run: at.get(run.name, 999))
        left = sorted((r for r in every if not r.done and (r.path / "checkpoint.safetensors").is_file()),
                      key=lambda run: -run.epochs_done)  # fmt: skip
        jobs = [("weights", r, [r.path / "model.safetensors"]) for r in weights]
        jobs += [("unfinished", r, [r.path / name for name in (
            "config.json", "data.json", "env.json", "fork.json", "indices.safetensors", "history.csv", "classes.safetensors",
            "checkpoint.safetensors") if (r.path / name).is_file()]) for r in left]  # fmt: skip
        number, size, tar, kind_now, numbers = 0, 0.0, None, "", {}
        for kind, run, files in jobs:
            takes = sum(file.stat().st_size + 1536 for file in files)
            if tar is None or kind != kind_now or size + takes > LIMIT:
                if tar:
                    tar.close()
                    tar = None
                if number == 4:
                    say(f"left behind: {kind} of {run.name} and what follows")
                    break
                number, size, kind_now = number + 1, 0.0, kind
                numbers[kind] = numbers.get(kind, 0) + 1
                tar = tarfile.open(OUT / f"{kind}-{numbers[kind]}.tar", "w")
            for file in files:
                tar.add(file, f"{run.name}/{file.name}", recursive=False)
            size += takes
            if kind == "weights":
                with brought.open("a") as note:
                    note.write(run.name + "\n")
        if tar:
            tar.close()
    except Exception as error:  # whatever it is, training and the other results go on
        say(f"collecting failed: {type(error).__name__}: {error}")


def name_of(item: dict) -> str:
    from rdr_core.runs import RunConfig

    return RunConfig(**item["config"]).name


def start_mps() -> dict[str, str]:
    """With MPS kernels of several processes run at once; without it they take turns. Changes no setting of the card."""
    control = _mps_control()
    if not control:
        say("MPS: not on this machine; processes take turns")
        return {}
    env = {"CUDA_MPS_PIPE_DIRECTORY": "/tmp/minutes-mps", "CUDA_MPS_LOG_DIRECTORY": "/tmp/minutes-mps-log"}
    for folder in env.values():
        Path(folder).mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run([control, "-d"], env=os.environ | env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True, timeout=10)  # fmt: skip
        test = subprocess.run(
            [sys.executable, "-c", "import ctypes; c = ctypes.CDLL('libcuda.so.1'); r = [c.cuInit(0)]; d = ctypes.c_int(); "
             "r.append(c.cuDeviceGet(ctypes.byref(d), 0)); x = ctypes.c_void_p(); "
             "r.append(c.cuCtxCreate_v2(ctypes.byref(x), 0, d)); print('codes', *r)"],
            env=os.environ | env, capture_output=True, text=True, timeout=30)  # fmt: skip
        asked = subprocess.run([control], env=os.environ | env, input="get_server_list\n", capture_output=True, text=True,
                               timeout=10)  # fmt: skip
    except (subprocess.TimeoutExpired, OSError) as error:
        say(f"MPS: does not answer ({type(error).__name__}); without it")
        with contextlib.suppress(Exception):
            subprocess.run([control], input="quit\n", env=os.environ | env, text=True, capture_output=True, timeout=5)
        return {}
    if "codes 0 0 0" not in test.stdout or not asked.stdout.strip():
        say(f"MPS: failed (start {done.returncode} {done.stderr.strip()[-80:]}; test {(test.stdout + test.stderr).strip()[-160:]}; "
            f"servers {asked.stdout.strip()!r} {asked.stderr.strip()[-80:]}); without it")  # fmt: skip
        with contextlib.suppress(Exception):
            subprocess.run([control], input="quit\n", env=os.environ | env, text=True, capture_output=True, timeout=5)
        return {}
    say(f"MPS: on, server {asked.stdout.strip()}")
    return env


def _mps_control() -> str | None:
    return shutil.which("nvidia-cuda-mps-control") or next(
        (str(p) for p in Path("/usr/local/nvidia/bin").glob("nvidia-cuda-mps-control")), None
    )


def stand_in_for_installed() -> Path:
    """The toolkit's version as an installed package has it: runs note it, and stored analyses must."""
    import tomllib

    version = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
    folder = SHM / "site" / f"rdr_toolkit-{version}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: rdr-toolkit\nVersion: {version}\n")
    return folder.parent


def run(arguments: argparse.Namespace) -> int:
    end = BEGUN + arguments.seconds
    cuda = arguments.device != "cpu"
    OUT.mkdir(parents=True, exist_ok=True)
    for file in (OUT / "log.txt", OUT / "gpu_tests.log"):
        file.unlink(missing_ok=True)
    runs = SHM / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    for name in ("failed", "counts"):
        shutil.rmtree(SHM / name, ignore_errors=True)
    if shutil.which("nvidia-smi"):
        told = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.sm,compute_mode",
                               "--format=csv,noheader"], capture_output=True, text=True)  # fmt: skip
        say(told.stdout.strip() or told.stderr.strip())
    memory = next(
        (line.split(":")[1].strip() for line in Path("/proc/meminfo").read_text().splitlines() if "Available" in line),
        "?",
    )
    say(
        f"python {sys.version.split()[0]}, {os.cpu_count()} cores, memory {memory}, {SHM}: {shutil.disk_usage(SHM).free / 2**30:.1f} GiB"
    )
    base = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.getcwd(), str(stand_in_for_installed()), os.environ.get("PYTHONPATH", "")]),
        "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1", "MINUTES_SHM": str(SHM), "OUT": str(OUT),
        "PYTHONDONTWRITEBYTECODE": "", "MINUTES_BEGUN": repr(BEGUN), "CUDA_MODULE_LOADING": "LAZY",
    }  # fmt: skip
    if arguments.commit:
        base["MINUTES_COMMIT"] = arguments.commit

    # 1. Does anything work at all? The data are unpacked and MPS is started meanwhile.
    found: dict[str, object] = {}

    def unpack() -> None:
        try:
            found["data"] = [unpack_data(Path(file), SHM / "data") for file in arguments.pack]
        except BaseException as error:
            found["error"] = f"{type(error).__name__}: {error}"

    def mps_on() -> None:
        try:
            found["mps"] = start_mps() if arguments.mps and cuda else {}
        except Exception as error:
            say(f"MPS: {type(error).__name__}: {error}; without it")

    threads = [threading.Thread(target=unpack), threading.Thread(target=mps_on)]
    for thread in threads:
        thread.start()
    sys.path[:0] = [os.getcwd(), base["PYTHONPATH"].split(os.pathsep)[2]]
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"
    try:
        import torch

        import rdr_core.runs.session  # noqa: F401

        try:
            import rdr_viz.analysis.curvature.smallest  # noqa: F401
        except Exception as error:
            say(f"no curvature: {type(error).__name__}: {error}")
            arguments.curvature = 0
        changes = {key: value for key, value in (("epochs", arguments.epochs),) if value}
        if arguments.model != "resnet32":
            changes["model"] = arguments.model
        items = plan(changes)[: arguments.first or None]
        if cuda and not torch.cuda.is_available():
            raise RuntimeError(f"torch {torch.__version__} sees no CUDA device")
    except Exception as error:
        import traceback

        say(f"CAN'T WORK: {type(error).__name__}: {error}\n{traceback.format_exc()[-1500:]}")
        return 4
    for thread in threads:
        thread.join()
    if "error" in found:
        say(f"CAN'T WORK: the data: {found['error']}")
        return 4
    mps: dict[str, str] = dict(found.get("mps") or {})
    (SHM / "plan.json").write_text(json.dumps(items))
    say(f"torch {torch.__version__}; data unpacked; {len(items)} runs asked for: "
        + ", ".join(f"{i['config']['method']} s{i['config']['seed']}" for i in items[:8]) + ", ...")  # fmt: skip

    # 2. Train from now on. The gate runs beside; where it fails, what was trained is thrown away.
    deadline = end - arguments.reserve
    errors = SHM / "workers.err"
    errors.write_text("")
    code = "import sys, json, gpu_minutes; gpu_minutes.worker(**json.loads(sys.argv[1]))"

    def start(index: int) -> subprocess.Popen:
        given = {
            "index": index,
            "deadline": deadline,
            "runs": str(runs),
            "device": arguments.device,
            "final": arguments.final,
        }
        with errors.open("a") as file:
            made = subprocess.Popen([sys.executable, "-c", code, json.dumps(given)], env=base | mps, stdin=subprocess.DEVNULL,
                                    stderr=file, stdout=file)  # fmt: skip
        births[made.pid] = time.time()
        return made

    births: dict[int, float] = {}
    stopping = False

    def stop(*_: object) -> None:  # SIGTERM from outside, or ours: save, then collect
        nonlocal stopping
        stopping = True
        for process in [*team.values(), *beside]:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)

    team: dict[int, subprocess.Popen] = {}
    beside: list[subprocess.Popen] = []
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    began = time.monotonic()
    most = max(arguments.parallel, arguments.most if mps or not cuda else arguments.parallel)
    for index in range(arguments.parallel if mps or not cuda else min(arguments.parallel, 5)):
        team[index] = start(index)
    low = {"CUDA_MPS_CLIENT_PRIORITY": "1"} if mps else {}
    gate = None
    if not arguments.no_probe and not (SHM / "gate-passed").exists():
        gate = subprocess.Popen([sys.executable, str(HERE), "probe", "--part", "gate", "--device", arguments.device,
                                 "--model", arguments.model], env=base | mps)  # fmt: skip
        beside.append(gate)
    queue = [] if arguments.no_probe else ["rest", "tests"]
    queue = [what for what in queue if not (SHM / f"{what}-run").exists()] + (["curve"] if arguments.curvature else [])

    def begin_beside(what: str) -> subprocess.Popen:
        gentle = ["nice", "-n", "15"] if shutil.which("nice") else []
        if what == "rest":
            return subprocess.Popen([*gentle, sys.executable, str(HERE), "probe", "--part", "rest", "--device", arguments.device,
                                     "--model", arguments.model], env=base | mps | low)  # fmt: skip
        if what == "tests":
            return subprocess.Popen(
                [*gentle, sys.executable, "-m", "pytest", "tests/training/test_gpu.py", "-q", "-n", "0", "--noconftest", "-p",
                 "no:cacheprovider", "--timeout", "120", "-W", "ignore:Synchronization debug mode:UserWarning",
                 "-rfE", "--tb=short"],
                env=base | mps | low, stdout=(OUT / "gpu_tests.log").open("w"), stderr=subprocess.STDOUT)  # fmt: skip
        return subprocess.Popen(
            [*gentle, sys.executable, "-c", f"import gpu_minutes; gpu_minutes.curve({deadline}, {arguments.device!r})"],
            env=base | mps | low, stderr=errors.open("a"), stdout=subprocess.DEVNULL)  # fmt: skip

    lost, told, seen, shown, running = 0, began, began, 0, ("", began)
    grow_at, before = None, 0.0  # measuring throughput
    steps_then, window = 0.0, None

    def pace() -> float:
        return sum(count["steps"] for count in counts().values())

    while (any(process.poll() is None for process in team.values())
           or ((queue or running[0]) and not stopping and time.monotonic() < deadline)):  # fmt: skip
        time.sleep(0.3)
        now = time.monotonic()
        if gate and not stopping and (gate.poll() is not None or now - began > arguments.gate_seconds):
            code_of, verdict = gate.poll(), ""
            if code_of == 0:
                (SHM / "gate-passed").touch()
            elif code_of == 5:
                (SHM / "plain-restored").touch()
                say("GATE: runs that go on take plain steps")
            else:
                if code_of is None:
                    gate.kill()
                verdict = "did not end in time" if code_of is None else f"ended with {code_of}"
                # Something is wrong with recording only where the gate says so (3); else it may be the gate.
                say(
                    f"GATE: {verdict}; "
                    + ("all starts again with plain steps" if code_of == 3 else "training goes on as it is")
                )
            if code_of == 3:
                for process in team.values():
                    process.kill()
                    process.wait()
                shutil.rmtree(runs, ignore_errors=True)
                runs.mkdir(parents=True, exist_ok=True)
                for name in ("failed", "counts"):
                    shutil.rmtree(SHM / name, ignore_errors=True)
                (SHM / "no-recording").touch()
                team = {index: start(index) for index in team}
                before, window = 0.0, None
            gate = None
        if not stopping and end - now > arguments.reserve + 15:
            for index, process in team.items():
                if process.poll() in (None, 0):
                    continue
                lost += 1
                say(
                    f"worker {index} ended with {process.returncode}: " + errors.read_text()[-600:].replace("\n", " | ")
                )
                if lost >= 6 and not counts():
                    say("CAN'T WORK: workers end before their first epoch")
                    stop()
                    break
                if lost == 4:
                    mps = {}
                    say("without MPS from now on")
                if lost == 8:
                    (SHM / "no-recording").touch()
                    say("plain steps from now on")
                if lost > 24:
                    continue
                team[index] = start(index)
        # One that hangs is ended, and begins anew like one that was lost.
        for index, process in team.items():
            marks = [file.stat().st_mtime for file in (SHM / "counts").glob(f"{process.pid}.*") if file.exists()]
            since = max([*marks, births.get(process.pid, time.time())])
            if process.poll() is None and not stopping and time.time() - since > arguments.hang:
                say(f"worker {index} says nothing for {arguments.hang:.0f} s")
                process.kill()
        # More workers while that brings more steps a second in all.
        if window is None and not stopping and arguments.grow and len(team) < most:
            ready = [count for count in counts().values() if count["epochs"] >= 3]
            if len(ready) >= len(team) and gate is None:
                window, steps_then = now, pace()
        elif window is not None and now - window > arguments.window:
            rate = (pace() - steps_then) / (now - window)
            say(f"{len(team)} workers: {rate:.0f} steps a second in all")
            if rate > 1.03 * before and len(team) < most and end - now > 120:
                before, window = rate, None
                for index in range(len(team), min(most, len(team) + 2)):
                    team[index] = start(index)
                grow_at = now
            else:
                if rate < 0.97 * before and grow_at:
                    say(f"back to {len(team) - 2}")
                    for index in sorted(team)[-2:]:
                        team[index].send_signal(signal.SIGTERM)
                arguments.grow, window = 0, None
        # What else is to be seen, one after the other, with low priority.
        if running[0] and beside[-1].poll() is not None:
            say(f"{running[0]} ended with {beside[-1].returncode} after {now - running[1]:.0f} s")
            running = ("", now)
        if (
            not running[0]
            and queue
            and gate is None
            and not stopping
            and now - began > arguments.beside_after
            and end - now > 45
        ):
            what = queue.pop(0)
            (SHM / f"{what}-run").touch()
            beside.append(begin_beside(what))
            running = (what, now)
        if running[0] in ("rest", "tests") and now - running[1] > 200:
            beside[-1].kill()
        text = errors.read_text(errors="replace") if errors.stat().st_size > shown else ""
        if text:
            say("workers: " + text[shown:][:500].replace("\n", " | "))
            shown = errors.stat().st_size
        if now - seen > 25:
            collect(runs)
            seen = time.monotonic()
        if now - told > 40:
            told = now
            done, state = standing(runs)
            say(f"{done} done; " + "; ".join(" ".join(line.split()) for line in state if "DONE" not in line)[:1500])
        if now > deadline + 4 and not stopping:
            stop()
        if now > end - 5 or (stopping and now > deadline + 9):
            for process in team.values():
                process.kill()
    for process in beside:
        if process.poll() is None:
            process.terminate()
    say(f"training ended; {sum(c['epochs'] for c in counts().values())} epochs here")
    collect(runs, last=True)
    if mps and (control := _mps_control()):
        with contextlib.suppress(Exception):
            subprocess.run([control], input="quit\n", env=os.environ | mps, text=True, capture_output=True, timeout=10)
    parts = list(counts().values())
    if epochs := sum(part["epochs"] for part in parts):
        say("of an epoch, mean over workers: " + ", ".join(
            f"{name} {1e3 * sum(part[name] for part in parts) / epochs:.0f} ms"
            for name in ("images and steps", "test", "checkpoint")))  # fmt: skip
    done, state = standing(runs)
    say(f"{done} done; {lost} workers lost:")
    with (OUT / "log.txt").open("a") as log:
        text = "\n".join(state) + "\n\nworkers' stderr, its end:\n" + errors.read_text(errors="replace")[-20_000:]
        for file in sorted((SHM / "failed").glob("*")) if (SHM / "failed").is_dir() else ():
            text += f"\nfailed: {file.name}: {file.read_text()}"
        log.write(text + "\n")
    print("\n".join(state), flush=True)
    if (OUT / "gpu_tests.log").is_file():
        print((OUT / "gpu_tests.log").read_text()[-1500:], flush=True)
    print("\n".join(f"{p.name} {p.stat().st_size / MIB:.2f} MiB" for p in sorted(OUT.iterdir())), flush=True)
    return 0 if done or parts else 5


# ---------------------------------------------------------------- there: the smoke test


def probe(arguments: argparse.Namespace) -> int:
    import warnings

    import numpy as np
    import torch

    sys.path.insert(0, os.getcwd())
    from rdr_core.data import from_arrays
    from rdr_core.files.trees import load_tree, save_tree
    from rdr_core.methods.ratio import density_ratio
    from rdr_core.runs import RunConfig
    from rdr_core.training.auto_augment import auto_augment, draw_choices
    from rdr_core.training.kernels import fastest_convolutions
    from rdr_core.training.loop import close_epoch, plain_steps, train_epoch
    from rdr_core.training.state import TrainingState
    from rdr_core.training.trunk import TrunkState, branch_tree

    _change_toolkit()  # after the imports above: what is counted is the runs'
    device = torch.device(arguments.device)
    gpu = device.type == "cuda"
    found: dict[str, object] = {}
    say(f"probe {arguments.part}: torch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}, "
        f"{torch.cuda.get_device_name() if gpu else 'cpu'}")  # fmt: skip
    batch, n_max, tested = (128, 5000, 10_000) if gpu else (32, 120, 64)
    counts = [int(n_max * 100 ** (-i / 9)) for i in range(10)]
    labels = torch.arange(10).repeat_interleave(torch.tensor(counts))
    draw = torch.Generator().manual_seed(0)
    # Not noise: a class is told by its colour, so that losses fall and two ways of training can be compared.
    base = torch.randint(0, 256, (10, 3, 1, 1), generator=draw)

    def images(of: torch.Tensor) -> torch.Tensor:
        noise = torch.randint(-60, 61, (len(of), 3, 32, 32), generator=draw)
        return (base[of] + noise).clamp(0, 255).to(torch.uint8)

    data = from_arrays(images(labels), labels, images(torch.arange(tested) % 10), torch.arange(tested) % 10)

    def state(method: str, recipe: str = "strong", precision: str = "fp32", recorded: bool = True,
              kind: type = TrainingState) -> TrainingState:  # fmt: skip
        config = RunConfig(dataset="arrays", imbalance_factor=None, method=method, epochs=200, model=arguments.model,
                           batch_size=batch, learning_rate=0.02, augmentation=recipe, precision=precision)  # fmt: skip
        torch.manual_seed(0)
        made = kind(config, data, device)
        if not recorded:
            made.steps = plain_steps
        return made

    def sync() -> float:
        if gpu:
            torch.cuda.synchronize()
        return time.perf_counter()

    def steps(made: TrainingState, number: int) -> float:
        """Seconds a step, of the steps to that number of the epoch; those before the call are not counted."""
        first = made.batch
        started = sync()
        train_epoch(made, tick=lambda: None, stop=lambda: made.batch >= number)
        return (sync() - started) / max(1, made.batch - first)

    def epochs(made: TrainingState, number: int) -> tuple[float, float, float]:
        took, rest = [], []
        for _ in range(number):
            started = sync()
            train_epoch(made, tick=lambda: None, stop=lambda: False)
            middle = sync()
            close_epoch(made)
            took.append((middle - started) / made.batches)
            rest.append(sync() - middle)
        return took[-1], rest[-1], made.history[-1]["loss"]

    def through_file(tree):
        file = SHM / f"probe-{os.getpid()}.safetensors"
        save_tree(file, tree)
        try:
            return load_tree(file)
        finally:
            file.unlink()

    def parts() -> str:
        """What an epoch is made of, beside its steps."""
        from rdr_core.training.inference import predict

        made = state("rdr", recipe="authors")
        epochs(made, 2)
        made.start_visits()
        t = [sync()]
        draws = made.augmentation.epoch(made.epoch, len(made.order), made.inputs.shape, device)
        t.append(sync())
        draws.prepare(made.inputs, made.order)
        t.append(sync())
        predict(made.model, made.test)
        t.append(sync())
        made.visits.by_class(made.priors)
        t.append(sync())
        tree = made.tree()
        t.append(sync())
        through_file(tree)
        t.append(sync())
        names = ("draws", "AutoAugment", "test set", "by class", "tree", "tree through a file")
        return ", ".join(f"{name} {1e3 * (b - a):.1f} ms" for name, a, b in zip(names, t, t[1:], strict=False))

    def together(*numbers: int) -> str:
        """What kernels of several runs at once would bring: steps a second in all, each run on its own stream."""
        made = [state("ce", recipe="plain") for _ in range(max(numbers))]
        for each in made:
            steps(each, 8)
        streams = [torch.cuda.Stream() for _ in made]
        told = []
        for number in numbers:
            took = []
            for count in (2, 22):
                started = sync()
                for _ in range(count):
                    for each, stream in zip(made[:number], streams, strict=False):
                        with torch.cuda.stream(stream):
                            each.steps.replay()
                took.append(sync() - started)
            told.append(f"{number}: {20 * number / (took[1] - took[0]):.0f}")
        return ", ".join(told) + " steps a second"

    def keep() -> None:
        (SHM / f"probe-{arguments.part}.json").write_text(json.dumps(found))
        parts = {file.stem[6:]: json.loads(file.read_text()) for file in sorted(SHM.glob("probe-*.json"))}
        (OUT / "probe.json").write_text(json.dumps(parts, indent=1))

    status = 0
    if arguments.part == "gate":
        with fastest_convolutions(device):
            try:
                one = state("rdr")
                step, rest, loss = epochs(one, 3)
                found["recorded"] = bool(getattr(one.steps, "replay", None))
                found |= {"step_ms": 1e3 * step, "rest_ms": 1e3 * rest, "loss": loss}
                say(f"rdr strong: recorded {found['recorded']}, {1e3 * step:.2f} ms a step with the epoch's images, "
                    f"rest of an epoch {1e3 * rest:.0f} ms")  # fmt: skip
                keep()
                two = state("rdr", recorded=False)
                plain, _, loss2 = epochs(two, 3)
                found |= {"plain_step_ms": 1e3 * plain, "plain_loss": loss2}
                off = abs(loss - loss2) / abs(loss2)
                say(f"plain steps: {1e3 * plain:.2f} ms; loss after 3 epochs {loss:.4f} recorded, {loss2:.4f} plain "
                    f"({100 * off:.1f} % apart)")  # fmt: skip
                # Sums in another order differ by a few percent here; batches taken twice, or stale weights, by far more.
                if (
                    not np.isfinite(loss)
                    or abs(loss - loss2) > 0.2 * abs(loss2) + 0.05
                    or os.environ.get("MINUTES_FAIL_GATE")
                ):
                    status = 3
                keep()
                if status == 0:  # what goes on from a file, its own or a trunk's
                    again = state("rdr")
                    again.restore(through_file(one.tree()))
                    on, back = epochs(one, 1)[2], epochs(again, 1)[2]
                    was = bool(getattr(again.steps, "replay", None))
                    say(f"gone on from a file: loss {back:.4f}, never stopped {on:.4f}, recorded {was}")
                    trunk = state("ce", recipe="authors", kind=TrunkState)
                    took, _, before = epochs(trunk, 2)
                    branch = state("rdr:preset=released", recipe="authors")
                    branch.restore(through_file(branch_tree(through_file(trunk.tree()), branch)))
                    after = epochs(branch, 1)[2]
                    was = was and bool(getattr(branch.steps, "replay", None))
                    say(
                        f"trunk {1e3 * took:.2f} ms a step, loss {before:.4f}; a branch of it: {after:.4f}, recorded {was}"
                    )
                    found |= {"restored_loss": back, "not_stopped_loss": on, "trunk_step_ms": 1e3 * took,
                              "trunk_loss": before, "branch_loss": after, "restored_recorded": was}  # fmt: skip
                    if not np.isfinite(back + after) or abs(back - on) > 0.15 * abs(on) or after > 1.3 * before + 0.1:
                        status = 5
                keep()
            except Exception as error:
                say(f"GATE FAILED: {type(error).__name__}: {str(error)[:300]}")
                status = 3
        keep()
        return status

    def attempt(name: str, work) -> None:
        try:
            found[name] = work()
            say(f"{name}: {found[name]}")
        except Exception as error:
            found[name] = f"FAILED {type(error).__name__}: {str(error)[:200]}"
            say(f"{name}: {found[name]}")
            if gpu:
                with contextlib.suppress(Exception):  # a recording that failed leaves its stream current
                    torch.cuda.set_stream(torch.cuda.default_stream())
        keep()

    def pace(method: str, precision: str = "fp32") -> str:
        with fastest_convolutions(device):
            made = state(method, recipe="plain", precision=precision)
            steps(made, 8)
            seconds = steps(made, min(60, made.batches - 1))
            was = bool(getattr(made.steps, "replay", None))
        return f"{1e3 * seconds:.2f} ms a step{'' if was else ', not recorded'}"

    def contiguous() -> str:
        """As the network would be without channels-last images."""
        import rdr_core.training.augment as augment

        before = augment.normalise
        augment.normalise = lambda *given: before(*given).contiguous()
        try:
            with fastest_convolutions(device):
                made = state("ce", recipe="plain")
                made.model.to(memory_format=torch.contiguous_format)
                steps(made, 8)
                return f"{1e3 * steps(made, min(60, made.batches - 1)):.2f} ms a step"
        finally:
            augment.normalise = before

    def compiled() -> str:
        """torch.compile inside the recording: what fusing would bring, and how long compiling takes."""
        with fastest_convolutions(device):
            made = state("ce", recipe="plain")
            made.model.body = torch.compile(made.model.body)
            started = sync()
            steps(made, 8)
            took = sync() - started
            return (
                f"{1e3 * steps(made, min(60, made.batches - 1)):.2f} ms a step, "
                f"recorded {bool(getattr(made.steps, 'replay', None))}, compiled in {took:.0f} s"
            )

    def same_ratios() -> str:
        x, y = torch.randn(128, 64, generator=draw).relu(), torch.randint(10, (128,), generator=draw)
        prototypes = torch.rand(10, 64, generator=draw)
        here = density_ratio(x, y, prototypes)
        there = density_ratio(x.to(device), y.to(device), prototypes.to(device)).cpu()
        return f"largest difference to the CPU's {float((here - there).abs().max()):.1e}"

    def same_images() -> str:
        some = data.train.inputs[torch.randint(len(labels), (1000,), generator=draw)]
        choices = draw_choices(1000, draw)
        started = sync()
        there = auto_augment(some.to(device), choices)
        took = sync() - started
        return f"{float((auto_augment(some, choices) != there.cpu()).double().mean()):.4f} of values differ, {1e3 * took:.0f} ms"

    def no_waits() -> str:
        made = state("rdr", recipe="plain")
        epochs(made, 1)
        if not gpu:
            return "no GPU"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.cuda.set_sync_debug_mode("error")
        try:
            train_epoch(made, tick=lambda: None, stop=lambda: False)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        return "nothing waits"

    def curvature() -> str:
        from rdr_core.models import build_model
        from rdr_viz.analysis.curvature import Hessian

        torch.manual_seed(0)
        model = build_model(arguments.model, num_classes=10, channels=3).to(device)
        x, y = torch.randn(50, 3, 32, 32, generator=draw), torch.randint(10, (50,), generator=draw)
        answers = []
        for tf32 in (True, False):
            torch.backends.cudnn.allow_tf32 = tf32
            hessian = Hessian(model, x.to(device), y.to(device))
            started = sync()
            top = hessian.eigenvalues(1, "both", budget=120)
            answers.append(f"tf32 {tf32}: {top.values.round(4).tolist()} residuals {[f'{r:.0e}' for r in top.residuals]} "
                           f"{top.products} products {sync() - started:.1f} s")  # fmt: skip
        torch.backends.cudnn.allow_tf32 = True
        return "; ".join(answers)

    def bandwidth() -> str:
        if not gpu:
            return "no GPU"
        a = torch.empty(2**30, dtype=torch.uint8, device=device)
        b = torch.empty_like(a)
        b.copy_(a)
        started = sync()
        for _ in range(10):
            b.copy_(a)
        return f"{20 * 2**30 / (sync() - started) / 1e12:.2f} TB/s copied, beside training"

    attempt("epoch parts", parts)
    if gpu:
        attempt("recorded steps of ce on streams of their own, in one process", lambda: together(1, 2, 4))
    attempt("ratios", same_ratios)
    attempt("augmentation", same_images)
    attempt("waits", no_waits)
    for method in ("ce", "rdr", "la", "inverse", "sam", "rdr+sam", "inverse:gamma=0.5+imbsam", "ccsam",
                   "ldam+cb+drw:start=0.5", "rdr:update=epoch"):  # fmt: skip
        attempt(method, functools.partial(pace, method))
    attempt("ce bf16", functools.partial(pace, "ce", "bf16"))
    attempt("ce contiguous", contiguous)
    attempt("curvature", curvature)
    attempt("bandwidth", bandwidth)
    if gpu:
        attempt("ce compiled", compiled)
    return status


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack")
    packing.add_argument("--root", type=Path, required=True)
    packing.add_argument("--out", type=Path, required=True)
    running = commands.add_parser("run")
    running.add_argument("--pack", nargs="*", default=[])
    running.add_argument("--seconds", type=float, default=560)
    running.add_argument("--reserve", type=float, default=14, help="of them, for saving and packing")
    running.add_argument("--parallel", type=int, default=6)
    running.add_argument("--most", type=int, default=10, help="workers, where more of them bring more steps a second")
    running.add_argument("--grow", type=int, default=1)
    running.add_argument("--window", type=float, default=20, help="seconds over which steps are counted")
    running.add_argument(
        "--hang", type=float, default=100, help="seconds without an epoch after which a worker is ended"
    )
    running.add_argument("--mps", type=int, default=1)
    running.add_argument("--gate-seconds", type=float, default=80)
    running.add_argument("--beside-after", type=float, default=60)
    running.add_argument("--no-probe", action="store_true")
    running.add_argument("--curvature", type=int, default=1)
    running.add_argument(
        "--final", action="store_true", help="the last call: start nothing that it can't take half way"
    )
    running.add_argument("--commit", help="that the tree is of, for env.json")
    running.add_argument("--epochs", type=int)
    running.add_argument("--first", type=int, help="so many runs of the list")
    probing = commands.add_parser("probe")
    probing.add_argument("--part", choices=("gate", "rest"), required=True)
    for command in (running, probing):
        command.add_argument("--device", default="cuda")
        command.add_argument("--model", default="resnet32")
    arguments = parser.parse_args()
    if arguments.command == "pack":
        pack_data(arguments.root, arguments.out)
        return 0
    if arguments.command == "probe":
        return probe(arguments)
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
