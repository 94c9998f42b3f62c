"""What else a training tells of itself: numbers that were logged, and settings that a likely cause depends on."""

from pathlib import Path
from typing import Any

from qscore.methods.base import LOSS as TRAINED_LOSS
from qscore.methods.head_warmup import HeadWarmup
from qscore.regularizer import QScoreRegularizer
from qscore.regularizer.mining import ALARMING_EMPTY_SHARE
from qscore.score import AUTO
from qscore.watch.causes import Settings
from qscore.watch.judge import PROJECTION_STD, SHARE_EMPTY

SSL_LOSS, TERM, LOGGED_STD, LOGGED_EMPTY = (
    "train/ssl_loss",
    "q_score/term",
    "train/projection_std",
    "q_score/share_empty",
)


def regularizer_of(trainer: Any) -> QScoreRegularizer | None:
    """Returns the regularizer of a training."""
    return next((callback for callback in trainer.callbacks if isinstance(callback, QScoreRegularizer)), None)


def logged(trainer: Any) -> dict[str, float]:
    """Returns the standard deviation of the projections and the share of empty L ∩ D, where a step logged them.

    The share counts where the term is to act: lambda is above 0, and the formula is one over L ∩ D.
    """
    known, regularizer = trainer.callback_metrics, regularizer_of(trainer)
    found = {PROJECTION_STD: float(known[LOGGED_STD])} if LOGGED_STD in known else {}
    acts = regularizer is not None and regularizer.weight > 0 and regularizer.miner.formula != "soft"
    return {**found, SHARE_EMPTY: float(known[LOGGED_EMPTY])} if acts and LOGGED_EMPTY in known else found


def is_said_by_mining(trainer: Any) -> bool:
    """Whether the mining pass has warned of empty sets already."""
    mined = getattr(regularizer_of(trainer), "mined", None)
    return mined is not None and mined.share_empty > ALARMING_EMPTY_SHARE


def term_share(trainer: Any) -> float:
    """Returns what lambda times the term was of the loss without it in the last step; 0 where there is no term."""
    regularizer, known = regularizer_of(trainer), trainer.callback_metrics
    loss = known.get(SSL_LOSS, known.get(TRAINED_LOSS))
    if regularizer is None or TERM not in known or loss is None:
        return 0.0
    return float(regularizer.weight * known[TERM].abs() / loss.abs().clamp_min(1e-12))


def settings_of(trainer: Any, module: Any, largest_share: float) -> Settings:
    """Returns what the likely cause depends on.

    Args:
        trainer: That of the running fit.
        module: What it trains.
        largest_share: The largest `term_share` so far: a collapse that a term has caused may leave it without effect.
    """
    regularizer = regularizer_of(trainer)
    rates = [group["lr"] for optimizer in trainer.optimizers for group in optimizer.param_groups]
    mined = regularizer.mined if regularizer else None
    return Settings(
        method=type(module).__name__,
        learning_rate=max((float(rate) for rate in rates), default=0.0),
        batch=int(getattr(trainer.datamodule, "batch_size", 0) or 0),
        weight=regularizer.weight if regularizer else 0.0,
        term_share=largest_share,
        epsilon=mined.epsilon if mined else 0.0,
        is_auto=regularizer is not None and regularizer.miner.epsilon == AUTO,
        is_still=any(isinstance(c, HeadWarmup) and trainer.global_step <= c.num_steps for c in trainer.callbacks),
        mined_empty=mined.share_empty if mined else 0.0,
        was_empty=is_said_by_mining(trainer),
        precision=str(trainer.precision),
    )


def last_state(trainer: Any) -> str:
    """Returns where the last whole state of a training lies that has just been lost, and how to go on from it."""
    attributes = ("last_model_path", "best_model_path")  # without a monitor the best one is the last one
    kept = [getattr(callback, name, "") for callback in trainer.checkpoint_callbacks for name in attributes]
    file = next((path for path in [*kept, trainer.ckpt_path] if path and Path(path).is_file()), None)
    if file is None:
        return "The training ends here; no checkpoint was written yet. Start again with other settings."
    return (
        f"The training ends here; its last state with finite weights is kept in {file}. Resumed with the same "
        "settings it would come to the same end: start another run with others, from the same encoder or from "
        "checkpoint= with that file."
    )
