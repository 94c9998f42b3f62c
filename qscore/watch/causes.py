"""Words for what was noticed: what it means, the likely causes in their order, and what to do."""

from dataclasses import dataclass

from qscore.watch.judge import COLLAPSE, DEAD, DIVERGENCE, EMPTY, NOT_FINITE, Notice

# What keeps each method from the constant solution, and may be missing or too weak.
OF_METHOD = {
    "SimCLR": "too few negatives (batch size {batch}) or a temperature that is too high",
    "MoCo": "too few negatives (the queue), or a momentum of the key encoder that is too low",
    "BYOL": "the predictor, the stop-gradient or the teacher does not work, or its momentum is too low",
    "SimSiam": "the predictor or the stop-gradient does not work, or the predictor's learning rate decays",
    "DINO": "centring or the teacher's temperature is off, or the teacher's momentum is too low",
    "VICReg": "the variance term's weight is too low",
    "BarlowTwins": "the off-diagonal weight is too low, or the batch ({batch}) too small for its statistics",
    "SwAV": "assignments are not balanced: too few samples (batch {batch}, queue) for the prototypes, or epsilon",
}
OTHERS = "what keeps the method from a constant answer (negatives, stop-gradient, predictor, variance) does not work"
HAPPENED = {
    COLLAPSE: "the encoder is collapsing: {signal} is {value:.3g}, below {limit:.3g}",
    DEAD: "{value:.0%} of the features had one value for every sample of the last batches (above {limit:.0%}): dead",
    EMPTY: "{value:.0%} of the views have an empty L ∩ D (above {limit:.0%}): Q is undefined and has no gradient there",
    DIVERGENCE: "the training diverges: the loss is {value:.3g}, beyond {limit:.3g}",
    NOT_FINITE: "{signal} is not finite",
}
SIGNALS = {
    "spread": "sqrt(features) x feature std",
    "rank_me": "RankMe of a batch",
    "projection_std": "the projections' std",
}
WATCH_PAGE = '"Notice collapse and divergence" in the documentation'


@dataclass(frozen=True)
class Settings:
    """What the likely cause depends on.

    Attributes:
        method: Name of the module's class.
        learning_rate: The highest one of the optimizers.
        batch: Images a step; 0 where unknown.
        weight: The regularizer's lambda; 0 where there is none.
        term_share: The most that lambda times the term was of the loss.
        epsilon: Of the regularizer.
        is_auto: Whether epsilon=auto chose it.
        is_still: Whether the encoder is held still while new heads learn.
        mined_empty: Share of empty sets that the mining pass found, on images without augmentation.
        was_empty: Whether the mining pass found as many empty sets before the first step.
        precision: The trainer's.
    """

    method: str
    learning_rate: float
    batch: int = 0
    weight: float = 0.0
    term_share: float = 0.0
    epsilon: float = 0.0
    is_auto: bool = False
    is_still: bool = False
    mined_empty: float = 0.0
    was_empty: bool = False
    precision: str = "32-true"


def described(notice: Notice, settings: Settings) -> str:
    """Returns the message for a notice.

    >>> notice = Notice(COLLAPSE, 120, "spread", 0.004, 0.08)
    >>> print(described(notice, Settings("SimSiam", 0.05, weight=0.1)))
    Step 120: the encoder is collapsing: sqrt(features) x feature std is 0.004, below 0.08. Likely causes, likeliest \
first: (1) the predictor or the stop-gradient does not work, or the predictor's learning rate decays; (2) the learning \
rate (0.05) is too high; (3) lambda (0.1) is too large. See "Notice collapse and divergence" in the documentation.
    """
    named = {"signal": SIGNALS.get(notice.signal, notice.signal), "value": notice.value, "limit": notice.limit}
    listed = "; ".join(f"({n}) {cause}" for n, cause in enumerate(causes(notice.kind, settings), 1))
    happened = HAPPENED[notice.kind].format(**named)
    return f"Step {notice.step}: {happened}. Likely causes, likeliest first: {listed}. See {WATCH_PAGE}."


def causes(kind: str, settings: Settings) -> list[str]:
    """Returns the likely causes of a kind of notice, the likeliest first.

    Lambda comes first where lambda times the term outweighs the loss, and last where it is small beside it.
    """
    rate = f"the learning rate ({settings.learning_rate:.3g}) is too high"
    method = OF_METHOD.get(settings.method, OTHERS).format(batch=settings.batch or "unknown")
    ordered = {
        COLLAPSE: [method, rate],
        EMPTY: _of_empty(settings, rate),
        DEAD: [rate, "the encoder came with dead features: look at the checkpoint", method],
        DIVERGENCE: [rate, "gradients are not clipped (trainer.gradient_clip_val)"],
        NOT_FINITE: [rate, "an image or its normalisation is not finite"],
    }[kind]
    if kind == NOT_FINITE and settings.precision.startswith("16"):
        ordered.insert(1, f"precision={settings.precision} overflows: take bf16-mixed or 32-true")
    if settings.weight > 0 and not (kind == EMPTY and (settings.is_still or settings.was_empty)):
        large = f"lambda ({settings.weight:g}) is too large"
        outweighs = settings.term_share > 1
        first = f"{large}: its term was {settings.term_share:.3g} times the loss" if outweighs else large
        ordered.insert(0 if outweighs else len(ordered), first)
    return ordered


def _of_empty(settings: Settings, rate: str) -> list[str]:
    """Why many views have an empty L ∩ D: features that stand still have not changed, and views are augmented."""
    epsilon = f"epsilon ({settings.epsilon:g}) is too large for these features"
    if settings.was_empty:
        return [f"{epsilon}: take a smaller one{'' if settings.is_auto else ' or epsilon=auto'}, or formula=soft"]
    views = (
        f"augmentation empties L ∩ D: epsilon ({settings.epsilon:g}{', of epsilon=auto' * settings.is_auto}) leaves "
        f"{settings.mined_empty:.0%} of the images empty as they are, but the loss sees views. Take a smaller epsilon, "
        "milder augmentation, or formula=soft"
    )
    changed = f"the features have changed since they were mined, as in a collapse: {rate}"
    return [views] if settings.is_still else [views, changed]
