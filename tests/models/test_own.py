"""A network of one's own gives the features and logits that it gave, bit for bit, and is never changed itself."""

from __future__ import annotations

from copy import deepcopy

import own_networks
import pytest
import torch
from torch import nn

from rdr_core import RdrError
from rdr_core.models.own import OwnModel

IMAGES = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def made(name: str, **given) -> nn.Module:
    torch.manual_seed(1)
    return getattr(own_networks, name)(**given)


@pytest.mark.parametrize("name", ["Plain", "Both", "LikeHuggingFace", "Named"])
@pytest.mark.parametrize("bias", [True, False])
def test_the_last_linear_layer_is_taken_for_the_classifier(name, bias):
    module = made(name, bias=bias)
    before = deepcopy(module.state_dict())
    network = OwnModel(module).network(10, IMAGES).eval()
    plain = own_networks.Plain(bias=bias).eval()
    plain.load_state_dict(module.state_dict())
    features, logits = network.features_and_logits(IMAGES)
    assert torch.equal(features, plain.penultimate(IMAGES))
    assert torch.equal(logits, plain(IMAGES))
    assert torch.equal(network(IMAGES), logits)
    assert torch.equal(network.features(IMAGES), features)
    assert torch.equal(network.classifier(features), logits)
    assert (network.feature_dim, network.num_classes) == (12, 10)
    assert all(torch.equal(tensor, before[key]) for key, tensor in module.state_dict().items())
    assert module.training
    assert isinstance(module.head, nn.Linear)


@pytest.mark.parametrize("name", ["OtherFeatures", "NoLinear"])
def test_features_that_are_returned_are_taken(name):
    module = made(name)
    network = OwnModel(module).network(10, IMAGES).eval()
    expected_logits, expected = module.eval()(IMAGES)
    features, logits = network.features_and_logits(IMAGES)
    assert torch.equal(features, expected)
    assert torch.equal(logits, expected_logits)
    assert torch.equal(network(IMAGES), logits)
    assert network.feature_dim == 12
    with pytest.raises(RdrError, match="are not the output of a linear layer"):
        _ = network.classifier


@pytest.mark.parametrize(("layer", "width"), [("hidden", 12), ("conv", 384), ("norm", 384), ("drop", 24)])
def test_a_named_layer_gives_the_features(layer, width):
    module = made("Plain").eval()
    seen = []
    module.get_submodule(layer).register_forward_hook(lambda _, __, output: seen.append(output.flatten(1)))
    network = OwnModel(module, layer).network(10, IMAGES).eval()
    logits = module(IMAGES)
    features, found = network.features_and_logits(IMAGES)
    assert torch.equal(features, seen[-1])
    assert torch.equal(found, logits)
    assert network.feature_dim == width


def test_features_that_do_not_enter_the_last_layer_leave_no_classifier_to_change():
    network = OwnModel(made("Plain"), "drop").network(10, IMAGES)
    with pytest.raises(RdrError, match="so its classifier can't be looked at or changed"):
        _ = network.classifier


def test_torchvisions_resnet18():
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(0)
    module = torchvision.models.resnet18(num_classes=10)
    images = torch.randn(3, 3, 32, 32)
    network = OwnModel(module).network(10, images).eval()
    assert network.feature_dim == 512
    module.eval()
    body = nn.Sequential(*list(module.children())[:-1])  # torchvision's own recipe for features
    assert torch.equal(network.features(images), body(images).flatten(1))
    assert torch.equal(network(images), module(images))
    # Made for each run by a function that takes the number of classes.
    torch.manual_seed(7)
    fresh = OwnModel(torchvision.models.resnet18).network(4, images)
    torch.manual_seed(7)
    assert torch.equal(fresh.eval()(images), torchvision.models.resnet18(num_classes=4).eval()(images))


def test_nothing_is_drawn_from_the_global_generator():
    state = torch.get_rng_state()
    own = OwnModel(own_networks.Plain())
    after = torch.get_rng_state()
    assert not torch.equal(state, after)
    own.digest(10)
    own.network(10, IMAGES)
    assert torch.equal(torch.get_rng_state(), after)


def test_the_digest_tells_networks_apart():
    module = made("Plain")
    other = deepcopy(module)
    with torch.no_grad():
        other.head.bias[0] += 1e-3
    digests = [OwnModel(given, features).digest(10) for given, features in (
        (module, ""), (other, ""), (module, "hidden"), (made("Both"), ""), (own_networks.Plain, ""),
        (made("Plain", bias=False), ""))]  # fmt: skip
    assert len(set(digests)) == len(digests)
    assert OwnModel(deepcopy(module)).digest(10) == digests[0]
    assert OwnModel(lambda num_classes: own_networks.Plain(num_classes)).digest(10) == digests[4]


@pytest.mark.parametrize(
    ("source", "features", "sentence"),
    [
        (own_networks.Plain(7), "", r"Plain gives \(2, 7\) for 2 samples; it must give logits of 10 classes"),
        (own_networks.Scaled(), "", r"Scaled has no linear layer whose output are its logits; return"),
        (own_networks.Twice(), "", r"Twice has no linear layer whose output are its logits"),
        (own_networks.Words(), "", "gives a str; it must give logits"),
        (nn.Sequential(nn.Flatten(), nn.Linear(99, 10)), "", r"Sequential can't take samples of shape \(1, 8, 8\)"),
        (nn.Linear(8, 10), "", r"Linear gives \(2, 1, 8, 10\) for 2 samples; it must give logits of 10 classes"),
        (own_networks.Plain(), "neck", r"features is 'neck', which is no layer of the network; it has conv, norm"),
        (nn.Sequential(nn.Conv2d(1, 2, 9), nn.Flatten(), nn.Linear(2, 10)), "0", r"can't take samples of shape"),
        (lambda: "cat", "", "makes a str; it must make a module"),
        (len, "", r"len can't be made \(TypeError"),
        (dict, "", "dict makes a dict; it must make a module"),
        (nn.Linear, "", r"Linear can't be made \(TypeError"),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(value)[:40],
)  # fmt: skip
def test_what_cannot_be_trained_is_one_sentence(source, features, sentence):
    with pytest.raises(RdrError, match=sentence) as refused:
        OwnModel(source, features).network(10, IMAGES[:2])
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500


def test_what_is_no_network_at_all():
    with pytest.raises(RdrError, match="model is a int; give a network's name, a torch module, or its class"):
        OwnModel(5)
