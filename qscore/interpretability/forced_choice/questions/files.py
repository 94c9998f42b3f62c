"""The folder of questions that a study is made of: trials, the images that they name, what is known of the groups.

trials.jsonl   as of `save_trials`, with the right answers
images/        of every sample that a trial names: PNG, and JPEG above 128 pixels
images.json    {sample id: file in images/}
groups.json    {"title", "source", "groups": {number: facts}}
"""

import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs, Pictures
from qscore.files import fingerprint, write_json
from qscore.installation import command
from qscore.interpretability.forced_choice.questions.trial_files import save_trials
from qscore.interpretability.forced_choice.trials import Trials

LONGEST_PX, PNG_UP_TO_PX = 512, 128
QUALITY = 92


def write_questions(inputs: EvaluationInputs, trials: Trials, groups: Mapping[int, Mapping[str, Any]]) -> str:
    """Writes the folder beside the representations, whole or not at all, and returns its name.

    The name follows from what is in it: the same questions are not written twice.

    Args:
        inputs: With pictures.
        trials: About training images.
        groups: What is known of each group that they ask about; None where a number is not known.

    Raises:
        UserError: If there are no pictures, or an image cannot be read.
    """
    if inputs.pictures is None:
        raise UserError(
            f"Expected the images behind the representations for questions, got none; use {command('evaluate')}."
        )
    run = inputs.pictures.cache.parent.name
    facts = {"title": f"Groups of {run}", "source": run, "groups": {str(key): dict(of) for key, of in groups.items()}}
    name = f"questions-{fingerprint(repr(trials), json.dumps(facts, sort_keys=True))}"
    folder = inputs.pictures.cache / name
    if folder.is_dir():
        return name
    folder.parent.mkdir(parents=True, exist_ok=True)
    around = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{name}-"))
    temporary = around / name
    try:
        (temporary / "images").mkdir(parents=True)
        save_trials(trials, temporary / "trials.jsonl")
        write_json(temporary / "images.json", _write_images(inputs.pictures, _shown(trials), temporary / "images"))
        write_json(temporary / "groups.json", facts)
        _take_place(temporary, folder)
    finally:
        shutil.rmtree(around, ignore_errors=True)
    return name


def _take_place(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another run wrote the same meanwhile
            raise


def _shown(trials: Trials) -> list[str]:
    """Every sample that a trial names, once."""
    named = (sample for trial in trials.trials for sample in (*trial.references, trial.positive, trial.negative))
    return list(dict.fromkeys(named))


def _write_images(pictures: Pictures, samples: Iterable[str], folder: Path) -> dict[str, str]:
    """Names of the files by sample."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    source, samples = pictures.data.source("train"), list(samples)
    positions = pictures.positions(samples, split="train")
    progress = tqdm(
        zip(samples, positions, strict=True), "Images of questions", len(samples), unit="image", leave=False
    )
    for sample, position in progress:
        image = source.image(position)
        if image is None:
            raise UserError(f"Expected a readable image of {sample}, which it was before; look at its file.")
        image = image.convert("RGB")
        image.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.LANCZOS)
        names[sample] = _file_name(sample, "png" if max(image.size) <= PNG_UP_TO_PX else "jpg", taken)
        image.save(folder / names[sample], quality=QUALITY)
    return names


def _file_name(sample: str, suffix: str, taken: set[str]) -> str:
    """A name of letters and digits, that no other sample has, whether or not capitals count."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", sample)[-80:]
    name = f"{stem}.{suffix}"
    if name.lower() in taken:
        name = f"{stem}-{fingerprint(sample)}.{suffix}"
    taken.add(name.lower())
    return name
