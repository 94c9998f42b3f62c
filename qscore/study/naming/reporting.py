"""What people named in a study, as the report reads it, and as concepts for reverse probing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from qscore.errors import UserError
from qscore.files import read_json
from qscore.interpretability.naming.people import namings_result
from qscore.interpretability.naming.recorded_words import export_words
from qscore.results import Result
from qscore.study.naming.export import namings
from qscore.study.naming.folder import load_naming_study
from qscore.study.naming.relations import Relations
from qscore.study.naming.store import NamingStore
from qscore.study.simulate import SIMULATED

FACTS_FILE = "groups.json"  # as in the folder of maps; where it is missing, table 1 has no facts of a network


def naming_result(folder: Path, name: str) -> Result:
    """Returns the result of a naming study.

    Raises:
        UserError: If nobody named anything, or it is no naming study.
    """
    store = _asked(folder)
    records = namings(store)
    numbers = {one.number for one in store.annotators.all() if one.name.startswith(SIMULATED)}
    simulated = len(numbers & {record["annotator"] for record in records})
    notes = [f"{simulated} annotators are simulated: their names say nothing about people."] if simulated else []
    known = _known(folder)
    titles = {group.name: {"title": group.title} for group in store.study.groups.values()}
    facts = {group: {**about, **known.get("groups", {}).get(group, {})} for group, about in titles.items()}
    source = known.get("source", {})
    relations = Relations(store).table()
    found = namings_result(records, _activations(store), relations, name=name, facts=facts, source=source, notes=notes)
    return replace(found, settings={**found.settings, "num_simulated": simulated})


def write_concepts(folder: Path, path: Path) -> str:
    """Writes what people named as a group of concepts for reverse probing, and returns what to tell the user.

    Raises:
        UserError: If nobody named anything, or it is no naming study.
    """
    store = _asked(folder)
    are_held_out = _known(folder).get("source", {}).get("split", "test") == "test"
    count = export_words(namings(store), _activations(store), path, are_held_out=are_held_out)
    return f"{count} concepts of people in {path}"


def _asked(folder: Path) -> NamingStore:
    study = load_naming_study(folder)
    if not (folder / "answers.sqlite").is_file():
        raise UserError(f"Expected namings in {folder}, got none; ask people: python -m qscore.study serve {folder}")
    return NamingStore(study)


def _known(folder: Path) -> dict[str, Any]:
    return dict(read_json(folder / FACTS_FILE)) if (folder / FACTS_FILE).is_file() else {}


def _activations(store: NamingStore) -> list[dict[str, Any]]:
    """In the order of their ids: those of the file are shuffled for the pages."""
    rows = [
        {"activation_id": one.activation_id, "group": group.name, "image": one.sample, "feature": one.feature}
        for group in store.study.groups.values()
        for one in sorted(group.activations, key=lambda one: one.activation_id)
    ]
    return rows
