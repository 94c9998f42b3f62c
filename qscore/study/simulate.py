"""Annotators of a known accuracy, who answer a whole study through its store: what comes out must be what went in."""

from pathlib import Path
from random import Random

from qscore.errors import UserError
from qscore.study.annotators import Annotators
from qscore.study.store import Store
from qscore.study.tokens import was_served

SIMULATED = "simulated"  # how their names begin


def check_unused(folder: Path, annotators: Annotators) -> None:
    """Raises a `UserError` where people may be answering a study already: what is simulated stays in it."""
    has_some = bool(annotators.all())
    if has_some or was_served(folder):
        why = "has annotators already" if has_some else "was served already, and somebody may have its links"
        raise UserError(
            f"This study {why}, and what is simulated stays among the answers of people. Copy it (cp -r {folder} COPY) "
            "and simulate on the copy, with --again."
        )


def simulate(store: Store, *, accuracy: float, num_annotators: int, seed: int = 0) -> int:
    """Lets annotators take turns until nothing is left for any of them; returns the number of answers.

    Each answers rightly with probability `accuracy`, independently; ratings are drawn evenly from 1 to 5.

    Args:
        store: of the study; its answers are real rows, so simulate on a copy.
        accuracy: the probability of a right answer.
        num_annotators: how many take part.
        seed: of their answers.
    """
    random = Random(seed)
    waiting = [store.annotators.add(f"{SIMULATED} {number + 1}") for number in range(num_annotators)]
    for annotator in waiting:
        store.annotators.consent(annotator)
    num_answers = 0
    while waiting:
        waiting = [annotator for annotator in waiting if _answer(store, annotator, accuracy, random)]
        num_answers += len(waiting)
    return num_answers


def _answer(store: Store, annotator: int, accuracy: float, random: Random) -> bool:
    shown = store.next(annotator)
    if not shown:
        return False
    trial = shown[0].trial
    if trial.condition == "likert":
        choice, suits = str(random.randint(1, 5)), random.choice(("yes", "no"))
    else:
        sides = ("left", "right") if trial.correct == "left" else ("right", "left")
        choice, suits = sides[random.random() >= accuracy], None
    return store.submit(shown[0].id, annotator, choice, suits=suits) == "taken"
