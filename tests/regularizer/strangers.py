"""A stranger's LightningModule, its twin with the term written into the loss by hand, and how both are trained."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from qscore import QScorePenalty, QScoreRegularizer

WEIGHT, THRESHOLD, EPSILON = 50.0, 0.5, 1.0


def images(num: int = 24) -> Tensor:
    return torch.rand(num, 3, 10, 10, generator=torch.Generator().manual_seed(0))


def loader(num: int = 24, batch_size: int = 8) -> DataLoader[Any]:
    return DataLoader(TensorDataset(images(num), torch.arange(num) % 2), batch_size=batch_size)


def backbone() -> nn.Sequential:
    generator = torch.Generator().manual_seed(1)
    layers = nn.Sequential(nn.Conv2d(3, 24, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    for parameter in layers.parameters():
        parameter.data.uniform_(-0.3, 0.3, generator=generator)
    return layers


def regularizer(encoder: str = "backbone", **options: Any) -> QScoreRegularizer:
    settings = {"weight": WEIGHT, "epsilon": EPSILON, "threshold": THRESHOLD, "images": loader(), **options}
    return QScoreRegularizer(encoder, **settings)


def term(callback: QScoreRegularizer) -> QScorePenalty:
    """The term that somebody would write who knows the features that the callback has mined."""
    assert callback.mined is not None
    return QScorePenalty(callback.mined.discriminative, weight=WEIGHT, epsilon=EPSILON, threshold=THRESHOLD)


def stranger(library: Any, by_hand: QScorePenalty | None = None, *, is_manual: bool = False) -> Any:
    """A module with the same weights at every call; `by_hand` is the term in its own loss."""

    class Stranger(library.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.backbone, self.head = backbone(), nn.Linear(24, 2)
            nn.init.constant_(self.head.bias, 0.1)
            self.head.weight.data.copy_(torch.linspace(-1, 1, 48).view(2, 24))
            self.automatic_optimization = not is_manual

        def forward(self, x: Tensor) -> Tensor:
            return self.backbone(x)

        def loss(self, batch: Any) -> Tensor:
            x, labels = batch
            h = self(x)
            loss = nn.functional.cross_entropy(self.head(h), labels)
            return loss if by_hand is None else loss + by_hand(h)

        def training_step(self, batch: Any) -> Any:
            if self.automatic_optimization:
                return self.loss(batch)
            optimizer = self.optimizers()
            optimizer.zero_grad()
            self.manual_backward(self.loss(batch))
            optimizer.step()
            return None

        def validation_step(self, batch: Any, batch_idx: int) -> None:
            self.log("val/loss", self.loss(batch))

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    return Stranger()


def train(library: Any, module: Any, folder: Path, *callbacks: Any, data: Any = None, **options: Any) -> Any:
    resume = options.pop("resume", None)
    settings = {"max_epochs": 1, "accelerator": "cpu", "logger": False, **options}
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    trainer = library.Trainer(default_root_dir=folder, callbacks=list(callbacks), **quiet, **settings)
    data = data or loader()
    trainer.fit(module, data, None if options.get("limit_val_batches") == 0 else data, ckpt_path=resume)
    return trainer


def weights(module: Any) -> dict[str, Tensor]:
    """Under the names of the module before it was compiled."""
    return {name.replace("_orig_mod.", ""): value.clone() for name, value in module.state_dict().items()}


def assert_same_weights(module: Any, expected: Any, tolerance: float = 1e-6) -> None:
    found, wanted = weights(module), weights(expected)
    assert found.keys() == wanted.keys()
    for name, value in found.items():
        torch.testing.assert_close(
            value, wanted[name], rtol=tolerance, atol=tolerance, msg=lambda m, n=name: f"{n}: {m}"
        )


def assert_moved_by_the_term(module: Any, plain: Any) -> None:
    assert not torch.allclose(weights(module)["backbone.0.weight"], weights(plain)["backbone.0.weight"], atol=1e-3)
