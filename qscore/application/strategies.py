"""Which of Lightning's strategies a run can be trained with."""

from typing import Any

from pytorch_lightning.strategies import DeepSpeedStrategy, FSDPStrategy, ModelParallelStrategy
from torch.distributed.fsdp import ShardingStrategy

from qscore.errors import UserError

SHARDED = ("fsdp", "deepspeed")


def check_strategy(strategy: Any, *, has_gpu: bool) -> None:
    """Refuses strategies that would train something else than one device does.

    Args:
        strategy: Of the trainer: an object, or its name.
        has_gpu: Whether it will find a GPU.

    Raises:
        UserError: If weights would be split over devices, or FSDP is to run on CPUs.
    """
    is_whole = isinstance(strategy, FSDPStrategy) and strategy.sharding_strategy == ShardingStrategy.NO_SHARD
    is_named = isinstance(strategy, str) and strategy.startswith(SHARDED)
    is_split = is_named or isinstance(strategy, (FSDPStrategy, DeepSpeedStrategy, ModelParallelStrategy))
    if is_split and not is_whole:
        raise UserError(
            "Expected a strategy that leaves weights whole on every device (trainer=ddp, or fsdp with NO_SHARD), "
            f"got {strategy if is_named else type(strategy).__name__}: teachers, LARS, prototypes, mining, the guard "
            "and the export read weights outside of the forward pass, where a device holds a part of them only."
        )
    if is_whole and not has_gpu:
        raise UserError("Expected a GPU for trainer=fsdp, which torch has not for CPUs, got none; set trainer=ddp.")
