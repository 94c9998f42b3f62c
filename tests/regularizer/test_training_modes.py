"""The term equals the one written by hand whatever the trainer does around it."""

import copy
from pathlib import Path
from typing import Any

import lightning.pytorch
import lightning.pytorch.plugins
import pytest
import pytorch_lightning
import pytorch_lightning.plugins
import torch
from torch.utils.checkpoint import checkpoint, set_checkpoint_early_stop

from tests.regularizer.strangers import (
    assert_moved_by_the_term,
    assert_same_weights,
    loader,
    regularizer,
    stranger,
    term,
    train,
)

LIBRARIES = pytest.mark.parametrize(
    "library", [pytorch_lightning, lightning.pytorch], ids=["pytorch_lightning", "lightning"]
)


def half(library: Any) -> dict[str, Any]:
    """16-mixed with its gradient scaler; the trainer refuses the flag on CPUs, but takes the plug-in behind it."""
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=2)
    return {"plugins": [library.plugins.MixedPrecision("16-mixed", "cpu", scaler)]}


MODES = {
    "32-true": lambda library: {},
    "bf16-mixed": lambda library: {"precision": "bf16-mixed"},
    "bf16-true": lambda library: {"precision": "bf16-true"},
    "64-true": lambda library: {"precision": "64-true"},
    "16-mixed": half,
    "16-mixed, clipped": lambda library: {**half(library), "gradient_clip_val": 0.05},
    "accumulated, clipped by value": lambda library: {
        "accumulate_grad_batches": 2,
        "gradient_clip_val": 0.01,
        "gradient_clip_algorithm": "value",
    },
    "16-mixed, accumulated": lambda library: {**half(library), "accumulate_grad_batches": 3},
    "validation in between": lambda library: {"val_check_interval": 1, "limit_val_batches": 2},
}


@LIBRARIES
@pytest.mark.parametrize("mode", MODES)
def test_the_term_equals_the_one_written_by_hand(library: Any, mode: str, tmp_path: Path) -> None:
    callback, module = regularizer(), stranger(library)
    trainer = train(library, module, tmp_path, callback, **MODES[mode](library))
    twin, plain = stranger(library, term(callback)), stranger(library)
    train(library, twin, tmp_path, **MODES[mode](library))
    train(library, plain, tmp_path, **MODES[mode](library))
    assert_same_weights(module, twin)
    if "clipped" not in mode:
        assert_moved_by_the_term(module, plain)
    assert trainer.global_step > 0


@LIBRARIES
@pytest.mark.parametrize("mode", ["32-true", "16-mixed", "bf16-mixed", "validation in between"])
def test_manual_optimization_too(library: Any, mode: str, tmp_path: Path) -> None:
    callback, module = regularizer(), stranger(library, is_manual=True)
    train(library, module, tmp_path, callback, **MODES[mode](library))
    twin, plain = stranger(library, term(callback), is_manual=True), stranger(library, is_manual=True)
    train(library, twin, tmp_path, **MODES[mode](library))
    train(library, plain, tmp_path, **MODES[mode](library))
    assert_same_weights(module, twin)
    assert_moved_by_the_term(module, plain)


def test_the_scaler_really_scaled(tmp_path: Path) -> None:
    callback, module = regularizer(), stranger(pytorch_lightning)
    trainer = train(pytorch_lightning, module, tmp_path, callback, **half(pytorch_lightning))
    assert trainer.scaler.get_scale() == 2048  # three good steps, one growth
    assert trainer.precision == "16-mixed"


def test_validation_neither_collects_nor_counts(tmp_path: Path) -> None:
    """Whatever the validation loop runs through the encoder, the statistics are those of the training batches."""
    seen = []

    class Watch(pytorch_lightning.Callback):
        def on_validation_batch_end(self, *_: object) -> None:
            assert callback._attachment is not None
            seen.append(callback._attachment._outputs)

    callback, module = regularizer(), stranger(pytorch_lightning)
    trainer = train(pytorch_lightning, module, tmp_path, callback, Watch(), val_check_interval=1)
    assert seen == [()] * len(seen)
    assert len(seen) >= 9
    assert sum(callback.histograms.closed[0]["counts"]) == 24
    assert "val/loss" in trainer.callback_metrics
    assert module.validation_step.__func__ is type(module).validation_step


def test_gradients_of_a_checkpointed_encoder_count_once(tmp_path: Path) -> None:
    """Activation checkpointing calls the encoder a second time, in the first of two backward passes of a step."""

    def checkpointed(by_hand: Any = None) -> Any:
        module = stranger(pytorch_lightning, by_hand, is_manual=True)

        def training_step(batch: Any) -> None:
            optimizer = module.optimizers()
            optimizer.zero_grad()
            module.manual_backward(module.loss(batch))
            module.manual_backward(module.head.weight.square().mean())
            optimizer.step()

        def forward(x: torch.Tensor) -> torch.Tensor:
            with set_checkpoint_early_stop(False):  # as when something behind the encoder is recomputed as well
                return checkpoint(module.backbone, x, use_reentrant=False)  # type: ignore[no-any-return]

        module.forward = forward
        module.training_step = training_step
        return module

    callback, module = regularizer(), checkpointed()
    train(pytorch_lightning, module, tmp_path, callback)
    twin = checkpointed(term(callback))
    train(pytorch_lightning, twin, tmp_path)
    assert_same_weights(module, twin)
    assert sum(callback.histograms.closed[0]["counts"]) == 24


def test_a_head_that_works_in_place_does_not_change_what_is_regularized(tmp_path: Path) -> None:
    def in_place(by_hand: Any = None) -> Any:
        module = stranger(pytorch_lightning)

        def loss(batch: Any) -> Any:
            h = module.backbone(batch[0])
            own = by_hand(h.clone()) if by_hand else 0.0
            return torch.nn.functional.cross_entropy(module.head(h.mul_(-3.0)), batch[1]) + own

        module.loss = loss
        return module

    callback, module = regularizer(), in_place()
    train(pytorch_lightning, module, tmp_path, callback)
    twin = in_place(term(callback))
    train(pytorch_lightning, twin, tmp_path)
    assert_same_weights(module, twin)


def test_a_teacher_copied_during_training_is_not_regularized(tmp_path: Path) -> None:
    def with_teacher(by_hand: Any = None) -> Any:
        module = stranger(pytorch_lightning, by_hand)
        own_loss = module.loss

        def on_train_start() -> None:
            module.teacher = copy.deepcopy(module.backbone)

        def loss(batch: Any) -> Any:
            assert all(hook.__self__._module is module for hook in module.teacher._forward_hooks.values())
            return own_loss(batch) + module.teacher(batch[0]).square().mean()

        module.on_train_start, module.training_step = on_train_start, lambda batch: loss(batch)
        return module

    callback, module = regularizer(), with_teacher()
    train(pytorch_lightning, module, tmp_path, callback)
    assert not module.teacher._forward_hooks
    twin = with_teacher(term(callback))
    train(pytorch_lightning, twin, tmp_path)
    assert_same_weights(module, twin)
    assert sum(callback.histograms.closed[0]["counts"]) == 24


@LIBRARIES
def test_a_stranger_resumes_with_its_features(library: Any, tmp_path: Path) -> None:
    whole, callback = stranger(library), regularizer(threshold="mined_mean")
    train(library, whole, tmp_path, callback, max_epochs=2)
    first, second = stranger(library), stranger(library)
    trainer = train(library, first, tmp_path, regularizer(threshold="mined_mean"))
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    resumed = regularizer(threshold="mined_mean", images=[])  # nothing to mine from: it must not mine
    train(library, second, tmp_path, resumed, max_epochs=2, resume=tmp_path / "half.ckpt")
    assert_same_weights(second, whole)
    assert len(resumed.histograms.closed) == 2


def test_a_second_fit_regularizes_again_and_keeps_the_features(tmp_path: Path) -> None:
    callback, module = regularizer(), stranger(pytorch_lightning)
    train(pytorch_lightning, module, tmp_path, callback)
    mined = callback.mined
    train(pytorch_lightning, module, tmp_path, callback)
    twin = stranger(pytorch_lightning, term(callback))
    for _ in range(2):
        train(pytorch_lightning, twin, tmp_path)
    assert callback.mined is mined
    assert_same_weights(module, twin)


def test_mining_again_replaces_the_term_in_place(tmp_path: Path) -> None:
    terms = []

    class Watch(pytorch_lightning.Callback):
        def on_train_batch_end(self, *_: object) -> None:
            assert callback._attachment is not None
            terms.append((id(callback._attachment), callback._attachment.penalty))

    callback, module = regularizer(mine_every_n_epochs=1), stranger(pytorch_lightning)
    train(pytorch_lightning, module, tmp_path, callback, Watch(), max_epochs=2, data=loader(8))
    (first, old), (second, new) = terms
    assert first == second
    assert old is not new
    assert new is callback._penalty
