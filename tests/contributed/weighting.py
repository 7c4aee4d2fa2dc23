"""Class weights from the logarithm of a class's size."""

from rdr_core import part


@part("loggy", kind="class weights", summary="one over the logarithm of the class's size", formula="1 / log(1 + n)",
      source="")  # fmt: skip
def loggy(class_counts):
    """Weights of the classes, mean 1; (d,)."""
    weights = 1 / class_counts.double().log1p()
    return (weights / weights.mean()).float()
