"""The tables of the report, as rows of numbers and as CSV."""

import csv
import io
from dataclasses import dataclass

from qscore.report.collect import CONTROL, REGULARIZED, EvaluatedEncoder, images_differ
from qscore.spreadsheets import guarded_cell

SEEDS_FOR_A_CLAIM = 3


@dataclass(frozen=True)
class Column:
    """One column of the main table.

    Attributes:
        header: As printed.
        evaluation: Result that holds it.
        metric: Its name there; `{metric}_low` and `{metric}_high`, where present, are its interval.
        percent: Whether it is printed as a percentage.
        base_rate: Name of the metric that a random score would get, printed behind it.
    """

    header: str
    evaluation: str
    metric: str
    percent: bool = False
    base_rate: str | None = None


MAIN_COLUMNS = (
    Column("Linear probe top-1 (%)", "linear_probe", "top1", percent=True),
    Column("kNN k=20 (%)", "knn", "k20", percent=True),
    Column("kNN k=200 (%)", "knn", "k200", percent=True),
    Column("AUROC of Q, correct positive", "misclassification", "auroc"),
    Column(
        "AUPRC of Q, correct positive (base rate)",
        "misclassification",
        "auprc_correct",
        base_rate="base_rate_correct",
    ),
    Column(
        "AUPRC of Q, misclassified positive (base rate)",
        "misclassification",
        "auprc_misclassified",
        base_rate="base_rate_misclassified",
    ),
    Column("AURC of Q (lower is better)", "misclassification", "aurc"),
    Column("Hoyer sparsity", "sparsity", "hoyer"),
    Column("Features near zero (%)", "sparsity", "share_near_zero", percent=True),
    Column("RankMe", "quality", "rank_me"),
    Column("Transfer, mean top-1 (%)", "transfer", "average", percent=True),
    Column("Empty L ∩ D (%)", "dominance", "share_empty", percent=True),
)


def main_table(encoders: list[EvaluatedEncoder]) -> tuple[list[str], list[list[str]]]:
    """Returns header and rows of the comparison, numbers as printed."""
    columns = [column for column in MAIN_COLUMNS if any(_value(e, column) is not None for e in encoders)]
    header = ["Encoder", "Seed", "ε", *(column.header for column in columns)]
    rows = [
        [e.name, _plain(e, "seed"), _plain(e, "epsilon"), *(_cell(e, column) for column in columns)] for e in encoders
    ]
    return header, rows


def main_csv(encoders: list[EvaluatedEncoder]) -> str:
    """Returns the comparison at full precision, with intervals and base rates as columns of their own."""
    names = {(column.evaluation, name) for column in MAIN_COLUMNS for name in _related(column)}
    present = [key for key in sorted(names) if any(e.metric(*key) is not None for e in encoders)]
    header = ["encoder", "role", "run", "lambda", "epsilon", "seed", *(f"{a}/{b}" for a, b in present)]
    rows = [
        [e.name, e.role, e.path.name, *(_plain(e, name) for name in ("lambda", "epsilon", "seed"))]
        + [_full(e.metric(*key)) for key in present]
        for e in encoders
    ]
    return as_csv(header, rows)


def per_class_csv(encoders: list[EvaluatedEncoder]) -> str:
    """Returns the linear probe's accuracy for each class, one column an encoder."""
    prefix = "class/"
    probes = [e for e in encoders if "linear_probe" in e.results]
    names = [name for e in probes[:1] for name in e.results["linear_probe"].metrics if name.startswith(prefix)]
    rows = [[name.removeprefix(prefix), *(_full(e.metric("linear_probe", name)) for e in probes)] for name in names]
    return as_csv(["class", *(f"{e.name} seed {_plain(e, 'seed')}" for e in probes)], rows)


def caution(encoders: list[EvaluatedEncoder]) -> str:
    """Returns what the table does and does not show, from the number of seeds behind it."""
    if images_differ(encoders):
        return "These encoders were evaluated on DIFFERENT held-out images: their numbers cannot be compared."
    seeds = {role: len({e.settings.get("seed") for e in encoders if e.role == role}) for role in (CONTROL, REGULARIZED)}
    if not seeds[REGULARIZED]:
        return "No run with the regularizer is among these."
    if not seeds[CONTROL]:
        return (
            "There is no control (lambda=0) of equal compute among these runs: a difference to the baseline is the "
            "effect of training longer and of the regularizer together. Train one with lambda=0."
        )
    fewest = min(seeds.values())
    if fewest < SEEDS_FOR_A_CLAIM:
        return (
            f"Control and Q-Score were trained with {fewest} seed{'s' if fewest > 1 else ''}: their difference shows "
            "the direction of one experiment and is no evidence of an effect. Train at least "
            f"{SEEDS_FOR_A_CLAIM} seeds (-m seed=0,1,2) before claiming one."
        )
    return (
        f"Control and Q-Score were trained with {fewest} seeds each; compare them pair by pair, not by their best runs."
    )


def notes(encoders: list[EvaluatedEncoder]) -> list[str]:
    """Returns the notes of all results, each with its encoder."""
    return [f"{e.name}: {note}" for e in encoders for result in e.results.values() for note in result.notes]


def _related(column: Column) -> list[str]:
    names = [column.metric, f"{column.metric}_low", f"{column.metric}_high"]
    return [*names, column.base_rate] if column.base_rate else names


def _value(encoder: EvaluatedEncoder, column: Column) -> float | None:
    return encoder.metric(column.evaluation, column.metric)


def _cell(encoder: EvaluatedEncoder, column: Column) -> str:
    value = _value(encoder, column)
    if value is None:
        return "not measured" if column.evaluation not in encoder.results else "not defined"
    if column.percent:
        return f"{100 * value:.2f}"
    text = f"{value:.3f}"
    low, high = (encoder.metric(column.evaluation, f"{column.metric}_{end}") for end in ("low", "high"))
    if low is not None and high is not None:
        text += f" [{low:.3f}, {high:.3f}]"
    if column.base_rate and (base := encoder.metric(column.evaluation, column.base_rate)) is not None:
        text += f" ({base:.3f})"
    return text


def _plain(encoder: EvaluatedEncoder, name: str) -> str:
    value = encoder.settings.get(name)
    return "–" if value is None else f"{value:g}" if isinstance(value, (int, float)) else str(value)


def _full(value: float | None) -> str:
    return "" if value is None else repr(value)


def as_csv(header: list[str], rows: list[list[str]]) -> str:
    """Returns a table as CSV, in which no word is a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([guarded_cell(cell) for cell in row] for row in (header, *rows))
    return buffer.getvalue()
