"""Which names mean the same: pairs of names of two annotators for overlapping sets, and what a person says of them.

Hamidi-Haines et al. (2018) call matched concepts linguistically compatible when their names are the same ("exact"), or
one says more than the other ("subset"). A person confirms it here, once for each pair of names of a group.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from qscore.study.naming.actions import name_key
from qscore.study.naming.state import State
from qscore.study.naming.store import NamingStore

COLUMNS = ("group", "name_a", "name_b", "relation", "confirmed_by")  # of `Relations.table`
RELATIONS = ("exact", "subset", "different")
_CONFIRMED = """SELECT r.* FROM naming_relations r WHERE number = (SELECT max(number) FROM naming_relations s
  WHERE s.grp = r.grp AND s.name_a = r.name_a AND s.name_b = r.name_b AND s.judge IS r.judge) ORDER BY number"""


@dataclass(frozen=True)
class NamePair:
    """Two names of a group, in the order of the alphabet, with everything that carries each."""

    group: str
    name_a: str
    name_b: str
    members_a: frozenset[str]
    members_b: frozenset[str]

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays when images move."""
        return self.group, name_key(self.name_a), name_key(self.name_b)


class Relations:
    """The confirmed relations of a study."""

    def __init__(self, store: NamingStore) -> None:
        self._store = store
        self._known: dict[str, tuple[list[tuple[int, int, str]], list[NamePair]]] = {}

    def pairs(self) -> list[NamePair]:
        """Returns the pairs of different names that two annotators gave to sets which share an activation."""
        return [pair for group in self._store.study.groups for pair in self._known_pairs_of(group)]

    def confirm(self, judge: int | None, pair: NamePair, relation: str) -> None:
        """Keeps what a person says; `judge` is an annotator, or None for the owner. The latest counts."""
        if relation not in RELATIONS:
            raise ValueError(f"expected one of {', '.join(RELATIONS)}; it is {relation!r}")
        row = (judge, *pair.key, relation, self._store.clock())
        query = """INSERT INTO naming_relations (judge, grp, name_a, name_b, relation, received)
            VALUES (?, ?, ?, ?, ?, ?)"""
        with self._store.database.writing() as db:
            db.execute(query, row)

    def confirmed(self, judge: int | None) -> dict[tuple[str, str, str], str]:
        """Returns what a person said, for each pair's key."""
        return {
            (row["grp"], row["name_a"], row["name_b"]): row["relation"]
            for row in self._store.database.rows(_CONFIRMED)
            if row["judge"] == judge
        }

    def table(self) -> list[dict[str, Any]]:
        """Returns one record a pair and person, for the analysis of linguistic compatibility."""
        return [
            {
                "group": self._store.study.groups[row["grp"]].name,
                **{name: row[name] for name in COLUMNS[1:-1]},
                "confirmed_by": "owner" if row["judge"] is None else row["judge"],
            }
            for row in self._store.database.rows(_CONFIRMED)
        ]

    def choose_judge(self, annotator: int) -> None:
        """Lets an annotator confirm names, after naming everything."""
        with self._store.database.writing() as db:
            db.execute("INSERT OR IGNORE INTO naming_judges SELECT id, NULL FROM annotators WHERE id = ?", (annotator,))

    def judges(self) -> set[int]:
        """Returns the annotators whom the owner chose."""
        return {row["annotator"] for row in self._store.database.rows("SELECT annotator FROM naming_judges")}

    def may_judge(self, annotator: int) -> bool:
        """Whether the annotator was chosen, and finished every group: nobody sees others' names before."""
        if self._store.study.policies.confirmed_by != "annotators" or annotator not in self.judges():
            return False
        groups = self._store.groups(annotator)
        return all(self._store.history(annotator, group.key).done for group in groups)

    def look(self, annotator: int) -> None:
        """Keeps that the annotator has seen others' names; from here on they name no more."""
        with self._store.database.writing() as db:
            query = "UPDATE naming_judges SET looked = coalesce(looked, ?) WHERE annotator = ?"
            db.execute(query, (self._store.clock(), annotator))

    def _known_pairs_of(self, group: str) -> list[NamePair]:
        """Returns the same pairs as long as nobody acts."""
        folded = {one.number: self._store.folded(one.number, group) for one in self._store.annotators.all()}
        latest = [(who, one.number, one.client_id) for who, one in folded.items()]
        before, pairs = self._known.get(group, ([], []))
        if before != latest:
            pairs = _pairs(group, {who: one.history.present for who, one in folded.items()})
            self._known[group] = (latest, pairs)
        return pairs


def _pairs(group: str, states: Mapping[int, State]) -> list[NamePair]:
    """Of what each annotator named."""
    spelled: dict[str, str] = {}
    carried: dict[str, set[str]] = defaultdict(set)
    meeting: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for annotator, state in states.items():
        for concept in state.concepts:
            name = name_key(concept.name)
            spelled.setdefault(name, concept.name)
            carried[name] |= concept.members
            for member in concept.members:
                meeting[member][name].add(annotator)
    met = {
        pair for names in meeting.values() for pair in combinations(sorted(names), 2)
        if len(names[pair[0]] | names[pair[1]]) > 1
    }  # fmt: skip
    return [
        NamePair(group, spelled[a], spelled[b], frozenset(carried[a]), frozenset(carried[b])) for a, b in sorted(met)
    ]
