import numpy as np
import pytest
import torch
from lightly.transforms import SimCLRTransform, SwaVTransform

from qscore.data import ImageDataModule, Splits
from qscore.data.views import EpochSampler, plain_transform
from qscore.errors import UserError


def module(splits: Splits, **options: object) -> ImageDataModule:
    views = options.pop("views", SimCLRTransform(28, gaussian_blur=0.5, normalize=None))
    return ImageDataModule(
        splits, views, **{"image_size": 28, "batch_size": 32, "num_workers": 0, "views_on": "workers", **options}
    )  # type: ignore[arg-type]


def test_views_depend_on_seed_epoch_and_position_alone(few_digits: Splits) -> None:
    batches = {}
    for key, seed, epoch, workers in [("a", 0, 0, 0), ("b", 0, 0, 2), ("c", 0, 1, 0), ("d", 1, 0, 0)]:
        loader = module(few_digits, seed=seed, num_workers=workers).train_dataloader()
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        torch.manual_seed(len(batches))
        batches[key] = next(iter(loader))
    assert torch.equal(batches["a"].positions, batches["b"].positions)
    for first, second in zip(batches["a"].global_views, batches["b"].global_views, strict=True):
        assert torch.equal(first, second)
    for other in ("c", "d"):
        assert not torch.equal(batches["a"].positions, batches[other].positions)


def test_two_views_differ_and_lie_between_zero_and_one(few_digits: Splits) -> None:
    batch = next(iter(module(few_digits).train_dataloader()))
    first, second = batch.global_views
    assert first.shape == (32, 3, 28, 28)
    assert not torch.equal(first, second)
    assert first.min() >= 0
    assert first.max() <= 1
    assert batch.local_views == []


def test_multi_crop_separates_large_from_small(few_digits: Splits) -> None:
    views = SwaVTransform(crop_sizes=(28, 14), crop_counts=(2, 3), normalize=None)
    batch = next(iter(module(few_digits, views=views).train_dataloader()))
    assert [view.shape[-1] for view in batch.global_views] == [28, 28]
    assert [view.shape[-1] for view in batch.local_views] == [14, 14, 14]


def test_making_views_leaves_every_random_state_alone(few_digits: Splits) -> None:
    dataset = module(few_digits).train_dataloader().dataset
    state = torch.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index,union-attr]
    dataset[5]  # Python's own `random` cannot be compared here: the shape checks of these tests draw from it
    assert torch.equal(torch.get_rng_state(), state[0])
    assert np.random.get_state()[1].tolist() == state[1]  # type: ignore[index,union-attr]


def test_every_image_comes_once_an_epoch() -> None:
    sampler = EpochSampler(10, seed=0)
    first = list(sampler)
    sampler.set_epoch(3)
    fourth = list(sampler)
    assert sorted(first) == list(range(10))
    assert sorted(fourth) == list(range(30, 40))
    assert [i - 30 for i in fourth] != first
    assert len(sampler) == 10


def test_plain_images_are_resized_cropped_and_scaled(few_digits: Splits) -> None:
    image = few_digits.test.image(0)
    assert image is not None
    same = plain_transform(28, crop_fraction=1.0)(image)
    torch.testing.assert_close(same, torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1) / 255)
    assert plain_transform(14, crop_fraction=0.875)(image).shape == (3, 14, 14)


def test_too_few_images_for_a_batch_are_refused(few_digits: Splits) -> None:
    with pytest.raises(UserError, match="batch_size=129 images to train on, got 128"):
        module(few_digits, batch_size=129).train_dataloader()
    with pytest.raises(UserError, match="views"):
        module(few_digits, views=None).train_dataloader()


def test_fingerprint_depends_on_images_and_transform(few_digits: Splits) -> None:
    assert module(few_digits).fingerprint("train") == module(few_digits).fingerprint("train")
    assert module(few_digits).fingerprint("train") != module(few_digits).fingerprint("test")
    assert module(few_digits).fingerprint("train") != module(few_digits, image_size=14).fingerprint("train")
