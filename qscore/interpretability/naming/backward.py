"""One pass forward, one back to a layer: of relevance, or of a gradient."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from qscore.errors import UserError, unknown_name
from qscore.evaluation.attribution import at_rest
from qscore.interpretability.naming.rules import ExcitationRules

Start = Callable[[Tensor], Tensor]


def relevance(encoder: nn.Module, images: Tensor, features: Tensor, *, layer: str) -> Tensor:
    """Returns the relevance of each activation of a layer by Excitation Backprop, before anything is scaled.

    Args:
        encoder: From images to flat features (sample, feature).
        images: What it takes, of any shape.
        features: See `excitation_maps`; they begin with the shares of w_j max(h_j, 0) in their sum.
        layer: See `excitation_maps`; "" is what the encoder takes.

    Returns:
        In the shape of the layer's output, >= 0. Its sum is 1, less what biases brought about and what by-passed the
        layer; 0 where there is no positive feature.

    Raises:
        UserError: See `excitation_maps`.
    """

    def shares(h: Tensor) -> Tensor:
        positive = as_weights(features, h) * h.clamp(min=0)
        return positive / positive.sum(1, keepdim=True).clamp(min=torch.finfo(h.dtype).tiny)

    return backward_to(encoder, images, layer, shares, ExcitationRules())[1]


def backward_to(
    encoder: nn.Module, images: Tensor, layer: str, start: Start, rules: AbstractContextManager[object]
) -> tuple[Tensor, Tensor]:
    """Returns the output of a layer, and what arrives there of what begins at the features.

    Args:
        encoder: From images to flat features.
        images: What it takes.
        layer: Its dotted name; "" is what the encoder takes.
        start: From the features to what begins there, both (sample, feature).
        rules: Within which the encoder computes.

    Raises:
        UserError: If there is no such layer, features do not depend on it, or they are not finite.
    """
    pixels = images.detach().clone().requires_grad_()
    seen = [pixels]

    def keep(_module: nn.Module, _args: object, output: Tensor) -> Tensor:
        seen.append(output)
        return output.clone()  # what follows may write in place

    with at_rest(encoder):
        with torch.no_grad():
            plain = encoder(images)
        handle = layer_named(encoder, layer).register_forward_hook(keep) if layer else None
        try:
            with torch.enable_grad(), rules:
                h = encoder(pixels)
        finally:
            if handle is not None:
                handle.remove()
        if not plain.isfinite().all():
            bad = int((~plain.isfinite()).any(1).sum())
            raise UserError(
                f"Expected finite features, got nan or infinity in {bad} of {len(plain)} images; look at the pixels of "
                "these images and at the weights of the encoder."
            )
        if not torch.equal(h, plain):
            raise UserError("Expected a network that writes nothing in place but its own outputs, got other features.")
        if not isinstance(seen[-1], Tensor) or not seen[-1].requires_grad:
            raise UserError(f"Expected a layer that gives one tensor, got another at '{layer}'; choose another.")
        (arrived,) = torch.autograd.grad(h, seen[-1], start(plain), allow_unused=True)
    if arrived is None:
        raise UserError(f"Expected a layer that the features depend on, got '{layer}'; choose an earlier one.")
    return seen[-1].detach(), arrived


def layer_named(encoder: nn.Module, name: str) -> nn.Module:
    """Returns a module by its name in the encoder, or in its network.

    Raises:
        UserError: If there is none; the message lists those at the top.
    """
    network = getattr(encoder, "network", encoder)
    for module in (encoder, network):
        known: dict[str, nn.Module] = dict(module.named_modules())
        if name in known:
            return known[name]
    raise unknown_name("layer", name, [top for top, _ in network.named_children()])


def as_weights(
    features: Tensor, h: Float[Tensor, "sample feature"], *, signed: bool = False
) -> Float[Tensor, "sample feature"]:
    """Returns a weight of every feature, from one feature a sample or from weights.

    Args:
        features: One for each sample, of weight 1; or weights.
        h: The features.
        signed: Whether a weight may be negative, as a gradient allows and shares of relevance do not.

    Raises:
        UserError: If there is no such feature, or a weight is negative or missing.

    >>> as_weights(torch.tensor([1]), torch.zeros(1, 3))
    tensor([[0., 1., 0.]])
    """
    num = h.shape[1]
    if features.ndim == 1 and not features.is_floating_point():
        if ((features < 0) | (features >= num)).any():
            raise UserError(
                f"Expected features from 0 to {num - 1}, got {int(features.min())} to {int(features.max())}."
            )
        return torch.nn.functional.one_hot(features.long(), num).to(h)
    if features.shape != h.shape or not (features.isfinite() if signed else features >= 0).all():
        raise UserError(
            f"Expected a whole number for each image, or weights {'' if signed else '>= 0 '}of shape {tuple(h.shape)}, "
            f"got {tuple(features.shape)} from {float(features.min()):g}; leave negative terms out."
        )
    return features.to(h)
