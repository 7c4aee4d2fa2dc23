"""What the classifier adds to each class's logit."""

import pandas as pd

from rdr_viz.analysis.catalogue import analysis
from rdr_viz.analysis.stored import stored


@analysis("biases", "the classifier's bias of each class")
def biases(run, *, data=None):
    def compute():
        return pd.DataFrame({"class": range(len(run.class_counts)), "bias": run.model().classifier.bias.detach()})

    return stored(run, "biases", {}, compute, data=data)
