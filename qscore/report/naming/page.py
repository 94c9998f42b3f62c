"""The page of a naming study: tables 1 to 6 and figs. 3 to 7 of Hamidi-Haines et al."""

from pathlib import Path

from qscore.files import write_text
from qscore.report.naming.chapters import EXPLAINED, MATCHED, NAMING_CHAPTERS
from qscore.report.naming.explained import tables4
from qscore.report.naming.matched import by_group, examples
from qscore.report.naming.overview import concepts_csv, people_table
from qscore.report.naming.study import Namings
from qscore.report.page import PAGE
from qscore.report.pictures import inline, write_figure
from qscore.report.tables import as_csv
from qscore.report.template import rendered
from qscore.results import Result


def write_naming_report(result: Result, out: Path) -> Path:
    """Writes `index.html`, its figures and tables from a `namings` result; returns the page."""
    namings = Namings(result)
    shown = [chapter for chapter in NAMING_CHAPTERS if namings.has_pairs or not chapter.needs_pairs]
    pictures = {one.name: inline(write_figure(one.draw(namings), out / f"{one.name}.png")) for one in shown if one.draw}
    for chapter in (*shown, EXPLAINED, *([MATCHED] if namings.has_pairs else [])):
        write_text(out / f"{chapter.name}.csv", as_csv(*chapter.csv(namings)))
    write_text(out / "concepts.csv", as_csv(*concepts_csv(namings)))
    page = rendered(
        "naming_page.html.jinja",
        study=namings.name,
        who=namings.who,
        source=[(key.replace("_", " "), value) for key, value in result.settings.get("source", {}).items()],
        people=people_table(namings),
        notes=result.notes,
        chapters=[(one, pictures.get(one.name), one.content(namings)) for one in shown],
        remarks={one.name: one.remark(namings) for one in shown if one.remark},
        explained=EXPLAINED,
        explanations=tables4(namings),
        matched=MATCHED,
        examples=examples(namings) if namings.has_pairs else [],
        pairs=by_group(namings) if namings.has_pairs else [],
    )
    write_text(out / PAGE, page)
    return out / PAGE
