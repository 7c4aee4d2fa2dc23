"""The words that pages take for granted: a paper's, a report's, the explorer's."""

from __future__ import annotations

from rdr_core.methods.names import method_label

#: What a newcomer has to know of a method; methods with other names go without.
MEANINGS = {
    "ce": "cross-entropy: every training image counts the same.",
    "inverse": "an image counts in inverse proportion to the number n of images in its class.",
    "rdr": (
        "density ratio re-weighting: 1/n times a ratio measured while training, which compares the class's features in "
        "the batch with a running mean of them."
    ),
    "rdr:ratio=permuted": "a control of RDR: in a batch the images of a class swap their ratios.",
    "rdr:ratio=class": "a control of RDR: in a batch the images of a class all get their mean ratio.",
    "rdr:ratio=matched": "a control of RDR: images get the mean ratio that their class had in earlier batches.",
    "la": "logit adjustment: the class frequencies are added to the network's scores while training.",
    "focal": "focal loss: images that the network already gets right count less.",
    "cb": "class-balanced: weights by the effective number of images in the class.",
}

#: Words and what they mean; methods come after them.
_WORDS = (
    ("IF", "imbalance factor: how many times as many training images the largest class has as the smallest."),
    ("Many, Medium, Few", "the classes in three groups, by how many training images they have."),
    ("Seed", "what first weights and the order of images are drawn from; in some settings the data too."),
    ("95 % interval", "from where to where the mean over seeds may well lie, by Student's t; few seeds make it wide."),
    ("Fair control", "the same method but for the one thing in question; of RDR, the same power of 1/n, no ratio."),
    ("Ratio r", "the density ratio that RDR estimates while training and multiplies the weight 1/n by."),
    ("Reliability of r", "what share of r's variance within a class is the image's own; the rest is noise."),
    ("Deferred (DRW)", "weights are 1 for most of the run, and those of the method for the rest."),
    ("γ", "an exponent on 1/n; γ = 0.5 is milder than the full 1/n."),
    ("B′", "the part of the paper's bound that depends on the data: high where a class's worst image is misjudged."),
    ("Hessian, λ, trace", "the loss's second derivatives: large eigenvalues λ, or a large trace, are a sharp valley."),
    ("SAM", "steps towards flat valleys; ImbSAM and CC-SAM are kinds of it for long tails."),
    ("Kendall's τ", "how far two orders agree: 1 for the same, 0 for no relation, −1 for the reverse."),
)  # fmt: skip


def glossary() -> list[tuple[str, str]]:
    """Each word with its meaning.

    Example:
        >>> glossary()[0][0], glossary()[-1][0]
        ('IF', 'CB')
    """
    return [*_WORDS, *((method_label(method), meaning) for method, meaning in MEANINGS.items())]
