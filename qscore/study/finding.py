"""Where the questions are that an evaluation wrote."""

from pathlib import Path

from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import read_json
from qscore.study.material import IMAGES, TRIALS

RESULT, CACHE = "forced_choice.json", "representations"
_EVALUATE = "python evaluate.py run={run} evaluation=forced_choice"


def is_questions(folder: Path) -> bool:
    """Whether an evaluation wrote its questions there."""
    return (folder / TRIALS).is_file() and (folder / IMAGES).is_file()


def find_questions(what: Path) -> Path:
    """Returns the folder of questions of a run, of a result file, or the folder itself.

    Raises:
        UserError: there are none, with the command that makes them; or several, with their names.
    """
    if is_questions(what):
        return what
    if what.is_file():
        return _of_result(what)
    if (what / "study.json").is_file():
        raise UserError(f"{what} is a study already. Next: python -m qscore.study serve {what}")
    if not (what / "results").is_dir() and not (what / "run.json").is_file():
        raise UserError(
            f"Expected a run, questions of an evaluation, a file of trials or one of groups; {what} is another folder."
        )
    results = sorted((what / "results").rglob(RESULT))
    if not results:
        raise UserFileNotFoundError(f"{what} has no questions yet. Make them: {_EVALUATE.format(run=what)}")
    found: dict[Path, Path] = {}
    without: list[UserError] = []
    for result in results:
        try:
            found[_of_result(result)] = result
        except UserError as error:
            without.append(error)
    if len(found) > 1:
        raise UserError(f"{what} has questions of several evaluations. Name one: {', '.join(map(str, found.values()))}")
    if not found:
        raise without[0]
    return next(iter(found))


def _of_result(file: Path) -> Path:
    try:
        name = str(read_json(file)["settings"].get("questions") or "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"Expected a result of the evaluation forced_choice in {file}: {error}.") from error
    again = _EVALUATE.format(run="RUN") + " evaluation.forced_choice.questions=true"
    if not name:
        raise UserError(f"{file} was made without questions. Make them: {again}")
    folders = [parent / CACHE / name for parent in file.absolute().parents]
    if (found := next(filter(is_questions, folders), None)) is None:
        raise UserFileNotFoundError(
            f"Expected the questions {name} of {file} in a folder {CACHE} beside it or above it; there are none. "
            f"Make them again: {again}"
        )
    return found
