"""Excitation Backprop against matrices, captum and planted patches; what it leaves behind in the network: nothing."""

import copy

import numpy as np
import pytest
import torch
from captum.attr import LRP
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from qscore.encoders import Encoder
from qscore.errors import UserError
from qscore.interpretability.naming.backward import relevance
from qscore.interpretability.naming.excitation import METHODS, activation_maps, excitation_maps, method_for

from .planted import every_convolution, patch_finder, planted_patches, small_encoder

LAYERS = ("conv1", "bn1", "layer1", "layer2.0.conv2", "layer2", "layer3", "layer4.0.relu", "layer4")


def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


@pytest.mark.parametrize(
    ("layer", "method"),
    [*((layer, METHODS[0]) for layer in LAYERS), *(("layer2", method) for method in METHODS[1:])],
)
def test_maps_are_shares_and_the_encoder_is_as_before(layer: str, method: str) -> None:
    encoder, images = small_encoder(), torch.rand(5, 3, 20, 20)
    encoder.network.layer2.eval()
    before, modes = copy.deepcopy(encoder.state_dict()), [module.training for module in encoder.modules()]
    h = small_encoder().eval()(images)
    maps = activation_maps(encoder, images, h.argmax(1), layer=layer, method=method, batch_size=2)
    assert maps.shape[0] == 5
    assert (maps >= 0).all()
    torch.testing.assert_close(maps.sum((1, 2)), torch.ones(5), atol=1e-4, rtol=0)
    assert modes == [module.training for module in encoder.modules()]
    assert all(parameter.requires_grad and parameter.grad is None for parameter in encoder.parameters())
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    assert not any(module._forward_hooks for module in encoder.modules())
    assert torch.equal(encoder.eval()(images), h)


@pytest.mark.parametrize("options", [{}, {"padding": "same"}])
def test_relevance_is_conserved_down_a_residual_network(options: dict[str, str]) -> None:
    """With all shifts of BatchNorm at 0 or more, no relevance comes from biases alone."""
    torch.manual_seed(1)
    encoder, images = Encoder("resnet10", width=0.25, options=options), torch.rand(3, 3, 32, 32)
    for layer in ("bn1", "layer1", "layer2", "layer3", "layer4"):
        found = relevance(encoder, images, encoder.eval()(images).clamp(min=0), layer=layer)
        torch.testing.assert_close(found.flatten(1).sum(1), torch.ones(3), atol=1e-4, rtol=0)


def test_a_multilayer_perceptron_is_a_product_of_normalised_matrices() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU()).double()
    x = torch.rand(7, 6, dtype=torch.float64)
    activations = [x.numpy(), network[:2](x).detach().numpy(), network[:4](x).detach().numpy()]
    weights = [network[i].weight.detach().clamp(min=0).numpy() for i in (0, 2, 4)]
    for feature in range(4):
        expected = np.zeros((7, 4))
        expected[:, feature] = network(x).detach().numpy()[:, feature] > 0
        for below, matrix in zip(activations[::-1], weights[::-1], strict=True):
            made_of = below[:, None, :] * matrix
            expected = (
                share(made_of, made_of.sum(2, keepdims=True).repeat(made_of.shape[2], 2)) * expected[:, :, None]
            ).sum(1)
        found = relevance(network, x, torch.full((7,), feature), layer="")
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_sum_is_split_by_what_is_positive_in_each_branch() -> None:
    """By hand: relu(bn(W x) + x), with x = (1, 2), W x = (-3, 4), BatchNorm twice that, so 2 * 4 + 2 above 2."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.norm = nn.Linear(2, 2), nn.BatchNorm1d(2, eps=0)
            self.linear.weight.data = torch.tensor([[-3.0, 0.0], [4.0, 0.0]])
            self.linear.bias.data.zero_()
            self.norm.weight.data.fill_(2.0)

        def forward(self, x: Tensor) -> Tensor:
            out = self.norm(self.linear(x))
            out += x
            return F.relu(out, inplace=True)

    found = relevance(Block(), torch.tensor([[1.0, 2.0]]), torch.tensor([1]), layer="")
    torch.testing.assert_close(found, torch.tensor([[0.8, 0.2]]))


def test_equal_to_captum_without_biases() -> None:
    network, images = every_convolution(), torch.rand(9, 3, 24, 24, dtype=torch.float64)
    h = network(images).detach()
    for feature in torch.nonzero((h > 0).all(0)).flatten().tolist():
        for module in network:  # captum takes them away again
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.rule = Alpha1_Beta0_Rule(set_bias_to_zero=True)
            elif not isinstance(module, nn.ReLU):
                module.rule = EpsilonRule(epsilon=1e-15)
        expected = LRP(network).attribute(images.clone().requires_grad_(), target=feature).detach()
        expected = expected / expected.flatten(1).sum(1)[:, None, None, None]
        found = relevance(network, images, torch.full((9,), feature), layer="")
        assert found.min() >= 0
        found = found / found.flatten(1).sum(1)[:, None, None, None]
        assert (found - expected).abs().max() < 1e-6


@pytest.mark.parametrize("layer", ["6", "2"])
def test_maps_lie_where_a_patch_is_planted(layer: str) -> None:
    encoder, weights = patch_finder()
    images, masks, labels = planted_patches(100, seed=1)
    see_it = F.max_pool2d(F.max_pool2d(F.max_pool2d(masks, 3, 1, 1), 2), 3, 1, 1)  # units of the last map
    inside = see_it if layer == "6" else F.interpolate(F.max_pool2d(see_it, 3, 1, 1)[:, None], scale_factor=2)[:, 0]
    assert inside.mean() < 0.4
    terms = weights[labels] * encoder(images).detach()
    for features in (terms.argmax(1), weights[labels].clamp(min=0)):
        maps = excitation_maps(encoder, images, features, layer=layer)
        assert (maps * inside).sum((1, 2)).min() >= 0.95
        peaks = F.one_hot(maps.flatten(1).argmax(1), maps[0].numel()).view_as(maps)
        assert (peaks * inside).sum() == 100  # the pointing game


def test_contrastive_maps_leave_what_is_above_all_features() -> None:
    encoder, _ = patch_finder()
    images, _, _ = planted_patches(12, seed=2)
    h = encoder(images).detach()
    own, rest = (excitation_maps(encoder, images, x, layer="2") for x in (h.argmax(1), torch.ones_like(h)))
    found = activation_maps(encoder, images, h.argmax(1), layer="2", method="contrastive_excitation_backprop")
    expected = (own - rest).clamp(min=0)
    torch.testing.assert_close(found, expected / expected.sum((1, 2), keepdim=True), atol=1e-5, rtol=1e-4)


def test_a_feature_without_evidence_has_no_map() -> None:
    encoder, _ = patch_finder()
    weights = torch.zeros(2, 16)
    weights[1, 3] = 1
    assert excitation_maps(encoder, torch.rand(2, 1, 24, 24), weights, layer="6").sum((1, 2)).tolist() == [0, 1]


def test_what_the_rules_do_not_know_is_said_only_where_it_matters() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.GELU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    network.train()
    images, features = torch.rand(2, 3, 8, 8), torch.zeros(2, dtype=torch.long)
    with pytest.raises(UserError, match="'gelu'"):
        excitation_maps(network, images, features, layer="0")
    assert network.training
    assert not network[0]._forward_hooks
    assert excitation_maps(network, images, features, layer="1").shape == (2, 6, 6)
    assert activation_maps(network, images, features, layer="0", method="gradient_activation").shape == (2, 6, 6)


def test_an_exception_in_the_network_leaves_no_trace() -> None:
    encoder = small_encoder()
    encoder.network.layer3[0].conv2 = nn.Conv2d(7, 32, 3)  # does not fit
    with pytest.raises(RuntimeError):
        excitation_maps(encoder, torch.rand(1, 3, 16, 16), torch.tensor([0]), layer="layer1")
    assert encoder.training
    assert not any(module._forward_hooks for module in encoder.modules())
    assert torch.relu(torch.ones(1, requires_grad=True) * -1).grad_fn.name() == "ReluBackward0"


def test_gradient_activation_of_a_vit() -> None:
    torch.manual_seed(0)
    encoder = Encoder("timm/vit_tiny_patch16_224", options={"img_size": 32}).eval()
    images, features = torch.rand(2, 3, 32, 32), torch.tensor([3, 8])
    assert method_for(encoder) == "gradient_activation"
    maps = activation_maps(encoder, images, features, layer="blocks.11.norm1", method="gradient_activation")
    tokens: list[Tensor] = []
    encoder.network.blocks[11].norm1.register_forward_hook(lambda _m, _a, output: tokens.append(output))
    (slopes,) = torch.autograd.grad(encoder(images).gather(1, features[:, None]).sum(), tokens[0])
    expected = (tokens[0] * slopes).detach()[:, 1:].sum(2).clamp(min=0)
    torch.testing.assert_close(maps.flatten(1), expected / expected.sum(1, keepdim=True))
    against = -F.one_hot(features, 192)
    maps = activation_maps(encoder, images, against.float(), layer="blocks.11.norm1", method="gradient_activation")
    expected = (-tokens[0] * slopes).detach()[:, 1:].sum(2).clamp(min=0)
    torch.testing.assert_close(maps.flatten(1), expected / expected.sum(1, keepdim=True).clamp(min=1e-12))
    assert 0 < maps.sum() <= 2


@pytest.mark.parametrize(
    ("layer", "num_places"),
    [("patch_embed.proj", 16), ("blocks.1.attn.qkv", 16), *((x, 0) for x in ("patch_embed", "blocks.1.attn.q_norm"))]
    + [(layer, 0) for layer in ("head", "fc_norm")],
)
def test_a_layer_of_a_vit_has_a_map_or_says_so(layer: str, num_places: int) -> None:
    """Patches without the class token, heads of attention and what is pooled fit no square of the 4 x 4 patches."""
    encoder = Encoder("timm/vit_tiny_patch16_224", options={"img_size": 64, "depth": 2}).eval()
    images, features = torch.rand(1, 3, 64, 64), torch.tensor([3])
    if num_places:
        maps = activation_maps(encoder, images, features, layer=layer, method="gradient_activation")
        assert maps.shape == (1, 4, 4)
        return
    with pytest.raises(UserError, match=f"a square of tokens, got .* at '{layer}'"):
        activation_maps(encoder, images, features, layer=layer, method="gradient_activation")


def test_features_that_are_no_numbers_say_so() -> None:
    images = torch.rand(3, 3, 16, 16)
    images[1, 0, 2, 2] = float("nan")
    with pytest.raises(UserError, match="finite features, got nan or infinity in 1 of 3"):
        excitation_maps(small_encoder(), images, torch.tensor([0, 1, 2]), layer="layer2")


@pytest.mark.parametrize(
    ("features", "layer", "message"),
    [
        (torch.tensor([0, 99]), "layer1", "from 0 to 63"),
        (torch.tensor([0]), "layer1", "2 images, got 1"),
        (-torch.ones(2, 64), "layer1", "weights >= 0"),
        (torch.tensor([0, 1]), "layer9", "Unknown layer 'layer9'"),
        (torch.tensor([0, 1]), "fc", "a layer with a map"),
    ],
)
def test_what_cannot_be_mapped(features: Tensor, layer: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        excitation_maps(small_encoder(), torch.rand(2, 3, 16, 16), features, layer=layer)
