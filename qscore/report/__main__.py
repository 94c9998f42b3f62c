"""`python -m qscore.report RUN_DIR... [--out DIR]`: runs in one page. `... compare RUN_DIR...`: group against group."""

import argparse
import sys
from pathlib import Path

from qscore.errors import UserError
from qscore.report.collect import collect
from qscore.report.compare_page import compare
from qscore.report.page import write_report
from qscore.report.tables import main_table


def main(arguments: list[str] | None = None) -> int:
    """Writes the report, or with "compare" first the comparison; prints it and returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    return _compare(arguments[1:]) if arguments[:1] == ["compare"] else _report(arguments)


def _compare(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m qscore.report compare",
        description="Set runs against their control and their baseline, pair by pair of the same training seed.",
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN_DIR", help="run directories, or folders of them")
    parser.add_argument("--out", type=Path, help="folder for compare.html, compare.csv and compare.png")
    options = parser.parse_args(arguments)
    try:
        print(compare(collect(options.runs), options.out))
    except UserError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    if options.out is not None:
        print(f"\nOpen {(options.out / 'compare.html').absolute()}")
    return 0


def _report(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m qscore.report", description="Compare evaluated runs in one page.")
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN_DIR", help="run directories, or folders of them")
    parser.add_argument("--out", type=Path, default=Path("report"), help="folder of the page (default: report)")
    options = parser.parse_args(arguments)
    try:
        encoders = collect(options.runs)
        page = write_report(encoders, options.out)
    except UserError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    header, rows = main_table(encoders)
    print(_aligned(header, rows))
    print(f"\nOpen {page.absolute()}")
    return 0


def _aligned(header: list[str], rows: list[list[str]]) -> str:
    """One line a metric, one column an encoder: ten metrics are too wide for a terminal the other way."""
    lines = [list(line) for line in zip(header, *rows, strict=True)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


if __name__ == "__main__":
    sys.exit(main())
