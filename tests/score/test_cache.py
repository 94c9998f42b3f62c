"""The cache of representations: what is on disk, and what a killed extraction costs."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from torch import nn

from qscore.data import ImageDataModule, Splits
from qscore.data.sources import FileImages
from qscore.encoders import Encoder
from qscore.errors import UserError
from qscore.records import Representations
from qscore.score import cached_representations, extract, load_representations, save_representations, shards


class KilledError(Exception):
    """Stands for a signal in the middle of a batch."""


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


def dying(encoder: Encoder, *, after: int) -> list[int]:
    """Makes an encoder count the images of each batch, and raise after some batches."""
    seen: list[int] = []

    def hook(_: nn.Module, args: tuple[torch.Tensor], __: torch.Tensor) -> None:
        if len(seen) == after:
            raise KilledError
        seen.append(len(args[0]))

    encoder.register_forward_hook(hook)
    return seen


def assert_same(found: Representations, expected: Representations) -> None:
    assert torch.equal(found.h, expected.h)
    assert found.ids == expected.ids
    assert found.labels is not None
    assert expected.labels is not None
    assert torch.equal(found.labels, expected.labels)


@pytest.fixture
def expected(encoder: Encoder, data: ImageDataModule) -> Representations:
    source = data.source("train")
    return extract(encoder, data.plain_loader("train"), labels=source.labels, ids=source.ids)


def test_the_predict_loop_extracts_what_the_loop_in_memory_does(
    expected: Representations, encoder: Encoder, data: ImageDataModule, tmp_path: Path
) -> None:
    encoder.train()
    encoder.network.layer1.eval()
    state = torch.get_rng_state(), np.random.get_state()[1]
    found = cached_representations(encoder, data, "train", tmp_path)
    assert torch.equal(torch.get_rng_state(), state[0])
    assert np.array_equal(np.random.get_state()[1], state[1])
    assert encoder.training
    assert not encoder.network.layer1.training
    assert_same(found, expected)
    assert found.class_names == data.source("train").class_names
    assert files(tmp_path) == {f"train-{found.fingerprint}.safetensors"}


def test_the_file_is_one_that_safetensors_reads(encoder: Encoder, data: ImageDataModule, tmp_path: Path) -> None:
    found = cached_representations(encoder, data, "test", tmp_path)
    with safe_open(next(tmp_path.glob("test-*")), framework="numpy") as file:
        assert set(file.keys()) == {"h", "labels", "ids"}
        assert np.array_equal(file.get_tensor("h"), found.h.numpy())
        assert file.metadata()["fingerprint"] == found.fingerprint


def test_an_extraction_goes_on_where_it_was_killed(
    expected: Representations,
    encoder: Encoder,
    make_encoder: Callable[..., Encoder],
    data: ImageDataModule,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shards, "MAX_ROWS", 48)  # two batches of 32 a shard
    weights = encoder.state_dict()
    dying(encoder, after=3)
    with pytest.raises(KilledError):
        cached_representations(encoder, data, "train", tmp_path)
    partial = next(tmp_path.glob("*.partial"))
    assert len(list(partial.iterdir())) == 2  # a whole one, and what was left of the other
    again = make_encoder()
    again.load_state_dict(weights)
    seen = dying(again, after=100)
    found = cached_representations(again, data, "train", tmp_path)
    assert seen == [32]
    assert_same(found, expected)
    assert files(tmp_path) == {f"train-{found.fingerprint}.safetensors"}


def test_a_terminated_extraction_ends_with_what_it_has(encoder: Encoder, data: ImageDataModule, tmp_path: Path) -> None:
    encoder.register_forward_hook(lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit) as stop:
        cached_representations(encoder, data, "train", tmp_path)
    assert stop.value.code == 128 + signal.SIGTERM
    assert len(list(next(tmp_path.glob("*.partial")).iterdir())) == 1


def test_a_kill_between_the_last_shard_and_the_file_costs_no_encoding(
    expected: Representations, encoder: Encoder, data: ImageDataModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shards, "rows_written", Mock(side_effect=KilledError))
        with pytest.raises(KilledError):
            cached_representations(encoder, data, "train", tmp_path)
    dying(encoder, after=0)
    assert_same(cached_representations(encoder, data, "train", tmp_path), expected)
    assert len(files(tmp_path)) == 1


def test_pretraining_images_share_the_file_of_the_training_images(
    encoder: Encoder, data: ImageDataModule, tmp_path: Path
) -> None:
    first = cached_representations(encoder, data, "pretrain", tmp_path)
    dying(encoder, after=0)
    assert_same(cached_representations(encoder, data, "train", tmp_path), first)
    others = ImageDataModule(data.splits._replace(pretrain=data.source("test")), image_size=28, num_workers=0)
    with pytest.raises(KilledError):
        cached_representations(encoder, others, "pretrain", tmp_path)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """202 tiny images in two classes, the last one no image."""
    generator = np.random.default_rng(0)
    for i in range(202):
        path = tmp_path / "images" / ("cat", "dog")[i % 2] / f"{i:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 255, (8, 8, 3), np.uint8)).save(path)
    return tmp_path / "images"


def test_unreadable_images_have_no_row_and_too_many_are_an_error(
    encoder: Encoder, photographs: Path, tmp_path: Path
) -> None:
    paths = sorted(photographs.rglob("*.png"))
    paths[10].write_bytes(b"no image")

    def module() -> ImageDataModule:
        source = FileImages(photographs, paths, [int("dog" in str(path)) for path in paths], ("cat", "dog"))
        return ImageDataModule(Splits(source, source, source), image_size=28, batch_size=32, num_workers=0)

    found = cached_representations(encoder, module(), "train", tmp_path / "cache")
    kept = [f"{path.parent.name}/{path.name}" for i, path in enumerate(paths) if i != 10]
    assert list(found.ids) == kept
    assert found.labels is not None
    assert found.labels.tolist() == [int("dog" in path) for path in kept]
    for path in paths[:3]:
        path.write_bytes(b"no image either")
    with pytest.raises(UserError, match="4 of 202"):
        cached_representations(encoder, module(), "train", tmp_path / "cache")
    # What was encoded before stays there; the complaint is the same from another process, which has read no image.
    with pytest.raises(UserError, match="4 of 202"):
        cached_representations(encoder, module(), "train", tmp_path / "cache")


def test_a_loaded_file_stays_on_disk(tmp_path: Path) -> None:
    frame = Representations(torch.rand(50_000, 512), None, tuple(map(str, range(50_000))), (), "f")  # 100 MB
    save_representations(frame, tmp_path / "h.safetensors")
    before = resident_bytes()
    found = load_representations(tmp_path / "h.safetensors")
    assert resident_bytes() - before < 30e6
    assert torch.equal(found.h[-1], frame.h[-1])


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def test_images_that_could_not_be_read_are_tried_again_and_lose_no_others(tmp_path: Path) -> None:
    """An outage: of positions 0 to 5 the first and the fourth were unreadable, and are readable the next time."""
    found = shards.Shards(tmp_path / "x.partial", "key")
    h, readable = torch.arange(12.0).view(6, 2), torch.tensor([False, True, True, False, True, True])
    found.add(h, torch.arange(6), readable)
    found.flush()
    found.forget_unreadable()
    assert sorted(found.found()[0].tolist()) == [1, 2, 4, 5]
    again = torch.tensor([0, 3])
    found.add(h[again], again, torch.ones(2, dtype=torch.bool))
    found.flush()
    found.merge(tmp_path / "x.safetensors", labels=None, ids=tuple("abcdef"), class_names=())
    assert torch.equal(load_representations(tmp_path / "x.safetensors").h, h)
    nothing = shards.Shards(tmp_path / "y.partial", "key")
    nothing.add(h, torch.arange(6), torch.zeros(6, dtype=torch.bool))
    nothing.flush()
    nothing.forget_unreadable()
    assert not len(nothing.found()[0])
