"""What a checkpoint's heads compute, the method's heads compute; and an encoder rests while new heads learn."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torchvision.models.resnet import BasicBlock, ResNet

from qscore.data import ImageDataModule
from qscore.encoders import Encoder, LoadOptions, open_checkpoint
from qscore.methods import (
    BYOL,
    DINO,
    BarlowTwins,
    MoCo,
    Optimization,
    SimCLR,
    SimSiam,
    SSLMethod,
    SwAV,
    VICReg,
)
from qscore.methods.head_warmup import HeadWarmup
from qscore.methods.warm_start import WARM, warm_start
from tests.encoders import sources
from tests.encoders.sources import DIM, DINOHead, linear

Loaded = tuple[SSLMethod, Mapping[str, Any], dict[str, str]]


def start(
    write: Callable[..., Any], method: type[SSLMethod], name: str, file: Path, *, role: str = "auto", **options: Any
) -> Loaded:
    """A method warm-started from a source's file, with the file's content and what was said of each part."""
    torch.manual_seed(3)
    student, teacher = (ResNet(BasicBlock, [1, 1, 1, 1]) for _ in range(2))
    content = write(student, teacher)
    torch.save(content, file)
    checkpoint = open_checkpoint(file, LoadOptions(role=role))
    optimization = Optimization(torch.optim.SGD, 0.1, batch_size=32)  # type: ignore[call-arg]
    built = method(checkpoint.encoder(), optimization, **options)
    return built, content, warm_start(built, checkpoint, name)


def computes_the_same(
    head: nn.Module, reference: nn.Module, state: Mapping[str, Tensor], prefix: str, dim: int
) -> None:
    reference.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
    inputs = torch.randn(8, dim)
    for mode in (True, False):
        with torch.no_grad():
            expected = reference.train(mode)(inputs)
            torch.testing.assert_close(head.train(mode)(inputs), expected, rtol=1e-4, atol=1e-4)


def test_moco_takes_heads_teacher_and_queue(tmp_path: Path) -> None:
    method, content, parts = start(sources.moco_trained, MoCo, "moco", tmp_path / "a.pth", queue_size=256)
    assert set(parts.values()) == {WARM}
    assert set(parts) == {"projection_head", "teacher_projection_head", "teacher_encoder", "queue"}
    state = content["state_dict"]
    computes_the_same(method.projection_head, linear(DIM, DIM, 128), state, "module.encoder_q.fc.", DIM)
    computes_the_same(method.key_projection_head, linear(DIM, DIM, 128), state, "module.encoder_k.fc.", DIM)
    ((_, bank),) = method.memory_banks()
    torch.testing.assert_close(bank.bank, state["module.queue"].T)
    assert method.queue_is_filled
    weight = method.key_encoder.network.conv1.weight
    assert torch.equal(weight, state["module.encoder_k.conv1.weight"])
    assert not torch.equal(weight, method.encoder.network.conv1.weight)


def test_moco_as_released_copies_the_query_and_leaves_the_queue_to_be_filled(tmp_path: Path) -> None:
    method, _, parts = start(sources.moco, MoCo, "moco", tmp_path / "a.pth", queue_size=64)
    assert parts["projection_head"] == WARM
    assert parts["teacher_encoder"] == "a copy of the student"
    assert parts["teacher_projection_head"] == "a copy of the student's"
    assert parts["queue"].startswith("new")
    assert not method.queue_is_filled
    for name, tensor in method.projection_head.state_dict().items():
        assert torch.equal(tensor, method.key_projection_head.state_dict()[name])
    for name, tensor in method.encoder.state_dict().items():
        assert torch.equal(tensor, method.key_encoder.state_dict()[name])


def test_swav_takes_projector_and_prototypes(tmp_path: Path) -> None:
    method, content, parts = start(sources.swav, SwAV, "swav", tmp_path / "a.pth", num_prototypes=300, hidden_dim=384)
    assert parts == {"projection_head": WARM, "prototypes": WARM}
    head = linear(DIM, 384, 128, norm=True)
    computes_the_same(method.projection_head, head, content, "module.projection_head.", DIM)
    assert torch.equal(method.prototypes.heads[0].weight, content["module.prototypes.weight"])


def test_weight_normalised_prototypes_become_plain_ones(tmp_path: Path) -> None:
    length, direction = torch.rand(300, 1), torch.randn(300, 256)
    write = sources.solo_learn("backbone", **{"prototypes.weight_g": length, "prototypes.weight_v": direction})
    method, _, parts = start(
        write, SwAV, "swav", tmp_path / "a.ckpt", num_prototypes=300, hidden_dim=384, projection_dim=256
    )
    assert parts["prototypes"] == WARM
    torch.testing.assert_close(method.prototypes.heads[0].weight, length * F.normalize(direction))


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_dino_takes_both_heads_and_the_centre(role: str, tmp_path: Path) -> None:
    options = {"output_dim": 48, "hidden_dim": 64, "bottleneck_dim": 32}
    method, content, parts = start(sources.dino, DINO, "dino", tmp_path / "a.pth", role=role, **options)
    assert set(parts.values()) == {WARM}
    torch.testing.assert_close(method.criterion.center.flatten(), content["dino_loss"]["center"].flatten())

    class Reference(DINOHead):
        def forward(self, h: Tensor) -> Tensor:
            return self.last_layer(F.normalize(self.mlp(h), dim=-1))  # type: ignore[no-any-return]

    for head, network in ((method.projection_head, role), (method.teacher_projection_head, "teacher")):
        state = {name.removeprefix("module."): tensor for name, tensor in content[network].items()}
        sequential = Reference(norm=True)
        sequential.mlp = _with_gelu(sequential.mlp)
        computes_the_same(head, sequential, state, "head.", DIM)


def _with_gelu(layers: nn.Sequential) -> nn.Sequential:
    return nn.Sequential(*(nn.GELU() if isinstance(layer, nn.ReLU) else layer for layer in layers))


def test_barlow_twins_takes_a_projector_without_biases(tmp_path: Path) -> None:
    method, content, parts = start(sources.barlow, BarlowTwins, "barlow_twins", tmp_path / "a.pth", projection_dim=256)
    assert parts == {"projection_head": WARM}
    head = linear(DIM, 256, 256, 256, norm=True, bias=False, last_bias=False)
    computes_the_same(method.projection_head, head, content["model"], "module.projector.", DIM)


def test_vicreg_takes_an_expander_whose_biases_move_into_the_norms(tmp_path: Path) -> None:
    method, content, parts = start(sources.vicreg, VICReg, "vicreg", tmp_path / "a.pth", projection_dim=256)
    assert parts == {"projection_head": WARM}
    head = linear(DIM, 256, 256, 256, norm=True, last_bias=False)
    computes_the_same(method.projection_head, head, content["model"], "module.projector.", DIM)


def test_simsiam_takes_projector_and_predictor(tmp_path: Path) -> None:
    sizes = {"hidden_dim": 256, "projection_dim": 256, "prediction_hidden_dim": 64}
    method, content, parts = start(sources.simsiam, SimSiam, "simsiam", tmp_path / "a.pth", **sizes)
    assert parts == {"projection_head": WARM, "prediction_head": WARM}
    predictor = linear(256, 64, 256, norm=True, bias=False)
    computes_the_same(method.prediction_head, predictor, content["state_dict"], "module.predictor.", 256)


def test_byol_takes_layers_whatever_they_are_called(tmp_path: Path) -> None:
    sizes = {"hidden_dim": 128, "projection_dim": 64}
    _, _, parts = start(sources.yaox12, BYOL, "byol", tmp_path / "a.pth", **sizes)
    assert set(parts.values()) == {WARM}
    assert set(parts) == {"projection_head", "prediction_head", "teacher_projection_head", "teacher_encoder"}


def test_a_head_of_another_shape_stays_new_and_whole(tmp_path: Path) -> None:
    method, _, parts = start(sources.barlow, BarlowTwins, "barlow_twins", tmp_path / "a.pth", projection_dim=128)
    assert "weight is (256, 512) in the file, (128, 512) configured" in parts["projection_head"]
    assert method.projection_head.layers[0].weight.shape == (128, DIM)
    _, _, parts = start(sources.spijkervet, SimCLR, "simclr", tmp_path / "b.pth", projection_dim=64)
    assert "the file's has 2 layers with weights, the configured one 4" in parts["projection_head"]


def test_heads_of_another_method_are_not_taken(tmp_path: Path) -> None:
    _, _, parts = start(sources.vicreg, BarlowTwins, "barlow_twins", tmp_path / "a.pth", projection_dim=256)
    assert parts == {"projection_head": "new: the file is not of barlow_twins"}


def test_every_method_is_named_as_layouts_name_it() -> None:
    from qscore.encoders.layouts import ALL_METHODS, LAYOUTS
    from tests.methods.test_contract import NAMES

    assert set(ALL_METHODS) <= set(NAMES)
    assert {name for layout in LAYOUTS for name in layout.methods} <= set(NAMES)


def test_the_encoder_rests_while_new_heads_learn(encoder: Encoder, data: ImageDataModule, tmp_path: Path) -> None:
    optimization = Optimization(torch.optim.SGD, 0.1, batch_size=32)  # type: ignore[call-arg]
    method = SimCLR(encoder, optimization)
    states: list[dict[str, Tensor]] = []

    class Watch(pl.Callback):
        def on_train_batch_start(self, *_: Any) -> None:
            states.append({name: tensor.clone() for name, tensor in method.state_dict().items()})

    trainer = pl.Trainer(
        max_epochs=2,
        callbacks=[Watch(), HeadWarmup(3)],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        accelerator="cpu",
    )
    trainer.fit(method, datamodule=data)

    def moved(before: int, after: int, prefix: str) -> list[str]:
        return [
            name
            for name, tensor in states[before].items()
            if name.startswith(prefix) and "num_batches" not in name and not torch.equal(tensor, states[after][name])
        ]

    assert moved(0, 3, "encoder.") == []
    assert moved(0, 1, "projection_head.")
    assert any("conv1.weight" in name for name in moved(3, 4, "encoder."))
    assert any("running_mean" in name for name in moved(3, 4, "encoder."))
    assert {module.momentum for module in encoder.modules() if isinstance(module, nn.BatchNorm2d)} == {0.1}
