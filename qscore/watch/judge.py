"""When a number of a training is abnormal: far below what the run has had, or above what any run should have."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

COLLAPSE, DEAD, EMPTY, DIVERGENCE, NOT_FINITE = "collapse", "dead_features", "empty_sets", "divergence", "not_finite"
SPREAD, RANK_ME, PROJECTION_STD, DEAD_SHARE, SHARE_EMPTY, LOSS = (
    "spread",
    "rank_me",
    "projection_std",
    "dead_share",
    "share_empty",
    "loss",
)
KIND_OF = {
    SPREAD: COLLAPSE,
    RANK_ME: COLLAPSE,
    PROJECTION_STD: COLLAPSE,
    DEAD_SHARE: DEAD,
    SHARE_EMPTY: EMPTY,
    LOSS: DIVERGENCE,
}
KEPT = {SPREAD: "spread_kept", RANK_ME: "rank_kept", PROJECTION_STD: "projections_kept"}


@dataclass(frozen=True)
class Limits:
    """What is still normal.

    The falls are those from the highest value of the run: a healthy run of every method stays far from them, and a
    collapse passes them within an epoch (docs/how-to/watch.md has the measurements).

    Attributes:
        spread_kept: Share of its highest value that the spread must keep.
        rank_kept: The same of RankMe.
        projections_kept: The same of the projections' standard deviation, which dips in healthy runs of DINO.
        spread: Spread that any encoder must have; the samples' cosines are 1 - spread² on average.
        dead_share: Share of the features that may be dead over a window.
        share_empty: Share of the views that may have an empty L ∩ D.
        loss: Times the first loss (or 1, if that was smaller) that a loss may reach.
        patience: So many looks in a row must be abnormal.
    """

    spread_kept: float = 0.33
    rank_kept: float = 0.4
    projections_kept: float = 0.25
    spread: float = 0.01
    dead_share: float = 0.5
    share_empty: float = 0.5
    loss: float = 100.0
    patience: int = 3


@dataclass(frozen=True)
class Notice:
    """Something that was noticed.

    Attributes:
        kind: "collapse", "dead_features", "empty_sets", "divergence" or "not_finite".
        step: Optimizer steps until then.
        signal: The number that told.
        value: What it was; None where it was not finite.
        limit: What it should not have passed; None where it was to be finite.
        message: What was said.
    """

    kind: str
    step: int
    signal: str
    value: float | None
    limit: float | None
    message: str = ""


@dataclass
class Judge:
    """Remembers a few numbers of the run, and tells once when one has been abnormal for several looks in a row.

    Attributes:
        limits: What is still normal.
        best: Highest value of each signal that must not fall; the first absolute loss, at least 1.
        streaks: Abnormal looks in a row, by signal.
        told: Kinds that were told.

    >>> judge = Judge(Limits(patience=2))
    >>> [[n.kind for n in judge.judge(step, {"spread": s})] for step, s in enumerate([0.8, 0.1, 0.7, 0.1, 0.1, 0.1])]
    [[], [], [], [], ['collapse'], []]
    """

    limits: Limits = field(default_factory=Limits)
    best: dict[str, float] = field(default_factory=dict)
    streaks: dict[str, int] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def judge(self, step: int, values: Mapping[str, float]) -> list[Notice]:
        """Returns what is to be told of some values, at most one notice a kind and run."""
        notices = []
        for signal, value in values.items():
            limit, is_abnormal = self._limit(signal, value)
            self.streaks[signal] = self.streaks.get(signal, 0) + 1 if is_abnormal else 0
            kind = KIND_OF[signal]
            if self.streaks[signal] >= self.limits.patience and kind not in self.told:
                self.told.append(kind)
                notices.append(Notice(kind, step, signal, value, limit))
        return notices

    def state(self) -> dict[str, object]:
        """What a resumed run needs."""
        return {name: value for name, value in asdict(self).items() if name != "limits"}

    def _limit(self, signal: str, value: float) -> tuple[float, bool]:
        if signal in (DEAD_SHARE, SHARE_EMPTY):
            limit = getattr(self.limits, signal)
            return limit, value > limit
        if signal == LOSS:
            limit = self.limits.loss * self.best.setdefault(LOSS, max(1.0, abs(value)))
            return limit, abs(value) > limit
        self.best[signal] = max(value, self.best.get(signal, value))
        limit = getattr(self.limits, KEPT[signal]) * self.best[signal]
        if signal == SPREAD:
            limit = max(limit, self.limits.spread)
        return limit, value < limit
