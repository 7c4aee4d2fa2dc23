"""Which network a request is for: named, the usual one for such data, or the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdr_core.data.kinds import IMAGES, Kind
from rdr_core.data.settings import settings_of
from rdr_core.data.sources import find_source
from rdr_core.errors import RdrError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from rdr_core.data.long_tailed import LongTailedData
    from rdr_core.methods.grammar import MethodSpec
    from rdr_core.models.own import OwnModel


def kind_beforehand(dataset: str) -> Kind | None:
    """The kind of a data set's samples, told by its name; None where only the samples tell.

    Example:
        >>> kind_beforehand("digits").name, kind_beforehand("table:yeast").name, kind_beforehand("csv:own.csv")
        ('images', 'rows', None)
    """
    return find_source(dataset)[0].kind


def model_name(asked: object, dataset: str, kind: Kind) -> str:
    """The network that is asked for by name, else the data set's, else the one for such samples.

    Example:
        >>> from rdr_core.data.kinds import ROWS
        >>> model_name(None, "cifar10", IMAGES), model_name(None, "arrays", ROWS), model_name("lenet", "mnist", IMAGES)
        ('resnet32', 'mlp', 'lenet')
    """
    return str(asked or (settings_of(dataset).model if kind is IMAGES else kind.model))


def own_model(asked: str | nn.Module | Callable[..., nn.Module] | None, features: str) -> OwnModel | None:
    """The user's own network, None where a name or nothing is given.

    Raises:
        RdrError: neither, or features of a network that is not one's own.
    """
    if asked is None or isinstance(asked, str):
        if features:
            raise RdrError(
                "features names a layer of a network of your own; give that as model, or leave features out."
            )
        return None
    from rdr_core.models.own import OwnModel

    return OwnModel(asked, features)


def refuse_unfit(own: OwnModel, data: LongTailedData, spec: MethodSpec) -> None:
    """Refuse a network that can't learn such samples, or that a method can't change, before anything is trained.

    Args:
        own: the user's own network.
        data: what it is to be trained on.
        spec: the whole method, with its second stage.

    Raises:
        RdrError: as :meth:`rdr_core.models.own.OwnModel.network`; or the second stage needs a linear classifier.
    """
    import torch

    from rdr_core.training.normalise import some_samples

    with torch.random.fork_rng(devices=[]):
        network = own.network(data.num_classes, some_samples(data))
    if spec.first_stage.name != spec.name:
        _ = network.classifier  # which says so where there is none
