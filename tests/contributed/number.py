"""How the class fares that fares worst."""

from rdr_viz.analysis.measures.measure import measure


@measure("worst_class", words="accuracy on the worst class", unit="points")
def worst_class(run):
    return min(run.metrics["per_class"], default=float("nan"))
