import copy
import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from qscore import QScoreRegularizer, dominant_features, extract, q_score
from qscore.data import ImageDataModule
from qscore.encoders import Encoder
from qscore.errors import UserError
from qscore.methods import Optimization, SimCLR
from qscore.regularizer.callback import MINED_FILE
from qscore.regularizer.histograms import FILE
from qscore.regularizer.seen import Seen
from qscore.score import cached_representations, load_representations

MakeEncoder = Callable[..., Encoder]


def simclr(encoder: Encoder) -> SimCLR:
    return SimCLR(encoder, Optimization(_sgd, learning_rate=0.1), projection_dim=16)


def _sgd(groups: object, lr: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=lr, momentum=0.9)  # type: ignore[arg-type]


def fit(
    tmp_path: Path,
    method: pl.LightningModule,
    data: ImageDataModule,
    *callbacks: pl.Callback,
    epochs: int = 1,
    **options: object,
) -> pl.Trainer:
    ckpt_path = options.pop("ckpt_path", None)
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=options.pop("logger", False),
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=any(isinstance(c, ModelCheckpoint) for c in callbacks),
        default_root_dir=tmp_path,
        callbacks=list(callbacks),
        **options,  # type: ignore[arg-type]
    )
    trainer.fit(method, datamodule=data, ckpt_path=ckpt_path)  # type: ignore[arg-type]
    return trainer


def trained(tmp_path: Path, make_encoder: MakeEncoder, data: ImageDataModule, *callbacks: pl.Callback) -> SimCLR:
    pl.seed_everything(3, verbose=False)
    method = simclr(make_encoder())
    fit(tmp_path, method, data, *callbacks, epochs=2)
    return method


def test_weight_zero_is_bit_identical_to_no_callback(
    tmp_path: Path, make_encoder: MakeEncoder, data: ImageDataModule
) -> None:
    plain = trained(tmp_path, make_encoder, data)
    control = trained(tmp_path, make_encoder, data, QScoreRegularizer(weight=0, epsilon=1.5))
    regularized = trained(tmp_path, make_encoder, data, QScoreRegularizer(weight=10.0, epsilon=1.5))
    assert plain.state_dict().keys() == control.state_dict().keys()
    for name, value in plain.state_dict().items():
        assert torch.equal(value, control.state_dict()[name]), name
    assert not torch.equal(plain.encoder.network.conv1.weight, regularized.encoder.network.conv1.weight)


def test_features_are_mined_from_plain_images_in_eval_mode(
    tmp_path: Path, encoder: Encoder, data: ImageDataModule
) -> None:
    h = extract(encoder, data.plain_loader("pretrain")).h
    callback = QScoreRegularizer(epsilon=1.5)
    fit(tmp_path, simclr(encoder), data, callback)
    assert callback.mined is not None
    assert torch.equal(callback.mined.counts, dominant_features(h, 1.5).sum(0))
    q = q_score(h, callback.mined.discriminative, 1.5)
    assert callback.mined.threshold == pytest.approx(float(q.mean()), rel=1e-5)
    assert callback.mined.num_samples == 128
    assert encoder.training

    written = json.loads((tmp_path / MINED_FILE).read_text())
    assert written["features"] == callback.mined.discriminative.nonzero().flatten().tolist()
    assert written["num_features"] == 32


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [({"quantile": 0.25}, lambda q: float(q.quantile(0.25))), (0.02, lambda q: 0.02), ("batch_mean", None)],
)
def test_threshold_rules(
    threshold: object,
    expected: Callable[[torch.Tensor], float] | None,
    tmp_path: Path,
    encoder: Encoder,
    data: ImageDataModule,
) -> None:
    h = extract(encoder, data.plain_loader("pretrain")).h
    callback = QScoreRegularizer(epsilon=1.5, threshold=threshold)  # type: ignore[arg-type]
    fit(tmp_path, simclr(encoder), data, callback)
    assert callback.mined is not None
    if expected is None:
        assert callback.mined.threshold == "batch_mean"
    else:
        q = q_score(h, callback.mined.discriminative, 1.5)
        assert callback.mined.threshold == pytest.approx(expected(q), rel=1e-5)


def test_everything_is_logged(tmp_path: Path, encoder: Encoder, data: ImageDataModule) -> None:
    trainer = fit(tmp_path, simclr(encoder), data, QScoreRegularizer(epsilon=1.5), epochs=2)
    names = {"q_score/term", "q_score/mean", "q_score/share_below", "q_score/share_empty", "train/loss"}
    assert names <= trainer.callback_metrics.keys()
    assert 0 <= trainer.callback_metrics["q_score/share_below"] <= 1
    assert trainer.callback_metrics["q_score/term"] <= 0
    histograms = json.loads((tmp_path / FILE).read_text())
    assert [entry["epoch"] for entry in histograms] == [0, 1]
    assert all(sum(entry["counts"]) == 2 * 128 for entry in histograms)


def test_mostly_empty_sets_are_said_loudly_with_a_better_epsilon(
    tmp_path: Path, encoder: Encoder, data: ImageDataModule, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        fit(tmp_path, simclr(encoder), data, QScoreRegularizer(epsilon=4.0))
    assert "At epsilon=4," in caplog.text
    assert "epsilon=auto" in caplog.text

    caplog.clear()
    automatic = QScoreRegularizer(epsilon="auto")
    with caplog.at_level(logging.WARNING):
        fit(tmp_path, simclr(encoder), data, automatic)
    assert automatic.mined is not None
    assert automatic.mined.share_empty <= 0.07  # 5 % of a shuffled copy, up to rounding
    assert "empty" not in caplog.text


def test_mining_again_follows_the_schedule(tmp_path: Path, encoder: Encoder, data: ImageDataModule) -> None:
    callback = QScoreRegularizer(epsilon=1.5, mine_every_n_epochs=2)
    fit(tmp_path, simclr(encoder), data, callback, epochs=4)
    assert callback.mined is not None
    assert callback.mined.epoch == 2


def test_a_resumed_run_keeps_its_features_and_ends_with_the_weights_of_an_undisturbed_one(
    tmp_path: Path, make_encoder: MakeEncoder, data: ImageDataModule
) -> None:
    def begin() -> tuple[SimCLR, QScoreRegularizer]:
        pl.seed_everything(3, verbose=False)
        return simclr(make_encoder()), QScoreRegularizer(epsilon=1.5, weight=5.0)

    whole, whole_callback = begin()
    fit(tmp_path / "whole", whole, data, whole_callback, epochs=3)

    first, first_callback = begin()
    keeper = ModelCheckpoint(tmp_path / "kept", "last")
    fit(tmp_path / "half", first, data, first_callback, keeper, _StopAfter(2), epochs=3)
    second, second_callback = begin()
    trainer = fit(
        tmp_path / "half", second, data, second_callback, keeper, epochs=3, ckpt_path=tmp_path / "kept" / "last.ckpt"
    )
    assert second_callback.mined is not None
    assert whole_callback.mined is not None
    assert torch.equal(second_callback.mined.discriminative, whole_callback.mined.discriminative)
    assert second_callback.mined.threshold == whole_callback.mined.threshold
    assert len(second_callback.histograms.closed) == 3
    assert trainer.global_step == 12
    for name, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


class _StopAfter(pl.Callback):
    """Ends a run early without touching `max_epochs`, which the learning rate depends on."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        trainer.should_stop = trainer.current_epoch + 1 >= self.epochs


def test_the_method_is_left_as_it_was(tmp_path: Path, encoder: Encoder, data: ImageDataModule) -> None:
    method = simclr(encoder)
    fit(tmp_path, method, data, QScoreRegularizer(epsilon=1.5))
    assert len(method.penalties) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epsilon": "large"}, "'auto'"),
        ({"threshold": "mean"}, "Did you mean 'batch_mean'|Known: .*mined_mean"),
        ({"threshold": {"percentile": 0.3}}, "quantile"),
        ({"threshold": {"quantile": 2.0}}, "quantile"),
        ({"epsilon": -3.0}, "at least 0"),
        ({"lower": 0.9, "upper": 0.1}, "lower"),
        ({"formula": "ration"}, "ratio"),
    ],
)
def test_nonsense_is_refused_at_once(options: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        QScoreRegularizer(**options)  # type: ignore[arg-type]


def test_a_missing_encoder_is_named_with_what_there_is(tmp_path: Path, encoder: Encoder, data: ImageDataModule) -> None:
    with pytest.raises(UserError, match=r"'backbone' in SimCLR, which has: encoder, penalties, projection_head"):
        fit(tmp_path, simclr(encoder), data, QScoreRegularizer(encoder="backbone"))


def test_images_to_mine_from_can_be_given(encoder: Encoder, data: ImageDataModule, tmp_path: Path) -> None:
    given = QScoreRegularizer(epsilon=1.5, images=data.plain_loader("test"))
    fit(tmp_path, simclr(encoder), data, given)
    assert given.mined is not None
    assert given.mined.num_samples == 64


def test_a_collapsed_encoder_cannot_be_mined_automatically(encoder: Encoder, data: ImageDataModule) -> None:
    for parameter in encoder.parameters():
        parameter.data.zero_()
    callback = QScoreRegularizer(epsilon="auto")
    with pytest.raises(UserError, match="collapsed"):
        callback.miner.mine(Seen(extract(encoder, data.plain_loader("test")).h))


def test_what_is_mined_from_is_what_an_evaluation_reads(
    encoder: Encoder, data: ImageDataModule, tmp_path: Path
) -> None:
    before, plain, cached = copy.deepcopy(encoder), QScoreRegularizer(epsilon=1.5), QScoreRegularizer(epsilon=1.5)
    fit(tmp_path, simclr(copy.deepcopy(encoder)), data, plain)
    cached.cache = tmp_path / "cache"
    fit(tmp_path, simclr(encoder), data, cached, epochs=2)
    assert plain.mined is not None
    assert cached.mined is not None
    assert torch.equal(plain.mined.counts, cached.mined.counts)
    assert plain.mined.threshold == cached.mined.threshold
    before.register_forward_pre_hook(lambda *_: pytest.fail("encoded again"))
    found = cached_representations(before, data, "train", cached.cache)
    assert torch.equal(dominant_features(found.h, 1.5).sum(0), cached.mined.counts)


def test_features_mined_again_come_from_the_trained_encoder(
    encoder: Encoder, data: ImageDataModule, tmp_path: Path
) -> None:
    callback = QScoreRegularizer(epsilon=1.5, mine_every_n_epochs=1)
    callback.cache = tmp_path / "cache"
    fit(tmp_path, simclr(encoder), data, callback, epochs=2)
    assert callback.mined is not None
    assert callback.mined.epoch == 1
    assert len(list(callback.cache.glob("*.safetensors"))) == 1
    first = load_representations(next(callback.cache.glob("*.safetensors")))
    assert not torch.equal(dominant_features(first.h, 1.5).sum(0), callback.mined.counts)
