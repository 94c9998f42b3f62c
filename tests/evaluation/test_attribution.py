"""Heat maps of features that are known to look at one place."""

import pytest
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn

from qscore.encoders import Encoder
from qscore.errors import UserError
from qscore.evaluation.attribution import KINDS, feature_heatmaps

FEATURES = torch.tensor([3, 5])


class Quadrants(nn.Module):
    """Feature j is the brightness of quadrant j: 0 and 1 above, 2 and 3 below."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 1, 1, bias=False)
        nn.init.ones_(self.convolution.weight)

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(self.convolution(images), images.shape[-1] // 2).flatten(1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("feature", range(4))
def test_a_heat_map_lies_in_the_quadrant_that_the_feature_looks_at(encoder: Encoder, kind: str, feature: int) -> None:
    encoder.network = Quadrants()
    encoder.mean.zero_()
    image = torch.zeros(1, 3, 16, 16)
    row, column = 8 * (feature // 2), 8 * (feature % 2)
    image[:, :, row : row + 8, column : column + 8] = 0.7
    heat = feature_heatmaps(encoder, image, torch.tensor([feature]), kind=kind)[0]
    assert heat[row : row + 8, column : column + 8].sum() > 0.8 * heat.sum() > 0


def test_the_gradient_is_that_of_autograd(encoder: Encoder) -> None:
    images = torch.rand(2, 3, 28, 28, requires_grad=True)
    h = encoder.eval()(images)
    (expected,) = torch.autograd.grad(h[0, 3] + h[1, 5], images)
    torch.testing.assert_close(feature_heatmaps(encoder, images, FEATURES, kind="gradient"), expected.abs().sum(1))


def test_grad_cam_of_a_resnet_is_captums(encoder: Encoder) -> None:
    images = torch.rand(2, 3, 32, 32)
    cam = LayerGradCam(encoder.eval(), encoder.network.layer4)  # type: ignore[arg-type]
    found = cam.attribute(images.clone().requires_grad_(), target=FEATURES, relu_attributions=True)
    expected = nn.functional.interpolate(found, size=(32, 32), mode="bilinear")[:, 0].detach()
    torch.testing.assert_close(feature_heatmaps(encoder, images, FEATURES, kind="grad_cam"), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("training", [False, True])
def test_the_encoder_is_left_as_it_was(encoder: Encoder, kind: str, training: bool) -> None:
    encoder.train(training)
    encoder.network.conv1.requires_grad_(False)  # type: ignore[union-attr]
    before = encoder.fingerprint()
    flags = [p.requires_grad for p in encoder.parameters()]
    feature_heatmaps(encoder, torch.rand(2, 3, 28, 28), FEATURES, kind=kind)
    assert encoder.fingerprint() == before
    assert [p.requires_grad for p in encoder.parameters()] == flags
    assert all(module.training is training for module in encoder.modules())
    assert all(p.grad is None for p in encoder.parameters())


def test_an_unknown_kind_lists_the_known_ones(encoder: Encoder) -> None:
    with pytest.raises(UserError, match="grad_cam, gradient, integrated_gradients"):
        feature_heatmaps(encoder, torch.rand(2, 3, 28, 28), FEATURES, kind="gradcam")


def test_integrated_gradients_add_up_to_the_feature(encoder: Encoder) -> None:
    encoder.network = Quadrants()
    images = torch.rand(2, 3, 16, 16)
    rise = (encoder(images) - encoder(torch.zeros_like(images)))[[0, 1], [1, 3]].detach()
    heat = feature_heatmaps(encoder, images, torch.tensor([1, 3]), kind="integrated_gradients")
    torch.testing.assert_close(heat.sum((1, 2)), rise, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("pool", ["token", "avg"])
def test_grad_cam_of_a_vit_reaches_the_patches(pool: str) -> None:
    encoder = Encoder("timm/vit_tiny_patch16_224", options={"img_size": 64, "global_pool": pool, "depth": 2})
    heat = feature_heatmaps(encoder, torch.rand(2, 3, 64, 64), FEATURES, kind="grad_cam")
    assert heat.shape == (2, 64, 64)
    assert heat.sum() > 0
