from pathlib import Path

import numpy as np
import pytest
import torch
from lightly.transforms import BYOLTransform, SimCLRTransform, SwaVTransform
from PIL import Image
from scipy.stats import ks_2samp
from torch import Tensor
from torch.utils.data import DataLoader

from qscore.data import ImageDataModule, Splits
from qscore.data.augment import PlannedViews, make_views, read_views
from qscore.data.catalogue import npz_images
from qscore.data.folder import image_folder
from qscore.data.sources import ArrayImages
from qscore.data.views import PlainDataset, ViewDataset, plain_transform
from qscore.errors import UserError
from qscore.records import ViewBatch


@pytest.fixture(scope="module")
def colored(tmp_path_factory: pytest.TempPathFactory) -> Splits:
    """400 smooth coloured images of 32 px."""
    rng = np.random.default_rng(0)
    pixels = [
        np.asarray(Image.fromarray(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)).resize((32, 32)))
        for _ in range(400)
    ]
    file = tmp_path_factory.mktemp("colored") / "images.npz"
    np.savez(file, images=np.stack(pixels), labels=np.arange(400) % 4)
    return npz_images(str(file))


def views_of(splits: Splits, **options: object) -> ViewBatch:
    """The first batch of a data module, made as a trainer would have it made."""
    transform = options.pop("views", SimCLRTransform(32, gaussian_blur=0.5, normalize=None))
    chosen = {"image_size": 32, "batch_size": 100, "num_workers": 0, "views_on": "device", **options}
    module = ImageDataModule(splits, transform, **chosen)  # type: ignore[arg-type]
    made: ViewBatch = module.on_after_batch_transfer(next(iter(module.train_dataloader())), 0)
    return made


def statistics(views: Tensor) -> dict[str, np.ndarray]:
    """One number an image, of several kinds, (view,)."""
    return {
        "mean": views.mean((1, 2, 3)).numpy(),
        "deviation": views.std((1, 2, 3)).numpy(),
        "colour": (views.amax(1) - views.amin(1)).mean((1, 2)).numpy(),
        "red over blue": (views[:, 0] - views[:, 2]).mean((1, 2)).numpy(),
        "sharpness": views.diff(dim=3).abs().mean((1, 2, 3)).numpy(),
        "left over right": (views[..., :16] - views[..., 16:]).mean((1, 2, 3)).numpy(),
        "dark": (views < 0.02).float().mean((1, 2, 3)).numpy(),
    }


@pytest.mark.parametrize("view", [0, 1])
def test_views_are_distributed_as_lightlys_one_by_one(colored: Splits, view: int) -> None:
    """BYOL's two views hold every operation; 1,800 of each, from the same images."""
    transform = BYOLTransform.__new__(BYOLTransform)
    from lightly.transforms.byol_transform import BYOLView1Transform, BYOLView2Transform

    transform.transforms = [
        BYOLView1Transform(32, normalize=None, gaussian_blur=0.5),
        BYOLView2Transform(32, normalize=None),
    ]
    ours, theirs = [], []
    planned = PlannedViews(colored.train, read_views(transform), seed=0, in_parts=True)
    one_by_one = ViewDataset(colored.train, transform, seed=0)
    for epoch in range(6):
        items = [epoch * 300 + position for position in range(300)]
        ours.append(make_views(planned.__getitems__(items), planned.views).global_views[view])
        theirs += [one_by_one[item].global_views[view] for item in items]
    found, expected = statistics(torch.cat(ours)), statistics(torch.stack(theirs))
    for name, values in found.items():
        assert ks_2samp(values, expected[name]).pvalue > 1e-3, name


def test_views_are_the_same_in_parts_whole_and_from_the_device(colored: Splits) -> None:
    views, items = read_views(SimCLRTransform(32, gaussian_blur=0.5, normalize=None)), list(range(310, 600, 2))
    assert isinstance(colored.train, ArrayImages)
    made = []
    for in_parts, with_images in ((True, True), (False, True), (False, False)):
        planned = PlannedViews(colored.train, views, seed=3, in_parts=in_parts, with_images=with_images)
        resident = torch.from_numpy(colored.train.images).permute(0, 3, 1, 2)
        made.append(make_views(planned.__getitems__(items), views, None if with_images else resident))
    for other in made[1:]:
        for first, second in zip(made[0].global_views, other.global_views, strict=True):
            torch.testing.assert_close(first, second, atol=1e-6, rtol=0)
        assert torch.equal(made[0].positions, other.positions)


def test_a_view_depends_on_seed_epoch_position_and_its_number_alone(colored: Splits) -> None:
    views = read_views(SimCLRTransform(32, normalize=None))

    def made(items: list[int], seed: int = 0) -> ViewBatch:
        planned = PlannedViews(colored.train, views, seed=seed, in_parts=False)
        return make_views(planned.__getitems__(items), views)

    torch.testing.assert_close(made([7, 8]).global_views[0][1], made([8, 50, 60]).global_views[0][0], atol=1e-6, rtol=0)
    assert not torch.equal(made([7]).global_views[0], made([7]).global_views[1])
    assert not torch.equal(made([7]).global_views[0], made([307]).global_views[0])
    assert not torch.equal(made([7]).global_views[0], made([7], seed=1).global_views[0])


def test_multi_crop_separates_large_from_small(colored: Splits) -> None:
    batch = views_of(colored, views=SwaVTransform(crop_sizes=(32, 16), crop_counts=(2, 3), normalize=None))
    assert [tuple(view.shape) for view in batch.global_views] == [(100, 3, 32, 32)] * 2
    assert [tuple(view.shape) for view in batch.local_views] == [(100, 3, 16, 16)] * 3
    for view in (*batch.global_views, *batch.local_views):
        assert 0 <= view.min() <= view.max() <= 1


def test_gray_images_give_three_equal_channels(few_digits: Splits) -> None:
    batch = views_of(few_digits, views=SimCLRTransform(28, normalize=None), image_size=28)
    assert batch.global_views[0].shape == (100, 3, 28, 28)
    assert torch.equal(batch.global_views[0][:, 0], batch.global_views[0][:, 2])


def test_files_are_cropped_by_the_workers_to_the_same_views(colored: Splits, tmp_path: Path) -> None:
    assert isinstance(colored.train, ArrayImages)
    for name, source in (("train", colored.train), ("test", colored.test)):
        assert isinstance(source, ArrayImages)
        assert source.labels is not None
        for i, (image, label) in enumerate(zip(source.images, source.labels.tolist(), strict=True)):
            folder = tmp_path / name / f"class{label}"
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / f"{i:05d}.png")
    files = image_folder(str(tmp_path))
    order = np.argsort(colored.train.labels.numpy(), kind="stable")  # type: ignore[union-attr]
    arrays = Splits(colored.train.subset(order), colored.train, colored.test)
    found, expected = views_of(files, num_workers=2), views_of(arrays)
    assert torch.equal(found.positions, expected.positions)
    for first, second in zip(found.global_views, expected.global_views, strict=True):
        assert (first - second).abs().mean() < 1.5 / 255  # Pillow rounds the crop to 8 bits; jitter stretches that


def test_an_unreadable_file_is_replaced_and_reported(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        for i in range(8):
            Image.new("RGB", (40, 30), (i * 30, 0, 0)).save(tmp_path / label / f"{i}.png")
    (tmp_path / "a" / "3.png").write_bytes(b"no image")
    splits = image_folder(str(tmp_path), test_fraction=0.125)
    batch = views_of(splits, batch_size=14)
    assert batch.global_views[0].shape == (14, 3, 32, 32)
    with pytest.raises(UserError, match=r"a/3\.png"):
        splits.pretrain.check_readable()


def test_a_transform_that_is_not_understood_falls_back_or_is_refused(
    few_digits: Splits, caplog: pytest.LogCaptureFixture
) -> None:
    turning = SimCLRTransform(28, rr_prob=0.5, normalize=None)
    module = ImageDataModule(few_digits, turning, image_size=28, batch_size=16, num_workers=0)
    batch = next(iter(module.train_dataloader()))
    assert isinstance(batch, ViewBatch)
    assert isinstance(module.train_dataloader().dataset, ViewDataset)
    strict = ImageDataModule(few_digits, turning, image_size=28, batch_size=16, num_workers=0, views_on="device")
    with pytest.raises(UserError, match="views_on=workers"):
        strict.train_dataloader()
    with pytest.raises(UserError, match="views_on"):
        ImageDataModule(few_digits, turning, image_size=28, views_on="gpu")
    with pytest.raises(UserError, match="hue"):
        ImageDataModule(few_digits, turning, image_size=28, hue="rgb")


def test_plain_images_of_an_array_are_those_read_one_by_one(few_digits: Splits, colored: Splits) -> None:
    for splits, size in ((few_digits, 28), (colored, 32)):
        batches = list(ImageDataModule(splits, image_size=size, batch_size=30).plain_loader("test"))
        alone = PlainDataset(splits.test, plain_transform(size, crop_fraction=1.0), image_size=size)
        assert torch.equal(torch.cat([batch.images for batch in batches]), torch.stack([each.images for each in alone]))
        assert torch.cat([batch.positions for batch in batches]).tolist() == list(range(len(alone)))
        assert all(bool(batch.readable.all()) for batch in batches)
        at = ImageDataModule(splits, image_size=size).plain_loader("test", positions=[5, 2])
        assert torch.equal(next(iter(at)).images, torch.stack([alone[5].images, alone[2].images]))


def test_plans_and_images_of_an_array_pass_through_workers_unharmed(colored: Splits) -> None:
    views = read_views(SimCLRTransform(32, gaussian_blur=0.5, normalize=None))
    planned = PlannedViews(colored.train, views, seed=0, in_parts=False)
    made = []
    for workers in (0, 2):
        loader = DataLoader(planned, batch_size=50, num_workers=workers, collate_fn=lambda batch: batch)
        made.append([make_views(batch.to(torch.device("cpu")), views).global_views for batch in loader])
    for alone, by_workers in zip(*made, strict=True):
        assert all(map(torch.equal, alone, by_workers))
