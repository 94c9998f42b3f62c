"""What the commands `new`, `export` and `simulate` of `python -m qscore.study` do for a naming study."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qscore.study.naming.export import actions, as_jsonl, as_table, namings, places
from qscore.study.naming.folder import KIND, load_naming_study, study_kind
from qscore.study.naming.habits import by_feature, with_habits
from qscore.study.naming.making import make_naming_study
from qscore.study.naming.relations import COLUMNS, Relations
from qscore.study.naming.rules import NamingPolicies
from qscore.study.naming.simulate import play_all, read_namings
from qscore.study.naming.store import NamingStore
from qscore.study.simulate import check_unused

TITLE = "What do the marks show?"
EXPORTS = {"actions": "everything that was done, in its order", "names": "which names mean the same"}


def is_naming(folder: Path) -> bool:
    """Whether `folder` holds a naming study."""
    return study_kind(folder) == KIND


def new(maps: Path, folder: Path, *, title: str | None, policies: NamingPolicies, seed: int) -> str:
    """Makes a study of a folder of activation maps, and returns what to tell the user."""
    study = make_naming_study(maps, folder, title=title or TITLE, policies=policies, seed=seed)
    count = sum(len(group.activations) for group in study.groups.values())
    wanted = policies.annotators_per_group
    who = f"{wanted} people name each" if wanted else "everyone names each"
    return f"{count} maps in {len(study.groups)} groups, {who}, in {folder}"


def export(folder: Path, what: str | None, *, is_table: bool) -> tuple[str, str]:
    """Returns the text of "actions", "names" or, for None, of the namings; and how many there are, in words.

    A table of namings has a row for each activation and annotator.
    """
    store = NamingStore(load_naming_study(folder))
    records: list[dict[str, Any]]
    if what == "names":
        records, word = Relations(store).table(), "confirmed pairs of names"
    elif what == "actions":
        records, word = actions(store), "actions"
    else:
        records, word = namings(store), "namings"
    counted = f"{len(records)} {word}"
    if not is_table:
        return as_jsonl(records), counted
    return as_table(
        places(records) if what is None else records, COLUMNS if what == "names" else ("annotator",)
    ), counted


def simulate(
    folder: Path, truth: Path | None, habits: Sequence[str], *, noise: float, seed: int, again: bool = False
) -> str:
    """Lets annotators name through the store, and returns what to tell the user.

    Args:
        folder: of the study; the actions are real rows, so simulate on a copy.
        truth: namings as `export` writes them; by default those of someone who sees the features themselves.
        habits: one annotator for each, who names like the first of the truth but for it; by default everyone of the
            truth as they are.
        noise: share of the named maps that the habit "noise" moves.
        seed: of the habits.
        again: also where the study was served, or has annotators.

    Raises:
        UserError: the study is in use already, or the truth is none of it; then nothing is kept.
    """
    store = NamingStore(load_naming_study(folder))
    if not again:
        check_unused(folder, store.annotators)
    records = by_feature(store.study) if truth is None else read_namings(truth)
    if habits:
        records = with_habits(store.study, records, habits, noise=noise, seed=seed)
    count, num_annotators = play_all(store, records)
    return f"{count} actions of {num_annotators} simulated annotators"
