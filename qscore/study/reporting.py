"""From the answers of studies to tables, figures and cards."""

from pathlib import Path

from qscore.errors import UserError
from qscore.interpretability.forced_choice.answers.card_images import card_images
from qscore.interpretability.forced_choice.answers.people import people
from qscore.interpretability.forced_choice.questions.group_facts import GROUPS_FILE, read_groups
from qscore.report.forced_choice.study_page import write_study_report
from qscore.report.naming.page import write_naming_report
from qscore.results import Result
from qscore.study.export import answers
from qscore.study.folder import load_study
from qscore.study.naming.folder import KIND, study_kind
from qscore.study.naming.reporting import naming_result
from qscore.study.out import check_writable
from qscore.study.simulate import SIMULATED
from qscore.study.store import Store


def report(folders: list[Path], out: Path | None = None) -> Path:
    """Writes `results/people.json` into every study, and one page of all; returns the page.

    Of a naming study it is `results/namings.json`, and the page shows one study.

    Args:
        folders: Studies.
        out: For the page and its tables; by default `report` in the only study.

    Raises:
        UserError: there are several studies and no `out`; one comes twice, has no answers that count, or is no study;
            several are shown of which one is a naming study; or the page cannot be written.
    """
    if any(study_kind(folder) == KIND for folder in folders):
        return _report_of_naming(folders, out)
    if out is None and len(folders) > 1:
        raise UserError("Expected a folder for the page of several studies, got none; say --out DIR.")
    resolved = [folder.resolve() for folder in folders]
    if twice := [folder for place, folder in enumerate(resolved) if folder in resolved[:place]]:
        raise UserError(f"Expected every study once, got {twice[0]} twice; name it once.")
    page = folders[0] / "report" if out is None else out
    check_writable(page)
    results = []
    for folder in resolved:
        result = _result(folder, _name(folder, resolved))
        result.save(folder / "results")
        results.append(result)
    return write_study_report(results, page)


def _name(folder: Path, folders: list[Path]) -> str:
    """Returns the shortest end of a path that none of the others has."""
    ends = (folder.parts[-length:] for length in range(1, len(folder.parts) + 1))
    alone = next(end for end in ends if sum(other.parts[-len(end) :] == end for other in folders) == 1)
    return Path(*alone).as_posix()


def _report_of_naming(folders: list[Path], out: Path | None) -> Path:
    if len(folders) > 1:
        raise UserError(f"Expected one naming study for a page, got {len(folders)} studies; report each on its own.")
    folder, page = folders[0].resolve(), folders[0] / "report" if out is None else out
    check_writable(page)
    try:
        result = naming_result(folder, folder.name)
    except UserError as error:
        raise UserError(f"{folder}: {error}") from error
    result.save(folder / "results")
    return write_naming_report(result, page)


def _result(folder: Path, name: str) -> Result:
    study = load_study(folder)
    if not (folder / "answers.sqlite").is_file():
        raise UserError(
            f"Expected answers in {folder}, got none; ask people first: python -m qscore.study serve {folder}"
        )
    store = Store(study)
    records = answers(store)
    simulated = {one.number for one in store.annotators.all() if one.name.startswith(SIMULATED)}
    count = len(simulated & {record["annotator"] for record in records})
    notes = [f"{count} annotators are simulated: their answers say nothing about people."] if count else []
    try:
        known = read_groups(folder / GROUPS_FILE)
        images, unread = card_images(records, folder / "images")
        return people(records, known, name=name, images=images, notes=[*notes, *unread])
    except UserError as error:
        raise UserError(f"{folder}: {error}") from error
