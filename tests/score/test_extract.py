from pathlib import Path

import pytest
import torch

from qscore import extract
from qscore.data import ImageDataModule
from qscore.encoders import Encoder
from qscore.errors import UserError
from qscore.records import ImageBatch
from qscore.score import load_representations, save_representations

NAMES = tuple("0123456789")


def test_representations_are_those_of_eval_mode_and_leave_the_encoder_alone(
    encoder: Encoder, data: ImageDataModule
) -> None:
    encoder.train()
    encoder.network.layer1.eval()
    before = encoder.fingerprint()
    found = extract(encoder, data.plain_loader("test"), labels=data.source("test").labels)
    assert encoder.fingerprint() == before
    assert encoder.network.bn1.training
    assert not encoder.network.layer1.training
    encoder.eval()
    images = torch.cat([batch.images for batch in data.plain_loader("test")])
    with torch.no_grad():
        torch.testing.assert_close(found.h, encoder(images), rtol=1e-4, atol=1e-5)
    assert found.labels is not None
    assert torch.equal(found.labels, data.source("test").labels)


def test_order_is_that_of_the_data_set_and_unreadable_images_are_left_out(encoder: Encoder) -> None:
    images = torch.rand(4, 3, 28, 28)
    batches = [
        ImageBatch(images[2:], torch.tensor([3, 1]), torch.tensor([True, False])),
        ImageBatch(images[:2], torch.tensor([0, 2]), torch.tensor([True, True])),
    ]
    found = extract(encoder, batches, labels=torch.tensor([7, 8, 9, 10]), ids=("a", "b", "c", "d"))
    assert found.ids == ("a", "c", "d")
    assert found.labels is not None
    assert found.labels.tolist() == [7, 9, 10]
    encoder.eval()
    with torch.no_grad():
        torch.testing.assert_close(found.h[2:], encoder(images[2:3]), rtol=1e-4, atol=1e-5)


def test_no_readable_image_is_an_error(encoder: Encoder) -> None:
    batch = ImageBatch(torch.rand(1, 3, 28, 28), torch.tensor([0]), torch.tensor([False]))
    with pytest.raises(UserError, match="none that could be read"):
        extract(encoder, [batch])


@pytest.mark.parametrize("labelled", [True, False])
def test_representations_survive_the_disk(
    labelled: bool, encoder: Encoder, data: ImageDataModule, tmp_path: Path
) -> None:
    labels = data.source("test").labels if labelled else None
    made = extract(encoder, data.plain_loader("test"), labels=labels, class_names=NAMES, fingerprint="f")
    save_representations(made, tmp_path / "h.safetensors")
    found = load_representations(tmp_path / "h.safetensors")
    assert torch.equal(found.h, made.h)
    assert (found.labels is None) == (not labelled)
    assert (found.ids, found.class_names, found.fingerprint) == (made.ids, NAMES, "f")
    assert [file.name for file in tmp_path.iterdir()] == ["h.safetensors"]
