"""What every method must do, tried on each of them."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig

from qscore import methods
from qscore.data import ImageDataModule, Splits
from qscore.encoders import Encoder
from qscore.methods import SSLMethod
from qscore.methods.base import MEMORY_BANKS
from qscore.records import StepOutput, ViewBatch
from tests.conftest import REPOSITORY
from tests.regularizer.test_callback import fit

METHODS = [kind for kind in vars(methods).values() if inspect.isclass(kind) and issubclass(kind, SSLMethod)]
METHODS.remove(SSLMethod)
NAMES = sorted(path.stem for path in (REPOSITORY / "conf" / "method").glob("*.yaml"))
SMALL_HEADS: dict[str, list[str]] = {  # heads that are too large for a test; a method without is tried as it is
    "swav": ["method.small.module.num_prototypes=20", "+method.small.module.hidden_dim=32"],
    "moco": ["method.small.module.queue_size=64"],
    "byol": ["+method.small.module.hidden_dim=64", "+method.small.module.projection_dim=32"],
    "dino": ["method.small.module.output_dim=64", "+method.small.module.hidden_dim=32"],
    "simsiam": ["+method.small.module.hidden_dim=64", "+method.small.module.projection_dim=32"],
    "vicreg": ["method.small.module.projection_dim=64"],
    "barlow_twins": ["method.small.module.projection_dim=64"],
}


def config(name: str, *overrides: str) -> DictConfig:
    with initialize_config_dir(version_base="1.3", config_dir=str(REPOSITORY / "conf")):
        return compose("train", [f"method={name}", "batch_size=32", *SMALL_HEADS.get(name, []), *overrides])


def build(name: str, encoder: Encoder, few_digits: Splits, *overrides: str) -> tuple[SSLMethod, ImageDataModule]:
    recipe = config(name, *overrides).method.small
    method = instantiate(recipe.module)(encoder, instantiate(recipe.optimization))
    data = ImageDataModule(few_digits, instantiate(recipe.views), image_size=28, batch_size=32, num_workers=0)
    return method, data


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def method_and_batch(name: str, encoder: Encoder, few_digits: Splits) -> tuple[SSLMethod, ViewBatch]:
    method, data = build(name, encoder, few_digits)
    return method.train(), data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)


def test_every_method_has_one_file_and_one_yaml() -> None:
    assert {type_.__module__.rpartition(".")[2] for type_ in METHODS} == set(NAMES)
    for type_ in METHODS:
        lines = inspect.getsource(inspect.getmodule(type_)).count("\n")  # type: ignore[arg-type]
        assert 35 <= lines <= 130, (type_, lines)


def test_every_method_has_a_recipe_for_small_and_for_imagenet_images(name: str) -> None:
    assert {"name", "small", "imagenet"} == set(config(name).method)


def test_step_returns_a_finite_loss_and_representations_with_gradient(
    method_and_batch: tuple[SSLMethod, ViewBatch],
) -> None:
    method, batch = method_and_batch
    output = method.step(batch)
    assert isinstance(output, StepOutput)
    assert output.loss.shape == ()
    assert torch.isfinite(output.loss)
    assert output.representations.shape[1] == method.encoder.feature_dim
    assert output.representations.shape[0] in (32, 64)
    assert output.representations.requires_grad


def test_gradient_reaches_the_encoder_and_no_teacher(method_and_batch: tuple[SSLMethod, ViewBatch]) -> None:
    method, batch = method_and_batch
    method.step(batch).loss.backward()
    for parameter_name, parameter in method.named_parameters():
        if parameter_name.startswith("encoder."):
            assert parameter.grad is not None, parameter_name
            assert parameter.grad.abs().sum() > 0, parameter_name
        if not parameter.requires_grad:
            assert parameter.grad is None, parameter_name


def test_penalty_reaches_the_trained_encoder_alone(method_and_batch: tuple[SSLMethod, ViewBatch]) -> None:
    method, batch = method_and_batch
    method.step(batch).representations.square().mean().backward()
    touched = {n.split(".")[0] for n, p in method.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert touched == {"encoder"}


def test_training_step_adds_every_penalty(method_and_batch: tuple[SSLMethod, ViewBatch]) -> None:
    method, batch = method_and_batch
    method.log = method.log_dict = lambda *_, **__: None  # type: ignore[method-assign]
    state = {key: value.clone() for key, value in method.state_dict().items()}

    def loss() -> float:
        method.load_state_dict(state)
        torch.manual_seed(0)
        for _, bank in method.memory_banks():
            bank._init_memory_bank(bank.size)
        return method.training_step(batch, 0).item()

    alone = loss()
    method.penalties["constant"] = _Constant()
    assert loss() == pytest.approx(alone + 2.5, rel=1e-6)


class _Constant(torch.nn.Module):
    def forward(self, representations: torch.Tensor) -> torch.Tensor:
        return torch.tensor(2.5)


def test_queues_and_teachers_survive_a_checkpoint(
    name: str, make_encoder: Callable[..., Encoder], few_digits: Splits, tmp_path: Path
) -> None:
    method, data = build(name, make_encoder(), few_digits)
    trainer = fit(tmp_path, method, data)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    content = torch.load(tmp_path / "last.ckpt", weights_only=True)
    other, _ = build(name, make_encoder(), few_digits)
    other.load_state_dict(content["state_dict"])
    other.on_load_checkpoint(content)
    banks = dict(method.memory_banks())
    assert set(content[MEMORY_BANKS]) == set(banks)
    for bank_name, bank in other.memory_banks():
        assert torch.equal(bank.bank, banks[bank_name].bank)
        assert torch.equal(bank.bank_ptr, banks[bank_name].bank_ptr)
        assert int(bank.bank_ptr) > 0 or bank.size[0] <= 128
    assert sum(bank.size[0] > 0 for bank in banks.values()) == {"moco": 1, "swav": 2}.get(name, 0)


def test_teacher_moves_once_an_optimizer_step(
    make_encoder: Callable[..., Encoder], few_digits: Splits, tmp_path: Path
) -> None:
    method, data = build("moco", make_encoder(), few_digits)
    calls = []
    method.after_optimizer_step = lambda: calls.append(method.global_step)  # type: ignore[method-assign]
    fit(tmp_path, method, data, accumulate_grad_batches=2)
    assert calls == [1, 2]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_filling_the_queue_takes_no_training_step(
    num_workers: int, make_encoder: Callable[..., Encoder], few_digits: Splits, tmp_path: Path
) -> None:
    method, data = build("moco", make_encoder(), few_digits, "method.small.module.queue_size=256")
    data.num_workers = num_workers
    before = method.criterion.memory_bank.bank.clone()
    epochs = []

    class Watch(pl.Callback):
        def on_train_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
            assert not (pl_module.criterion.memory_bank.bank == before).all(1).any(), "a random key is left"

        def on_train_batch_start(self, trainer: pl.Trainer, *_: object) -> None:
            epochs.append(trainer.current_epoch)

    trainer = fit(tmp_path, method, data, _After(Watch()), epochs=2)
    assert trainer.global_step == 8
    assert epochs == [0] * 4 + [1] * 4


class _After(pl.Callback):
    """Lightning calls callbacks before the module; this one looks at the first batch instead."""

    def __init__(self, watch: pl.Callback) -> None:
        self.watch, self.looked = watch, False

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, *args: object) -> None:
        if not self.looked:
            self.watch.on_train_start(trainer, pl_module)
            self.looked = True
        self.watch.on_train_batch_start(trainer, pl_module, *args)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "teacher"), [("moco", "key_encoder"), ("byol", "teacher_encoder"), ("dino", "teacher_encoder")]
)
def test_teachers_follow_their_students(
    name: str, teacher: str, make_encoder: Callable[..., Encoder], few_digits: Splits, tmp_path: Path
) -> None:
    """teacher <- m teacher + (1 - m) student, after every optimizer step, with the student as just updated."""
    method, data = build(name, make_encoder(), few_digits)
    followed = {key: value.clone() for key, value in getattr(method, teacher).named_parameters()}

    class Follow(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *_: object) -> None:
            m = pl_module.key_momentum if name == "moco" else pl_module.momentum(pl_module.momentum_start, 1.0)
            for key, student in pl_module.encoder.named_parameters():
                followed[key] = m * followed[key] + (1 - m) * student.detach()

    fit(tmp_path, method, data, Follow(), epochs=2)
    for key, value in getattr(method, teacher).named_parameters():
        torch.testing.assert_close(value.detach(), followed[key].detach(), rtol=1e-5, atol=1e-6)
    assert any(not torch.equal(followed[key], value) for key, value in method.encoder.named_parameters())


def test_byol_teacher_follows_the_cosine(
    make_encoder: Callable[..., Encoder], few_digits: Splits, tmp_path: Path
) -> None:
    method, data = build("byol", make_encoder(), few_digits, "method.small.module.momentum=0.9")
    seen = []

    class Watch(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *_: object) -> None:
            seen.append(pl_module.momentum(0.9, 1.0))

    fit(tmp_path, method, data, Watch(), epochs=2)
    assert seen == sorted(seen)
    assert 0.9 <= seen[0] < seen[-1] == 1.0


def test_swav_prototypes_start_normalised_and_frozen(
    make_encoder: Callable[..., Encoder], few_digits: Splits, tmp_path: Path
) -> None:
    frozen, data = build("swav", make_encoder(), few_digits, "+method.small.module.num_frozen_epochs=1")
    frozen.prototypes.normalize()
    before = frozen.prototypes.heads[0].weight.clone()
    fit(tmp_path, frozen, data, epochs=1)
    torch.testing.assert_close(frozen.prototypes.heads[0].weight, before)
    torch.testing.assert_close(before.norm(dim=1), torch.ones(20))
    assert not frozen.prototypes.heads[0].bias.any()

    free, data = build("swav", make_encoder(), few_digits, "+method.small.module.num_frozen_epochs=0")
    free.prototypes.normalize()
    before = free.prototypes.heads[0].weight.clone()
    fit(tmp_path, free, data, epochs=2)
    assert not torch.allclose(free.prototypes.heads[0].weight, before)


def test_swav_queue_enters_at_its_epoch(
    make_encoder: Callable[..., Encoder], few_digits: Splits, tmp_path: Path
) -> None:
    method, data = build(
        "swav",
        make_encoder(),
        few_digits,
        "method.small.module.queue_size=64",
        "method.small.module.queue_start_epoch=1",
    )
    used = []
    original = method._queue_scores

    def spy(projections: Any) -> Any:
        scores = original(projections)
        used.append(scores is not None)
        return scores

    method._queue_scores = spy
    fit(tmp_path, method, data, epochs=2)
    assert used == [False] * 4 + [True] * 4
