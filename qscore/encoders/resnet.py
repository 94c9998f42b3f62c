"""torchvision's ResNets with any width, and with the stems and the padding that published encoders have."""

from typing import NamedTuple

from timm.layers.conv2d_same import Conv2dSame
from timm.layers.pool2d_same import MaxPool2dSame
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from qscore.errors import UserError, unknown_name


class Shape(NamedTuple):
    """Blocks of a ResNet: their kind, how many a stage has, groups and channels a group of the 3x3 convolutions."""

    block: type[BasicBlock] | type[Bottleneck]
    layers: tuple[int, int, int, int]
    groups: int = 1
    width_per_group: int = 64


RESNETS = {
    "resnet10": Shape(BasicBlock, (1, 1, 1, 1)),
    "resnet18": Shape(BasicBlock, (2, 2, 2, 2)),
    "resnet34": Shape(BasicBlock, (3, 4, 6, 3)),
    "resnet50": Shape(Bottleneck, (3, 4, 6, 3)),
    "resnet101": Shape(Bottleneck, (3, 4, 23, 3)),
    "resnet152": Shape(Bottleneck, (3, 8, 36, 3)),
    "resnet200": Shape(Bottleneck, (3, 24, 36, 3)),
    "wide_resnet50_2": Shape(Bottleneck, (3, 4, 6, 3), width_per_group=128),
    "wide_resnet101_2": Shape(Bottleneck, (3, 4, 23, 3), width_per_group=128),
    "resnext50_32x4d": Shape(Bottleneck, (3, 4, 6, 3), groups=32, width_per_group=4),
    "resnext101_32x8d": Shape(Bottleneck, (3, 4, 23, 3), groups=32, width_per_group=8),
    "resnext101_64x4d": Shape(Bottleneck, (3, 4, 23, 3), groups=64, width_per_group=4),
}
# Kernel, stride and padding of the first convolution, and whether max-pooling follows.
STEMS = {
    "imagenet": (7, 2, 3, True),
    "cifar": (3, 1, 1, False),
    "cifar_padding2": (3, 1, 2, False),
    "stl": (3, 1, 1, True),
}
PADDINGS = ("symmetric", "same")
STAGE_CHANNELS = (64, 128, 256, 512)


def resnet(architecture: str, *, stem: str = "imagenet", width: float = 1.0, padding: str = "symmetric") -> ResNet:
    """Returns a ResNet without its classifier; parameters carry torchvision's names.

    Args:
        architecture: One of `RESNETS`.
        stem: "imagenet": 7x7 convolution of stride 2 and max-pooling; "cifar": 3x3 convolution of stride 1, no
            pooling (SimCLR, Chen et al., 2020, appendix B.9); "cifar_padding2": the same with a padding of 2, which
            solo-learn trains with; "stl": 3x3 convolution of stride 1, with pooling.
        width: Factor on every channel count, the stem's included.
        padding: "symmetric", or TensorFlow's "same" wherever the stride is 2, as BYOL was trained.

    Raises:
        UserError: If a name is unknown, or the width gives no whole number of channels.
    """
    for kind, name, known in (
        ("encoder architecture", architecture, RESNETS),
        ("encoder stem", stem, STEMS),
        ("padding", padding, PADDINGS),
    ):
        if name not in known:
            raise unknown_name(kind, name, known)
    channels = [round(count * width) for count in STAGE_CHANNELS]
    if width <= 0 or channels[0] != STAGE_CHANNELS[0] * width:
        raise UserError(f"Expected an encoder width that gives a whole number of 64 x width channels, got {width}.")
    shape = RESNETS[architecture]
    network = ResNet(shape.block, list(shape.layers), groups=shape.groups, width_per_group=shape.width_per_group)
    _change_stem(network, stem, channels[0])
    if channels[0] != STAGE_CHANNELS[0]:
        _change_width(network, shape, channels)
    if padding == "same":
        _pad_like_tensorflow(network)
    network.fc = nn.Identity()
    return network


def _change_stem(network: ResNet, stem: str, channels: int) -> None:
    kernel, stride, padding, has_pooling = STEMS[stem]
    if stem != "imagenet" or channels != STAGE_CHANNELS[0]:
        network.conv1 = nn.Conv2d(3, channels, kernel, stride=stride, padding=padding, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    if not has_pooling:
        network.maxpool = nn.Identity()


def _change_width(network: ResNet, shape: Shape, channels: list[int]) -> None:
    network.bn1 = nn.BatchNorm2d(channels[0])
    network.inplanes = channels[0]
    for i, (count, depth) in enumerate(zip(channels, shape.layers, strict=True)):
        stage = network._make_layer(shape.block, count, depth, stride=1 if i == 0 else 2)
        setattr(network, f"layer{i + 1}", stage)
    for module in network.modules():  # torchvision's initialisation, of the new layers too
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def _pad_like_tensorflow(network: ResNet) -> None:
    """Only at stride 2 does "same" differ: the padding is larger at the right and at the bottom there."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv2d) and child.stride == (2, 2) and child.kernel_size != (1, 1):
                setattr(parent, name, _same(child))
            elif isinstance(child, nn.MaxPool2d):
                setattr(
                    parent,
                    name,
                    MaxPool2dSame(child.kernel_size, child.stride),
                )


def _same(convolution: nn.Conv2d) -> nn.Conv2d:
    replacement: nn.Conv2d = Conv2dSame(
        convolution.in_channels,
        convolution.out_channels,
        convolution.kernel_size[0],
        stride=convolution.stride[0],
        groups=convolution.groups,
        bias=False,
    )
    replacement.weight = convolution.weight
    return replacement
