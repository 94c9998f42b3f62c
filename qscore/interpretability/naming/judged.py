"""What people said of the names of a group, as the words that decide whether two names are compatible."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from qscore.errors import unknown_name
from qscore.interpretability.naming.compatibility import EXACT, NONE, SUBSET, Words, names_of

RELATIONS = {"different": NONE, SUBSET: SUBSET, EXACT: EXACT}  # from the weakest
OWNER = "owner"


def judged_words(
    relations: Iterable[Mapping[str, Any]], groups: Iterable[str], synonyms: Mapping[str, str] | None = None
) -> dict[str, Words]:
    """Returns the judgements of each group: the owner's, else what most annotators said, the weaker of a draw.

    Args:
        relations: With group, name_a, name_b, relation and confirmed_by, as `export --names` writes them.
        groups: All of them.
        synonyms: See `Words`.

    Raises:
        UserError: If a relation is unknown.

    >>> said = {"group": "cat", "name_a": "ear", "name_b": "Ears", "relation": "different", "confirmed_by": "owner"}
    >>> judged_words([said], ["cat"])["cat"].relation("Ear", "ears")
    'none'
    """
    votes: dict[str, dict[frozenset[str], list[tuple[bool, str]]]] = defaultdict(lambda: defaultdict(list))
    for row in relations:
        if row["relation"] not in RELATIONS:
            raise unknown_name("relation", str(row["relation"]), RELATIONS)
        names = names_of(str(row["name_a"]), str(row["name_b"]))
        votes[str(row["group"])][names].append((row.get("confirmed_by") == OWNER, str(row["relation"])))
    return {
        group: Words({names: _decided(said) for names, said in votes[group].items()}, synonyms or {})
        for group in groups
    }


def _decided(said: list[tuple[bool, str]]) -> str:
    """The relation that counts.

    >>> _decided([(False, "exact"), (False, "subset")]), _decided([(False, "exact"), (True, "different")])
    ('subset', 'none')
    """
    counts = Counter([relation for is_owner, relation in said if is_owner] or [relation for _, relation in said])
    order = list(RELATIONS)
    return RELATIONS[max(counts, key=lambda relation: (counts[relation], -order.index(relation)))]
