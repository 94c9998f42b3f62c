"""Overrides on the command line of `train.py`, as far as everything is built and nothing is trained."""

import os
from pathlib import Path
from random import Random

import numpy as np
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from qscore.application.build import build_callbacks, build_data, build_encoder, build_method, build_trainer, plain
from qscore.application.command_line import expand_shortcuts
from qscore.application.evaluate import answerable
from qscore.application.mistakes import as_mistake
from qscore.application.run_directory import RunDirectory
from qscore.application.speed import settle_precision
from qscore.application.sweeps import check_sweep
from qscore.errors import UserError
from tests.bad_input.spoiling import BYTES
from tests.bad_input.trying import Target
from tests.conftest import REPOSITORY

CONF = REPOSITORY / "conf"
BASE = ("experiment=quickstart", "encoder.width=0.0625", "data=FOLDER/images.npz", "num_workers=0", "evaluation=knn")
KEYS = (
    *("lambda", "epsilon", "alpha", "formula", "seed", "epochs", "batch_size", "precision", "head_warmup_steps"),
    *("weight_unit", "num_workers", "pretrain_epochs", "device_budget_gb", "probe_budget_gb", "channels_last"),
    *("data.image_size", "data.crop_fraction", "data.mean", "data.std", "data.stem", "data.scale", "data.views_on"),
    *("data.hue", "data.source.images", "data.source.labels", "data.source.split_by", "data.source.test_fraction"),
    *("data.source.path", "data.local_crop_size", "encoder.width", "encoder.architecture", "encoder.stem"),
    *("+encoder.options", "encoder.mean", "guard.num_images", "guard.knn_margin", "guard.rank_margin", "guard.on_fall"),
    *("scoring.lower", "scoring.upper", "regularizer.column_weight", "regularizer.mine_every_n_epochs", "method"),
    *("data", "encoder", "evaluation", "guard", "logger", "trainer", "trainer.devices", "trainer.strategy"),
    *("trainer.accelerator", "trainer.num_nodes", "trainer.log_every_n_steps", "trainer.gradient_clip_val"),
    *("method.small.module.temperature", "method.small.module.projection_dim", "method.small.optimization.base_lr"),
    *("method.small.optimization.warmup_epochs", "method.small.views.hf_prob", "method.small.views.cj_prob"),
    *("evaluation.knn.k", "+evaluation.knn.x", "concepts", "captions", "checkpoint.layout", "resume", "lambada"),
    *("method.small.views.min_scale", "logger.kind", "hydra.run.dir", "experiment", "objective", "+x.y.z", "run_dir"),
)
VALUES = (
    *("-1", "0", "1", "2", "0.5", "1e300", "1e-300", "nan", "inf", "-inf", "true", "null", "''", "x", "[]", "{}"),
    *("99999999999999999999", "[1,2]", "[0,0,0]", "[a,b,c]", "[nan,0,0]", "{a: 1}", "{quantile: 2}", "{quantile: x}"),
    *(
        "ä",
        "日本語",
        "'\\''",
        "${seed}",
        "${x}",
        "${oc.env:HOME}",
        "${a:b}",
        "${",
        "???",
        "'\x00'",
        "\ud800",
        "x" * 3000,
    ),
    *("../../etc", "/dev/null", "none", "auto", "all", "cpu", "gpu", "ddp", "16-mixed", "timm/vit_tiny_patch16_224"),
    *("a=b", "[[[[", "}", "a,b", "range(1,9)", "1_000", "0x10", "1.0", "resnet18", "resnet50", "byol", "imagenet"),
    *("dino", "swav", "yiq", "device", "stl", "images", "labels", "-0.0", "ratio", "soft", "stop"),
)


def overrides(data: bytes, chance: Random) -> bytes:
    """One more option with one of the values that people mistype."""
    value = chance.choice(VALUES).encode("utf-8", "surrogatepass")
    return data + b"\n" + chance.choice(KEYS).encode() + chance.choice((b"=", b"=", b"=", b"=", b"", b"==")) + value


def write(folder: Path) -> None:
    (folder / "overrides.txt").write_text("\n".join(BASE))
    images = np.arange(160 * 12 * 12, dtype=np.uint8).reshape(160, 12, 12)
    np.savez(folder / "images.npz", images=images, labels=np.arange(160) % 4)


def read(folder: Path) -> object:
    text = (folder / "overrides.txt").read_bytes().decode("utf-8", "surrogateescape").replace("FOLDER", str(folder))
    here = os.getcwd()
    os.chdir(folder)
    try:
        return built(text.split("\n"), folder)
    except (UserError, HydraException, OmegaConfBaseException) as error:
        said = as_mistake(error, "train")
        if said is None:
            raise
        raise UserError(said) from error
    finally:
        os.chdir(here)


def built(arguments: list[str], folder: Path) -> object:
    """What `train.py` makes before it trains."""
    known = [path.stem for path in CONF.glob("data/*.yaml")]
    expanded = expand_shortcuts([argument for argument in arguments if argument], "train", known_data=known)
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        cfg = compose("train", expanded, return_hydra_config=True)
    HydraConfig.instance().set_config(cfg)
    OmegaConf.set_readonly(cfg.hydra, False)
    cfg = DictConfig(
        {name: node for name, node in cfg.items_ex(resolve=False) if name != "hydra"}, flags={"struct": True}
    )
    settle_precision(cfg)
    plain(cfg)
    callbacks = build_callbacks(cfg)
    data = build_data(cfg)
    cfg.evaluation = answerable(cfg.evaluation, data)
    check_sweep(cfg)
    method = build_method(cfg, build_encoder(cfg))
    method.encoder.check_image_size(cfg.data.image_size)
    batches = len(data.source("pretrain")) // cfg.batch_size
    run = RunDirectory(folder / "run")
    return build_trainer(cfg, run, epochs=cfg.epochs, num_batches=batches, loggers=[], callbacks=callbacks)


TARGETS = [Target("options", write, read, {"overrides.txt": (*[overrides] * 12, *BYTES)})]
