"""Brightness, saturation, sharpness, edges and shapes of images that were made to have them."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from sklearn.datasets import load_sample_images

from qscore.interpretability.reverse_probing.experts.expert import Expert
from qscore.interpretability.reverse_probing.experts.known import KNOWN
from qscore.interpretability.reverse_probing.experts.light import Brightness, Saturation, luma
from qscore.interpretability.reverse_probing.experts.shape import Shape
from qscore.interpretability.reverse_probing.experts.structure import Edges, Sharpness, edge_orientations, sharpness


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    return [Image.fromarray(pixels) for pixels in load_sample_images().images]


def named(expert: Expert, image: Image.Image) -> set[str]:
    return {name for name, is_there in zip(expert.concept_names, expert([image])[0], strict=True) if is_there}


def of(values: np.ndarray) -> Image.Image:
    return Image.fromarray((255 * values).round().astype(np.uint8)).convert("RGB")


def halves(left: Sequence[int], right: Sequence[int]) -> Image.Image:
    return Image.fromarray(np.array([[left] * 8 + [right] * 8] * 16, dtype=np.uint8))


def test_brightness_and_contrast() -> None:
    assert named(Brightness(), Image.new("RGB", (5, 5), "black")) == {"dark", "low contrast"}
    assert named(Brightness(), Image.new("RGB", (5, 5), "white")) == {"bright", "low contrast"}
    assert named(Brightness(), halves([0] * 3, [255] * 3)) == {"high contrast"}
    assert named(Brightness(), halves([90] * 3, [166] * 3)) == set()


def test_saturation(photographs: list[Image.Image]) -> None:
    assert named(Saturation(), photographs[0].convert("L").convert("RGB")) == {"greyscale"}
    assert named(Saturation(), halves([255, 0, 0], [0, 0, 255])) == {"vivid"}
    assert named(Saturation(), halves([255, 200, 210], [190, 230, 255])) == {"pastel"}
    assert "greyscale" not in named(Saturation(), photographs[0])


def test_a_blurred_photograph_is_less_sharp(photographs: list[Image.Image]) -> None:
    for image in photographs:
        found = [sharpness(luma(image.filter(ImageFilter.GaussianBlur(radius)))) for radius in (0, 1, 2, 4, 8)]
        assert found == sorted(found, reverse=True)
        assert named(Sharpness(), image) == {"sharp"}
        assert named(Sharpness(), image.filter(ImageFilter.GaussianBlur(6))) == {"blurred"}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), radius=st.floats(0.5, 4), contrast=st.floats(0.3, 1))
def test_a_blur_never_sharpens_and_contrast_does_not_matter(seed: int, radius: float, contrast: float) -> None:
    noise = np.kron(np.random.default_rng(seed).random((16, 16)), np.ones((4, 4)))
    image = of(noise)
    assert sharpness(luma(image.filter(ImageFilter.GaussianBlur(radius)))) < sharpness(luma(image))
    assert np.isclose(sharpness(luma(of(contrast * noise))), sharpness(luma(image)), rtol=0.05)


def stripes(direction: float) -> Image.Image:
    """Waves whose crests run at an angle to the horizontal, in degrees, counter-clockwise as in a plot."""
    rows, columns = np.mgrid[:64, :64]
    across = rows * np.cos(np.radians(direction)) + columns * np.sin(np.radians(direction))
    return of(0.5 + 0.5 * np.sin(across * 0.8))


@pytest.mark.parametrize(
    ("direction", "way"), [(0, "horizontal"), (90, "vertical"), (45, "diagonal"), (135, "diagonal")]
)
def test_stripes_run_their_way(direction: float, way: str) -> None:
    assert named(Edges(), stripes(direction)) == {"many edges", f"{way} edges"}
    shares = edge_orientations(luma(stripes(direction)), 0.08)
    assert shares.argmax() == direction / 22.5


def test_few_edges_and_edges_in_all_directions() -> None:
    assert named(Edges(), Image.new("RGB", (40, 40), "white")) == {"few edges"}
    assert named(Edges(), of(np.tile(np.linspace(0, 1, 64), (64, 1)))) == {"few edges"}
    rows, columns = np.mgrid[-60:61, -60:61]
    rings = of(0.5 + 0.5 * np.sin(np.hypot(rows, columns) * 0.8))
    assert named(Edges(), rings) == {"many edges", "edges in all directions"}


@pytest.mark.parametrize(
    ("size", "shape"),
    [((100, 50), "landscape"), ((50, 100), "portrait"), ((100, 100), "square"), ((103, 100), "square")],
)
def test_shapes(size: tuple[int, int], shape: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    assert named(Shape(), Image.fromarray(noise)) == {shape}


@pytest.mark.parametrize(("colour", "border"), [("white", "white"), ("black", "black"), ((90, 20, 30), "other")])
def test_borders(colour: str, border: str, photographs: list[Image.Image]) -> None:
    framed = Image.new("RGB", (500, 500), colour)
    framed.paste(photographs[0].resize((460, 460)), (20, 20))
    assert named(Shape(), framed) == {"square", f"{border} border"}
    framed.paste(photographs[0].resize((460, 480)), (20, 20))  # now it reaches the bottom
    assert named(Shape(), framed) == {"square"}


@pytest.mark.parametrize("name", KNOWN)
def test_every_known_expert_takes_any_number_of_images_of_any_size(name: str, photographs: list[Image.Image]) -> None:
    expert = KNOWN[name]()
    images = [Image.new("RGB", (1, 1)), Image.new("RGB", (1, 300), "red"), Image.new("RGB", (2000, 3)), *photographs]
    found = expert(images)
    assert found.shape == (len(images), len(expert.concept_names))
    assert found.dtype == bool
    assert (found == np.concatenate([expert([image]) for image in images])).all()
    assert expert([]).shape == (0, len(expert.concept_names))
    assert len(set(expert.concept_names)) == len(expert.concept_names)


def test_every_setting_changes_the_fingerprint() -> None:
    experts = [make() for make in KNOWN.values()]
    experts += [Brightness(dark=0.2), Saturation(vivid=0.5), Sharpness(sharp=0.2), Edges(few=0.1), Shape(square=1.1)]
    assert len({expert.fingerprint() for expert in experts}) == len(experts)
