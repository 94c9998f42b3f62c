"""The measures of a reverse probe as result files hold them, and as people read them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import Encoders, elided, label

EVALUATION, SHUFFLED = "reverse_probing", "shuffled/"
Spread = tuple[float | None, float | None]
Table = tuple[list[str], list[list[str]]]


@dataclass(frozen=True)
class Measure:
    """How one measure is printed.

    Attributes:
        name: In result files.
        title: As printed, with its unit.
        factor: From the file's unit to the printed one.
        digits: Behind the point.
        above_chance: Whether concepts that say nothing get 0.
    """

    name: str
    title: str
    factor: float = 100.0
    digits: int = 1
    above_chance: bool = False

    def said(self, spread: Spread, *, signed: bool = False) -> str:
        r"""Returns mean and deviation as printed, in one piece.

        >>> Measure("ami", "AMI (%)").said((0.4567, 0.0123)), Measure("ami", "AMI (%)").said((None, None))
        ('45.7\xa0±\xa01.2', '–')
        """
        mean, deviation = spread
        if mean is None:
            return "–"
        text = f"{self.factor * mean:{'+' if signed else ''}.{self.digits}f}"
        return text if deviation is None else f"{text}\u00a0±\u00a0{self.factor * deviation:.{self.digits}f}"


NATS = Measure("information_nats", "Information (nats)", 1.0, 3, above_chance=True)
BITS = Measure("information_bits", "Information (bits)", 1.0, 3, above_chance=True)
FRACTION = Measure("information_fraction", "Information / entropy (%)", above_chance=True)
NMI, AMI = Measure("nmi", "NMI (%)"), Measure("ami", "AMI (%)", above_chance=True)
NMI_CHANCE = Measure("nmi_by_chance", "NMI of the same predictions by chance (%)")
TOP1, TOP5 = Measure("top1", "Top-1 (%)"), Measure("top5", "Top-5 (%)")
MAP = Measure("mean_average_precision", "mAP (%)")
MEASURES = (NATS, BITS, FRACTION, NMI, NMI_CHANCE, AMI, TOP1, MAP)


def finite(value: float | None) -> float | None:
    """Returns a number, or None where it is none."""
    return None if value is None or not np.isfinite(value) else float(value)


def metric(encoder: EvaluatedEncoder, name: str, evaluation: str = EVALUATION) -> Spread:
    """Returns a metric of a result and its deviation."""
    return finite(encoder.metric(evaluation, name)), finite(encoder.metric(evaluation, f"{name}_sd"))


def values(encoder: EvaluatedEncoder, array: str, measure: Measure) -> np.ndarray | None:
    """Returns one measure of an array (..., measure), or None where it was not measured."""
    names, found = (encoder.array(EVALUATION, name) for name in ("measures", array))
    if names is None or found is None or measure.name not in names.tolist():
        return None
    return np.asarray(found[..., names.tolist().index(measure.name)], float)


def spread(numbers: Iterable[float]) -> Spread:
    """Returns mean and standard deviation (ddof = 1) of the numbers that are defined; None where there are too few.

    >>> spread([1.0, 3.0, float("nan")])
    (2.0, 1.4142135623730951)
    """
    known = np.array([number for number in numbers if np.isfinite(number)], float)
    return (float(known.mean()) if len(known) else None), (float(known.std(ddof=1)) if len(known) > 1 else None)


def full(numbers: Iterable[float | None]) -> list[str]:
    """Returns numbers at full precision, empty where they are not defined."""
    return ["" if (number := finite(value)) is None else repr(number) for value in numbers]


def holding(*arrays: str) -> Callable[[EvaluatedEncoder], bool]:
    """Returns whether an encoder has one of some arrays with anything in it."""
    return lambda encoder: any((a := encoder.array(EVALUATION, name)) is not None and a.size for name in arrays)


def names(encoders: Encoders) -> list[str]:
    """Returns the names of encoders, short enough to stand beside a figure."""
    return [elided(label(encoder)) for encoder in encoders]


def dot(axis: Axes, at: Spread, row: float, measure: Measure, *, color: str, hollow: bool = False) -> None:
    """Draws mean and deviation on a row; nothing where it is not defined."""
    mean, deviation = at
    if mean is None:
        return
    if deviation is not None:
        ends = [measure.factor * (mean - deviation), measure.factor * (mean + deviation)]
        axis.plot(ends, [row, row], color=color, linewidth=1.8)
    face = "white" if hollow else color
    axis.plot([measure.factor * mean], [row], "o", color=color, markerfacecolor=face, markersize=6)
