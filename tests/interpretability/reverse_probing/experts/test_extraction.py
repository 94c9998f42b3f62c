"""Experts are asked once about each image, again when they or the images change, and never about what is there."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qscore.data.sources import ArrayImages, FileImages
from qscore.errors import UserError
from qscore.interpretability.reverse_probing.concepts import labels_of
from qscore.interpretability.reverse_probing.experts import extraction
from qscore.interpretability.reverse_probing.experts.colour import Colour
from qscore.interpretability.reverse_probing.experts.expert import Expert, fingerprint_of
from qscore.interpretability.reverse_probing.experts.extraction import kept_answers, name_images
from qscore.interpretability.reverse_probing.probe import reverse_probe


@dataclass
class Counting:
    """Says whether the first pixel is brighter than a level, and how many images it has seen."""

    level: int = 100
    name: str = "counting"
    group: str = "test"
    concept_names: tuple[str, ...] = ("brighter", "darker")
    fails_after: float = float("inf")
    num_seen: int = field(default=0, repr=False)

    def fingerprint(self) -> str:
        return f"level {self.level}"

    def __call__(self, images: Sequence[Image.Image]) -> np.ndarray:
        if self.num_seen >= self.fails_after:
            raise KeyboardInterrupt
        self.num_seen += len(images)
        is_brighter = np.array([np.asarray(image)[0, 0, 0] > self.level for image in images])
        return np.stack([is_brighter, ~is_brighter], axis=1)


def greys(num_images: int = 10, offset: int = 0) -> ArrayImages:
    images = np.arange(num_images, dtype=np.uint8)[:, None, None] * np.full((1, 4, 4), 25, np.uint8) + np.uint8(offset)
    return ArrayImages(images, None, (), tuple(f"image {i}" for i in range(num_images)))


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "BLOCK", 4)
    monkeypatch.setattr(extraction, "BATCH", 3)


def test_answers_stand_in_the_order_of_the_images(tmp_path: Path) -> None:
    assert isinstance(Counting(), Expert)
    concepts = name_images([Counting(), Colour(dominant=True)], greys(), tmp_path)
    assert labels_of(concepts)[:2] == ("[test] brighter", "[test] darker")
    assert concepts.present.toarray()[:, 0].tolist() == [25 * i > 100 for i in range(10)]
    assert concepts.ids == greys().ids
    assert set(concepts.groups) == {"test", "colour"}


def test_what_is_there_is_not_asked_again(tmp_path: Path) -> None:
    first, second, added = Counting(), Counting(), Counting(level=50, name="other", group="other")
    before = name_images([first], greys(), tmp_path)
    after = name_images([second, added], greys(), tmp_path)
    assert (first.num_seen, second.num_seen, added.num_seen) == (10, 0, 10)
    assert (after.present.toarray()[:, :2] == before.present.toarray()).all()
    assert sorted(path.suffix for path in tmp_path.glob("[!.]*")) == [".npz", ".npz"]


@pytest.mark.parametrize(
    "changed",
    [{"level": 101}, {"group": "renamed"}, {"concept_names": ("light", "dark")}, {"name": "renamed"}],
)
def test_a_changed_expert_is_asked_again(changed: dict[str, object], tmp_path: Path) -> None:
    name_images([Counting()], greys(), tmp_path)
    expert = replace(Counting(), **changed)
    concepts = name_images([expert], greys(), tmp_path)
    assert expert.num_seen == 10
    assert concepts.names == expert.concept_names


def test_changed_images_are_looked_at_again(tmp_path: Path) -> None:
    name_images([Counting()], greys(), tmp_path)
    renamed = greys()
    renamed.ids = tuple(f"other {i}" for i in range(10))
    for source in (greys(offset=1), greys(9), renamed):
        expert = Counting()
        assert name_images([expert], source, tmp_path).ids == source.ids
        assert expert.num_seen == len(source)


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    killed = Counting(fails_after=8)
    with pytest.raises(KeyboardInterrupt):
        name_images([killed], greys(), tmp_path)
    resumed = Counting()
    concepts = name_images([resumed], greys(), tmp_path)
    assert resumed.num_seen == 2
    assert concepts.present.toarray()[:, 0].tolist() == [25 * i > 100 for i in range(10)]
    assert [path.suffix for path in tmp_path.glob("[!.]*")] == [".npz"]


def test_a_broken_file_is_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = kept_answers(Counting(), greys(), tmp_path)
    name_images([Counting()], greys(), tmp_path)
    file.write_bytes(file.read_bytes()[:50])
    expert = Counting()
    with caplog.at_level(logging.WARNING):
        name_images([expert], greys(), tmp_path)
    assert expert.num_seen == 10
    assert file.name in caplog.text


def test_unreadable_images_have_no_concept_and_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = [tmp_path / f"{i:03}.png" for i in range(100)]
    for file in files:
        Image.new("RGB", (2, 2), "white").save(file)
    files[41].write_bytes(b"no image")
    with caplog.at_level(logging.WARNING):
        concepts = name_images([Counting()], FileImages(tmp_path, files, None, ()), tmp_path / "kept")
    assert np.flatnonzero(concepts.present.sum(1) == 0).tolist() == [41]
    assert "1 of 100 images" in caplog.text


def test_an_answer_of_another_shape_names_the_expert(tmp_path: Path) -> None:
    class Odd(Counting):
        def __call__(self, images: Sequence[Image.Image]) -> np.ndarray:
            return np.zeros((len(images), 3))

    with pytest.raises(UserError, match=r"'counting'.*\(3, 2\).*float64 of shape \(3, 3\)"):
        name_images([Odd()], greys(), tmp_path)
    with pytest.raises(UserError, match="got 0 and 10"):
        name_images([], greys(), tmp_path)


def rule(source: str) -> Expert:
    """An expert as a notebook defines it: in no file."""
    defined = {"__name__": "notebook", "dataclass": dataclass, "fingerprint_of": fingerprint_of}
    body = f"def fingerprint(self): return fingerprint_of(self)\n    def __call__(self, images): return {source}"
    exec(f"@dataclass(frozen=True)\nclass Rule:\n    name: str = 'rule'\n    {body}", defined)
    made: Expert = defined["Rule"]()
    return made


def test_a_rule_that_was_rewritten_in_a_notebook_is_another() -> None:
    assert rule("images[0]").fingerprint() == rule("images[0]").fingerprint()
    assert rule("images[0]").fingerprint() != rule("images[1]").fingerprint()


def test_two_runs_at_once_ask_once(tmp_path: Path) -> None:
    experts = [Counting(), Counting()]
    with ThreadPoolExecutor(2) as runs:
        both = list(runs.map(lambda expert: name_images([expert], greys(), tmp_path), experts))
    assert sorted(expert.num_seen for expert in experts) == [0, 10]
    assert (both[0].present.toarray() == both[1].present.toarray()).all()


def test_colours_say_all_about_clusters_of_colours(tmp_path: Path) -> None:
    """Four clusters as large, one a colour that fills three quarters of an image, the rest noise: 2 bits."""
    clusters = np.arange(400) % 4
    colours = np.array([[255, 0, 0], [0, 160, 0], [0, 0, 255], [255, 255, 255]], np.uint8)
    images = np.tile(colours[clusters][:, None, None], (1, 6, 6, 1))
    images[:, :3, :3] = np.random.default_rng(0).integers(0, 256, (400, 3, 3, 3))
    source = ArrayImages(images, None, (), tuple(map(str, range(400))))
    probe = reverse_probe(name_images([Colour(dominant=True)], source, tmp_path), clusters)
    assert probe.top1 == 1
    assert probe.information_bits > 1.95
