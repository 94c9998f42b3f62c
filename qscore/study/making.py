"""Makes a study's folder of questions and the images that they name: opaque names, plain pixels, texts, rules."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from qscore.errors import UserError
from qscore.files import write_json, write_text
from qscore.study.folder import Study, Trial, load_study
from qscore.study.material import GROUPS, Material
from qscore.study.out import check_free
from qscore.study.plain_images import write_plain_images
from qscore.study.rules import Policies

if TYPE_CHECKING:
    from qscore.interpretability.forced_choice import trials as forced_choice

TITLE = "Which images belong together?"
CONSENT = """You will see questions about images. Your answers are kept, with the time that each took, under a number
and not under your name.

There is no wrong way to look: answer what you see."""
INSTRUCTIONS = {
    "images": "Some images belong together in some way. Choose which of the two below belongs with them.",
    "description": "A few words describe a group of images. Choose which of the two images below fits them better.",
    "likert": "A few words describe a group of images. Say how well they describe the group as a whole.",
}
_SIDES = ("left", "right")


def make_study(
    material: Material,
    folder: Path,
    *,
    policies: Policies,
    title: str = TITLE,
    ratings: bool = False,
    seed: int = 0,
) -> Study:
    """Writes a study, whole or not at all, and reads it back.

    Args:
        material: questions and images.
        folder: for the study; new or empty.
        policies: the rules.
        title: stands on the first page.
        ratings: adds a question of how well each description fits its group (appendix B.3).
        seed: of the order, another for each annotator.

    Raises:
        UserError: the folder is in use, a file is no image, or one describer says two things of a group.
    """
    check_free(folder)
    _check_described(material.trials)
    with made_whole(folder) as made:
        names = write_plain_images(material.images, made / "images")
        trials = [_forced_choice(trial, names) for trial in material.trials]
        trials += _ratings(trials) if ratings else ()
        write_text(made / "trials.jsonl", "".join(json.dumps(asdict(t), ensure_ascii=False) + "\n" for t in trials))
        write_json(made / GROUPS, {"title": title, "source": material.source, "groups": material.groups})
        rules = asdict(policies)
        texts = {"title": title, "consent": CONSENT, "instructions": _used(trials)}
        write_json(made / "study.json", {**texts, "seed": seed, "policies": rules})
        study = load_study(made)
    return replace(study, folder=folder)


@contextmanager
def made_whole(folder: Path) -> Iterator[Path]:
    """Yields a folder beside another, which takes its place only when the block succeeds."""
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    around = Path(tempfile.mkdtemp(dir=folder.absolute().parent, prefix=f".{folder.name}-"))
    try:
        made = around / "study"
        made.mkdir()
        yield made
        made.replace(folder)
    finally:
        shutil.rmtree(around)


def _forced_choice(trial: "forced_choice.Trial", names: Mapping[str, str]) -> Trial:
    queries = (names[trial.positive], names[trial.negative])
    left, right = queries if trial.positive_side == 0 else queries[::-1]
    return Trial(
        id=trial.trial_id,
        query_id=trial.query_id,
        condition=trial.condition,
        group=str(trial.group),
        references=tuple(names[sample] for sample in trial.references),
        text=trial.description,
        left=left,
        right=right,
        correct=_SIDES[trial.positive_side],
        is_catch=trial.is_catch,
        negatives=trial.negatives,
        described_by=trial.described_by,
    )


def _check_described(trials: "Iterable[forced_choice.Trial]") -> None:
    said: dict[tuple[int, str], str] = {}
    for trial in trials:
        text, who = trial.description, trial.described_by
        if who and text and not trial.is_catch and (other := said.setdefault((trial.group, who), text)) != text:
            raise UserError(
                f"Expected one description of group {trial.group} by {who}, got {other!r} and {text!r}. "
                "Keep one, or name them differently in described_by."
            )


def _ratings(trials: list[Trial]) -> list[Trial]:
    """One of each text of a group; where several describers say the same, it names nobody and counts for all."""
    examples = {trial.group: trial.references for trial in reversed(trials) if trial.references and not trial.is_catch}
    asked: dict[tuple[str, str], set[str]] = {}
    for trial in (trial for trial in trials if trial.text):
        asked.setdefault((trial.group, trial.text), set()).add(trial.described_by)
    return [
        Trial(
            f"rating-{i}",
            "",
            "likert",
            group,
            examples.get(group, ()),
            text,
            described_by=next(iter(who)) if len(who) == 1 else "",
        )
        for i, ((group, text), who) in enumerate(asked.items())
    ]


def _used(trials: list[Trial]) -> dict[str, str]:
    return {name: text for name, text in INSTRUCTIONS.items() if any(trial.condition == name for trial in trials)}
