"""A network for texts: the mean of their words' vectors."""

from __future__ import annotations

from torch import Tensor, nn

from rdr_core.models.network import Network
from rdr_core.shapes import Float, Int


def embedding_bag(num_classes: int, vocabulary: int) -> Network:
    """The mean of the words' vectors, a layer with batch norm and ReLU; Z = 64.

    fastText's bag of (hashed) n-grams (Joulin et al. 2017), with a hidden layer, so that features are learnt.

    Args:
        num_classes: d.
        vocabulary: number of different words, 0 among them, which stands for none.

    Example:
        >>> import torch
        >>> network = embedding_bag(3, vocabulary=100).eval()
        >>> torch.equal(network(torch.tensor([[7, 9]])), network(torch.tensor([[7, 9, 0, 0]])))
        True
    """
    return Network(_Mean(vocabulary, 64), 64, num_classes)


class _Mean(nn.Module):
    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        # Not torch's EmbeddingBag, which can't be differentiated twice, as curvature is.
        self.vectors = nn.Embedding(vocabulary, width, padding_idx=0)
        self.hidden = nn.Sequential(nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU())

    def forward(self, words: Int[Tensor, "B L"]) -> Float[Tensor, "B Z"]:
        number = (words != 0).sum(1, keepdim=True).clamp(min=1)
        return self.hidden(self.vectors(words).sum(1) / number)
