"""Every batched operation against torchvision's per-sample one: the same pixels for the same parameters, and parameters
of the same distribution."""

import numpy as np
import pytest
import torch
from matplotlib.colors import rgb_to_hsv
from PIL import Image, ImageFilter
from scipy.stats import chisquare, ks_2samp
from torch import Tensor
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional as F  # noqa: N812

from qscore.data.augment.blur import Blur, BlurParameters
from qscore.data.augment.color import BRIGHTNESS, CONTRAST, HUE, SATURATION, Grayscale, Jitter, Solarize
from qscore.data.augment.crop import Boxes, Crop
from qscore.data.augment.draws import Draws
from qscore.data.augment.hue import shift_hue

NUM = 3_000
ALPHA = 1e-4


def photographs(num: int, height: int = 40, width: int = 32) -> Tensor:
    """Smooth coloured noise, uint8, with some gray, black and saturated pixels."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((num, 3, 5, 4), dtype=np.float32))
    images = (F.resize(coarse, [height, width], antialias=True) * 1.4 - 0.2).clamp(0, 1)
    images[:, :, :3, :3] = 0.5
    return (images * 255).round().byte()


def draws(num: int = NUM) -> Draws:
    return Draws([0, 0, np.arange(num), 0])


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(32, 32), (9, 14), (70, 60)], ids=["same", "smaller", "larger"])
def test_crops_have_torchvisions_pixels(interpolation: str, size: tuple[int, int]) -> None:
    images = photographs(60)
    crop = Crop(size, (0.05, 1.0), interpolation=interpolation, flip_vertical=0.5, flip_horizontal=0.5)
    boxes = crop.draw(draws(60), np.full(60, 40), np.full(60, 32))
    assert boxes.mirrored.float().mean(0).min() > 0.2
    found = crop(images, boxes)
    for i, (image, box, mirrored) in enumerate(zip(images, boxes.boxes.int().tolist(), boxes.mirrored, strict=True)):
        expected = F.resized_crop(
            image.float() / 255, *box, list(size), InterpolationMode(interpolation), antialias=True
        )
        expected = expected.clamp(0, 1).flip([dim + 1 for dim in (0, 1) if mirrored[dim]])
        torch.testing.assert_close(found[i], expected, atol=2e-5, rtol=0)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_crops_by_pillow_are_those_of_the_batch_up_to_rounding(interpolation: str) -> None:
    images = photographs(20)
    crop = Crop((16, 24), (0.2, 1.0), interpolation=interpolation, flip_vertical=0.5, flip_horizontal=0.5)
    boxes = crop.draw(draws(20), np.full(20, 40), np.full(20, 32))
    found = crop(images, boxes)
    for i, image in enumerate(images):
        pixels = crop.one(F.to_pil_image(image), Boxes(boxes.boxes[i : i + 1], boxes.mirrored[i : i + 1]))
        assert pixels.dtype == torch.uint8
        torch.testing.assert_close(pixels[0] / 255, found[i], atol=4 / 255, rtol=0)
        assert (pixels[0] / 255 - found[i]).abs().mean() < 0.5 / 255


@pytest.mark.parametrize(
    ("height", "width", "scale", "ratio"),
    [(32, 32, (0.08, 1.0), (3 / 4, 4 / 3)), (40, 200, (0.5, 1.0), (3 / 4, 4 / 3)), (60, 20, (0.9, 1.0), (0.9, 1.1))],
    ids=["square", "wide, some fall back", "tall, all fall back"],
)
def test_boxes_are_distributed_as_torchvisions(
    height: int, width: int, scale: tuple[float, float], ratio: tuple[float, float]
) -> None:
    torch.manual_seed(0)
    theirs = v2.RandomResizedCrop(8, scale=scale, ratio=ratio)
    image = torch.zeros(3, height, width)
    expected = [theirs.make_params([image]) for _ in range(NUM)]
    boxes = Crop((8, 8), scale, ratio).draw(draws(), np.full(NUM, height), np.full(NUM, width)).boxes
    for column, name in enumerate(("top", "left", "height", "width")):
        found = boxes[:, column].numpy()
        assert ks_2samp(found, [each[name] for each in expected]).pvalue > ALPHA, name
    assert (boxes[:, :2] + boxes[:, 2:] <= torch.tensor([height, width])).all()


def test_boxes_know_the_size_of_each_image() -> None:
    heights, widths = np.array([10, 500] * 100), np.array([300, 20] * 100)
    boxes = Crop((8, 8), (0.2, 1.0)).draw(draws(200), heights, widths).boxes.numpy()
    assert (boxes[:, 0] + boxes[:, 2] <= heights).all()
    assert (boxes[:, 1] + boxes[:, 3] <= widths).all()


def one_by_one(image: Tensor, order: list[int], factors: list[float], turns: float) -> Tensor:
    """torchvision's jitter of an image in [0, 1], in a given order."""
    steps = {
        BRIGHTNESS: lambda x: F.adjust_brightness(x, factors[BRIGHTNESS]),
        CONTRAST: lambda x: F.adjust_contrast(x, factors[CONTRAST]),
        SATURATION: lambda x: F.adjust_saturation(x, factors[SATURATION]),
        HUE: lambda x: F.adjust_hue(x, turns),
    }
    for step in order:
        image = steps[step](image)
    return image


def test_jittered_pixels_are_torchvisions_in_every_order() -> None:
    images = photographs(200).float() / 255
    jitter = Jitter((0.2, 1.8), (0.2, 1.8), (0.2, 1.8), (-0.4, 0.4), probability=0.8)
    parameters = jitter.draw(draws(200))
    found = jitter(images.clone(), parameters)
    orders = set()
    for i, image in enumerate(images):
        place = next((p for p, chosen in enumerate(parameters.hue_before) if i in chosen), None)
        if place is None:
            torch.testing.assert_close(found[i], image, atol=0, rtol=0)
            continue
        kinds = [
            CONTRAST if mean else SATURATION if luma else BRIGHTNESS
            for mean, luma in zip(parameters.to_mean[i].tolist(), parameters.to_gray[i].tolist(), strict=True)
        ]
        factors = dict(zip(kinds, parameters.factors[i].tolist(), strict=True))
        order = [*kinds[:place], HUE, *kinds[place:]]
        expected = one_by_one(image, order, [factors[k] for k in range(3)], float(parameters.hue_turns[i]))
        torch.testing.assert_close(found[i], expected, atol=3e-5, rtol=0)
        orders.add(tuple(order))
    assert len(orders) == 24


def test_jitter_is_distributed_as_torchvisions() -> None:
    torch.manual_seed(0)
    theirs = v2.ColorJitter(0.4, 0.8, 0.2, 0.1)
    expected = [theirs.make_params([]) for _ in range(NUM)]
    found = Jitter((0.6, 1.4), (0.2, 1.8), (0.8, 1.2), (-0.1, 0.1)).draw(draws())
    contrast, saturation = found.to_mean.bool(), found.to_gray.bool()
    for name, chosen in (
        ("brightness_factor", ~contrast & ~saturation),
        ("contrast_factor", contrast),
        ("saturation_factor", saturation),
    ):
        assert (chosen.sum(1) == 1).all()
        assert ks_2samp(found.factors[chosen].numpy(), [each[name] for each in expected]).pvalue > ALPHA, name
    assert ks_2samp(found.hue_turns.numpy(), [each["hue_factor"] for each in expected]).pvalue > ALPHA
    assert sorted(torch.cat(found.hue_before).tolist()) == list(range(NUM))
    kinds = contrast.int() + 2 * saturation.int()
    orders = np.unique(kinds.numpy() @ [9, 3, 1], return_counts=True)[1]
    assert len(orders) == 6
    assert chisquare(orders).pvalue > ALPHA
    assert chisquare([len(chosen) for chosen in found.hue_before]).pvalue > ALPHA


def test_parts_of_a_jitter_can_be_missing() -> None:
    images = photographs(40).float() / 255
    jitter = Jitter((0.5, 1.5), None, None, None)
    parameters = jitter.draw(draws(40))
    assert all(len(chosen) == 0 for chosen in parameters.hue_before)
    factors = parameters.factors.prod(1)
    torch.testing.assert_close(jitter(images.clone(), parameters), (images * factors[:, None, None, None]).clamp(0, 1))


def test_gray_images_are_jittered_on_one_channel_as_on_three() -> None:
    single = photographs(80).float()[:, :1] / 255
    jitter = Jitter((0.6, 1.4), (0.6, 1.4), (0.6, 1.4), (-0.2, 0.2))
    parameters = jitter.draw(draws(80))
    three = jitter(single.repeat(1, 3, 1, 1), parameters)
    torch.testing.assert_close(jitter(single.clone(), parameters).expand(-1, 3, -1, -1), three, atol=5e-4, rtol=0)


def test_hue_in_yiq_keeps_luma_and_agrees_where_nothing_turns() -> None:
    images = 0.3 + 0.4 * photographs(10).float() / 255
    torch.testing.assert_close(shift_hue(images, torch.zeros(10), yiq=True), images, atol=1e-5, rtol=0)
    turned = shift_hue(images, torch.full((10,), 0.05), yiq=True)
    luma = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    torch.testing.assert_close((turned * luma).sum(1), (images * luma).sum(1), atol=1e-3, rtol=0)
    colourful = (images.amax(1) - images.amin(1) > 0.1).numpy()
    before, after = (rgb_to_hsv(each.movedim(1, -1).numpy())[..., 0][colourful] for each in (images, turned))
    assert np.median((after - before + 0.5) % 1 - 0.5) == pytest.approx(0.05, rel=0.4)


def test_grayscale_and_solarization_are_torchvisions() -> None:
    images = photographs(100).float() / 255
    for operation, expected in (
        (Grayscale(0.3), F.rgb_to_grayscale(images, 3)),
        (Solarize(0.3), F.solarize(images, 128 / 255)),
    ):
        chosen = operation.draw(draws(100))
        assert 10 < len(chosen) < 60
        found = operation(images.clone(), chosen)
        others = np.setdiff1d(np.arange(100), chosen)
        torch.testing.assert_close(found[chosen], expected[chosen], atol=1e-6, rtol=0)
        torch.testing.assert_close(found[others], images[others], atol=0, rtol=0)


def test_blur_is_torchvisions_where_it_mirrors_the_edge() -> None:
    images = photographs(12).float() / 255
    sigmas = torch.linspace(0.1, 2.0, 12)
    blur = Blur(1.0, (0.1, 2.0), reach_px=4, reflect=True)
    found = blur(images.clone(), BlurParameters(torch.arange(12), sigmas))
    for image, sigma, blurred in zip(images, sigmas.tolist(), found, strict=True):
        torch.testing.assert_close(blurred, F.gaussian_blur(image, [9, 9], [sigma, sigma]), atol=1e-5, rtol=0)


def test_blur_is_near_pillows() -> None:
    images = photographs(12)
    sigmas = torch.linspace(0.3, 2.0, 12)
    found = Blur(1.0, (0.1, 2.0))(images.float() / 255, BlurParameters(torch.arange(12), sigmas))
    for image, sigma, blurred in zip(images, sigmas.tolist(), found, strict=True):
        pillows = F.to_pil_image(image).filter(ImageFilter.GaussianBlur(sigma))
        assert isinstance(pillows, Image.Image)
        sharp = (blurred - image / 255).abs().mean()
        assert (blurred - F.to_image(pillows) / 255).abs().mean() < max(0.1 * sharp, torch.tensor(1 / 255))


def test_blur_is_drawn_for_the_asked_share_and_range() -> None:
    chosen, sigmas = Blur(0.4, (0.5, 1.5)).draw(draws())
    assert len(chosen) / NUM == pytest.approx(0.4, abs=0.05)
    assert len(sigmas) == len(chosen)
    assert ks_2samp(sigmas.numpy(), np.linspace(0.5, 1.5, NUM)).pvalue > ALPHA


def test_a_sigma_of_nothing_blurs_nothing() -> None:
    images = photographs(2).float() / 255
    torch.testing.assert_close(
        Blur(1.0, (0.0, 2.0))(images.clone(), BlurParameters(torch.arange(2), torch.zeros(2))), images
    )


def test_a_kernel_of_one_pixel_blurs_nothing() -> None:
    images = photographs(2).float() / 255
    blur = Blur(1.0, (0.5, 2.0), reach_px=0, reflect=True)
    torch.testing.assert_close(blur(images.clone(), BlurParameters(torch.arange(2), torch.ones(2))), images)
