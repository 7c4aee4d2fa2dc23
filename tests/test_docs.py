"""Examples in docstrings run, and the README says what the measurements say."""

from __future__ import annotations

import doctest
import importlib
import inspect
import json
import pkgutil
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from marked import marked
from scipy import stats

import rdr_core
import rdr_viz
from rdr_core.methods.grammar import parse
from rdr_core.methods.parts import PARTS, format_value

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(
    module.name
    for package in (rdr_core, rdr_viz)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not module.name.endswith("__main__")
)


#: They need files, a network or a run; their own tests call them.
WITHOUT_EXAMPLE = {
    "load_cifar10", "load_cifar100", "load_mnist", "load_fashion_mnist", "imagenet_lt_validation",
    "load_imagenet_lt", "load_places_lt", "places_lt_validation", "load_folder",
    "load_table", "load_series", "load_text",
    "read_or_fetch", "Download", "RawData", "Source", "Weighting",
    "Weighing", "Context", "Outcome", "Ranks", "Objective", "Step", "Pieces", "Settings",
    "Allowed", "Part", "UsedPart", "MethodSpec", "check_batch", "ratios_towards", "Unweighted",
    "ratios_moving", "ratios_by_class", "BatchClasses", "ClassesByMask", "SortedClasses",
    "part", "at_least", "between", "one_of", "rdr", "sam", "imbsam", "ccsam",
    "drw", "cdb", "of_all_processes", "Kind", "Tail", "Encoding", "Parts", "load_csv", "read_csv", "rows_of",
    "ib", "ilr", "focalsam", "muon", "mixup", "remix", "balanced_sampling", "sqrt_sampling",
    "progressive_sampling", "oversampling", "undersampling", "Sampler", "Mixing", "Mixes", "PlainStep",
}  # fmt: skip


def documented(module) -> dict[str, object]:
    """Public functions and classes defined in the module."""
    return {
        name: thing
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(thing) or inspect.isclass(thing))
        and thing.__module__ == module.__name__
    }


@pytest.mark.parametrize("name", ["rdr_core", "rdr_viz", *MODULES])
def test_examples_in_docstrings_run(name):
    module = importlib.import_module(name)
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    # Things one by one: testmod would pass over functions that the shape checker wraps.
    things = {"": module} | documented(module)
    with torch.random.fork_rng(devices=[]):
        for key, thing in things.items():
            examples = finder.find(
                thing, f"{name}.{key}", module=module if not key else False, globs=dict(vars(module))
            )
            for example in examples:
                runner.run(example)
            if key and name.startswith(("rdr_core.data", "rdr_core.methods")) and key not in WITHOUT_EXAMPLE:
                assert any(example.examples for example in examples), f"{key} has no example"
    assert runner.summarize(verbose=False).failed == 0


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_pictures_and_files_that_the_readme_names_exist():
    for target in re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", readme()):
        path = next(filter(None, target))
        if "://" not in path:
            assert (ROOT / path).exists(), path


def test_the_readmes_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}  # one for all, as a reader goes from one to the next
    for code in re.findall(r"```python\n(.*?)```", readme(), flags=re.DOTALL):
        exec(compile(code, "README.md", "exec"), names)


BUILT_IN = sorted(name for name, part in PARTS.all().items() if part.make.__module__.startswith("rdr_core"))


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_part_of_methods_has_its_place_in_a_page(name):
    """With each of its options and the default that it has."""
    part = PARTS[name]
    pages = [page.read_text() for page in sorted((ROOT / "docs" / "methods").glob("*.md"))]
    found = [section for page in pages for section in re.split("^## ", page, flags=re.MULTILINE)[1:]
             if section.startswith(f"`{name}`")]  # fmt: skip
    assert len(found) == 1
    for key, value in part.defaults.items():
        told = re.search(rf"`{key}={re.escape(format_value(value))}`", found[0])
        told = told or re.search(rf"\| `{key}` \| `?{re.escape(format_value(value))}`? \|", found[0])
        assert told or (f"`{key}`" in found[0] and f"`{value}` (default)" in found[0]), key


def test_the_costs_of_methods_are_those_that_were_measured():
    measured = json.loads((ROOT / "data" / "measurements" / "methods-cpu.json").read_text())["ratios"]
    rows = [f"| {row['what']} | {row['value']:.3f} | {row['bound']:g} |" for row in measured]
    page = (ROOT / "docs" / "methods" / "README.md").read_text()
    assert [line for line in page.splitlines() if " step / " in line] == rows
    assert all(row["holds"] for row in measured)
    plain = {name for name in BUILT_IN if PARTS[name].kind in ("loss", "weighting", "class weights")} - {"ce"}
    assert {row["what"].split(" step")[0] for row in measured} >= plain


@pytest.mark.parametrize("name", ["standard_errors", "hessians"])
def test_the_tables_of_curvature_are_what_was_measured(name, monkeypatch):
    """`python benchmarks/NAME.py --from-csv` prints them; none is typed."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    benchmark = importlib.import_module(name)
    text = (ROOT / "docs" / "curvature.md").read_text(encoding="utf-8")
    shown = marked(text, name.replace("_", "-"))
    assert shown == benchmark.markdown(pd.read_csv(benchmark.RESULTS)).strip()


def test_whether_curvature_is_flat_or_small_is_what_the_shipped_runs_say(monkeypatch):
    """`python docs/flat_or_small.py` prints it; none is typed."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    page = importlib.import_module("flat_or_small")
    text = (ROOT / "docs" / "curvature.md").read_text(encoding="utf-8")
    shown = marked(text, "flat-or-small")
    assert shown == f"{page.together(page.by_class())}\n\n{page.markdown()}"


def test_how_well_costs_are_foretold_is_what_was_measured(monkeypatch):
    """`python docs/paces_picture.py` writes it, and draws the picture."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    page = importlib.import_module("paces_picture")
    assert marked((ROOT / "docs" / "scaling.md").read_text(encoding="utf-8"), "paces") == page.words()


def test_what_being_rare_costs_each_class_is_what_the_shipped_runs_say(monkeypatch):
    """`python docs/rare_and_easy.py` prints it; none is typed."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    page = importlib.import_module("rare_and_easy")
    text = (ROOT / "docs" / "methods" / "what-difficulty-adds.md").read_text(encoding="utf-8")
    shown = marked(text, "rare-and-easy")
    table = page.accuracies()
    assert shown == f"{page.markdown(table)}\n\n{page.sentence(table)}"


def test_every_method_on_digits_is_what_the_shipped_runs_say(monkeypatch):
    """`python docs/every_method.py` prints it; none is typed. All parts of the catalogue are in it, in some method."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    page = importlib.import_module("every_method")
    text = (ROOT / "docs" / "methods" / "on-digits.md").read_text(encoding="utf-8")
    table = page.accuracies()
    assert marked(text, "every-method") == page.markdown(table)
    assert set(table.groupby("method")["seed"].nunique()) == {10}
    used = {used.part.name for method in table["method"].unique() for used in parse(method).used}
    # Balanced softmax is logit adjustment by another name.
    assert set(PARTS.all()) - used == {"balanced_softmax"}


def test_what_is_left_of_1_over_n_in_batches_is_what_a_simulation_says(monkeypatch):
    """`python docs/effective_exponent.py` prints it; with the whole set as a batch all of 1/n is left."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    simulated = importlib.import_module("effective_exponent")
    text = (ROOT / "docs" / "methods" / "class-weights.md").read_text(encoding="utf-8")
    assert marked(text, "effective-exponent") == simulated.markdown()
    counts = np.array([40, 9, 3])
    whole = simulated.mean_weights(counts, batch=52, epochs=3)
    assert whole == pytest.approx(52 / 3 / counts)


def test_what_large_batches_cost_is_what_was_measured(monkeypatch):
    """`python benchmarks/batch_size.py --from-csv` prints the table; its bounds hold in it."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    benchmark = importlib.import_module("batch_size")
    text = (ROOT / "docs" / "methods" / "density-ratio.md").read_text(encoding="utf-8")
    found = pd.read_csv(benchmark.RESULTS)
    assert marked(text, "batch-size") == benchmark.markdown(found)
    assert all(ratio <= bound for ratio, bound in benchmark.ratios(found).values())


def test_the_reliability_of_ratios_is_what_was_measured(monkeypatch):
    """`python benchmarks/ratio_reliability.py --from-csv` prints the table; how often an image is alone is counted."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    benchmark = importlib.import_module("ratio_reliability")
    text = (ROOT / "docs" / "methods" / "density-ratio.md").read_text(encoding="utf-8")
    table = pd.read_csv(benchmark.RESULTS)
    assert marked(text, "ratio-reliability") == benchmark.markdown(table)
    assert set(table.groupby("imbalance_factor")["seed"].nunique()) == {len(benchmark.SEEDS)}
    counts, rng, seen = np.array([40, 9, 3]), np.random.default_rng(0), []
    labels = np.repeat(range(3), counts)
    for _ in range(2000):
        shuffled = rng.permutation(labels)
        for batch in (shuffled[:20], shuffled[20:40], shuffled[40:]):
            seen += [(label, (batch == label).sum() == 1) for label in batch]
    label, alone = np.array(seen).T
    found = [alone[label == klass].mean() for klass in range(3)]
    assert found == pytest.approx([benchmark.alone(n, 52, 20) for n in counts], abs=0.02)


def test_explained_shares_are_those_of_a_regression_with_known_answers(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    explained = importlib.import_module("rare_and_easy").explained
    made = [("ce", seed, name, 2**place) for seed in range(2) for name, place in (("a", seed), ("b", 1 - seed))]
    table = pd.DataFrame(made, columns=["method", "seed", "name", "count"])
    by_class = explained(table.assign(accuracy=table["name"].map({"a": 90.0, "b": 10.0})))
    assert by_class == pytest.approx({"count": 0, "class": 1, "both": 1}, abs=1e-12)
    by_count = explained(table.assign(accuracy=30 * np.log2(table["count"])))
    assert by_count == pytest.approx({"count": 1, "class": 0, "both": 1}, abs=1e-12)


@pytest.mark.parametrize("scale", ["digits", "fashion"])
def test_the_three_rdrs_tables_are_what_was_measured(scale, monkeypatch):
    """`python benchmarks/three_rdrs.py SCALE --from-csv` prints them; none is typed."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    benchmark = importlib.import_module("three_rdrs")
    text = (ROOT / "docs" / "methods" / "three-rdrs.md").read_text(encoding="utf-8")
    shown = marked(text, f"three-rdrs-{scale}")
    assert shown == benchmark.tables(scale).strip()


@pytest.fixture
def text_ratios(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("text_ratios")


def test_the_distance_from_algorithm_1_is_what_was_measured(text_ratios):
    """`python benchmarks/text_ratios.py --from-csv` prints it; none is typed."""
    text = (ROOT / "docs" / "methods" / "three-rdrs.md").read_text(encoding="utf-8")
    shown = marked(text, "text-ratios")
    assert shown == text_ratios.markdown(pd.read_csv(text_ratios.RESULTS))


@pytest.mark.parametrize("seed", range(3))
def test_two_ratios_are_compared_as_by_brute_force(text_ratios, seed):
    """Class 4 is never there; class 3 of Few never with three images in a batch."""
    draw = np.random.default_rng(seed)
    groups = np.array(["Many", "Many", "Medium", "Few", "Few"])
    batches = [draw.choice(3, 12).tolist() + [3] * (at % 3) for at in range(5)]
    visits = [(at, klass, 8 * draw.standard_normal(), 8 * draw.standard_normal())
              for at, labels in enumerate(batches) for klass in labels]  # fmt: skip
    table = text_ratios.compared(pd.DataFrame(visits, columns=["batch", "class", "ours", "text"]), groups)
    assert table["group"].tolist() == ["All", "Many", "Medium", "Few"]
    for row in table.to_dict("records"):
        members = [k for k in range(4) if row["group"] in ("All", groups[k])]
        own = [visit for visit in visits if visit[1] in members]
        for which, at in (("ours", 2), ("text", 3)):
            assert row[f"below_zero_{which}"] == pytest.approx(100 * sum(v[at] < 0 for v in own) / len(own))
            assert row[f"far_{which}"] == pytest.approx(100 * sum(abs(v[at]) > 10 for v in own) / len(own))
            means = [np.mean([v[at] for v in own if v[1] == k]) for k in members]
            assert row[f"mean_{which}"] == pytest.approx(np.mean(means))
        correlations = []
        for k in members:
            pairs = [[v[2:] for v in own if v[:2] == (at, k)] for at in range(5)]
            known = [stats.spearmanr(*zip(*some, strict=True)).statistic for some in pairs if len(some) > 2]
            correlations += [np.mean(known)] if known else []
        expected = np.mean(correlations) if correlations else np.nan
        assert row["rank_correlation"] == pytest.approx(expected, nan_ok=True)


def test_algorithm_1_is_asked_of_the_same_batches_with_prototypes_of_its_own(text_ratios):
    """Its first ratios are 0, against prototypes at 0; what trains is ours."""
    rdr = {preset: rdr_core.RDRWeights(torch.tensor([30, 10]), 8, preset=preset) for preset in ("ours", "text")}
    both = text_ratios.Both(rdr_core.RDRWeights(torch.tensor([30, 10]), 8))
    for seed in range(3):
        draw = torch.Generator().manual_seed(seed)
        features, labels = torch.randn(6, 8, generator=draw), torch.tensor([0, 0, 0, 0, 1, 1])
        weighed = both.weigh(features, labels)
        alone = {preset: weights.weigh(features, labels) for preset, weights in rdr.items()}
        assert torch.equal(weighed.weights, alone["ours"].weights)
        for preset in rdr:
            np.testing.assert_array_equal(both.seen[-1][preset], alone[preset].ratios)
    assert both.seen[0]["text"].eq(0).all()
    assert [seen["batch"].unique().tolist() for seen in both.seen] == [[0], [1], [2]]


def test_the_page_of_promises_tells_what_tests_tried(monkeypatch):
    """`python docs/reliability.py` writes its table; every promise is a heading, every test that it names is there."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    page = importlib.import_module("reliability")
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    found = pd.read_csv(page.RESULTS)
    assert text.split(page.MARKS[0])[1].split(page.MARKS[1])[0] == page.markdown(found)
    headings = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert headings == [*page.PROMISES, "What was tried"]
    for test in found["test"]:
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), test
    lines = pd.DataFrame({"promise": ["Long", "Damage", "Long", "Long"], "what": "runs", "n": [1, 2, 3, 3],
                          "test": "t::a", "run": ["1", "1", "1", "2"]})  # fmt: skip
    assert page.summed(lines)[["promise", "n"]].values.tolist() == [["Damage", 2], ["Long", 4]]
    several = pd.DataFrame({"promise": "Damage", "what": ["contents: a.json", "contents: b.csv", "kills of it"],
                            "n": [7, 9, 2], "test": "t.py::a"})  # fmt: skip
    said = page.markdown(several)
    assert "2 processes killed; 7 contents or more for each of 2 readers (a.json; b.csv)" in said
    assert "| Damage | contents of files | 16 | [`a`](../t.py) |" in said


@pytest.fixture
def beyond(monkeypatch):
    """The page on data beyond images, and the two benchmarks that print its tables."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    page = (ROOT / "docs" / "beyond_images.md").read_text(encoding="utf-8")
    return page, importlib.import_module("beyond_images"), importlib.import_module("rare_values")


def test_the_tables_beyond_images_are_what_was_measured(beyond):
    """`python benchmarks/beyond_images.py --from-csv` and `rare_values.py --from-csv` print them; none is typed."""
    page, classes, quantities = beyond
    found, sets = classes.read()
    tables = {
        "beyond-sets": classes.sets_table(sets, found),
        "beyond-balanced": classes.accuracies_table(sets, found, "balanced_accuracy"),
        "beyond-few": classes.accuracies_table(sets, found, "few"),
        "beyond-rare": classes.rare_table(found),
        "rare-values": quantities.markdown(pd.read_csv(quantities.RESULTS)),
    }
    for name, table in tables.items():
        assert marked(page, name) == table, name


def test_the_table_of_a_million_classes_is_as_measured(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    benchmark = importlib.import_module("million_classes")
    found = json.loads(benchmark.RESULTS.read_text())
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert marked(page, "million-classes") == benchmark.markdown(found)
    sizes = {int(size): one["megabytes"] for size, one in found["processes"].items()}
    assert all(kept * size == pytest.approx(sizes[1], rel=1e-3) for size, kept in sizes.items())
    assert found["head"]["loss_after"] < found["head"]["loss_before"] - 1
    assert found["head"]["weights_ms"] < 0.05 * found["head"]["head_ms"]


def test_what_a_sweep_costs_is_as_measured(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    benchmark = importlib.import_module("sweep")
    found = json.loads(benchmark.RESULTS.read_text())
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert marked(page, "sweep") == benchmark.words(found)
    assert found["overhead_ms"] <= benchmark.AT_MOST
    assert found["two_by_one"] >= benchmark.AT_LEAST


def test_each_set_beyond_images_has_its_draws_with_every_method(beyond):
    _, classes, quantities = beyond
    found, sets = classes.read()
    whole = classes.whole_sets(found)
    cells = whole.groupby("data")[["draw", "method"]].apply(lambda rows: set(map(tuple, rows.to_numpy())))
    every = {(draw, method) for draw in range(classes.DRAWS) for method in classes.METHODS}
    assert classes.DRAWS >= 5
    assert all(cell == every for cell in cells)
    assert set(cells.index) == set(sets["data"]) == set(classes.SETS_ASKED)
    values = pd.read_csv(quantities.RESULTS)
    assert len(values) == len(quantities.SETS) * quantities.DRAWS * len(quantities.WEIGHINGS)


def test_differences_beyond_images_are_those_of_a_plain_loop(beyond):
    """The page's numbers by hand: means over draws of RDR less the control on the same samples, and their interval."""
    _, classes, _ = beyond
    found, sets = classes.read()
    row = sets[sets["data"] == "table:yeast"].iloc[0]
    table = classes.accuracies_table(sets, found, "few")
    own = [line for line in table.splitlines() if "`table:yeast`" in line]
    values = {
        (one.draw, one.method): one.few for one in found[found["data"] == "table:yeast"].itertuples()
    }  # fmt: skip
    gains = [values[draw, "rdr"] - values[draw, "rdr:ratio=permuted"] for draw in range(classes.DRAWS)]
    mean = sum(gains) / len(gains)
    variance = sum((gain - mean) ** 2 for gain in gains) / (len(gains) - 1)
    half = stats.t.ppf(0.975, len(gains) - 1) * (variance * (1 / len(gains) + row["test"] / row["train"])) ** 0.5
    assert f"{mean:+.1f} [{mean - half:+.1f}, {mean + half:+.1f}]" in own[0]


def test_what_reading_photographs_costs_is_as_measured(monkeypatch):
    """`python benchmarks/disk.py` prints it; its bounds hold in it."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    benchmark = importlib.import_module("disk")
    found = json.loads(benchmark.RESULTS.read_text())
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert marked(page, "disk") == benchmark.words(found)
    promised = benchmark.ratios(found)
    assert {what: one.value for what, one in promised.items()} == found["ratios"]
    assert all(one.holds for one in promised.values())
    assert found["images"] == 20_000
