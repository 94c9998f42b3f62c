"""The term under torch.compile: the encoder compiled alone, in place, or inside of something larger."""

import gc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightning.pytorch
import pytest
import pytorch_lightning
import torch
from torch._dynamo.utils import counters

from tests.regularizer.strangers import (
    assert_moved_by_the_term,
    assert_same_weights,
    images,
    regularizer,
    stranger,
    term,
    train,
)

BACKEND = "aot_eager"  # traces and differentiates like the default backend, without compiling any C++


def encoder_alone(module: Any) -> Any:
    module.backbone = torch.compile(module.backbone, backend=BACKEND)
    return module


def encoder_in_place(module: Any) -> Any:
    module.backbone.compile(backend=BACKEND, fullgraph=True)
    return module


def around_the_encoder(module: Any) -> Any:
    module.forward = torch.compile(module.forward, backend=BACKEND, fullgraph=True)
    return module


def loss_function(module: Any) -> Any:
    module.loss = torch.compile(module.loss, backend=BACKEND)
    return module


def whole_module(module: Any) -> Any:
    return torch.compile(module, backend=BACKEND)


COMPILED = {
    "encoder alone": (encoder_alone, "backbone"),
    "encoder alone, named inside": (encoder_alone, "backbone._orig_mod"),
    "encoder in place": (encoder_in_place, "backbone"),
    "forward around the encoder": (around_the_encoder, "backbone"),
    "loss around the encoder": (loss_function, "backbone"),
    "whole module": (whole_module, "backbone"),
}


@pytest.fixture(autouse=True)
def _forget_compiled_code() -> Iterator[None]:
    torch.compiler.reset()
    counters.clear()
    yield
    torch.compiler.reset()


@pytest.mark.parametrize("library", [pytorch_lightning, lightning.pytorch], ids=["pytorch_lightning", "lightning"])
@pytest.mark.parametrize(("compiled", "path"), COMPILED.values(), ids=COMPILED)
def test_the_term_equals_the_one_written_by_hand(
    library: Any, compiled: Callable[[Any], Any], path: str, tmp_path: Path
) -> None:
    callback, module = regularizer(path), compiled(stranger(library))
    train(library, module, tmp_path, callback, val_check_interval=1)
    twin, plain = stranger(library, term(callback)), stranger(library)
    for other in (twin, plain):
        train(library, other, tmp_path)
    assert counters["stats"]["unique_graphs"] > 0, "nothing was compiled"
    assert_same_weights(module, twin)
    assert_moved_by_the_term(module, plain)


@pytest.mark.parametrize("compiled", [encoder_in_place, around_the_encoder, loss_function])
def test_code_compiled_before_the_callback_came_does_not_hide_the_encoder(
    compiled: Callable[[Any], Any], tmp_path: Path
) -> None:
    """torch.compile leaves guards on hooks out, so such code would go on without the hook."""
    module, used = stranger(pytorch_lightning), regularizer()
    compiled(module)
    for _ in range(2):
        module.loss((images(8), torch.arange(8) % 2)).backward()
    train(pytorch_lightning, module, tmp_path, used)
    twin = stranger(pytorch_lightning, term(used))
    train(pytorch_lightning, twin, tmp_path)
    assert_same_weights(module, twin)


def test_compiled_code_forgets_the_callback_when_it_goes(tmp_path: Path) -> None:
    first, second = regularizer(), regularizer(weight=0.0)
    module = around_the_encoder(stranger(pytorch_lightning))
    train(pytorch_lightning, module, tmp_path, first)
    train(pytorch_lightning, module, tmp_path, second)
    train(pytorch_lightning, module, tmp_path)
    twin, plain = stranger(pytorch_lightning, term(first)), stranger(pytorch_lightning)
    train(pytorch_lightning, twin, tmp_path)
    plain.load_state_dict(twin.state_dict())
    for _ in range(2):
        train(pytorch_lightning, plain, tmp_path)
    assert_same_weights(module, plain)
    assert sum(second.histograms.closed[0]["counts"]) == 24


def test_compiled_code_does_not_keep_the_callback_alive(tmp_path: Path) -> None:
    callback, module = regularizer(), around_the_encoder(stranger(pytorch_lightning))
    train(pytorch_lightning, module, tmp_path, callback)
    penalty = weakref.ref(callback._penalty)
    del callback
    module._trainer = None
    gc.collect()
    assert penalty() is None


@pytest.mark.parametrize("compiled", [encoder_in_place, around_the_encoder])
def test_many_crops_neither_break_nor_multiply_the_compiled_code(
    compiled: Callable[[Any], Any], tmp_path: Path
) -> None:
    """Ten crops of two sizes a step, compiled with fullgraph=True, which makes a break or a ninth graph fatal."""

    def cropped(by_hand: Any = None) -> Any:
        module = stranger(pytorch_lightning)

        def loss(batch: Any) -> Any:
            x, labels = batch
            crops = [x[..., : 10 - 2 * (i % 2), : 10 - 2 * (i % 2)] + i / 10 for i in range(10)]
            h = torch.cat([module(crop) for crop in crops])
            own = by_hand(h) if by_hand else 0.0
            return torch.nn.functional.cross_entropy(module.head(h), labels.repeat(10)) + own

        module.loss = loss
        return module

    callback, module = regularizer(), compiled(cropped())
    train(pytorch_lightning, module, tmp_path, callback)
    assert sum(callback.histograms.closed[0]["counts"]) == 240
    twin = cropped(term(callback))
    train(pytorch_lightning, twin, tmp_path)
    assert_same_weights(module, twin)


def test_paths_pass_through_compiled_modules(tmp_path: Path) -> None:
    """In `model = torch.compile(Sequential)` the encoder is "model.0", or "model._orig_mod.0"."""

    def nested(by_hand: Any = None) -> Any:
        module = stranger(pytorch_lightning, by_hand)
        module.backbone = torch.compile(torch.nn.Sequential(module.backbone, torch.nn.Identity()), backend=BACKEND)
        return module

    for path in ("backbone._orig_mod.0", "backbone.0"):
        callback, module = regularizer(path), nested()
        train(pytorch_lightning, module, tmp_path, callback)
        twin = nested(term(callback))
        train(pytorch_lightning, twin, tmp_path)
        assert_same_weights(module, twin)


@pytest.mark.parametrize(("compiled", "path"), COMPILED.values(), ids=COMPILED)
def test_a_weight_of_the_gradient_is_that_of_the_module_before_it_was_compiled(
    compiled: Callable[[Any], Any], path: str, tmp_path: Path
) -> None:
    options = {"weight": 0.5, "weight_unit": "gradient"}
    plain, callback = regularizer(**options), regularizer(path, **options)
    expected, module = stranger(pytorch_lightning), compiled(stranger(pytorch_lightning))
    train(pytorch_lightning, expected, tmp_path, plain)
    train(pytorch_lightning, module, tmp_path, callback)
    assert callback.weighing.weight == pytest.approx(plain.weighing.weight, rel=1e-5)
    assert counters["stats"]["unique_graphs"] > 0, "nothing was compiled afterwards"
    assert_same_weights(module, expected)
