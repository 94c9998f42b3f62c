"""Where in an image a feature comes from: Excitation Backprop, and gradient x activation where that is not defined."""

from contextlib import nullcontext
from typing import TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from qscore.errors import UserError, unknown_name
from qscore.evaluation.attribution import as_map, at_rest, has_tokens
from qscore.interpretability.naming.backward import as_weights, backward_to, relevance

EXCITATION, CONTRASTIVE, GRADIENT = "excitation_backprop", "contrastive_excitation_backprop", "gradient_activation"
METHODS = (EXCITATION, CONTRASTIVE, GRADIENT)
BATCH_SIZE = 32
Features: TypeAlias = Int[Tensor, " sample"] | Float[Tensor, "sample feature"]


def excitation_maps(
    encoder: nn.Module, images: Tensor, features: Features, *, layer: str, batch_size: int = BATCH_SIZE
) -> Float[Tensor, "sample height width"]:
    """Returns, for each image, which places of a layer a feature is made of (Zhang et al., ECCV 2016, eqs. 3 to 5).

    Excitation Backprop: the share that each activation has in the feature, summed over the channels of the layer; see
    `naming.rules` for every operation. What biases alone brought about is left out and the rest is scaled to 1.

    Args:
        encoder: From images to flat features: an `Encoder`, or any network of convolutions, linear layers, BatchNorm,
            ReLU, pooling and sums. Its outputs, weights, modes and hooks are the same afterwards.
        images: (sample, channel, height, width), as the encoder takes them.
        features: One feature for each image; or for each image a weight >= 0 of every feature, such as those that a
            probe's logit gives a positive weight.
        layer: Its dotted name in the encoder or in its network, such as "layer3".
        batch_size: Images at a time.

    Returns:
        On the CPU, each >= 0 with sum 1; all 0 where the feature is not positive: it has no evidence then.

    Raises:
        UserError: If there is no such layer, it has no map, the features do not fit, or on the way to it is an
            operation that the rules do not know (LayerNorm, GELU, attention).
    """
    return _in_batches(encoder, images, features, layer, EXCITATION, batch_size)


def activation_maps(
    encoder: nn.Module,
    images: Tensor,
    features: Features,
    *,
    layer: str,
    method: str = EXCITATION,
    batch_size: int = BATCH_SIZE,
) -> Float[Tensor, "sample height width"]:
    """Returns maps by any of the methods, each >= 0 with sum 1; all 0 where a feature has no evidence.

    "contrastive_excitation_backprop" leaves of a feature's map what is above that of all features together, as Zhang et
    al. (section 3.3) do with a dual unit: what is particular to it, without the places that everything goes through.
    "gradient_activation" is the positive part of gradient times activation, summed over channels: it is defined for
    every network and conserves nothing, so it must not be called Excitation Backprop.

    Args:
        encoder: See `excitation_maps`; a ViT has maps of its patches, and none in what leaves the last block if
            features are read from the class token.
        images: (sample, channel, height, width).
        features: See `excitation_maps`; for "gradient_activation" weights may be negative: with the weight -1 the map
            is of what makes a feature negative.
        layer: See `excitation_maps`.
        method: One of `METHODS`; see `method_for`.
        batch_size: Images at a time.

    Raises:
        UserError: See `excitation_maps`; or if the method is unknown.
    """
    if method not in METHODS:
        raise unknown_name("method of maps", method, METHODS)
    return _in_batches(encoder, images, features, layer, method, batch_size)


def method_for(encoder: nn.Module) -> str:
    """Returns the method for an encoder: gradient x activation for a ViT, Excitation Backprop for all others."""
    return GRADIENT if has_tokens(getattr(encoder, "network", encoder)) else EXCITATION


def _in_batches(
    encoder: nn.Module, images: Tensor, features: Tensor, layer: str, method: str, batch_size: int
) -> Float[Tensor, "sample height width"]:
    if len(features) != len(images) or not len(images):
        raise UserError(
            f"Expected features of {max(len(images), 1)} images, got {len(features)}; give one row an image."
        )
    find = {EXCITATION: relevance, CONTRASTIVE: _contrast, GRADIENT: _gradient_activation}[method]
    network = getattr(encoder, "network", encoder)
    device = next((parameter.device for parameter in encoder.parameters()), images.device)
    maps = []
    for part, chosen in zip(torch.split(images, batch_size), torch.split(features, batch_size), strict=True):
        found = find(encoder, part.to(device), chosen.to(device), layer=layer)
        if (heat := as_map(network, found)) is None:
            raise UserError(
                f"Expected a layer with a map, or with a square of tokens, got {tuple(found.shape)} at '{layer}'; "
                "choose an earlier one, or a block of a ViT."
            )
        maps.append(_scaled(heat.sum(1).clamp(min=0)))
    return torch.cat(maps).float().cpu()


def _scaled(maps: Tensor) -> Tensor:
    total = maps.sum((1, 2), keepdim=True)
    return torch.where(total > 0, maps / torch.where(total > 0, total, 1), 0)


def _contrast(encoder: nn.Module, images: Tensor, features: Tensor, *, layer: str) -> Tensor:
    with at_rest(encoder), torch.no_grad():
        all_features = torch.ones_like(encoder(images[:1])).expand(len(images), -1)
    return relevance(encoder, images, features, layer=layer) - relevance(encoder, images, all_features, layer=layer)


def _gradient_activation(encoder: nn.Module, images: Tensor, features: Tensor, *, layer: str) -> Tensor:
    activations, slopes = backward_to(
        encoder, images, layer, lambda h: as_weights(features, h, signed=True), nullcontext()
    )
    return activations * slopes
