"""The page of what people said: tables 1 and 2, figs. 2, 4 and 5, features, and a card of every group."""

import io
from pathlib import Path

from matplotlib.figure import Figure

from qscore.files import write_text, written_whole
from qscore.report.forced_choice.study import Study
from qscore.report.forced_choice.study_cards import MOST, study_cards
from qscore.report.forced_choice.study_chapters import INTERVALS, STUDY_CHAPTERS
from qscore.report.forced_choice.study_counts import annotators_csv, people_table
from qscore.report.forced_choice.study_purity import groups_csv
from qscore.report.page import PAGE, inline
from qscore.report.tables import as_csv
from qscore.report.template import rendered
from qscore.results import Result


def write_study_report(results: list[Result], out: Path) -> Path:
    """Writes `index.html`, its figures and tables from `people` results; returns the page."""
    studies = [Study(result) for result in results]
    shown = [chapter for chapter in STUDY_CHAPTERS if chapter.has(studies)]
    pictures = {chapter.name: _written(chapter.draw(studies), out, chapter.name) for chapter in shown if chapter.draw}
    for chapter in shown:
        write_text(out / f"{chapter.name}.csv", as_csv(*chapter.csv(studies)))
    write_text(out / "groups.csv", as_csv(*groups_csv(studies)))
    write_text(out / "annotators.csv", as_csv(*annotators_csv(studies)))
    page = rendered(
        "study_page.html.jinja",
        studies=studies,
        people=people_table(studies),
        notes=[f"{study.name}: {note}" for study in studies for note in study.result.notes],
        chapters=[(chapter, pictures.get(chapter.name), chapter.content(studies)) for chapter in shown],
        cards=[(study, study_cards(study)) for study in studies],
        most=MOST,
        intervals=INTERVALS,
    )
    write_text(out / PAGE, page)
    return out / PAGE


def _written(figure: Figure, out: Path, name: str) -> str:
    """Writes a figure and returns it as a data URL."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    path = out / f"{name}.png"
    with written_whole(path) as temporary:
        temporary.write_bytes(buffer.getvalue())
    return inline(path)
