"""A network of one's own: its last linear layer is the classifier, and what enters that are the features."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable
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
        if isinstance(self.source, nn.Module):
            return deepcopy(self.source)
        try:
            asked = "num_classes" in inspect.signature(self.source).parameters
        except ValueError:  # built in C, without a signature
            asked = False
        made = self.source(num_classes=num_classes) if asked else self.source()
        if not isinstance(made, nn.Module):
            raise RdrError(f"{self.name.removeprefix(PREFIX)} makes a {type(made).__name__}; it must make a module.")
        return made

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
        features, logits = _asked(network, sample, name)
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
        self.body, self.layer, self.num_classes, self.feature_dim = module, layer, num_classes, 0
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
    called: list[tuple[str, Tensor]] = []
    linear = {layer: path for path, layer in module.named_modules() if path and type(layer) is nn.Linear}
    hooks = [
        layer.register_forward_hook(lambda layer, _, output: called.append((linear[layer], output))) for layer in linear
    ]
    try:
        logits = _run(module, sample, name)
    finally:
        for hook in hooks:
            hook.remove()
    path = next((path for path, output in reversed(called) if output is logits), None)
    if path is None or [seen for seen, _ in called].count(path) != 1:
        return None
    classifier = module.get_submodule(path)
    assert isinstance(classifier, nn.Linear)
    above, _, last = path.rpartition(".")
    setattr(module.get_submodule(above), last, nn.Identity())
    network = Network(_Body(module), classifier.in_features, classifier.out_features)
    network.classifier = classifier
    network.num_classes = num_classes
    return network


def _asked(network: Network, sample: Tensor, name: str) -> tuple[Tensor, Tensor]:
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            return network.features_and_logits(sample)
    finally:
        network.train(was_training)


def _run(module: nn.Module, sample: Tensor, name: str) -> Tensor:
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            return logits_of(module(sample))
    except RdrError:
        raise
    except Exception as error:
        first = str(error).partition("\n")[0]
        raise RdrError(
            f"{name} can't take samples of shape {tuple(sample.shape[1:])} ({type(error).__name__}: {first})."
        ) from error
    finally:
        module.train(was_training)
