from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qscore.data.reading import UNREADABLE, read_rgb


def pixels(path: Path) -> np.ndarray:
    image = read_rgb(path)
    assert image.mode == "RGB"
    return np.asarray(image)


RAMP = np.tile(np.arange(0, 250, 10, dtype=np.uint8), (25, 1))


def test_grayscale_becomes_three_equal_channels(tmp_path: Path) -> None:
    Image.fromarray(RAMP).save(tmp_path / "gray.png")
    assert (pixels(tmp_path / "gray.png") == RAMP[..., None]).all()


@pytest.mark.parametrize("name", ["deep.png", "deep.tif"])
def test_16_bit_keeps_its_range(name: str, tmp_path: Path) -> None:
    Image.fromarray(RAMP.astype(np.uint16) * 257).save(tmp_path / name)
    assert (pixels(tmp_path / name) == RAMP[..., None]).all()


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[:2, :, 3] = 255
    Image.fromarray(rgba).save(tmp_path / "rgba.png")
    found = pixels(tmp_path / "rgba.png")
    assert not found[:2].any()
    assert (found[2:] == 255).all()


def test_gray_with_alpha_and_transparent_palette(tmp_path: Path) -> None:
    Image.fromarray(np.array([[[0, 0], [90, 255]]], np.uint8)).save(tmp_path / "la.png")
    assert pixels(tmp_path / "la.png")[0].tolist() == [[255] * 3, [90] * 3]
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((1, 0), 1)
    palette.save(tmp_path / "p.png", transparency=0)
    assert pixels(tmp_path / "p.png")[0].tolist() == [[255] * 3, [40, 50, 60]]


def test_palette_and_cmyk(tmp_path: Path) -> None:
    Image.fromarray(np.dstack([RAMP] * 3)).quantize(16).save(tmp_path / "p.gif")
    assert np.abs(pixels(tmp_path / "p.gif").astype(int) - RAMP[..., None]).mean() < 10
    Image.new("CMYK", (3, 3), (0, 255, 255, 0)).save(tmp_path / "c.jpg", quality=95)
    red = pixels(tmp_path / "c.jpg")[1, 1]
    assert red[0] > 200
    assert red[1] < 60


def test_photographs_stand_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (4, 2)).save(tmp_path / "turned.jpg", exif=exif)
    assert read_rgb(tmp_path / "turned.jpg").size == (2, 4)


@pytest.mark.parametrize("kind", ["empty", "text", "truncated", "float"])
def test_files_that_are_no_image_raise_what_the_source_expects(kind: str, tmp_path: Path) -> None:
    path = tmp_path / ("x.tif" if kind == "float" else "x.png")
    if kind == "float":
        Image.fromarray(RAMP.astype(np.float32)).save(path)
    else:
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(path)
        whole = path.read_bytes()
        path.write_bytes({"empty": b"", "text": b"not an image", "truncated": whole[: len(whole) // 2]}[kind])
    with pytest.raises(UNREADABLE):
        read_rgb(path)
