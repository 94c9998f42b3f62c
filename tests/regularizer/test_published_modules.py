"""Modules as other people publish them: lightly's examples, a framework with one generic module, a delegating one."""

import copy
import types
from pathlib import Path
from typing import Any

import lightning.pytorch
import pytest
import pytorch_lightning as pl
import torch
from lightly.loss import NegativeCosineSimilarity, SwaVLoss
from lightly.models.modules import (
    BYOLPredictionHead,
    BYOLProjectionHead,
    SimSiamPredictionHead,
    SimSiamProjectionHead,
    SwaVProjectionHead,
    SwaVPrototypes,
)
from lightly.models.utils import deactivate_requires_grad, update_momentum
from lightly.utils.scheduler import cosine_schedule
from torch import Tensor, nn
from torch.utils.data import DataLoader

from qscore import QScorePenalty
from tests.regularizer.strangers import assert_same_weights, backbone, images, regularizer, term, train


def unpooled() -> nn.Sequential:
    """Like `nn.Sequential(*list(resnet.children())[:-1])`: (sample, feature, 1, 1)."""
    return backbone()[:-1]


class SimSiam(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = unpooled()
        self.projection_head = SimSiamProjectionHead(24, 16, 8)
        self.prediction_head = SimSiamPredictionHead(8, 4, 8)
        self.criterion = NegativeCosineSimilarity()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        f = self.backbone(x).flatten(start_dim=1)
        z = self.projection_head(f)
        p = self.prediction_head(z)
        return z.detach(), p

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        (x0, x1) = batch[0][:2]
        z0, p0 = self.forward(x0)
        z1, p1 = self.forward(x1)
        loss: Tensor = 0.5 * (self.criterion(z0, p1) + self.criterion(z1, p0))
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.06)


class BYOL(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = unpooled()
        self.projection_head = BYOLProjectionHead(24, 32, 8)
        self.prediction_head = BYOLPredictionHead(8, 32, 8)
        self.backbone_momentum = copy.deepcopy(self.backbone)
        self.projection_head_momentum = copy.deepcopy(self.projection_head)
        deactivate_requires_grad(self.backbone_momentum)
        deactivate_requires_grad(self.projection_head_momentum)
        self.criterion = NegativeCosineSimilarity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.backbone(x).flatten(start_dim=1)
        z = self.projection_head(y)
        p: Tensor = self.prediction_head(z)
        return p

    def forward_momentum(self, x: Tensor) -> Tensor:
        y = self.backbone_momentum(x).flatten(start_dim=1)
        z: Tensor = self.projection_head_momentum(y)
        return z.detach()

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        momentum = cosine_schedule(self.current_epoch, 10, 0.9, 1)
        update_momentum(self.backbone, self.backbone_momentum, m=momentum)
        update_momentum(self.projection_head, self.projection_head_momentum, m=momentum)
        (x0, x1) = batch[0][:2]
        p0, p1 = self.forward(x0), self.forward(x1)
        z0, z1 = self.forward_momentum(x0), self.forward_momentum(x1)
        loss: Tensor = 0.5 * (self.criterion(p0, z1) + self.criterion(p1, z0))
        return loss

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.06)


class SwaV(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = unpooled()
        self.projection_head = SwaVProjectionHead(24, 16, 8)
        self.prototypes = SwaVPrototypes(8, n_prototypes=6)
        self.criterion = SwaVLoss()

    def forward(self, x: Tensor) -> Tensor:
        x = self.backbone(x).flatten(start_dim=1)
        x = nn.functional.normalize(self.projection_head(x), dim=1, p=2)
        p: Tensor = self.prototypes(x)
        return p

    def training_step(self, batch: Any, batch_idx: int) -> dict[str, Tensor]:
        self.prototypes.normalize()
        crops = [self.forward(view.to(self.device)) for view in batch[0]]
        return {"loss": self.criterion(crops[:2], crops[2:])}

    def configure_optimizers(self) -> Any:
        return torch.optim.Adam(self.parameters(), lr=0.001)


def view_loader() -> DataLoader[Any]:
    """Batches of ([views of 10 px and crops of 6 px], labels, file names), as lightly's data sets give them."""

    def collate(positions: list[int]) -> Any:
        x = images()[positions]
        views = [x, x.flip(3) * 0.9, x[..., 2:8, 2:8], x[..., :6, :6]]
        return views, torch.tensor(positions) % 2, [f"{position}.png" for position in positions]

    return DataLoader(range(24), batch_size=8, collate_fn=collate)  # type: ignore[arg-type]


def recorded(encoder: nn.Module, step: Any) -> tuple[Any, Tensor]:
    """What a training step returns, and what the encoder returned within it; without any hook."""
    seen: list[Tensor] = []
    forward = encoder.forward

    def recording(x: Tensor) -> Tensor:
        seen.append(forward(x))
        return seen[-1]

    encoder.forward = recording
    output = step()
    del encoder.forward
    return output, torch.cat(seen).flatten(1)


def by_hand(published: type[Any], own: QScorePenalty) -> type[Any]:
    class ByHand(published):  # type: ignore[misc]
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            output, h = recorded(self.backbone, lambda: super(ByHand, self).training_step(batch, batch_idx))
            if isinstance(output, dict):
                return {"loss": output["loss"] + own(h)}
            return output + own(h)

    return ByHand


@pytest.mark.parametrize(("published", "num_views"), [(SimSiam, 2), (BYOL, 2), (SwaV, 4)])
def test_the_term_equals_the_one_written_by_hand_in_lightlys_examples(
    published: type[Any], num_views: int, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    module, callback = published(), regularizer(images=None)  # mined from the first views
    start = copy.deepcopy(module.state_dict())
    train(pl, module, tmp_path, callback, data=view_loader(), limit_val_batches=0)
    assert callback.mined is not None
    assert callback.mined.num_samples == 24
    assert sum(callback.histograms.closed[0]["counts"]) == 24 * num_views
    twin, plain = by_hand(published, term(callback))(), published()
    for other in (twin, plain):
        other.load_state_dict(start)
        train(pl, other, tmp_path, data=view_loader(), limit_val_batches=0)
    assert_same_weights(module, twin)
    assert not torch.allclose(module.backbone[0].weight, plain.backbone[0].weight, atol=1e-4)


class Generic(lightning.pytorch.LightningModule):
    """One module for every method: its forward is given to it, with dictionaries in and out, and it steps by hand."""

    def __init__(self, *, forward: Any, **parts: Any) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.forward = types.MethodType(forward, self)  # type: ignore[method-assign]
        for name, part in parts.items():
            setattr(self, name, part)

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> dict[str, Any]:
        state = self({**batch, "batch_idx": batch_idx}, stage="fit")
        self.manual_backward(state["loss"])
        for optimizer in self.optimizers():  # type: ignore[union-attr]
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return state  # type: ignore[no-any-return]

    def configure_optimizers(self) -> Any:
        return [torch.optim.SGD(part.parameters(), lr=0.1) for part in (self.backbone, self.projector)], []


def dictionary_loader() -> DataLoader[Any]:
    def collate(positions: list[int]) -> dict[str, Any]:
        return {"label": torch.tensor(positions) % 2, "views": [{"image": images()[positions]}], "index": positions}

    return DataLoader(range(24), batch_size=8, collate_fn=collate)  # type: ignore[arg-type]


@pytest.mark.parametrize("with_term", [True, False], ids=["with the term", "weight 0"])
def test_a_generic_module_with_a_given_forward(with_term: bool, tmp_path: Path) -> None:
    class Embedding(nn.Module):
        """Returns a mapping, as transformers' models do."""

        def __init__(self) -> None:
            super().__init__()
            self.layers = backbone()

        def forward(self, pixels: Tensor) -> dict[str, Tensor]:
            return {"hidden": pixels, "pooled": self.layers(pixels)}

    def generic(own: Any = None) -> Any:
        def forward(self: Any, batch: dict[str, Any], stage: str) -> dict[str, Any]:
            h = self.backbone(batch["views"][0]["image"])["pooled"]
            batch["loss"] = self.criterion(self.projector(h), batch["label"]) + (own(h) if own else 0.0)
            return batch

        torch.manual_seed(0)
        parts = {"backbone": Embedding(), "projector": nn.Linear(24, 2), "criterion": nn.CrossEntropyLoss()}
        return Generic(forward=forward, **parts)

    options = {} if with_term else {"weight": 0.0}
    callback = regularizer(images=None, representations=lambda output: output["pooled"], **options)
    module, twin = generic(), None
    train(lightning.pytorch, module, tmp_path, callback, data=dictionary_loader(), limit_val_batches=0)
    twin = generic(term(callback) if with_term else None)
    train(lightning.pytorch, twin, tmp_path, data=dictionary_loader(), limit_val_batches=0)
    assert_same_weights(module, twin)
    assert module.forward.__self__ is module
    assert "training_step" not in vars(module)


def test_a_module_that_delegates_its_step(tmp_path: Path) -> None:
    class Algorithm(nn.Module):
        def __init__(self, own: Any = None) -> None:
            super().__init__()
            self.encoder, self.head, self.own = backbone(), nn.Linear(24, 2), own

        def training_step(self, batch: Any) -> Tensor:
            h = self.encoder(batch[0])
            loss = nn.functional.cross_entropy(self.head(h), batch[1])
            return loss if self.own is None else loss + self.own(h)

    class Delegating(lightning.pytorch.LightningModule):
        def __init__(self, own: Any = None) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.algorithm = Algorithm(own)

        def training_step(self, *args: Any, **kwargs: Any) -> Any:
            return self.algorithm.training_step(args[0])

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    callback, module = regularizer("algorithm.encoder"), Delegating()
    train(lightning.pytorch, module, tmp_path, callback, limit_val_batches=0)
    twin = Delegating(term(callback))
    train(lightning.pytorch, twin, tmp_path, limit_val_batches=0)
    assert_same_weights(module, twin)
