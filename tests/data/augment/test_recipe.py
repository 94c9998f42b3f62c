from pathlib import Path

import hydra
import pytest
import torch
from hydra.utils import instantiate
from lightly.transforms import DINOTransform, SimCLRTransform
from lightly.transforms import gaussian_blur as lightly_blur
from lightly.transforms.multi_view_transform import MultiViewTransform
from PIL import Image
from torchvision import transforms as v1
from torchvision.transforms import v2

from qscore.application.build import recipe
from qscore.data.augment import NotBatchedError, read_views
from qscore.data.augment.blur import Blur
from qscore.data.augment.color import Grayscale, Jitter, Solarize

CONF = Path(__file__).parents[3] / "conf"
METHODS = sorted(file.stem for file in (CONF / "method").glob("*.yaml"))


@pytest.mark.parametrize("data", ["cifar10", "imagenet"])
@pytest.mark.parametrize("method", METHODS)
def test_the_views_of_every_method_are_understood(method: str, data: str) -> None:
    with hydra.initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        cfg = hydra.compose("train", [f"method={method}", f"data={data}"])
    transform = instantiate(recipe(cfg).views)
    made = transform(Image.new("RGB", (64, 48)))
    views = read_views(transform)
    assert [view.crop.size for view in views] == [tuple(view.shape[1:]) for view in made]
    assert all(isinstance(view.operations[0], Jitter) for view in views)
    assert all(view.crop.flip_horizontal == 0.5 for view in views)
    assert any(isinstance(each, Grayscale) for each in views[0].operations)


def test_what_differs_between_views_is_kept() -> None:
    views = read_views(DINOTransform(normalize=None))
    assert [view.crop.scale for view in views] == [(0.4, 1.0)] * 2 + [(0.05, 0.4)] * 6
    assert {view.crop.interpolation for view in views} == {"bicubic"}
    blurs = [next(each.probability for each in view.operations if isinstance(each, Blur)) for view in views]
    assert blurs == [1.0, 0.1] + [0.5] * 6
    solarized = [any(isinstance(each, Solarize) for each in view.operations) for view in views]
    assert solarized == [False, True] + [False] * 6


def test_what_never_happens_is_left_out() -> None:
    bare = SimCLRTransform(cj_prob=0.0, random_gray_scale=0.0, gaussian_blur=0.0, normalize=None)
    assert read_views(bare)[0].operations == ()


@pytest.mark.parametrize("kit", [v1, v2], ids=["v1", "v2"])
def test_a_composition_of_ones_own(kit: object) -> None:
    jitter = kit.ColorJitter(0.4, 0.4)  # type: ignore[attr-defined]
    parts = [
        kit.RandomResizedCrop(24, scale=(0.3, 0.9)),  # type: ignore[attr-defined]
        kit.RandomVerticalFlip(0.25),  # type: ignore[attr-defined]
        kit.RandomApply([jitter], p=0.7),  # type: ignore[attr-defined]
        kit.RandomApply([kit.GaussianBlur(5, (0.2, 1.5))], p=0.1),  # type: ignore[attr-defined]
        kit.RandomSolarize(128, p=0.2),  # type: ignore[attr-defined]
        kit.PILToTensor(),  # type: ignore[attr-defined]
        kit.ConvertImageDtype(torch.float32),  # type: ignore[attr-defined]
    ]
    view = read_views(MultiViewTransform([kit.Compose(parts)]))[0]  # type: ignore[attr-defined]
    assert (view.crop.size, view.crop.scale, view.crop.flip_vertical) == ((24, 24), (0.3, 0.9), 0.25)
    assert view.operations == (
        Jitter((0.6, 1.4), (0.6, 1.4), None, None, 0.7),
        Blur(0.1, (0.2, 1.5), reach_px=2, reflect=True),
        Solarize(0.2, 128 / 255),
    )


@pytest.mark.parametrize(
    "part",
    [
        v2.RandomErasing(),
        v2.RandomApply([v2.RandomRotation(10)], p=0.5),
        v2.Normalize([0.5] * 3, [0.5] * 3),
        v2.RandomApply([v2.ColorJitter(0.4), v2.RandomGrayscale()], p=0.5),
    ],
    ids=lambda part: type(part).__name__,
)
def test_anything_else_is_refused_by_name(part: object) -> None:
    transform = MultiViewTransform([v2.Compose([v2.RandomResizedCrop(24), part])])
    with pytest.raises(NotBatchedError, match=f"{type(part).__name__}.*data.views_on=workers") as found:
        read_views(transform)
    assert "\n\n" not in str(found.value)


def test_a_rotation_that_happens_is_refused() -> None:
    with pytest.raises(NotBatchedError, match="RandomRotate"):
        read_views(SimCLRTransform(rr_prob=0.5, normalize=None))


def test_a_function_is_refused() -> None:
    with pytest.raises(NotBatchedError, match="views_on=workers"):
        read_views(lambda image: [image])


def test_a_sequence_of_torch_is_read_like_a_composition() -> None:
    colours = torch.nn.Sequential(v2.ColorJitter(0.4), v2.RandomGrayscale(0.2))
    parts = [v2.RandomResizedCrop(24), colours, v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
    view = read_views(MultiViewTransform([v2.Compose(parts)]))[0]
    assert [type(each) for each in view.operations] == [Jitter, Grayscale]


def test_chances_within_chances_multiply_and_thresholds_follow_the_pixels() -> None:
    blur = lightly_blur.GaussianBlur(prob=0.5, sigmas=(0.1, 1.0))
    parts = [v2.RandomResizedCrop(24), v2.RandomApply([blur], p=0.5), v2.ToImage()]
    floats = [v2.ToDtype(torch.float32, scale=True), v2.RandomSolarize(0.4, p=0.3), v2.GaussianBlur(1)]
    view = read_views(MultiViewTransform([v2.Compose(parts + floats)]))[0]
    assert view.operations == (Blur(0.25, (0.1, 1.0)), Solarize(0.3, 0.4), Blur(1.0, (0.1, 2.0), 0, True))


@pytest.mark.parametrize("end", [[], [v2.ToImage()], [v2.ToImage(), v2.ToDtype(torch.float32)]])
def test_pixels_that_are_not_between_zero_and_one_are_refused(end: list[object]) -> None:
    with pytest.raises(NotBatchedError, match=r"(floating-point pixels|ToDtype).*views_on=workers"):
        read_views(MultiViewTransform([v2.Compose([v2.RandomResizedCrop(24), *end])]))
