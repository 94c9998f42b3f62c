"""Strategies that would train something else than one device does are refused with a way out."""

from typing import Any

import pytest
from hydra.utils import instantiate

from qscore.application.strategies import check_strategy
from qscore.errors import UserError
from tests.test_configs import composed


def strategy(*overrides: str) -> Any:
    return instantiate(composed(*overrides).trainer).keywords.get("strategy")


@pytest.mark.parametrize("trainer", ["default", "ddp"])
def test_whole_weights_on_cpus_are_fine(trainer: str) -> None:
    check_strategy(strategy(f"trainer={trainer}"), has_gpu=False)


def test_fsdp_needs_a_gpu() -> None:
    check_strategy(strategy("trainer=fsdp"), has_gpu=True)
    with pytest.raises(UserError, match="trainer=ddp"):
        check_strategy(strategy("trainer=fsdp"), has_gpu=False)


@pytest.mark.parametrize(
    "overrides",
    [["trainer=fsdp", f"trainer.strategy.sharding_strategy={kind}"] for kind in ("FULL_SHARD", "SHARD_GRAD_OP")]
    + [["+trainer.strategy=fsdp"], ["+trainer.strategy=deepspeed_stage_2"]],
)
def test_split_weights_are_refused(overrides: list[str]) -> None:
    with pytest.raises(UserError, match="leaves weights whole"):
        check_strategy(strategy(*overrides), has_gpu=True)
