"""`export STUDY`: writes the answers."""

import argparse
import sys
from pathlib import Path
from typing import Any

from qscore.files import write_text
from qscore.study.export import answers, as_csv, as_jsonl
from qscore.study.folder import load_study
from qscore.study.store import Store


def add(commands: Any) -> None:
    """Adds the command and its options."""
    parser = commands.add_parser("export", help="write the answers, with everything that was shown")
    parser.add_argument("study", type=Path, metavar="STUDY")
    parser.add_argument("--out", type=Path, help="FILE.jsonl or FILE.csv (default: JSON lines on the terminal)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    records = answers(Store(load_study(options.study)))
    is_table = options.out is not None and options.out.suffix == ".csv"
    text = as_csv(records) if is_table else as_jsonl(records)
    if options.out is None:
        sys.stdout.write(text)
    else:
        write_text(options.out, text)
        print(f"{len(records)} answers in {options.out}")
