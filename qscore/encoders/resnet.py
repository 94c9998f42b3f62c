"""torchvision's ResNets with any width and with the stems that small images need."""

from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from qscore.errors import UserError, unknown_name

BLOCKS: dict[str, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, int, int, int]]] = {
    "resnet10": (BasicBlock, (1, 1, 1, 1)),
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
    "resnet101": (Bottleneck, (3, 4, 23, 3)),
    "resnet152": (Bottleneck, (3, 8, 36, 3)),
}
STEMS = ("imagenet", "cifar", "stl")
STAGE_CHANNELS = (64, 128, 256, 512)


def resnet(architecture: str, *, stem: str = "imagenet", width: float = 1.0) -> ResNet:
    """Returns a ResNet without its classifier; parameters carry torchvision's names.

    Args:
        architecture: One of `BLOCKS`.
        stem: "imagenet": 7x7 convolution of stride 2 and max-pooling; "cifar": 3x3 convolution of stride 1, no
            pooling (SimCLR, Chen et al., 2020, appendix B.9); "stl": 3x3 convolution of stride 1, with pooling.
        width: Factor on every channel count, the stem's included.

    Raises:
        UserError: If a name is unknown, or the width gives no whole number of channels.
    """
    if architecture not in BLOCKS:
        raise unknown_name("encoder architecture", architecture, BLOCKS)
    if stem not in STEMS:
        raise unknown_name("encoder stem", stem, STEMS)
    channels = [round(count * width) for count in STAGE_CHANNELS]
    if width <= 0 or channels[0] != STAGE_CHANNELS[0] * width:
        raise UserError(f"Expected an encoder width that gives a whole number of 64 x width channels, got {width}.")
    block, layers = BLOCKS[architecture]
    network = ResNet(block, list(layers))
    _rebuild(network, block, layers, channels, stem)
    network.fc = nn.Identity()
    return network


def _rebuild(
    network: ResNet,
    block: type[BasicBlock] | type[Bottleneck],
    layers: tuple[int, ...],
    channels: list[int],
    stem: str,
) -> None:
    if stem != "imagenet" or channels[0] != STAGE_CHANNELS[0]:
        kernel, stride, padding = (7, 2, 3) if stem == "imagenet" else (3, 1, 1)
        network.conv1 = nn.Conv2d(3, channels[0], kernel, stride=stride, padding=padding, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    if stem == "cifar":
        network.maxpool = nn.Identity()
    if channels[0] == STAGE_CHANNELS[0]:
        return
    network.bn1 = nn.BatchNorm2d(channels[0])
    network.inplanes = channels[0]
    for i, (count, depth) in enumerate(zip(channels, layers, strict=True)):
        stage = network._make_layer(block, count, depth, stride=1 if i == 0 else 2)
        setattr(network, f"layer{i + 1}", stage)
    for module in network.modules():  # torchvision's initialisation, of the new layers too
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
