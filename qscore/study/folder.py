"""What a study is made of: the texts, the rules and the trials, read from its folder and checked once."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import fingerprint, parse_json
from qscore.study.rules import CONDITIONS, Policies

_IMAGE_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}\.(png|jpg|jpeg)")


@dataclass(frozen=True)
class Trial:
    """One question. `group`, `correct`, `is_catch`, `negatives` and `described_by` are secret: no page may show them.

    Attributes:
        id: unique in the study.
        query_id: the pair of queries; the conditions share it, so that they can be compared pair by pair.
        condition: "images" (references), "description" (text) or "likert" (a text to rate, beside its images).
        group: what is asked about; limits count by it.
        references: names of files in `images/`.
        text: the description, or the text to rate.
        left, right: the two queries; empty for "likert".
        correct: "left" or "right"; empty for "likert".
        is_catch: a question whose answer shows whether the annotator pays attention.
        negatives: where the wrong query comes from, "random" or "hard"; nothing if that is not known.
        described_by: whose words the text is, such as "human" or "automatic".
    """

    id: str
    query_id: str
    condition: str
    group: str
    references: tuple[str, ...] = ()
    text: str = ""
    left: str = ""
    right: str = ""
    correct: str = ""
    is_catch: bool = False
    negatives: str = ""
    described_by: str = ""

    def __post_init__(self) -> None:
        if self.condition not in CONDITIONS:
            raise UserError(f"expected a condition of {', '.join(CONDITIONS)}; it is {self.condition!r}")
        queries = [self.left, self.right]
        if self.condition == "likert" and (any(queries) or self.correct or not self.text):
            raise UserError("a Likert question has a text, and neither left, right nor correct")
        if self.condition != "likert" and (not all(queries) or self.correct not in ("left", "right")):
            raise UserError('a forced choice needs "left" and "right" images, and "correct": "left" or "right"')
        if self.condition == "images" and (not self.references or self.text):
            raise UserError("a trial with images has references and no text")
        if self.condition == "description" and (self.references or not self.text):
            raise UserError("a trial with a description has a text and no references")
        for key in self.images:
            if not _IMAGE_KEY.fullmatch(key):
                raise UserError(f"expected an image as 8 to 64 letters, digits, - or _ and .png or .jpg; it is {key!r}")

    @property
    def images(self) -> tuple[str, ...]:
        """The files in the order of the page: references, left, right."""
        return (*self.references, *(key for key in (self.left, self.right) if key))


@dataclass(frozen=True)
class Study:
    """A study's folder, read and checked.

    Attributes:
        fingerprint: of `study.json` and `trials.jsonl`; answers belong to exactly these.
    """

    folder: Path
    title: str
    consent: str
    instructions: dict[str, str]
    seed: int
    policies: Policies
    trials: dict[str, Trial] = field(repr=False)
    fingerprint: str

    def image(self, key: str) -> Path:
        """Returns the file of an image of a trial."""
        return self.folder / "images" / key


def load_study(folder: Path) -> Study:
    """Reads the study in `folder`.

    Raises:
        UserError: a file is missing or says something else than a study, with the file and the line.
    """
    settings_file, trials_file = folder / "study.json", folder / "trials.jsonl"
    for file in (settings_file, trials_file):
        if not file.is_file():
            raise UserFileNotFoundError(f"Expected a study in {folder}: there is no {file.name}. Make one with `new`.")
    try:
        text, lines = settings_file.read_text(encoding="utf-8"), trials_file.read_text(encoding="utf-8")
        settings: dict[str, Any] = parse_json(text)
        study = Study(
            folder=folder,
            title=str(settings["title"]),
            consent=str(settings.get("consent", "")),
            instructions={str(key): str(value) for key, value in settings.get("instructions", {}).items()},
            seed=int(settings.get("seed", 0)),
            policies=Policies.read(settings.get("policies", {})),
            trials=_read_trials(lines),
            fingerprint=fingerprint(text, lines),
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise UserError(f"{folder} is not a study as expected: {error}. Make it again with `new`.") from error
    _check_images(study)
    return study


def _read_trials(lines: str) -> dict[str, Trial]:
    trials: dict[str, Trial] = {}
    for number, line in enumerate(lines.splitlines(), 1):
        try:
            record = {key: value for key, value in parse_json(line).items() if value is not None}
            trial = Trial(**{**_of_their_kind(record), "references": tuple(record.get("references", ()))})
        except (TypeError, AttributeError, ValueError) as error:
            raise UserError(f"line {number} of trials.jsonl: {error}") from error
        if trial.id in trials:
            raise UserError(f"line {number} of trials.jsonl: a second trial {trial.id!r}")
        trials[trial.id] = trial
    if not trials:
        raise UserError("trials.jsonl has no trial")
    return trials


def _of_their_kind(record: dict[str, Any]) -> dict[str, Any]:
    kinds = {"references": list, "is_catch": bool}
    if wrong := [name for name, value in record.items() if not isinstance(value, kinds.get(name, str))]:
        kind = kinds.get(wrong[0], str).__name__
        raise UserError(f"expected {wrong[0]} as a {kind}; it is {record[wrong[0]]!r:.80}")
    if not all(isinstance(key, str) for key in record.get("references", ())):
        raise UserError("expected names of images as references")
    return record


def _check_images(study: Study) -> None:
    present = {file.name for file in (study.folder / "images").glob("*")}
    missing = sorted({key for trial in study.trials.values() for key in trial.images} - present)
    if missing:
        raise UserFileNotFoundError(
            f"{study.folder}/images lacks {len(missing)} images of trials, such as {missing[0]}."
        )
