"""What encoders return, read as representations or refused with what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from qscore.errors import UserError
from qscore.regularizer.outputs import read_representations
from tests.regularizer.strangers import assert_same_weights, backbone, regularizer, stranger, term, train

MAP, TOKENS = torch.rand(8, 24, 3, 3), torch.rand(8, 5, 24)


@pytest.mark.parametrize("shape", [(8, 24), (8, 24, 1, 1), (8, 1, 24), (1, 24), (8, 1)])
def test_one_vector_a_sample_is_taken(shape: tuple[int, ...]) -> None:
    h = torch.rand(shape)
    assert torch.equal(read_representations(h), h.reshape(shape[0], -1))


@pytest.mark.parametrize(
    ("output", "got", "advice"),
    [
        (MAP, r"tensor of shape \(8, 24, 3, 3\)", r"output.mean\(\(2, 3\)\)"),
        (TOKENS, r"tensor of shape \(8, 5, 24\)", r"output\[:, 0\]"),
        (torch.rand(8), r"tensor of shape \(8,\)", "output"),
        ((MAP, TOKENS), "tuple of 2", r"output\[0\]"),
        ({"map": MAP, "pooled": TOKENS}, "dict with map, pooled", r'output\["map"\]'),
        (None, "NoneType", "output.NAME"),
    ],
    ids=["map", "tokens", "vector", "tuple", "mapping", "nothing"],
)
def test_anything_else_is_refused_with_what_to_do(output: Any, got: str, advice: str) -> None:
    with pytest.raises(UserError, match=f"(?s)got a {got}.*representations=lambda output: {advice}"):
        read_representations(output)


def test_what_is_selected_is_checked_as_well() -> None:
    with pytest.raises(UserError, match=r"Expected representations= to return one vector.*\(8, 24, 3, 3\)"):
        read_representations({"map": MAP}, lambda output: output["map"])


class Returning(nn.Module):
    """A backbone that returns something else than one vector for each sample."""

    def __init__(self, shown: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.layers, self.shown = backbone()[:2], shown

    def forward(self, x: Tensor) -> Any:
        return self.shown(self.layers(x))


OUTPUTS: dict[str, tuple[Callable[[Tensor], Any], Callable[[Any], Tensor]]] = {
    "map": (lambda h: h, lambda output: output.mean((2, 3))),
    "tokens": (lambda h: h.flatten(2).transpose(1, 2), lambda output: output.mean(1)),
    "tuple": (lambda h: (h, h.mean((2, 3))), lambda output: output[1]),
    "mapping": (lambda h: {"last": h, "pooled": h.mean((2, 3))}, lambda output: output["pooled"]),
}


def returning(shown: Callable[[Tensor], Any], select: Callable[[Any], Tensor], own: Any = None) -> Any:
    module = stranger(pl, own)
    module.backbone = Returning(shown)
    module.forward = lambda x: select(module.backbone(x))
    return module


@pytest.mark.parametrize("kind", OUTPUTS)
def test_the_term_equals_the_one_written_by_hand(kind: str, tmp_path: Path) -> None:
    shown, select = OUTPUTS[kind]
    callback, module = regularizer(representations=select), returning(shown, select)
    train(pl, module, tmp_path, callback)
    twin = returning(shown, select, term(callback))
    train(pl, twin, tmp_path)
    assert callback.mined is not None
    assert len(callback.mined.discriminative) == 24
    assert_same_weights(module, twin)


@pytest.mark.parametrize("kind", OUTPUTS)
def test_mining_refuses_at_once_what_it_cannot_read(kind: str, tmp_path: Path) -> None:
    shown, select = OUTPUTS[kind]
    module = returning(shown, select)
    with pytest.raises(UserError, match="one vector for each sample"):
        train(pl, module, tmp_path, regularizer())
    assert "training_step" not in vars(module)


def test_a_part_without_parameters_is_no_encoder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'backbone\.2' to be the encoder.*AdaptiveAvgPool2d without parameters"):
        train(pl, stranger(pl), tmp_path, regularizer("backbone.2"))


def test_a_step_that_returns_no_loss_is_explained(tmp_path: Path) -> None:
    module = stranger(pl)
    module.training_step = lambda batch: {"objective": module.loss(batch)}
    with pytest.raises(UserError, match="mapping with a 'loss', got dict"):
        train(pl, module, tmp_path, regularizer())


def test_a_method_of_the_encoder_goes_unseen_and_the_error_says_so(tmp_path: Path) -> None:
    module = stranger(pl)
    module.forward = lambda x: module.backbone.forward(x)
    with pytest.raises(UserError, match="a call of one of its methods goes unseen"):
        train(pl, module, tmp_path, regularizer())


def test_a_step_may_be_skipped(tmp_path: Path) -> None:
    module = stranger(pl)
    steps = iter([module.loss, lambda batch: None, module.loss])
    module.training_step = lambda batch: next(steps)(batch)
    callback = regularizer()
    with pytest.warns(UserWarning, match="`training_step` returned `None`"):
        train(pl, module, tmp_path, callback)
    assert sum(callback.histograms.closed[0]["counts"]) == 16
