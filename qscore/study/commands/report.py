"""`report STUDY...`: tables, figures and cards of what people said."""

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Adds the command and its options."""
    parser = commands.add_parser("report", help="tables, figures and cards of what people said")
    parser.add_argument("studies", nargs="+", type=Path, metavar="STUDY", help="one, or several side by side")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the page (default: STUDY/report)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from qscore.study.reporting import report  # matplotlib and scipy, which no other command needs

    print(f"Open {report(options.studies, options.out).absolute()}")
