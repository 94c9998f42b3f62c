"""The page of what people said: tables 1 and 2, figs. 2, 4 and 5, features, and a card of every group."""

from pathlib import Path

from qscore.files import write_text
from qscore.report.forced_choice.study import Study
from qscore.report.forced_choice.study_cards import MOST, study_cards
from qscore.report.forced_choice.study_chapters import INTERVALS, STUDY_CHAPTERS
from qscore.report.forced_choice.study_counts import annotators_csv, people_table
from qscore.report.forced_choice.study_purity import groups_csv
from qscore.report.page import PAGE
from qscore.report.pictures import inline, write_figure
from qscore.report.tables import as_csv
from qscore.report.template import rendered
from qscore.results import Result


def write_study_report(results: list[Result], out: Path) -> Path:
    """Writes `index.html`, its figures and tables from `people` results; returns the page."""
    studies = [Study(result) for result in results]
    shown = [chapter for chapter in STUDY_CHAPTERS if chapter.has(studies)]
    pictures = {
        chapter.name: inline(write_figure(chapter.draw(studies), out / f"{chapter.name}.png"))
        for chapter in shown
        if chapter.draw
    }
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
