"""What a weight means: the gradients of loss and term at the representations, known by hand."""

import json
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning.pytorch
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from qscore import QScoreRegularizer
from qscore.data import ImageDataModule
from qscore.encoders import Encoder
from qscore.errors import UserError
from qscore.methods import Optimization, SSLMethod
from qscore.methods.head_warmup import HeadWarmup
from qscore.records import StepOutput, ViewBatch
from qscore.regularizer import weighing
from qscore.regularizer.weighed import Weighed
from qscore.regularizer.weighing import FILE, num_steps_of
from tests.regularizer.strangers import (
    EPSILON,
    THRESHOLD,
    assert_same_weights,
    images,
    loader,
    regularizer,
    stranger,
    term,
    train,
)
from tests.regularizer.test_training_modes import MODES


@pytest.fixture
def _every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measures all steps of a training of a few."""
    monkeypatch.setattr(weighing, "SHARE_OF_TRAINING", 1.0)


def term_gradient_by_hand(h: Tensor, discriminative: Tensor, epsilon: float, threshold: float) -> Tensor:
    """d/dh of mean relu(threshold - Q) of eq. 3, in loops: -(1[j in S] / k - Q sign(h_j)) / ||h||_1 below it."""
    gradient = torch.zeros_like(h)
    for i, row in enumerate(h):
        dominant = row > row.mean() + epsilon * row.std(correction=0)
        chosen = [j for j in range(len(row)) if dominant[j] and discriminative[j]]
        if not chosen:
            continue
        l1 = float(row.abs().sum())
        q = sum(float(row[j]) for j in chosen) / len(chosen) / l1
        for j in range(len(row)):
            if q < threshold:
                up = 1 / len(chosen) if j in chosen else 0.0
                gradient[i, j] = -(up - q * float(row[j].sign())) / l1 / len(h)
    return gradient


def norms_by_hand(module: Any, x: Tensor, labels: Tensor, callback: QScoreRegularizer) -> tuple[float, float]:
    """Softmax minus one-hot, back through a linear head; and the term in loops."""
    assert callback.mined is not None
    h = module.backbone(x).detach()
    errors = module.head(h).detach().softmax(-1) - nn.functional.one_hot(labels, 2)
    loss = errors @ module.head.weight.detach() / len(h)
    own = term_gradient_by_hand(h, callback.mined.discriminative, EPSILON, THRESHOLD)
    return float(loss.norm()), float(own.norm())


def first_batch() -> tuple[Tensor, Tensor]:
    return images()[:8], torch.arange(8) % 2


class Linear(SSLMethod):
    """A loss whose gradient at h is a fixed direction; `is_split` encodes each view by itself, as BYOL does."""

    def __init__(self, encoder: Encoder, *, is_split: bool, learning_rate: float = 0.0) -> None:
        super().__init__(encoder, Optimization(lambda groups, lr: torch.optim.SGD(groups, lr=lr), 1.0))
        self.is_split, self.rate = is_split, learning_rate
        self.seen: list[Tensor] = []
        self.register_buffer("direction", torch.linspace(-1, 1, encoder.feature_dim))

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=self.rate)

    def step(self, batch: ViewBatch) -> StepOutput:
        parts = batch.global_views if self.is_split else [torch.cat(batch.global_views)]
        outputs = [self.encoder(part) for part in parts]
        loss = torch.stack([(h * self.direction).sum() for h in outputs]).sum()
        h = torch.cat(outputs) if self.is_split else outputs[0]
        self.seen.append(h.detach().clone())
        return StepOutput(loss, h)


def fit(tmp_path: Path, method: Any, data: ImageDataModule, *callbacks: Any, **options: Any) -> pl.Trainer:
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    settings = {"max_epochs": 1, "accelerator": "cpu", "logger": False, **quiet, **options}
    trainer = pl.Trainer(default_root_dir=tmp_path, callbacks=list(callbacks), **settings)
    trainer.fit(method, datamodule=data)
    return trainer


@pytest.mark.usefixtures("_every_step")
@pytest.mark.parametrize("is_split", [False, True], ids=["one pass", "a pass for each view"])
@pytest.mark.parametrize("unit", ["raw", "gradient"])
def test_a_method_is_measured_as_by_hand(
    unit: str, is_split: bool, tmp_path: Path, encoder: Encoder, data: ImageDataModule
) -> None:
    method, callback = (
        Linear(encoder, is_split=is_split),
        QScoreRegularizer(weight=0.25, weight_unit=unit, epsilon=0.5, threshold=2.0),
    )
    trainer = fit(tmp_path, method, data, callback)
    assert callback.mined is not None
    by_hand = [
        (float(method.direction.norm()) * math.sqrt(len(h)), float(own.norm()))
        for h in method.seen
        for own in [term_gradient_by_hand(h, callback.mined.discriminative, 0.5, 2.0)]
    ]
    assert len(by_hand) == 4
    torch.testing.assert_close(torch.tensor(callback.weighing.norms), torch.tensor(by_hand), rtol=1e-4, atol=0)
    ratios = sorted(loss / own for loss, own in by_hand)
    expected = 0.25 * (ratios[1] + ratios[2]) / 2 if unit == "gradient" else 0.25
    assert callback.weighing.weight == pytest.approx(expected, rel=1e-4)
    assert trainer.callback_metrics["q_score/loss_gradient"] == pytest.approx(by_hand[-1][0], rel=1e-4)
    assert trainer.callback_metrics["q_score/term_gradient"] == pytest.approx(by_hand[-1][1], rel=1e-4)
    assert not encoder._forward_hooks


@pytest.mark.parametrize("is_manual", [False, True], ids=["automatic", "manual"])
@pytest.mark.parametrize("unit", ["raw", "gradient"])
@pytest.mark.parametrize("mode", MODES)
def test_a_stranger_is_measured_as_by_hand_in_every_mode(mode: str, unit: str, is_manual: bool, tmp_path: Path) -> None:
    """Neither the scaler nor accumulated batches, nor the term itself when it is strong, change what is found."""
    options = MODES[mode](pl)
    if is_manual and {"accumulate_grad_batches", "gradient_clip_val"} & options.keys():
        pytest.skip("Lightning has neither under manual optimization")
    callback = regularizer(weight=50.0 if unit == "raw" else 0.5, weight_unit=unit)
    trainer = train(pl, stranger(pl, is_manual=is_manual), tmp_path, callback, **options)
    loss, own = norms_by_hand(stranger(pl), *first_batch(), callback)
    tolerance = 0.05 if "bf16" in mode else 0.01 if "16" in mode else 1e-4
    assert callback.weighing.norms == [pytest.approx((loss, own), rel=tolerance)]
    expected = 0.5 * loss / own if unit == "gradient" else 50.0
    assert callback.weighing.weight == pytest.approx(expected, rel=2 * tolerance)
    assert trainer.callback_metrics["q_score/weight"] == pytest.approx(callback.weighing.weight)


@pytest.mark.parametrize("library", [pl, lightning.pytorch], ids=["pytorch_lightning", "lightning"])
def test_the_term_is_off_while_it_is_measured_and_then_has_the_weight_found(library: Any, tmp_path: Path) -> None:
    callback, module = regularizer(weight=0.5, weight_unit="gradient"), stranger(library)
    train(library, module, tmp_path, callback)
    own = term(callback)
    own.weight = 0.0
    twin = stranger(library, own)
    calls = iter([0.0, callback.weighing.weight, callback.weighing.weight])
    own.register_forward_pre_hook(lambda penalty, _: setattr(penalty, "weight", next(calls)))
    with pytest.warns(UserWarning, match="no `val_dataloader`"):
        train(library, twin, tmp_path, limit_val_batches=0)
    assert_same_weights(module, twin)


@pytest.mark.parametrize("formula", ["ratio", "centered"])
def test_afterwards_the_ratio_is_the_weight_whatever_the_formula(formula: str, tmp_path: Path) -> None:
    """Measured anew on an encoder that stands still; Q of the two formulas differs by a factor of about 5."""
    module = stranger(pl)
    module.configure_optimizers = lambda: torch.optim.SGD(module.parameters(), lr=0.0)
    callback = regularizer(weight=0.3, weight_unit="gradient", formula=formula, threshold=2.0, column_weight=0.0)
    train(pl, module, tmp_path, callback, data=loader(8), max_epochs=3)
    assert callback._penalty is not None
    x, labels = first_batch()
    h = module.backbone(x).detach().requires_grad_()
    (loss,) = torch.autograd.grad(nn.functional.cross_entropy(module.head(h), labels), h)
    (added,) = torch.autograd.grad(callback._penalty(h), h)
    assert float(added.norm() / loss.norm()) == pytest.approx(0.3, rel=1e-4)


@pytest.mark.usefixtures("_every_step")
def test_the_column_term_stays_raw_and_is_not_taken_for_the_loss(tmp_path: Path) -> None:
    callback = regularizer(weight=0.5, weight_unit="gradient", column_weight=3.0)
    train(pl, stranger(pl), tmp_path, callback)
    assert callback.weighing.norms[0] == pytest.approx(norms_by_hand(stranger(pl), *first_batch(), callback), rel=1e-3)


def test_what_the_encoder_returns_is_measured_through_the_selection(tmp_path: Path) -> None:
    """At a map, the mean over positions divides both gradients alike: the weight is that of the pooled encoder."""

    def mapped() -> Any:
        module = stranger(pl)
        module.backbone = module.backbone[:2]
        module.forward = lambda x: module.backbone(x).mean((2, 3))
        return module

    options = {"weight": 0.5, "weight_unit": "gradient"}
    pooled, of_map = regularizer(**options), regularizer(**options, representations=lambda output: output.mean((2, 3)))
    train(pl, stranger(pl), tmp_path, pooled)
    train(pl, mapped(), tmp_path, of_map)
    assert of_map.weighing.weight == pytest.approx(pooled.weighing.weight, rel=1e-4)
    assert of_map.weighing.norms[0][0] == pytest.approx(pooled.weighing.norms[0][0] / 8, rel=1e-4)  # of 64 positions


def test_a_head_that_works_in_place_does_not_hide_the_gradient(tmp_path: Path) -> None:
    def in_place(is_in_place: bool) -> Any:
        module = stranger(pl)

        def loss(batch: Any) -> Tensor:
            h = module.backbone(batch[0])
            return nn.functional.cross_entropy(module.head(h.mul_(-3.0) if is_in_place else h * -3.0), batch[1])

        module.loss = loss
        return module

    found = []
    for is_in_place in (False, True):
        callback = regularizer(weight=0.5, weight_unit="gradient")
        train(pl, in_place(is_in_place), tmp_path, callback)
        found += callback.weighing.norms
    assert found[1] == pytest.approx(found[0], rel=1e-5)


@pytest.mark.usefixtures("_every_step")
@pytest.mark.parametrize("unit", ["raw", "gradient"])
def test_a_resumed_run_goes_on_measuring_where_it_stopped(unit: str, tmp_path: Path) -> None:
    class Save(pl.Callback):
        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            trainer.save_checkpoint(tmp_path / f"{trainer.current_epoch}.ckpt")

    def begin() -> tuple[Any, QScoreRegularizer]:
        return stranger(pl), regularizer(weight=50.0 if unit == "raw" else 0.5, weight_unit=unit)

    whole, callback = begin()
    train(pl, whole, tmp_path, callback, Save(), data=loader(8), max_epochs=24)
    assert len(callback.weighing.norms) == 20
    for epoch in (1, 21):
        module, resumed = begin()
        train(pl, module, tmp_path, resumed, data=loader(8), max_epochs=24, resume=tmp_path / f"{epoch}.ckpt")
        assert resumed.weighing.state_dict() == callback.weighing.state_dict()
        assert_same_weights(module, whole)


def test_checkpoints_of_before_there_was_a_unit_are_loaded() -> None:
    callback = QScoreRegularizer(weight_unit="gradient")
    callback.load_state_dict({"mined": None, "histograms": []})
    assert not callback.weighing.is_done


@pytest.mark.parametrize("unit", ["raw", "gradient"])
def test_a_weight_of_zero_is_not_measured_and_changes_nothing(unit: str, tmp_path: Path) -> None:
    control, plain = stranger(pl), stranger(pl)
    trainer = train(pl, control, tmp_path, regularizer(weight=0.0, weight_unit=unit))
    train(pl, plain, tmp_path)
    for name, value in plain.state_dict().items():
        assert torch.equal(value, control.state_dict()[name]), name
    assert not (tmp_path / FILE).exists()
    assert trainer.callback_metrics["q_score/weight"] == 0


def test_measuring_changes_no_bit_of_a_raw_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured, unmeasured = stranger(pl), stranger(pl)
    train(pl, measured, tmp_path, regularizer())
    monkeypatch.setattr(weighing.Weighing, "is_done", True)
    train(pl, unmeasured, tmp_path, regularizer())
    for name, value in measured.state_dict().items():
        assert torch.equal(value, unmeasured.state_dict()[name]), name


@pytest.fixture
def warnings_of(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    with caplog.at_level(logging.WARNING):
        yield lambda: [record.getMessage() for record in caplog.records if "weighing" in record.name]


def test_a_raw_weight_without_effect_is_said_with_one_that_has(tmp_path: Path, warnings_of: Any) -> None:
    callback = regularizer(weight=1e-3)
    train(pl, stranger(pl), tmp_path, callback)
    loss, own = norms_by_hand(stranger(pl), *first_batch(), callback)
    (said,) = warnings_of()
    rule = "=" * 100
    assert said == (
        f"\n{rule}\n"
        "weight=0.001 (lambda) is without effect: over 1 steps, the norm of the weighted term's gradient at the "
        f"representations was {1e-3 * own / loss:.1e} of that of the loss's. For 0.01 take "
        f"weight={0.01 * loss / own:.3g}, or weight=0.01 with weight_unit=gradient."
        f"\n{rule}"
    )


@pytest.mark.parametrize("options", [{"weight": 50.0}, {"weight": 0.01, "weight_unit": "gradient"}])
def test_nothing_is_said_of_a_weight_that_has_an_effect(
    options: dict[str, Any], tmp_path: Path, warnings_of: Any
) -> None:
    callback = regularizer(**options)
    train(pl, stranger(pl), tmp_path, callback)
    assert not warnings_of()
    written = json.loads((tmp_path / FILE).read_text())
    (norms,) = callback.weighing.norms
    assert (written["loss_gradient"], written["term_gradient"]) == norms
    assert written["weight"] == callback.weighing.weight
    assert written["weight_of_equal_gradients"] == pytest.approx(norms[0] / norms[1])
    assert (written["num_steps"], written["num_steps_without_term_gradient"]) == (1, 0)
    asked, unit = options["weight"], options.get("weight_unit", "raw")
    assert (written["asked"], written["weight_unit"]) == (asked, unit)
    assert written["gradient_ratio"] == pytest.approx(asked if unit == "gradient" else asked * norms[1] / norms[0])


@pytest.mark.parametrize(("unit", "outcome"), [("raw", "without effect so far"), ("gradient", "NOT REGULARIZED")])
def test_a_term_without_gradient_is_said_loudly_and_stays_off(
    unit: str, outcome: str, tmp_path: Path, warnings_of: Any
) -> None:
    callback, module, plain = regularizer(threshold=-1.0, weight_unit=unit), stranger(pl), stranger(pl)
    trainer = train(pl, module, tmp_path, callback)
    train(pl, plain, tmp_path)
    (said,) = warnings_of()
    assert "In none of 1 steps had the Q-Score term a gradient" in said
    assert outcome in said
    assert_same_weights(module, plain)
    assert trainer.callback_metrics["q_score/weight"] == (50.0 if unit == "raw" else 0.0)
    assert json.loads((tmp_path / FILE).read_text())["gradient_ratio"] is None


def test_a_loss_that_does_not_use_the_encoder_is_said_loudly(tmp_path: Path, warnings_of: Any) -> None:
    module = stranger(pl)
    own_loss = module.loss
    module.loss = lambda batch: own_loss((batch[0].flip(3), batch[1])) + 0 * module.side(batch[0]).sum()
    module.side = nn.Sequential(nn.Conv2d(3, 24, 3), nn.AdaptiveAvgPool2d(1), nn.ReLU())
    callback = regularizer("side", weight_unit="gradient", epsilon="auto")
    train(pl, module, tmp_path, callback)
    (said,) = warnings_of()
    assert "did a gradient of the loss reach what the encoder returned" in said
    assert callback.weighing.weight == 0


@pytest.mark.usefixtures("_every_step")
def test_steps_that_the_gradient_scaler_skips_do_not_count(tmp_path: Path) -> None:
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**32, backoff_factor=2.0**-20)
    callback = regularizer(weight=0.5, weight_unit="gradient")
    plugins = [pl.plugins.MixedPrecision("16-mixed", "cpu", scaler)]
    train(pl, stranger(pl), tmp_path, callback, plugins=plugins)
    assert len(callback.weighing.norms) == 2
    assert callback.weighing.norms[0] == pytest.approx(
        norms_by_hand(stranger(pl), *list(loader())[1], callback), rel=0.01
    )


def test_steps_of_new_heads_are_waited_for(tmp_path: Path, encoder: Encoder, data: ImageDataModule) -> None:
    callback = QScoreRegularizer(weight=0.5, weight_unit="gradient", epsilon=0.5, threshold=2.0)
    method = Linear(encoder, is_split=False)
    fit(tmp_path, method, data, HeadWarmup(2), callback)
    assert callback.mined is not None
    own = term_gradient_by_hand(method.seen[2], callback.mined.discriminative, 0.5, 2.0)
    assert [norms[1] for norms in callback.weighing.norms] == [pytest.approx(float(own.norm()), rel=1e-4)]


@pytest.mark.parametrize(
    ("num_batches", "max_epochs", "max_steps", "expected"),
    [(14, 1, -1, 1), (14, 10, -1, 14), (400, 100, -1, 20), (400, 100, 30, 3), (math.inf, -1, -1, 20), (3, None, 60, 6)],
)
def test_a_tenth_of_a_short_training_is_measured(
    num_batches: float, max_epochs: int | None, max_steps: int, expected: int
) -> None:
    planned = SimpleNamespace(num_training_batches=num_batches, max_epochs=max_epochs, max_steps=max_steps)
    assert num_steps_of(planned) == expected


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(UserError, match=r"Unknown weight_unit 'gradients'. Did you mean 'gradient'\?"):
        QScoreRegularizer(weight_unit="gradients")


def test_steps_in_which_a_gradient_is_zero_are_left_out_of_the_median() -> None:
    weighed = Weighed(0.5, "gradient", [(1.0, 0.0), (6.0, 2.0), (0.0, 1.0), (5.0, 1.0), (1.0, 1.0)])
    assert (weighed.parity, weighed.weight, weighed.effect) == (3.0, 1.5, 0.5)
