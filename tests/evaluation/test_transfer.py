"""Linear probes on other data sets, from images to numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from qscore.data import ImageDataModule, Splits
from qscore.data.sources import ArrayImages
from qscore.encoders import Encoder
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs, Pictures
from qscore.evaluation.transfer import transfer
from qscore.score import cached_representations


def squares(*, num_samples: int = 60, size_px: int = 20) -> ImageDataModule:
    """Dark and light images, of another size than the encoder's: brought to its 28 px."""
    labels = torch.arange(num_samples) % 2
    pixels = np.random.default_rng(0).integers(0, 60, (num_samples, size_px, size_px), np.uint8)
    pixels[labels.numpy() == 1] += 150
    images = ArrayImages(pixels, labels, ("dark", "light"), tuple(map(str, range(num_samples))))
    train, test = images.subset(np.arange(40)), images.subset(np.arange(40, num_samples))
    return ImageDataModule(Splits(train, train, test), image_size=28, batch_size=32, num_workers=0)


@pytest.fixture
def inputs(encoder: Encoder, data: ImageDataModule, tmp_path: Path) -> EvaluationInputs:
    train, test = (cached_representations(encoder.eval(), data, split, tmp_path) for split in ("train", "test"))
    return EvaluationInputs(train, test, pictures=Pictures(encoder.eval(), data, tmp_path))


def test_each_data_set_has_a_probe_of_its_own(
    inputs: EvaluationInputs, data: ImageDataModule, encoder: Encoder, tmp_path: Path
) -> None:
    before = encoder.fingerprint()
    result = transfer(inputs, datasets={"squares": squares(), "same": data})
    assert result.metrics["squares/top1"] == 1.0
    assert result.metrics["same/top1"] == pytest.approx(float(inputs.probe.correct.mean()))
    assert result.metrics["average"] == pytest.approx((1 + inputs.probe.correct.mean()) / 2)
    assert result.settings["datasets"]["squares"]["num_train"] == 40
    assert result.settings["datasets"]["same"]["C"] == inputs.probe.regularization
    assert encoder.fingerprint() == before

    train, test = (cached_representations(encoder, squares(), split, tmp_path) for split in ("train", "test"))
    scaler = StandardScaler().fit(train.h.numpy().astype(float))
    model = LogisticRegression(C=result.settings["datasets"]["squares"]["C"], max_iter=1000)
    model.fit(scaler.transform(train.h.numpy()), train.labels)
    assert (model.predict(scaler.transform(test.h.numpy())) == test.labels.numpy()).mean() == 1.0  # type: ignore[union-attr]


def test_representations_are_kept(inputs: EvaluationInputs, tmp_path: Path) -> None:
    transfer(inputs, datasets={"squares": squares()})
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.safetensors")}
    assert len(before) == 4
    transfer(inputs, datasets={"squares": squares()})
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.safetensors")}


def test_no_data_set_and_no_images_are_mistakes(inputs: EvaluationInputs) -> None:
    with pytest.raises(UserError, match="got none"):
        transfer(inputs, datasets={})
    with pytest.raises(UserError, match="pictures"):
        transfer(EvaluationInputs(inputs.train, inputs.test), datasets={"squares": squares()})
