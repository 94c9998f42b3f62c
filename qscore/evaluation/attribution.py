"""Where in the image a single feature looks: gradient heat maps (figs. 6 and 8 of Kalibhat et al., 2022)."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from captum.attr import IntegratedGradients, Saliency
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from qscore.encoders import Encoder
from qscore.errors import UserError, unknown_name

KINDS = ("gradient", "grad_cam", "integrated_gradients")
NUM_STEPS = 32


def feature_heatmaps(
    encoder: Encoder,
    images: Float[Tensor, "sample 3 height width"],
    features: Int[Tensor, " sample"],
    *,
    kind: str,
) -> Float[Tensor, "sample height width"]:
    """Returns, for each image, where it raises one feature (Kalibhat et al., 2022, arXiv 2203.01881v2, fig. 6).

    "gradient" is |dh_j / dx| summed over colours; "grad_cam" is Selvaraju et al. (2017), eqs. 1 and 2, at the last
    map of more than one place, or at the tokens that enter a ViT's last attention, enlarged to the image;
    "integrated_gradients" is Sundararajan et al. (2017) from a black image, summed over colours: it has a sign, and
    adds up to h_j(image) - h_j(black).

    Args:
        encoder: Its weights, modes and BatchNorm statistics are the same afterwards.
        images: Pixel values in [0, 1].
        features: One feature j for each image.
        kind: One of `KINDS`.

    Raises:
        UserError: If the kind is unknown, or the network has no map for Grad-CAM.
    """
    if kind not in KINDS:
        raise unknown_name("kind of heat map", kind, KINDS)
    device = encoder.mean.device
    pixels, features = images.detach().to(device).clone().requires_grad_(), features.to(device)
    with at_rest(encoder), torch.enable_grad():
        if kind == "grad_cam":
            return _grad_cam(encoder, pixels, features).cpu()
        if kind == "gradient":
            attributions = Saliency(encoder).attribute(pixels, target=features, abs=True)
        else:
            attributions = IntegratedGradients(encoder).attribute(
                pixels, target=features, n_steps=NUM_STEPS, internal_batch_size=max(NUM_STEPS, len(pixels))
            )
    heat: Tensor = attributions.detach().sum(1).float().cpu()
    return heat


def has_tokens(network: nn.Module) -> bool:
    """Returns whether a network is one of timm's ViTs, whose maps are rows of patch tokens."""
    return getattr(network, "num_prefix_tokens", None) is not None


def _grad_cam(encoder: Encoder, pixels: Tensor, features: Tensor) -> Tensor:
    layer = _grad_cam_layer(encoder, pixels)
    seen: list[Tensor] = []

    def keep(_module: nn.Module, _args: object, output: Tensor) -> Tensor:
        seen.append(output)
        return output.clone()  # what follows may write in place

    handle = layer.register_forward_hook(keep)
    try:
        h = encoder(pixels)
    finally:
        handle.remove()
    (gradients,) = torch.autograd.grad(h.gather(1, features[:, None]).sum(), seen[-1])
    maps, slopes = (as_map(encoder.network, x.detach()) for x in (seen[-1], gradients))
    if maps is None or slopes is None:
        raise _no_map()
    cam = (slopes.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True).relu()
    return F.interpolate(cam.float(), size=pixels.shape[-2:], mode="bilinear", align_corners=False)[:, 0]


def _grad_cam_layer(encoder: Encoder, pixels: Tensor) -> nn.Module:
    """Returns the last module to give a map; for a ViT the norm before its last attention.

    With class-token pooling the patch tokens that leave the last block have no gradient any more.
    """
    network = encoder.network
    if has_tokens(network):
        return network.get_submodule(f"blocks.{len(network.get_submodule('blocks')) - 1}.norm1")  # type: ignore[arg-type]
    found: list[nn.Module] = []

    def look(module: nn.Module, _args: object, output: object) -> None:
        heat = as_map(network, output)
        if heat is not None and heat[0, 0].numel() > 1:
            found.append(module)

    handles = [module.register_forward_hook(look) for module in network.modules()]
    try:
        with torch.no_grad():
            encoder(pixels[:1])
    finally:
        for handle in handles:
            handle.remove()
    if not found:
        raise _no_map()
    return found[-1]


def _no_map() -> UserError:
    return UserError(
        "Expected a network with a map of more than one place for Grad-CAM, got none; choose kind=gradient."
    )


def as_map(network: nn.Module, output: object) -> Tensor | None:
    """Returns (sample, channel, row, column) from maps with channels first or last, or from a square of tokens.

    Args:
        network: Of timm, or another.
        output: Of one of its parts.

    Returns:
        None where the output is neither. In a ViT it has to be of as many places as there are patches, since heads of
        attention have four dimensions as well.
    """
    if not isinstance(output, Tensor) or output.ndim not in (3, 4):
        return None
    if not has_tokens(network):
        is_last = getattr(network, "output_fmt", "NCHW") == "NHWC"
        return None if output.ndim == 3 else output.permute(0, 3, 1, 2) if is_last else output
    is_fixed = not getattr(network, "dynamic_img_size", False)
    grid = getattr(getattr(network, "patch_embed", None), "grid_size", None) if is_fixed else None
    if output.ndim == 4:
        return output if grid is None or output.shape[-2:] == tuple(grid) else None
    patches = output[:, int(network.num_prefix_tokens) :]  # type: ignore[arg-type]
    side = math.isqrt(patches.shape[1])
    rows, columns = grid or (side, side)
    if patches.shape[1] != rows * columns or not patches.numel():
        return None
    return patches.transpose(1, 2).reshape(len(patches), -1, rows, columns)


@contextmanager
def at_rest(network: nn.Module) -> Iterator[None]:
    """Evaluation mode and no gradient of a parameter, within; modes and flags are the same afterwards."""
    modes = [(module, module.training) for module in network.modules()]
    flags = [(parameter, parameter.requires_grad) for parameter in network.parameters()]
    network.eval().requires_grad_(False)
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
        for parameter, flag in flags:
            parameter.requires_grad_(flag)
