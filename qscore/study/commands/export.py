"""`export STUDY`: writes the answers."""

import argparse
import sys
from pathlib import Path
from typing import Any

from qscore.errors import UserError
from qscore.files import write_text
from qscore.study.export import answers, as_csv, as_jsonl
from qscore.study.folder import load_study
from qscore.study.naming import commands as naming
from qscore.study.store import Store


def add(commands: Any) -> None:
    """Adds the command and its options."""
    parser = commands.add_parser("export", help="write the answers, with everything that was shown")
    parser.add_argument("study", type=Path, metavar="STUDY")
    parser.add_argument("--out", type=Path, help="FILE.jsonl or FILE.csv (default: JSON lines on the terminal)")
    of_naming = parser.add_argument_group("of a naming study, instead of the namings")
    what = of_naming.add_mutually_exclusive_group()
    for name, text in naming.EXPORTS.items():
        what.add_argument(f"--{name}", dest="what", action="store_const", const=name, help=text)
    what.add_argument("--concepts", type=Path, metavar="FILE.csv", help="what people named, for reverse probing")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    if options.concepts is not None:
        print(_concepts(options))
        return
    is_table = options.out is not None and options.out.suffix == ".csv"
    if naming.is_naming(options.study):
        text, counted = naming.export(options.study, options.what, is_table=is_table)
    elif options.what is not None:
        raise UserError(f"--{options.what} is for a naming study; {options.study} asks questions. Leave it out.")
    else:
        records = answers(Store(load_study(options.study)))
        text, counted = as_csv(records) if is_table else as_jsonl(records), f"{len(records)} answers"
    if options.out is None:
        sys.stdout.write(text)
    else:
        write_text(options.out, text)
        print(f"{counted} in {options.out}")


def _concepts(options: argparse.Namespace) -> str:
    if not naming.is_naming(options.study):
        raise UserError(f"--concepts is for a naming study; {options.study} asks questions. Leave it out.")
    if options.out is not None:
        raise UserError(f"--concepts has its own file, {options.concepts}; leave out --out.")
    from qscore.study.naming.reporting import write_concepts  # numpy and scipy, which the raw export does not need

    return write_concepts(options.study, options.concepts)
