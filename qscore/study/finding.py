"""Where the questions, or the activation maps, are that an evaluation wrote."""

from dataclasses import dataclass
from pathlib import Path

from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import read_json
from qscore.installation import command
from qscore.study.material import IMAGES, TRIALS

CACHE = "representations"


@dataclass(frozen=True)
class _Written:
    """What an evaluation leaves for people: `setting` of its result names a folder that holds `files`."""

    evaluation: str
    setting: str
    files: tuple[str, ...]
    expected: str
    instead: str = ""

    def is_in(self, folder: Path) -> bool:
        return all((folder / name).is_file() for name in self.files)

    def command(self, run: object) -> str:
        return f"{command('evaluate')} run={run} evaluation={self.evaluation}"


_QUESTIONS = _Written(
    "forced_choice",
    "questions",
    (TRIALS, IMAGES),
    "Expected a run, questions of an evaluation, a file of trials or one of groups",
    " Of images alone make a file of groups first, a .csv of id,cluster, and name it with --images DIR.",
)
_MAPS = _Written(
    "naming",
    "maps",
    ("maps.jsonl",),
    "Expected a run or a folder of activation maps, with maps.jsonl and groups.json",
)


def is_questions(folder: Path) -> bool:
    """Whether an evaluation wrote its questions there."""
    return _QUESTIONS.is_in(folder)


def find_questions(what: Path) -> Path:
    """Returns the folder of questions of a run, of a result file, or the folder itself.

    Raises:
        UserError: there are none, with the command that makes them; or several, with their names.
    """
    return _find(what, _QUESTIONS)


def find_maps(what: Path) -> Path:
    """Returns the folder of activation maps of a run, of a result file, or the folder itself.

    Raises:
        UserError: as of `find_questions`.
    """
    return _find(what, _MAPS)


def _find(what: Path, written: _Written) -> Path:
    if written.is_in(what):
        return what
    if what.is_file():
        return _of_result(what, written)
    if (what / "study.json").is_file():
        raise UserError(f"{what} is a study already. Next: python -m qscore.study serve {what}")
    if not what.exists():
        raise UserFileNotFoundError(f"{written.expected}; there is nothing at {what}.")
    if not (what / "results").is_dir() and not (what / "run.json").is_file():
        raise UserError(f"{written.expected}; {what} is another folder.{written.instead}")
    results = sorted((what / "results").rglob(f"{written.evaluation}.json"))
    if not results:
        raise UserFileNotFoundError(f"{what} has no {written.setting} yet. Make them: {written.command(what)}")
    found: dict[Path, Path] = {}
    without: list[UserError] = []
    for result in results:
        try:
            found[_of_result(result, written)] = result
        except UserError as error:
            without.append(error)
    if len(found) > 1:
        names = ", ".join(map(str, found.values()))
        raise UserError(f"{what} has {written.setting} of several evaluations. Name one: {names}")
    if not found:
        raise without[0]
    return next(iter(found))


def _of_result(file: Path, written: _Written) -> Path:
    try:
        name = str(read_json(file)["settings"].get(written.setting) or "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"Expected a result of the evaluation {written.evaluation} in {file}: {error}.") from error
    again = written.command("RUN") + f" evaluation.{written.evaluation}.{written.setting}=true"
    if not name:
        raise UserError(f"{file} was made without {written.setting}. Make them: {again}")
    folders = [parent / CACHE / name for parent in file.absolute().parents]
    if (found := next(filter(written.is_in, folders), None)) is None:
        raise UserFileNotFoundError(
            f"Expected the {written.setting} {name} of {file} in a folder {CACHE} beside it or above it; there are "
            f"none. Make them again: {again}"
        )
    return found
