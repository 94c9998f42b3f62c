"""Trials as a file of lines of JSON, which a study is served from and which people can read and change.

The first line tells how the trials were drawn:

    {"format": "qscore trials", "version": 1, "seed": 0, "design": {"num_references": 10, "num_trials": 20,
     "num_answers": 3, "negatives": ["random"]}, "nearest": {"7": 3}, "left_out": {"9": "4 samples, 11 needed"}}

and every other line is a trial, with the fields of `Trial`. Images are named by the ids of their samples. The file
holds the right answers: it belongs to the owner of a study and is never sent to a browser.
"""

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any, get_type_hints

from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import parse_object, write_text
from qscore.interpretability.forced_choice.trials import CONDITIONS, IMAGES, NEGATIVES, Trial, TrialDesign, Trials
from qscore.interpretability.reverse_probing.concepts import listed

FORMAT, VERSION = "qscore trials", 1
KINDS = {int: "a whole number", str: "a text", bool: "true or false", tuple[str, ...]: "a list of texts"}


def save_trials(trials: Trials, path: Path) -> None:
    """Writes the file, whole or not at all."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "seed": trials.seed,
        "design": dataclasses.asdict(trials.design),
        "nearest": trials.nearest,
        "left_out": trials.left_out,
    }
    rows = [head, *(dataclasses.asdict(trial) for trial in trials.trials)]
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def load_trials(path: Path) -> Trials:
    """Reads what `save_trials` wrote, or somebody else in the same form.

    Raises:
        UserError: If the file is not like that, a trial is not answerable, or one comes twice; with the line.
        UserFileNotFoundError: If it is not there.
    """
    if not path.is_file():
        raise UserFileNotFoundError(f"Expected a file of trials, found none at {path}; make trials first.")
    try:
        lines = [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (UnicodeDecodeError, OSError) as error:
        raise UserError(f"Expected a readable file of trials, got {path}: {error}.") from error
    rows = [parse_object(line, f"line {number} of {path.name}") for number, line in enumerate(lines, start=1)]
    if not rows or (rows[0].get("format"), rows[0].get("version")) != (FORMAT, VERSION):
        raise UserError(
            f"Expected a file of trials, whose first line has format '{FORMAT}' and version {VERSION}, got another: "
            f"{path}; make it by `save_trials`."
        )
    trials = tuple(_trial(row, f"line {number} of {path.name}") for number, row in enumerate(rows[1:], start=2))
    if repeated := [name for name, times in Counter(trial.trial_id for trial in trials).items() if times > 1]:
        raise UserError(f"Expected every trial once in {path.name}, got {listed(repeated)} again; keep one of each.")
    try:
        head = rows[0]
        design = TrialDesign(**head["design"] | {"negatives": tuple(head["design"]["negatives"])})
        nearest = {int(group): int(other) for group, other in head["nearest"].items()}
        left_out = {int(group): str(reason) for group, reason in head["left_out"].items()}
        return Trials(trials, design, int(head["seed"]), nearest, left_out)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"Expected seed, design, nearest and left_out in the first line of {path.name}, got something else: "
            f"{error!r}; make it by `save_trials`."
        ) from error


def _trial(row: dict[str, Any], where: str) -> Trial:
    hints = get_type_hints(Trial)
    if row.keys() != hints.keys():
        missing, unknown = hints.keys() - row.keys(), row.keys() - hints.keys()
        raise UserError(
            f"Expected the fields of a trial in {where}, got {len(missing)} too few: {listed(sorted(missing)) or '-'}, "
            f"and {len(unknown)} unknown: {listed(sorted(unknown)) or '-'}."
        )
    for name, kind in hints.items():
        if not _fits(row[name], kind):
            raise UserError(f"Expected {KINDS[kind]} as {name} in {where}, got {row[name]!r}.")
    trial = Trial(**row | {"references": tuple(row["references"])})
    if fault := _fault(trial):
        raise UserError(f"Expected a trial that can be answered in {where}, got one {fault}.")
    return trial


def _fits(value: object, kind: Any) -> bool:
    if kind in (int, str, bool):
        return type(value) is kind
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _fault(trial: Trial) -> str:
    """What is wrong with it, or nothing."""
    if trial.condition not in CONDITIONS or trial.negatives not in NEGATIVES or trial.positive_side not in (0, 1):
        known = f"{' or '.join(CONDITIONS)}, {' or '.join(NEGATIVES)}, side 0 or 1"
        return f"of condition {trial.condition}, negatives {trial.negatives}, side {trial.positive_side}, not {known}"
    if not (trial.references if trial.condition == IMAGES else trial.description.strip()):
        return f"of {trial.condition} that shows none"
    if trial.positive == trial.negative:
        return f"with {trial.positive} on both sides"
    if trial.is_catch and trial.positive not in trial.references:
        return "to catch the careless whose positive is no reference"
    shown = {trial.negative if trial.is_catch else trial.positive, trial.negative} & set(trial.references)
    return f"with a query among its references: {listed(sorted(shown))}" if shown else ""
