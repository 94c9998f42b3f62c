"""`simulate STUDY`: answers as people of a known accuracy would."""

import argparse
from pathlib import Path
from typing import Any

from qscore.errors import UserError
from qscore.study.folder import load_study
from qscore.study.simulate import simulate
from qscore.study.store import Store


def add(commands: Any) -> None:
    """Adds the command and its options."""
    parser = commands.add_parser("simulate", help="answer as people of a known accuracy would")
    parser.add_argument("study", type=Path, metavar="STUDY")
    parser.add_argument("--accuracy", type=float, required=True, help="share of right answers, 0 to 1")
    parser.add_argument("--annotators", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="also where there are annotators already")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    if not 0 <= options.accuracy <= 1:
        raise UserError(
            f"expected an accuracy from 0 to 1; it is {options.accuracy}. 0.8: four answers in five are right."
        )
    store = Store(load_study(options.study))
    if store.annotators.all() and not options.again:
        raise UserError(
            "this study has annotators already, and simulated answers stay. Simulate on a copy, or say --again."
        )
    count = simulate(store, accuracy=options.accuracy, num_annotators=options.annotators, seed=options.seed)
    print(f"{count} answers of {options.annotators} simulated annotators")
