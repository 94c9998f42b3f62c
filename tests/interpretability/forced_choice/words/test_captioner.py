"""Captions by a model: each image is asked about once, whatever happens in between."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qscore.data.sources import ArrayImages
from qscore.errors import UserError
from qscore.interpretability.forced_choice.words import captioner as module
from qscore.interpretability.forced_choice.words.captioner import CaptionsBy, caption_images, captioner_of
from qscore.interpretability.forced_choice.words.described import check_captions
from qscore.interpretability.forced_choice.words.sentences import check_encoder, encoder_of

NUM = 100


def values(num: int = NUM, first: int = 0) -> ArrayImages:
    """Grey images, each of its own value."""
    images = np.broadcast_to(np.arange(first, first + num, dtype=np.uint8)[:, None, None], (num, 4, 4))
    return ArrayImages(images, None, (), tuple(f"id {i}" for i in range(num)))


class Counting:
    """Says the value of an image, and remembers what it was asked."""

    def __init__(self, stop_at: int = 10**6) -> None:
        self.asked: list[int] = []
        self.stop_at = stop_at

    def __call__(self, images: Sequence[Image.Image]) -> list[str]:
        found = [int(np.asarray(image)[0, 0, 0]) for image in images if image.size == (4, 4)]
        if any(value >= self.stop_at for value in found):
            raise KeyboardInterrupt
        self.asked += found
        return [f"grey\n {np.asarray(image)[0, 0, 0]}" for image in images]


def test_every_image_is_asked_about_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 32)
    killed, again, third = Counting(stop_at=70), Counting(), Counting()
    with pytest.raises(KeyboardInterrupt):
        caption_images(CaptionsBy(killed, "counting"), values(), tmp_path)
    found = caption_images(CaptionsBy(again, "counting"), values(), tmp_path)
    assert found == {f"id {i}": f"grey {i}" for i in range(NUM)}
    assert again.asked == list(range(64, NUM))  # whole blocks were kept
    assert caption_images(CaptionsBy(third, "counting"), values(), tmp_path) == found
    assert third.asked == []
    assert not list(tmp_path.glob("*.partial"))


def test_other_images_and_other_models_are_asked_anew(tmp_path: Path) -> None:
    caption_images(CaptionsBy(Counting(), "counting"), values(), tmp_path)
    for source, model in ((values(first=5), ""), (values(), "second version")):
        counting = Counting()
        caption_images(CaptionsBy(counting, "counting", model), source, tmp_path)
        assert len(counting.asked) == NUM
    plain, louder = (CaptionsBy(lambda images, end=end: [f"x{end}"] * len(images)) for end in ("", "!"))
    assert plain.fingerprint() != louder.fingerprint()  # by what they say of the same images


@pytest.mark.parametrize("error", ["OSError", "RuntimeError", "ValueError", "ImportError"])
def test_models_that_fail_are_one_message_and_checks_make_none(
    error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    name = f"fails_by_{error}"
    (tmp_path / f"{name}.py").write_text(
        f"class Model:\n    def __init__(self):\n        raise {error}('no weights')\n    def __call__(self, x): ...\n"
    )
    (tmp_path / f"{name}_itself.py").write_text(f"raise {error}('no driver')")
    check_captions(f"{name}:Model")  # loads no model
    check_encoder(f"{name}:Model")
    for of in (captioner_of, encoder_of):
        with pytest.raises(UserError, match=r"without arguments.*no weights"):
            of(f"{name}:Model")
    for check in (check_captions, check_encoder):
        with pytest.raises(UserError, match=r"cannot be imported.*no driver"):
            check(f"{name}_itself:model")


def test_a_module_that_is_no_python_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "no_python.py").write_text("def (")
    with pytest.raises(UserError, match=r"cannot be imported.*SyntaxError"):
        check_captions("no_python:model")


def test_mistakes_are_named(tmp_path: Path) -> None:
    for function, message in (
        (lambda images: ["one too many"] * (len(images) + 1), "Expected 2 sentences"),
        (lambda _: "a text", "got str"),
        (lambda images: [None] * len(images), "Expected a list of sentences"),
    ):
        with pytest.raises(UserError, match=message):
            caption_images(CaptionsBy(function), values(), tmp_path)
    with pytest.raises(UserError, match="it cannot be imported"):
        captioner_of("nowhere:caption")
    with pytest.raises(UserError, match="which can be called, got str"):
        captioner_of("string:digits")
    with pytest.raises(UserError, match="got 3"):
        captioner_of(3)
    with pytest.raises(UserError, match="Unknown captions 'label'"):
        check_captions("label")
    with pytest.raises(UserError, match="Expected captions as auto"):
        check_captions(None)
    with pytest.raises(UserError, match="Expected words for captions"):
        check_captions([])
