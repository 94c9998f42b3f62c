"""Colours are named as people name them, whatever the file they come from."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import XKCD_COLORS, to_rgb
from PIL import Image

from qscore.data.reading import read_rgb
from qscore.errors import UserError, UserFileNotFoundError
from qscore.interpretability.reverse_probing.experts.colour import Colour, ColourCount, name_shares, read_w2c
from qscore.interpretability.reverse_probing.experts.lab import COLOUR_NAMES, nearest_focal_colours, srgb_to_lab

# What the eleven words mean in CSS, where it has them; its brown and its grey are no other dictionary's.
SWATCHES = {
    "black": (0, 0, 0),
    "blue": (0, 0, 255),
    "brown": (139, 69, 19),
    "grey": (128, 128, 128),
    "green": (0, 128, 0),
    "orange": (255, 165, 0),
    "pink": (255, 192, 203),
    "purple": (128, 0, 128),
    "red": (255, 0, 0),
    "white": (255, 255, 255),
    "yellow": (255, 255, 0),
}


def solid(name: str) -> Image.Image:
    return Image.new("RGB", (9, 7), SWATCHES[name])


def beside(shares: dict[str, int], width: int = 10) -> Image.Image:
    """Columns of colours, each as many pixels wide as it says."""
    columns = [SWATCHES[name] for name, columns in shares.items() for _ in range(columns)]
    return Image.fromarray(np.tile(np.array(columns, np.uint8), (width, 1, 1)))


def named(image: Image.Image, expert: Colour | ColourCount | None = None) -> set[str]:
    expert = expert or Colour()
    return {name for name, is_there in zip(expert.concept_names, expert([image])[0], strict=True) if is_there}


@pytest.mark.parametrize("name", COLOUR_NAMES)
def test_a_swatch_has_its_own_name_alone(name: str) -> None:
    assert named(solid(name)) == {name}
    assert named(solid(name), Colour(dominant=True)) == {name}


def test_the_names_are_those_of_a_survey() -> None:
    """Of the colours that people called "... blue" and so on in the xkcd survey, at least 85 % have that name here."""
    table, found = nearest_focal_colours(), list[bool]()
    for colour, code in XKCD_COLORS.items():
        last = colour.removeprefix("xkcd:").split()[-1]
        if last in COLOUR_NAMES:
            red, green, blue = (round(255 * value) // 8 for value in to_rgb(code))
            found.append(COLOUR_NAMES[table[red, green, blue]] == last)
    assert len(found) > 500
    assert np.mean(found) > 0.85


def test_lab_of_the_corners() -> None:
    """White is 100, 0, 0 by definition; green and blue after Lindbloom's calculator."""
    found = srgb_to_lab(np.array([[1.0, 1, 1], [0, 0, 0], [0, 1, 0], [0, 0, 1]]))
    assert np.allclose(found, [[100, 0, 0], [0, 0, 0], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86]], atol=0.02)


def test_shares_of_a_mosaic_are_those_of_its_pixels() -> None:
    image = beside({"red": 55, "blue": 30, "green": 10, "white": 5})
    shares = dict(zip(COLOUR_NAMES, name_shares(image, nearest_focal_colours()), strict=True))
    assert {name: round(share, 6) for name, share in shares.items() if share} == {
        "red": 0.55,
        "blue": 0.30,
        "green": 0.10,
        "white": 0.05,
    }
    assert named(image) == {"red", "blue", "green"}
    assert named(image, Colour(min_share=0.05)) == {"red", "blue", "green", "white"}
    assert named(image, Colour(dominant=True)) == {"red"}
    assert named(image, ColourCount()) == {"three colours"}


def test_half_and_half() -> None:
    assert named(beside({"red": 5, "blue": 5})) == {"red", "blue"}
    assert named(beside(dict.fromkeys(COLOUR_NAMES, 1))) == set()  # no share of 1/11 is a tenth


def test_large_images_are_looked_at_in_steps() -> None:
    image = beside({"red": 900, "blue": 700}, width=1500)
    assert np.isclose(name_shares(image, nearest_focal_colours())[COLOUR_NAMES.index("red")], 900 / 1600, atol=0.01)


@pytest.mark.parametrize("kind", ["rgba", "palette", "grey", "16 bit"])
def test_files_of_any_kind(kind: str, tmp_path: Path) -> None:
    path, image = tmp_path / "image.png", beside({"red": 5, "blue": 5})
    expected = {"red", "blue"}
    if kind == "rgba":
        transparent = image.convert("RGBA")
        transparent.putalpha(Image.fromarray(np.repeat(np.uint8([0, 255]), 5)[None].repeat(10, 0)))
        image, expected = transparent, {"white", "blue"}
    elif kind == "palette":
        image = image.quantize(2)
    elif kind == "grey":
        image, expected = Image.new("L", (5, 5), 128), {"grey"}
    else:
        image, expected = Image.fromarray(np.full((5, 5), 128 * 257, np.uint16)), {"grey"}
    image.save(path)
    assert named(read_rgb(path)) == expected


def test_no_image_has_no_row() -> None:
    assert Colour()([]).shape == (0, 11)
    assert ColourCount()([]).shape == (0, 4)


def test_a_table_of_ones_own_replaces_ours(tmp_path: Path) -> None:
    mirrored = nearest_focal_colours()[::-1, ::-1, ::-1]
    np.save(tmp_path / "w2c.npy", mirrored)
    own = Colour(w2c=str(tmp_path / "w2c.npy"))
    assert named(solid("black"), own) == {"white"}
    before = own.fingerprint()
    np.save(tmp_path / "w2c.npy", nearest_focal_colours())
    assert Colour(w2c=str(tmp_path / "w2c.npy")).fingerprint() != before
    for broken in (mirrored[:31], mirrored + 0.5, mirrored + 1, np.array([None])):
        np.save(tmp_path / "w2c.npy", broken)
        with pytest.raises(UserError, match=r"w2c\.npy"):
            read_w2c(tmp_path / "w2c.npy")
    with pytest.raises(UserFileNotFoundError):
        read_w2c(tmp_path / "none.npy")


def test_settings_change_the_fingerprint() -> None:
    experts = [Colour(), Colour(min_share=0.2), Colour(dominant=True), Colour(group="texture")]
    experts = [*experts, ColourCount(), ColourCount(Colour(min_share=0.2))]
    assert len({expert.fingerprint() for expert in experts}) == len(experts)
    assert Colour().fingerprint() == Colour().fingerprint()
