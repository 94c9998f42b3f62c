"""One self-contained HTML page with its figures inside, and every table as CSV beside it."""

from pathlib import Path

from qscore.files import write_text
from qscore.report import tables
from qscore.report.chapters import CHAPTERS
from qscore.report.collect import EvaluatedEncoder
from qscore.report.guard import guard_notes
from qscore.report.pictures import inline, write_figure
from qscore.report.published.rows import load_rows
from qscore.report.published_tables import measured_grids, published_csvs
from qscore.report.reverse_probing.overview import reverse_notes
from qscore.report.rivals import rivals_table
from qscore.report.template import rendered
from qscore.report.watch import effect_notes, watch_notes

PAGE = "index.html"


def write_report(encoders: list[EvaluatedEncoder], out: Path) -> Path:
    """Writes `index.html`, the pictures it contains and the tables; returns the page."""
    pictures = write_pictures(encoders, out)
    header, rows = tables.main_table(encoders)
    write_text(out / "comparison.csv", tables.main_csv(encoders))
    write_text(out / "per_class.csv", tables.per_class_csv(encoders))
    write_text(out / "rivals.csv", tables.as_csv(*rivals_table(encoders)))
    for chapter in CHAPTERS:
        if chapter.csv is not None and chapter.name in pictures:
            write_text(out / f"{chapter.name}.csv", tables.as_csv(*chapter.csv(encoders)))
        for name in chapter.printed if chapter.name in pictures else ():
            write_text(out / f"{name}.csv", tables.as_csv(*load_rows(name).as_numbers()))
    for name, text in published_csvs(encoders).items():
        write_text(out / name, text)
    page = rendered(
        "page.html.jinja",
        header=header,
        rows=rows,
        roles=[e.role.lower() for e in encoders],
        caution=tables.caution(encoders),
        notes=[
            *effect_notes(encoders),
            *watch_notes(encoders),
            *guard_notes(encoders),
            *reverse_notes(encoders),
            *tables.notes(encoders),
        ],
        chapters=[
            (
                chapter,
                inline(pictures[chapter.name]),
                chapter.table(encoders) if chapter.table else None,
                chapter.cards(encoders) if chapter.cards else (),
                [load_rows(name) for name in chapter.printed],
            )
            for chapter in CHAPTERS
            if chapter.name in pictures
        ],
        grids=measured_grids(encoders),
        runs=[(e.name, e.path.name, e.settings) for e in encoders],
    )
    write_text(out / PAGE, page)
    return out / PAGE


def write_pictures(encoders: list[EvaluatedEncoder], out: Path) -> dict[str, Path]:
    """Writes every figure whose results are there as a PNG file; returns them by name."""
    written = {}
    for chapter in CHAPTERS:
        if not any(chapter.has(e) for e in encoders):
            continue
        written[chapter.name] = write_figure(chapter.draw(encoders), out / f"{chapter.name}.png")
    return written
