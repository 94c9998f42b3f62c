"""Every YAML composes, and what it names can be built."""

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from PIL import Image

from qscore.encoders import Encoder
from tests.conftest import REPOSITORY

CONF = REPOSITORY / "conf"


def names(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def composed(*overrides: str, config: str = "train") -> DictConfig:
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        return compose(config, list(overrides))


@pytest.mark.parametrize(
    "group", ["data", "encoder", "method", "regularizer", "guard", "watch", "evaluation", "trainer", "logger"]
)
def test_every_choice_composes_and_resolves(group: str) -> None:
    assert names(group)
    for name in names(group):
        extra = ["data.source.path=x.npz"] if name == "npz" else []
        cfg = composed(f"{group}={name}", *extra)
        del cfg.run_dir, cfg.sweep_dir  # these ask for the time, which Hydra knows only in a job
        OmegaConf.to_container(cfg, resolve=True)


@pytest.mark.parametrize("experiment", names("experiment"))
def test_every_experiment_composes(experiment: str) -> None:
    assert composed(f"experiment={experiment}").epochs > 0


@pytest.mark.parametrize("name", names("encoder"))
def test_every_encoder_is_built(name: str) -> None:
    narrow = ["encoder.width=0.125"] if name.startswith("resnet") else []
    encoder = instantiate(composed(f"encoder={name}", *narrow).encoder, _convert_="all")
    assert isinstance(encoder, Encoder)
    assert encoder.eval()(torch.rand(1, 3, 32, 32)).shape == (1, encoder.feature_dim)


@pytest.mark.parametrize("scale", ["small", "imagenet"])
@pytest.mark.parametrize("name", names("method"))
def test_every_recipe_is_built_and_makes_views(name: str, scale: str, encoder: Encoder) -> None:
    cfg = composed(f"method={name}", f"data={'imagenet' if scale == 'imagenet' else 'cifar10'}")
    recipe = cfg.method[scale]
    method = instantiate(recipe.module)(encoder, instantiate(recipe.optimization))
    assert method.optimization.batch_size == cfg.batch_size == recipe.batch_size
    views = instantiate(recipe.views)(Image.new("RGB", (64, 48)))
    assert views[0].shape == (3, cfg.data.image_size, cfg.data.image_size)
    assert 0 <= views[0].min() <= views[0].max() <= 1
    if name == "swav":
        assert views[-1].shape[-1] == cfg.data.local_crop_size


@pytest.mark.parametrize("name", [n for n in names("evaluation") if n not in ("all", "none", "study")])
def test_every_evaluation_is_built_and_named_like_its_file(name: str) -> None:
    assert list(instantiate(composed(f"evaluation={name}").evaluation)) == [name]
    asks_for_more = {"transfer", "reverse_transfer", "mask_overlap", "reverse_probing", "forced_choice", "naming"}
    assert (name in composed("evaluation=all").evaluation) == (name not in asks_for_more)


def test_the_paper_is_the_default() -> None:
    cfg = composed()
    assert (cfg["lambda"], cfg.epsilon, cfg.epochs, cfg.formula) == (0.1, 4, 100, "ratio")
    regularizer = instantiate(cfg.regularizer, _convert_="all")
    assert (regularizer.weight, regularizer.miner.epsilon, regularizer.miner.threshold) == (0.1, 4, "mined_mean")


def test_threshold_can_be_a_quantile() -> None:
    cfg = composed("alpha={quantile: 0.25}")
    assert instantiate(cfg.regularizer, _convert_="all").miner.threshold == {"quantile": 0.25}


def test_evaluate_composes_with_every_data_set() -> None:
    for name in names("data"):
        assert composed(f"data={name}", config="evaluate").data.name in (name, Path(name).stem)
