"""What the commands `new`, `export` and `simulate` of `python -m qscore.study` do for a naming study."""

from pathlib import Path
from typing import Any

from qscore.errors import UserError
from qscore.study.naming.export import actions, namings
from qscore.study.naming.folder import KIND, load_naming_study, study_kind
from qscore.study.naming.making import make_naming_study
from qscore.study.naming.relations import Relations
from qscore.study.naming.simulate import play, read_namings
from qscore.study.naming.store import NamingStore

TITLE = "What do the marks show?"


def is_naming(folder: Path) -> bool:
    """Whether `folder` holds a naming study."""
    return study_kind(folder) == KIND


def new(maps: Path, folder: Path, *, title: str | None, seed: int) -> str:
    """Makes a study of a folder of activation maps, and returns what to tell the user."""
    study = make_naming_study(maps, folder, title=title or TITLE, seed=seed)
    count = sum(len(group.activations) for group in study.groups.values())
    return f"{count} maps in {len(study.groups)} groups in {folder}. Next: python -m qscore.study serve {folder}"


def export(folder: Path, what: str) -> list[dict[str, Any]]:
    """Returns the "namings", the "actions" or the "names" that were confirmed."""
    store = NamingStore(load_naming_study(folder))
    if what == "names":
        return Relations(store).table()
    return actions(store) if what == "actions" else namings(store)


def simulate(folder: Path, file: Path, *, again: bool = False) -> str:
    """Plays the namings of a file, each annotator of it as a new one, and returns what to tell the user.

    Raises:
        UserError: the study has annotators already, and `again` is not set.
    """
    store, records = NamingStore(load_naming_study(folder)), read_namings(file)
    if store.annotators.all() and not again:
        raise UserError(
            "this study has annotators already, and simulated namings stay. Simulate on a copy, or say --again."
        )
    numbers: dict[Any, int] = {}
    count = 0
    for record in records:
        who = record.get("annotator", 1)
        if who not in numbers:
            numbers[who] = store.annotators.add(f"simulated {who}")
            store.annotators.consent(numbers[who])
        count += play(store, record, numbers[who])
    return f"{count} actions of {len(numbers)} simulated annotators"
