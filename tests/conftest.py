"""Small real things to test with: a narrow ResNet and a few dozen digits."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from lightly.transforms import SimCLRTransform

from qscore.data import ImageDataModule, Splits
from qscore.data.catalogue import embedded_digits
from qscore.data.sources import ArrayImages
from qscore.encoders import Encoder

REPOSITORY = Path(__file__).parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: a core that took one of them last would work on alone."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])  # stable: files keep their tests together and in their order


@pytest.fixture(autouse=True)
def _reproducible() -> None:
    torch.manual_seed(0)
    np.random.seed(0)


@pytest.fixture(scope="session")
def digits() -> Splits:
    return embedded_digits()


@pytest.fixture(scope="session")
def few_digits(digits: Splits) -> Splits:
    """128 digits to train on, 64 held out, every class on both sides."""
    train, test = digits.train, digits.test
    assert isinstance(train, ArrayImages)
    assert isinstance(test, ArrayImages)
    few_train, few_test = train.subset(np.arange(0, 3750, 29)[:128]), test.subset(np.arange(0, 1250, 19)[:64])
    return Splits(few_train, few_train, few_test)


@pytest.fixture
def make_encoder() -> Callable[..., Encoder]:
    def make(**options: object) -> Encoder:
        return Encoder(**{"architecture": "resnet10", "stem": "cifar", "width": 0.0625, **options})

    return make


@pytest.fixture
def encoder(make_encoder: Callable[..., Encoder]) -> Encoder:
    """32 features."""
    return make_encoder()


@pytest.fixture
def data(few_digits: Splits) -> ImageDataModule:
    return ImageDataModule(few_digits, SimCLRTransform(28, normalize=None), image_size=28, batch_size=32, num_workers=0)
