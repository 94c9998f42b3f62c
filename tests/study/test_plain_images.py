"""Images of a study that cannot be read, or not be written: each is told as what it is."""

import resource
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qscore.errors import CannotWriteError, UserError
from qscore.study.plain_images import write_plain_images


@pytest.mark.parametrize(("side", "suffix"), [(100, ".png"), (300, ".jpg")])
@pytest.mark.parametrize("missing", ["a byte", "all"])
def test_a_full_disk_is_no_broken_image(side: int, suffix: str, missing: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "good.png")
    names = write_plain_images({"good": tmp_path / "good.png"}, tmp_path / "enough")
    size = (tmp_path / "enough" / names["good"]).stat().st_size
    assert names["good"].endswith(suffix)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1 if missing == "a byte" else 0, before[1]))
    try:
        with pytest.raises(CannotWriteError, match="Expected room on the disk") as told:
            write_plain_images({"good": tmp_path / "good.png"}, tmp_path / "short")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "cannot be read" not in str(told.value)
    assert "File too large" in str(told.value)


def test_of_broken_images_the_first_says_what_is_wrong(tmp_path: Path) -> None:
    Image.new("RGB", (90, 90)).save(whole := tmp_path / "whole.png")
    (cut := tmp_path / "cut.png").write_bytes(whole.read_bytes()[:-40])
    (other := tmp_path / "text.png").write_text("no image")
    with pytest.raises(UserError, match=r"2 of 3 cannot be read: .*cut.png, .*text.png \(the first: .*truncated"):
        write_plain_images({"a": whole, "b": cut, "c": other}, tmp_path / "first")
    with pytest.raises(UserError, match=r"\(the first: no image of a known format\). Mend") as told:
        write_plain_images({"a": other, "b": cut}, tmp_path / "second")
    assert " at 0x" not in str(told.value)
