"""A network of one's own: its last linear layer is the classifier, and what enters that are the features."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from rdr_core.errors import RdrError
from rdr_core.models.network import Network
from rdr_core.shapes import Float, Shaped

#: What a configuration's model begins with where it is one's own.
PREFIX = "own:"
#: What Python prints of an object that has no words of its own, another in each process.
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class OwnModel:
    """A network of one's own as :func:`rdr_core.train` is given it, from which each run makes a network.

    Args:
        source: a module, which is copied and never changed, its weights being those that training starts from; or what
            makes one, such as a class or function, called with ``num_classes`` where it takes that, whose fresh weights
            follow from the run's seed.
        features: name of the layer whose output are the features; "" (default) finds the last linear layer.

    Example:
        >>> own = OwnModel(nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10)))
        >>> own.name, own.network(10, torch.rand(2, 1, 8, 8)).feature_dim
        ('own:Sequential', 16)
    """

    def __init__(self, source: nn.Module | Callable[..., nn.Module], features: str = "") -> None:
        if not callable(source):
            raise RdrError(f"model is a {type(source).__name__}; give a network's name, a torch module, or its class.")
        self.source, self.features = source, features

    @property
    def name(self) -> str:
        """As the configuration has it."""
        own = self.source if not isinstance(self.source, nn.Module) else type(self.source)
        return PREFIX + getattr(own, "__name__", type(own).__name__)

    def module(self, num_classes: int) -> nn.Module:
        """A module that is nobody else's, drawing from torch's global random state where it is made anew."""
        name, given = self.name.removeprefix(PREFIX), isinstance(self.source, nn.Module)
        try:
            made = deepcopy(self.source) if given else self.source(**self._asked(num_classes))
        except Exception as error:  # code of one's own can fail in any way
            what = "copied" if given else "made"
            raise RdrError(f"{name} can't be {what} ({_first_line(error)}); mend it, or give another.") from error
        if not isinstance(made, nn.Module):
            raise RdrError(f"{name} makes a {type(made).__name__}; it must make a module.")
        return made

    def _asked(self, num_classes: int) -> dict[str, int]:
        """The number of classes, where the source takes that, or anything by name as torchvision's functions do."""
        try:
            taken = inspect.signature(self.source).parameters
        except (ValueError, TypeError):  # built in C, without a signature
            return {}
        anything = any(one.kind is one.VAR_KEYWORD for one in taken.values())
        return {"num_classes": num_classes} if anything or "num_classes" in taken else {}

    def digest(self, num_classes: int, *, weights: bool = True) -> str:
        """Ten hex digits of the network's layers; of a module that is given, ten of its weights after a hyphen.

        Args:
            num_classes: d.
            weights: whether those of a module that is given play a part (default).
        """
        with torch.random.fork_rng(devices=[]):
            made = self.module(num_classes)
        layers, values = hashlib.sha256(f"{_ADDRESS.sub('', str(made))} {self.features}".encode()), hashlib.sha256()
        for name, tensor in made.state_dict().items():
            layers.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            values.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
        given = weights and isinstance(self.source, nn.Module)
        return layers.hexdigest()[:10] + (f"-{values.hexdigest()[:10]}" if given else "")

    def network(self, num_classes: int, sample: Shaped[Tensor, "B ..."]) -> Network:
        """A network that training can ask for features and logits.

        Args:
            num_classes: d.
            sample: two or more samples, normalised, to see what the module makes of them.

        Raises:
            RdrError: the module can't take the samples, gives no logits of d classes, or no features can be told.
        """
        module = self.module(num_classes)
        name = self.name.removeprefix(PREFIX)
        if self.features:
            network: Network = _Watched(module, self.features, num_classes)
        else:
            network = _taken_apart(module, name, num_classes, sample) or _Watched(module, "", num_classes)
        with _looking(network, sample, name):
            features, logits = network.features_and_logits(sample)
        if logits.shape != (len(sample), num_classes):
            raise RdrError(
                f"{name} gives {tuple(logits.shape)} for {len(sample)} samples; it must give logits of "
                f"{num_classes} classes: make its last layer one of {num_classes} outputs."
            )
        if features.ndim != 2:
            raise RdrError(
                f"{name}'s features have shape {tuple(features.shape)}; name a layer that gives one vector a sample."
            )
        network.feature_dim = features.shape[1]
        return network


def logits_of(output: Any) -> Tensor:
    """The logits among what a module gives: themselves, the first of several, or under their name.

    Example:
        >>> logits_of((torch.tensor([1.0]), torch.tensor([2.0]))), logits_of({"logits": torch.tensor([3.0])})
        (tensor([1.]), tensor([3.]))
    """
    if isinstance(output, Tensor):
        return output
    found = getattr(output, "logits", None)
    if found is None and isinstance(output, dict):
        found = output.get("logits")
    if found is None and isinstance(output, (tuple, list)) and output:
        found = output[0]
    if not isinstance(found, Tensor):
        raise RdrError(f"a network gives a {type(output).__name__}; it must give logits, or (logits, features).")
    return found


class _Body(nn.Module):
    """A module whose classifier was taken out, so that it gives what entered that."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, inputs: Tensor) -> Float[Tensor, "B Z"]:
        return logits_of(self.module(inputs))


class _Watched(Network):
    """A module as it is, whose features are those that it gives beside its logits, or a named layer's output.

    Args:
        module: gives logits, or (logits, features).
        layer: whose output are the features; "" where the module gives them.
        num_classes: d.
    """

    def __init__(self, module: nn.Module, layer: str, num_classes: int) -> None:
        nn.Module.__init__(self)
        self.body, self.layer, self.num_classes, self.feature_dim, self.shared = module, layer, num_classes, 0, 0
        if layer and layer not in dict(module.named_modules()):
            names = ", ".join(name for name, _ in module.named_modules() if name)
            raise RdrError(f"features is {layer!r}, which is no layer of the network; it has {names:.300}.")

    @property
    def classifier(self) -> nn.Linear:  # type: ignore[override]  # there is none that could be set
        raise RdrError(
            f"{type(self.body).__name__}'s logits are not the output of a linear layer, so its classifier can't be "
            "looked at or changed; choose methods and analyses that leave it alone."
        )

    def features_and_logits(self, inputs: Tensor) -> tuple[Float[Tensor, "B Z"], Float[Tensor, "B d"]]:
        if not self.layer:
            output = self.body(inputs)
            if not isinstance(output, (tuple, list)) or len(output) < 2 or not isinstance(output[1], Tensor):
                raise RdrError(
                    f"{type(self.body).__name__} has no linear layer whose output are its logits; return (logits, "
                    "features), or name the layer that gives the features with features='...'."
                )
            return output[1], output[0]
        seen: list[Tensor] = []
        hook = self.body.get_submodule(self.layer).register_forward_hook(lambda _, __, output: seen.append(output))
        try:
            logits = logits_of(self.body(inputs))
        finally:
            hook.remove()
        return seen[-1].flatten(1), logits

    def features(self, inputs: Tensor) -> Float[Tensor, "B Z"]:
        return self.features_and_logits(inputs)[0]

    def forward(self, inputs: Tensor) -> Float[Tensor, "B d"]:
        return logits_of(self.body(inputs))


def _taken_apart(module: nn.Module, name: str, num_classes: int, sample: Tensor) -> Network | None:
    """Body and classifier, where the module's logits are a linear layer's output; else None."""
    if type(module) is nn.Linear:
        return _with_classifier(nn.Identity(), module, num_classes)
    called: list[tuple[str, Tensor, Tensor]] = []
    linear = {layer: path for path, layer in module.named_modules() if path and type(layer) is nn.Linear}
    hooks = [
        layer.register_forward_hook(lambda layer, given, output: called.append((linear[layer], given[0], output)))
        for layer in linear
    ]
    try:
        with _looking(module, sample, name):
            output = module(sample)
            logits = logits_of(output)
    finally:
        for hook in hooks:
            hook.remove()
    path, entered = next(
        ((path, entered) for path, entered, found in reversed(called) if found is logits), ("", logits)
    )
    if not path or [seen for seen, _, _ in called].count(path) != 1:
        return None
    told = output[1] if isinstance(output, (tuple, list)) and len(output) > 1 else None
    if isinstance(told, Tensor) and told.ndim == 2 and not torch.equal(told, entered):
        return None  # the features that it gives are others
    classifier = module.get_submodule(path)
    assert isinstance(classifier, nn.Linear)
    above, _, last = path.rpartition(".")
    setattr(module.get_submodule(above), last, nn.Identity())
    return _with_classifier(_Body(module), classifier, num_classes)


def _with_classifier(body: nn.Module, classifier: nn.Linear, num_classes: int) -> Network:
    with torch.random.fork_rng(devices=[]):  # the fresh classifier that it draws is replaced at once
        network = Network(body, classifier.in_features, classifier.out_features)
    network.classifier = classifier
    network.num_classes = num_classes
    return network


@contextmanager
def _looking(module: nn.Module, sample: Tensor, name: str) -> Iterator[None]:
    """The module in evaluation mode, without gradients and draws; what it fails with is said in a sentence."""
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            yield
    except RdrError:
        raise
    except Exception as error:
        raise RdrError(
            f"{name} can't take samples of shape {tuple(sample.shape[1:])} ({_first_line(error)})."
        ) from error
    finally:
        module.train(was_training)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]:.200}"
