"""The callback on LightningModules that have never heard of this package."""

from pathlib import Path
from typing import Any

import lightning.pytorch
import pytest
import pytorch_lightning
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from qscore import QScoreRegularizer
from qscore.errors import UserError

WEIGHT = 50.0


class Backbone(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 24, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1))

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.layers(images)
        return features


def module_of(base: Any, kind: str) -> Any:
    """A stranger's module: backbone, head and criterion; `kind` says what its training step is like."""

    class Stranger(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.backbone, self.head = Backbone(), nn.Linear(24, 2)
            self.automatic_optimization = kind != "manual"
            self.seen: list[float] = []

        def loss(self, batch: Any) -> Tensor:
            images, labels = batch
            if kind == "two passes":
                h = torch.cat([self.backbone(images).flatten(1), self.backbone(images.flip(3)).flatten(1)])
                return nn.functional.cross_entropy(self.head(h), labels.repeat(2))
            if kind == "no gradient":
                with torch.no_grad():
                    h = self.backbone(images).flatten(1)
                return nn.functional.cross_entropy(self.head(h), labels)
            return nn.functional.cross_entropy(self.head(self.backbone(images).flatten(1)), labels)

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            loss = self.loss(batch)
            if kind == "manual":
                optimizer = self.optimizers()
                optimizer.zero_grad()
                self.manual_backward(loss)
                optimizer.step()
                return None
            return {"loss": loss, "extra": 1} if kind == "mapping" else loss

        def validation_step(self, batch: Any, batch_idx: int) -> None:
            self.loss(batch)

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    return Stranger()


@pytest.fixture
def loader() -> DataLoader[Any]:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(24, 3, 10, 10, generator=generator)
    return DataLoader(TensorDataset(images, torch.arange(24) % 2), batch_size=8)


def train(library: Any, module: Any, loader: Any, tmp_path: Path, callback: Any, **options: Any) -> Any:
    trainer = library.Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        default_root_dir=tmp_path,
        callbacks=[] if callback is None else [callback],
        **options,
    )
    trainer.fit(module, loader, loader)
    return trainer


def by_hand(module: Any, loader: Any, callback: QScoreRegularizer) -> dict[str, Tensor]:
    """The same epoch written out: the module's own loss plus the penalty on what its backbone returned."""
    penalty, optimizer = callback._penalty, torch.optim.SGD(module.parameters(), lr=0.1)
    assert penalty is not None
    for batch in loader:
        collected: list[Tensor] = []
        handle = module.backbone.register_forward_hook(lambda _, __, h, kept=collected: kept.append(h.flatten(1)))
        loss = module.loss(batch)
        handle.remove()
        optimizer.zero_grad()
        (loss + penalty(torch.cat(collected))).backward()
        optimizer.step()
    return dict(module.state_dict())


@pytest.mark.parametrize("library", [pytorch_lightning, lightning.pytorch], ids=["pytorch_lightning", "lightning"])
@pytest.mark.parametrize("kind", ["tensor", "mapping", "manual", "two passes"])
def test_the_term_equals_the_one_written_by_hand(
    library: Any, kind: str, loader: DataLoader[Any], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    module = module_of(library.LightningModule, kind)
    twin = module_of(library.LightningModule, kind)
    plain = module_of(library.LightningModule, kind)
    for other in (twin, plain):
        other.load_state_dict(module.state_dict())
    callback = QScoreRegularizer("backbone", weight=WEIGHT, epsilon=1.0, threshold=0.5, images=loader)
    train(library, module, loader, tmp_path, callback)
    expected = by_hand(twin, loader, callback)
    train(library, plain, loader, tmp_path, None)
    for name, value in module.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=1e-6, atol=1e-6)
    assert not torch.allclose(module.state_dict()["backbone.layers.0.weight"], plain.backbone.layers[0].weight)


def test_the_module_is_left_as_it_was(loader: DataLoader[Any], tmp_path: Path) -> None:
    module = module_of(pytorch_lightning.LightningModule, "tensor")
    names, keys = set(module.__dict__), list(module.state_dict())
    train(pytorch_lightning, module, loader, tmp_path, QScoreRegularizer("backbone", epsilon=1.0, images=loader))
    assert "training_step" not in module.__dict__
    assert "manual_backward" not in module.__dict__
    assert names <= set(module.__dict__)
    assert list(module.state_dict()) == keys
    assert not module.backbone._forward_hooks


def test_accumulated_batches_weigh_the_term_like_the_loss(loader: DataLoader[Any], tmp_path: Path) -> None:
    """One step over three accumulated batches equals the mean of their three gradients, term included."""
    torch.manual_seed(0)
    module = module_of(pytorch_lightning.LightningModule, "tensor")
    twin = module_of(pytorch_lightning.LightningModule, "tensor")
    twin.load_state_dict(module.state_dict())
    callback = QScoreRegularizer("backbone", weight=WEIGHT, epsilon=1.0, threshold=0.5, images=loader)
    train(pytorch_lightning, module, loader, tmp_path, callback, accumulate_grad_batches=3)
    assert callback._penalty is not None
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.1)
    for images, labels in loader:
        h = twin.backbone(images).flatten(1)
        ((nn.functional.cross_entropy(twin.head(h), labels) + callback._penalty(h)) / 3).backward()
    optimizer.step()
    for name, value in module.state_dict().items():
        torch.testing.assert_close(value, twin.state_dict()[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("options", [{"precision": "bf16-mixed"}, {"gradient_clip_val": 0.1}])
def test_mixed_precision_and_clipping(options: dict[str, Any], loader: DataLoader[Any], tmp_path: Path) -> None:
    module = module_of(pytorch_lightning.LightningModule, "tensor")
    callback = QScoreRegularizer("backbone", weight=WEIGHT, epsilon=1.0, images=loader)
    train(pytorch_lightning, module, loader, tmp_path, callback, **options)
    assert all(torch.isfinite(p).all() for p in module.parameters())


def test_an_encoder_without_gradient_is_an_error_that_says_so(loader: DataLoader[Any], tmp_path: Path) -> None:
    module = module_of(pytorch_lightning.LightningModule, "no gradient")
    callback = QScoreRegularizer("backbone", epsilon=1.0, images=loader)
    with pytest.raises(UserError, match="not called with gradient"):
        train(pytorch_lightning, module, loader, tmp_path, callback)
    assert "training_step" not in module.__dict__


def test_training_views_are_mined_for_want_of_plain_images_with_a_warning(
    loader: DataLoader[Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    module = module_of(pytorch_lightning.LightningModule, "tensor")
    callback = QScoreRegularizer("backbone", epsilon=1.0)
    train(pytorch_lightning, module, loader, tmp_path, callback)
    assert callback.mined is not None
    assert callback.mined.num_samples == 24
    assert "augmented training views" in caplog.text


@pytest.mark.parametrize("batch", [[torch.zeros(3)], {"text": "no image"}], ids=["tensor", "mapping"])
def test_batches_without_images_are_explained(batch: Any, tmp_path: Path, loader: DataLoader[Any]) -> None:
    module = module_of(pytorch_lightning.LightningModule, "tensor")
    with pytest.raises(UserError, match="tensor of images"):
        train(pytorch_lightning, module, loader, tmp_path, QScoreRegularizer("backbone", images=[batch]))
