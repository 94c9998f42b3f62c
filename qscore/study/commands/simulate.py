"""`simulate STUDY`: answers as people of a known accuracy would, or names as people of known habits."""

import argparse
from pathlib import Path
from typing import Any

from qscore.errors import UserError
from qscore.study.folder import load_study
from qscore.study.naming import commands as naming
from qscore.study.naming.simulate import simulate_namings
from qscore.study.simulate import simulate
from qscore.study.store import Store


def add(commands: Any) -> None:
    """Adds the command and its options."""
    parser = commands.add_parser("simulate", help="answer as people of a known accuracy would")
    parser.add_argument("study", type=Path, metavar="STUDY")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="also where there are annotators already")
    of_questions = parser.add_argument_group("of questions")
    of_questions.add_argument("--accuracy", type=float, help="share of right answers, 0 to 1")
    of_questions.add_argument("--annotators", type=int, help="how many (default: 12)")
    of_naming = parser.add_argument_group("of a naming study")
    of_naming.add_argument("--naming", type=Path, metavar="FILE.jsonl", help="namings to play, as `export` writes them")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    if naming.is_naming(options.study):
        if options.accuracy is not None or options.annotators is not None:
            raise UserError("--accuracy and --annotators are for questions; these are maps to name. Leave them out.")
        print(simulate_namings(options.study, options.naming, again=options.again))
        return
    if options.naming is not None:
        raise UserError(f"--naming is for a naming study; {options.study} asks questions. Leave it out.")
    if options.accuracy is None or not 0 <= options.accuracy <= 1:
        raise UserError(
            f"expected --accuracy from 0 to 1; it is {options.accuracy}. 0.8: four answers in five are right."
        )
    store = Store(load_study(options.study))
    if store.annotators.all() and not options.again:
        raise UserError(
            "this study has annotators already, and simulated answers stay. Simulate on a copy, or say --again."
        )
    num = 12 if options.annotators is None else options.annotators
    count = simulate(store, accuracy=options.accuracy, num_annotators=num, seed=options.seed)
    print(f"{count} answers of {num} simulated annotators")
