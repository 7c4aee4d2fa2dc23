"""The core's commands. Torch is imported only by commands that need it, so that help answers at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rdr_core.ending import stoppable
from rdr_core.errors import RdrError
from rdr_core.printed import MEASURES, add_row, show, table_of

app = typer.Typer(
    name="rdr",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""See how deep networks learn from long-tailed data: train, compare and draw.

    [bold]First steps[/bold]

    rdr demo                              three methods on real digits, with pictures

    rdr train digits -i 50 -m rdr         one run, a few seconds

    rdr train cifar10 -i 100 -m rdr+la    ResNet-32, 200 epochs, best on a GPU

    rdr runs                              what has been trained

    rdr evaluate runs/*                   more than accuracy
    """,
)

RunsFolder = Annotated[Path, typer.Option("--runs", help="Folder that holds the runs.")]
Device = Annotated[str, typer.Option(help="auto (a GPU if there is one), cpu, cuda or cuda:N.")]
Root = Annotated[
    Path | None, typer.Option(help="Folder of the data files.", show_default="$RDR_DATA, else ~/.cache/rdr")
]


@app.command()
def train(
    dataset: Annotated[
        str, typer.Argument(help="Data set by name (`rdr datasets` lists them), or a CSV file of your own.")
    ],
    imbalance_factor: Annotated[
        float | None,
        typer.Option(
            "--imbalance-factor",
            "-i",
            help="Largest class over smallest; 1 is balanced.",
            show_default="100; imagenet-lt, places-lt and folder have their own",
        ),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", "-m", help="Such as ce, rdr, rdr+la, rdr:gamma=0.5; `rdr methods` lists parts.")
    ] = "rdr",
    epochs: Annotated[int | None, typer.Option(show_default="60 for digits, 200 for CIFAR, 90 for imagenet-lt")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same result.")] = 0,
    runs: RunsFolder = Path("runs"),
    profile: Annotated[str, typer.Option(help="Shape of the class counts: exponential or step.")] = "exponential",
    noise_rate: Annotated[float, typer.Option(help="Share of training labels to flip.")] = 0.0,
    noise: Annotated[str, typer.Option(help="How labels flip: symmetric or prior.")] = "symmetric",
    data_seed: Annotated[int, typer.Option(help="Which subset of the data; 0 is the field's usual one.")] = 0,
    class_order: Annotated[str, typer.Option(help="Which classes are rare: file, or a seed that draws them.")] = "file",
    model: Annotated[
        str | None, typer.Option(help="Network by name.", show_default="the data set's, such as resnet32 for CIFAR")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(show_default="32 for digits, 128 for CIFAR, 256 for imagenet-lt")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(show_default="0.1")] = None,
    recipe: Annotated[
        str, typer.Option(help="A named set of settings: paper, strong, authors or cdb; `rdr recipes` lists them.")
    ] = "paper",
    weight_decay: Annotated[float | None, typer.Option(show_default="the recipe's")] = None,
    warmup: Annotated[
        float | None, typer.Option(help="Share of the run in which the rate rises.", show_default="the recipe's")
    ] = None,
    schedule: Annotated[
        str | None, typer.Option(help="Learning-rate schedule: cosine, step or step-cdb.", show_default="the recipe's")
    ] = None,
    augmentation: Annotated[
        str | None, typer.Option(help="none, plain, strong or authors.", show_default="the recipe's")
    ] = None,
    precision: Annotated[str, typer.Option(help="fp32 or bf16.")] = "fp32",
    label: Annotated[
        str, typer.Option(help="Of a CSV file: the column with the classes.", show_default="label, class, target or y")
    ] = "",
    leave_out: Annotated[bool, typer.Option(help="Of a CSV file: go on without rows that can't be used.")] = False,
    trunk: Annotated[
        bool, typer.Option(help="Share the epochs before the weights begin with other runs; the result is the same.")
    ] = True,
    device: Device = "auto",
    root: Root = None,
) -> None:
    """Train a network, and print its accuracy by group.

    Each run has its own folder. Repeat the command to open a finished run or to continue a stopped one.
    Ctrl-C saves.
    """
    from rdr_core.runs.requests import train as train_run

    with stoppable():
        run = train_run(
            _own_file(dataset, label, leave_out),
            imbalance_factor=imbalance_factor,
            method=method,
            epochs=epochs,
            seed=seed,
            runs=runs,
            profile=profile,
            noise_rate=noise_rate,
            noise=noise,
            data_seed=data_seed,
            class_order=int(class_order) if class_order.isdigit() else class_order,
            model=model,
            batch_size=batch_size,
            learning_rate=learning_rate,
            recipe=recipe,
            weight_decay=weight_decay,
            warmup=warmup,
            schedule=schedule,
            augmentation=augmentation,
            precision=precision,
            trunk=trunk,
            device=device,
            root=root,
        )
    show(run)


def _own_file(dataset: str, label: str, leave_out: bool) -> str:
    """A data set's name, or that of a CSV file."""
    if dataset.lower().endswith((".csv", ".tsv")) and ":" not in dataset[2:]:
        from rdr_core.data.sources.own_csv import csv_name

        return csv_name(dataset, label=label, leave_out=leave_out)
    if label or leave_out:
        raise RdrError(f"--label and --leave-out are for CSV files, and {dataset!r} is none; leave them out.")
    return dataset


@app.command()
def resume(
    run: Annotated[Path, typer.Argument(help="The run's folder.")], device: Device = "auto", root: Root = None
) -> None:
    """Continue a run that was stopped or killed; the result is the same as without the stop."""
    from rdr_core.runs.requests import resume as resume_run

    with stoppable():
        resumed = resume_run(run, device=device, root=root)
    show(resumed)


@app.command()
def refine(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    method: Annotated[
        str, typer.Option("--method", "-m", help="Second stage: crt, lws, taunorm, posthoc; `rdr methods` lists them.")
    ] = "crt",
    device: Device = "auto",
    root: Root = None,
) -> None:
    """Give a trained network a new classifier, in a separate run beside the first.

    The features do not change. `rdr train -m ce+crt` does the same and trains the first stage too.
    """
    from rdr_core.runs.requests import refine as refine_run

    with stoppable():
        refined = refine_run(run, method, device=device, root=root)
    show(refined)


@app.command()
def evaluate(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")],
    test: Annotated[str, typer.Option(help="Class frequencies: balanced, long-tailed or reversed.")] = "balanced",
    imbalance_factor: Annotated[
        float | None,
        typer.Option("--imbalance-factor", "-i", help="Of the test classes.", show_default="the run's own"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list, including accuracy by class.")] = False,
    device: Device = "auto",
    root: Root = None,
) -> None:
    """Measure runs on their test set, with classes weighted to be balanced, long-tailed or reversed.

    All measures are in percent: accuracy over all images and by group, balanced accuracy (Bal), macro F1,
    ROC AUC and average precision (AP) of a class against the rest, expected calibration error (ECE).
    Results are stored in the run's folder and not computed twice.

    rdr evaluate runs/* --test reversed -i 50
    """
    from rdr_core.runs.evaluation import evaluate as evaluate_run
    from rdr_core.runs.run_list import open_runs

    opened = open_runs(runs)
    found = [
        {"run": run.name} | evaluate_run(run, test=test, imbalance_factor=imbalance_factor, device=device, root=root)
        for run in opened
    ]
    if as_json:
        import json

        print(json.dumps(found, indent=1))
        return
    from rich.console import Console

    table = table_of("run", "IF", *MEASURES.values())
    table.title, table.title_justify, table.collapse_padding = f"test {test}, percent", "left", True
    for row in found:
        numbers = ("-" if row[name] is None else f"{row[name]:.1f}" for name in MEASURES)
        add_row(table, row["run"], f"{row['imbalance_factor']:g}", *numbers)
    Console().print(table)


@app.command("runs")
def list_the_runs(
    folder: Annotated[Path, typer.Argument(help="Folder that holds the runs.")] = Path("runs"),
    sweep: Annotated[
        Path | None, typer.Option(help="A grid (`rdr sweep`): how far its runs are, and why some can't be made.")
    ] = None,
) -> None:
    """List the runs with their accuracy by group."""
    from rdr_core.runs import list_runs

    if sweep is not None:
        from rdr_core.jobs.grid import grid_configs
        from rdr_core.jobs.sweep import states_of, tasks_of_grid
        from rdr_core.jobs.told import tell_states

        tell_states(states_of(tasks_of_grid(grid_configs(sweep), folder)))
        return
    found = list_runs(folder)
    if not found:
        raise RdrError(f"{folder} holds no runs; train one with: rdr train digits --imbalance-factor 50")
    show(*found)


@app.command()
def check(
    places: Annotated[list[Path] | None, typer.Argument(metavar="RUNS", help="Folders of runs, or runs' own.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Bring back what can be; it is said what was done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list, for scripts.")] = False,
) -> None:
    """Read all files of runs, compare them with their checksums, and say what is damaged; then the status is 1.

    Files that an older version wrote without a checksum are given theirs.
    """
    from rdr_core.printed import show_checked
    from rdr_core.runs.checking import check_run, run_folders

    with stoppable():
        good = show_checked((check_run(path, repair=repair) for path in run_folders(places or [Path("runs")])), as_json)
    raise typer.Exit(0 if good else 1)


@app.command()
def methods(
    name: Annotated[str | None, typer.Argument(help="A part or a combination to explain, such as rdr+sam.")] = None,
) -> None:
    """List the parts of methods by what they change, with formula, source and parameters; or explain one method."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from rdr_core.methods.explain import RECIPES, explain
    from rdr_core.methods.parts import GROUPS, PARTS, format_value

    if name is not None:
        print(explain(name))
        return
    table = Table.grid(padding=(0, 2))
    for group, kinds in GROUPS.items():
        what, _, question = group.partition(":")
        table.add_row(f"\n[bold]{what}[/bold]", f"\n{question.strip()}")
        members = [part for part in PARTS.all().values() if part.kind in kinds]
        for part in sorted(members, key=lambda part: (kinds.index(part.kind), part.name)):
            listed = ", ".join(f"{key}={format_value(value)}" for key, value in part.defaults.items())
            about = [part.summary, f"[cyan]{escape(part.formula)}[/cyan]", listed]
            about += [f"[dim]{escape(part.source)}[/dim]"] if part.source else []
            table.add_row(part.name, "\n".join(filter(None, about)))
    Console(highlight=False).print(table)
    recipes = table_of("method", "known as")
    for known_as, method in RECIPES.items():
        recipes.add_row(method, known_as)
    Console().print(recipes)
    print(
        "Join parts with +, give parameters after a colon:  rdr   rdr+la   inverse:gamma=0.5   rdr:momentum=0.9\n"
        "A method has one loss (ce if none is named) and at most one part of each other kind.\n"
        "rdr methods rdr+la   explains a method: what its parameters may be, and which part carries the class prior."
    )


@app.command()
def recipes() -> None:
    """List the recipes: named sets of settings, each value with its source."""
    from rich.console import Console
    from rich.table import Table

    from rdr_core.training.recipes import RECIPES, VALUES

    console = Console(highlight=False)
    table = table_of("setting", *RECIPES)
    for setting in VALUES:
        values = (getattr(recipe, setting) for recipe in RECIPES.values())
        table.add_row(setting, *("the data set's" if value is None else str(value) for value in values))
    console.print(table)
    for name, recipe in RECIPES.items():
        console.print(f"[bold]{name}[/bold]: {recipe.about}")
        sources = Table.grid(padding=(0, 2))
        for setting in VALUES:
            sources.add_row(f"  {setting}", f"[dim]{recipe.sources[setting]}[/dim]")
        console.print(sources)
    print("rdr train cifar10 --recipe authors --weight-decay 2e-4   uses a recipe with one value of your own.")


@app.command()
def datasets() -> None:
    """List the data sets. A colon picks classes of one: mnist:9-4 is 9 against 4."""
    from rich.console import Console

    from rdr_core.data.datasets import DATASETS

    table = table_of("data set", "classes", "image", "largest class", "about")
    for source in sorted(DATASETS.all().values(), key=lambda source: source.place):
        shape = " x ".join(map(str, source.image_shape or ("-",)))
        unknown = "any" if source.asks else "-"
        classes, largest = (unknown if n is None else str(n) for n in (source.num_classes, source.n_max))
        named = f"{source.name}:{source.asks}" if source.asks else source.name
        add_row(table, named, classes, shape, largest, source.description)
    Console().print(table)
