"""The words that pages take for granted: a paper's, a report's, the explorer's."""

from __future__ import annotations

from rdr_core.methods.names import method_label

#: What a newcomer has to know about a method; methods with other names have no entry.
MEANINGS = {
    "ce": "cross-entropy: every training image counts the same.",
    "inverse": "an image counts in inverse proportion to the number n of images in its class.",
    "rdr": (
        "density ratio re-weighting: 1/n times a ratio measured during training, which compares the class's features "
        "in the batch with their running mean."
    ),
    "rdr:ratio=permuted": "a control of RDR: in a batch the images of a class swap their ratios.",
    "rdr:ratio=class": "a control of RDR: in a batch the images of a class all get their mean ratio.",
    "rdr:ratio=matched": "a control of RDR: images get the mean ratio of their class in earlier batches.",
    "la": "logit adjustment: in training, the log of each class's frequency is added to its score.",
    "focal": "focal loss: images that the network already gets right count less.",
    "cb": "class-balanced: weights by the effective number of images in the class.",
}

#: Words and what they mean; methods come after them.
_WORDS = (
    ("IF", "imbalance factor: the size of the largest class divided by that of the smallest, in training images."),
    ("Many, Medium, Few", "the classes in three groups, by how many training images they have."),
    ("Seed", "a number that draws the initial weights and the order of images, and in some settings the data too."),
    ("95 % interval", "a range in which the mean over seeds may well lie, by Student's t; few seeds make it wide."),
    ("Fair control", "the same method except for the one thing in question; for RDR, the same power of 1/n, no ratio."),
    ("Ratio r", "the density ratio that RDR estimates during training; it multiplies the weight 1/n."),
    ("Reliability of r", "the share of r's variance within a class that belongs to the image; the rest is noise."),
    ("Deferred (DRW)", "weights are 1 for most of the run, and the method's own for the rest."),
    ("γ", "an exponent on 1/n; γ = 0.5 is milder than the full 1/n."),
    ("B′", "the data-dependent part of the paper's bound: high where a class's worst image is misclassified."),
    ("Hessian, λ, trace", "the loss's second derivatives: large eigenvalues λ, or a large trace, mean a sharp valley."),
    ("SAM", "optimizer steps towards flat valleys; ImbSAM and CC-SAM are variants for long tails."),
    ("Kendall's τ", "how far two rankings agree: 1 for the same, 0 for no relation, −1 for the reverse."),
)  # fmt: skip


def glossary() -> list[tuple[str, str]]:
    """Each word with its meaning.

    Example:
        >>> glossary()[0][0], glossary()[-1][0]
        ('IF', 'CB')
    """
    return [*_WORDS, *((method_label(method), meaning) for method, meaning in MEANINGS.items())]
