"""`simulate STUDY`: answers as people of a known accuracy would, or names as people of known habits."""

import argparse
from pathlib import Path
from typing import Any

from qscore.errors import UserError
from qscore.study.folder import load_study
from qscore.study.naming import commands as naming
from qscore.study.simulate import check_unused, simulate
from qscore.study.store import Store

_ANNOTATORS = """how many (default: 12); of a naming study the habit of each: same, split, merge, noise or random
(default: the namings as they are)"""
_NAMING = "namings to start from, as `export` writes them (default: a concept for each feature)"


def add(commands: Any) -> None:
    """Adds the command and its options."""
    parser = commands.add_parser("simulate", help="answer as people of a known accuracy would")
    parser.add_argument("study", type=Path, metavar="STUDY")
    parser.add_argument("--annotators", nargs="+", metavar="N", help=_ANNOTATORS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="also where the study was served, or has annotators")
    of_questions = parser.add_argument_group("of questions")
    of_questions.add_argument("--accuracy", type=float, help="share of right answers, 0 to 1")
    of_naming = parser.add_argument_group("of a naming study")
    of_naming.add_argument("--naming", type=Path, metavar="FILE.jsonl", help=_NAMING)
    of_naming.add_argument("--noise", type=float, default=0.1, help="share of the maps that noise moves (default: 0.1)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    if naming.is_naming(options.study):
        if options.accuracy is not None:
            raise UserError("--accuracy is for questions; these are maps to name. Say --annotators same split merge.")
        how = {"noise": options.noise, "seed": options.seed, "again": options.again}
        print(naming.simulate(options.study, options.naming, options.annotators or (), **how))
        return
    if options.naming is not None:
        raise UserError(f"--naming is for a naming study; {options.study} asks questions. Leave it out.")
    if options.accuracy is None or not 0 <= options.accuracy <= 1:
        raise UserError(
            f"expected --accuracy from 0 to 1; it is {options.accuracy}. 0.8: four answers in five are right."
        )
    store = Store(load_study(options.study))
    if not options.again:
        check_unused(options.study, store.annotators)
    num = _number(options.annotators or ["12"])
    count = simulate(store, accuracy=options.accuracy, num_annotators=num, seed=options.seed)
    print(f"{count} answers of {num} simulated annotators")


def _number(words: list[str]) -> int:
    if len(words) != 1 or not (words[0].isascii() and words[0].isdigit() and int(words[0]) > 0):
        raise UserError(f"expected --annotators as one whole number from 1; it is {' '.join(words)}.")
    return int(words[0])
