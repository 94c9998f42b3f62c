"""What a study is made of: questions that an evaluation left, a file of trials, or groups of images in files."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import read_json
from qscore.study.image_files import find_images

if TYPE_CHECKING:
    from qscore.interpretability.forced_choice.trials import Trial, Trials

TRIALS, IMAGES, GROUPS = "trials.jsonl", "images.json", "groups.json"


@dataclass(frozen=True)
class Material:
    """Questions, and the images that they name.

    Attributes:
        trials: what is asked, about samples.
        images: the file of each sample that a trial names.
        groups: what is known of each group, by its number.
        source: where they come from, for the report.
        num_answers: how many answers to a question its maker asks for.
        left_out: groups that could not be asked about, and why.
    """

    trials: "tuple[Trial, ...]"
    images: dict[str, Path]
    groups: dict[str, Any]
    source: str
    num_answers: int
    left_out: dict[str, str] = field(default_factory=dict)


def of_trials(file: Path, images: Path) -> Material:
    """Returns the trials of a file, whose samples are files below a folder."""
    from qscore.interpretability.forced_choice.questions.trial_files import load_trials

    trials = load_trials(file)
    return _material(trials, find_images(images, _samples(trials.trials)), _groups_of_trials(trials), file.name)


def of_groups(
    files: dict[str, Path],
    images: Path,
    *,
    design: dict[str, Any],
    options: dict[str, Any],
    num_catch: Callable[[int], int],
) -> Material:
    """Returns questions about groups of images.

    Args:
        files: arguments of `read_group_files`.
        images: folder below which the samples are files; each must be there, whether it is drawn or not.
        design: arguments of `TrialDesign`.
        options: arguments of `filed_questions.questions`.
        num_catch: how many trials that catch the careless there are beside so many pairs of queries.
    """
    from qscore.interpretability.forced_choice.questions.catching import with_catch_trials
    from qscore.interpretability.forced_choice.questions.group_files import read_group_files
    from qscore.interpretability.forced_choice.questions.of_files import questions
    from qscore.interpretability.forced_choice.trials import TrialDesign

    filed = read_group_files(**files)
    found = find_images(images, filed.ids)
    asked = questions(filed, design=TrialDesign(**design), **options)
    pairs = {trial.query_id for trial in asked.trials.trials}
    trials = with_catch_trials(asked.trials, num_catch(len(pairs)), seed=asked.trials.seed)
    groups = {str(group): asdict(facts) for group, facts in asked.groups.items()}
    return _material(trials, found, groups, files["grouping"].name)


def of_questions(folder: Path) -> Material:
    """Returns the questions that an evaluation wrote into a folder: trials, images and what is known of the groups.

    Raises:
        UserError: something of it is not there or not as expected.
    """
    from qscore.interpretability.forced_choice.questions.trial_files import load_trials

    trials = load_trials(folder / TRIALS)
    try:
        names, known = read_json(folder / IMAGES), read_json(folder / GROUPS)
        images = {str(sample): folder / "images" / str(name) for sample, name in names.items()}
        groups, source = dict(known["groups"]), str(known.get("source", folder.name))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"Expected {IMAGES} and {GROUPS} of an evaluation in {folder}: {error}. Let it write its questions again."
        ) from error
    if missing := [s for s in _samples(trials.trials) if s not in images or not images[s].is_file()]:
        raise UserFileNotFoundError(
            f"Expected an image of every sample of the trials in {folder}; {len(missing)} have none, such as "
            f"{missing[0]}. Let the evaluation write its questions again."
        )
    return _material(trials, images, groups, source)


def _material(trials: "Trials", images: dict[str, Path], groups: dict[str, Any], source: str) -> Material:
    shown = {sample: images[sample] for sample in _samples(trials.trials)}
    left_out = {str(group): reason for group, reason in trials.left_out.items()}
    return Material(trials.trials, shown, groups, source, trials.design.num_answers, left_out)


def _samples(trials: "Iterable[Trial]") -> list[str]:
    """Every sample that is shown, once."""
    shown = (sample for trial in trials for sample in (*trial.references, trial.positive, trial.negative))
    return list(dict.fromkeys(shown))


def _groups_of_trials(trials: "Trials") -> dict[str, Any]:
    """What a file of trials alone says of its groups: automatic descriptions, and hard negatives."""
    groups: dict[str, dict[str, Any]] = {}
    for trial in trials.trials:
        facts = groups.setdefault(
            str(trial.group), {"kind": "trials", "hard_negative": trials.nearest.get(trial.group)}
        )
        if trial.description and trial.described_by != "human":
            facts["caption"] = trial.description
    return groups
