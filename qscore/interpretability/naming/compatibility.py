"""Whether two names that matched say the same (Hamidi-Haines et al., section 4.3, table 6)."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qscore.errors import UserError, unknown_name
from qscore.files import written_whole
from qscore.interpretability.naming.matching import Matching
from qscore.interpretability.reverse_probing.tables.text import named_columns

EXACT, SUBSET, NONE = "exact", "subset", "none"
RELATIONS = (EXACT, SUBSET, NONE)
COLUMNS = ("first", "second", "relation")
IRREGULAR = {"feet": "foot", "teeth": "tooth", "people": "person"}
ENDINGS = {"ies": ("y",), "ves": ("f", "fe"), "es": ("",)}  # of a plural, and of what it may be the plural of
# Words that join the parts of a name and say nothing of their own.
JOINING = frozenset({"a", "an", "and", "at", "in", "of", "on", "or", "the", "with", "part", "parts"})


@dataclass(frozen=True)
class Words:
    """What is known of words: people's judgements of two names, before any rule.

    Attributes:
        judged: Relation of two names, in either order, as people confirmed it.
        synonyms: A word for each word that means the same, such as {"nose": "beak"}.
    """

    judged: Mapping[frozenset[str], str] = field(default_factory=dict)
    synonyms: Mapping[str, str] = field(default_factory=dict)

    def tokens(self, name: str) -> frozenset[str]:
        """Returns the words of a name in small letters, without those that only join, by one word for synonyms.

        >>> sorted(Words(synonyms={"Nose": "beak"}).tokens("Noses and the wings"))
        ['beak', 'wings']
        """
        words = "".join(letter if letter.isalnum() else " " for letter in name.casefold()).split()
        same = [(_forms(word.casefold()), other.casefold()) for word, other in self.synonyms.items()]
        told = (word for word in words if word not in JOINING)
        found = frozenset(next((other for forms, other in same if forms & _forms(word)), word) for word in told)
        return found or frozenset(words)

    def relation(self, first: str, second: str) -> str:
        """Returns "exact", "subset" or "none" for two names; a rule proposes, a judgement decides.

        Names are exactly compatible if their words are the same, in the singular or plural, and subset compatible if
        those of one are among those of the other ("open wing" and "wing").

        >>> [Words().relation("Wing and eye", other) for other in ("eye wings", "wing", "tail")]
        ['exact', 'subset', 'none']
        """
        if (pair := names_of(first, second)) in self.judged:
            return self.judged[pair]
        one, other = ([_forms(word) for word in self.tokens(name)] for name in (first, second))
        if not one or not other:
            return NONE
        is_within, holds = _is_among(one, other), _is_among(other, one)
        return EXACT if is_within and holds else SUBSET if is_within or holds else NONE


@dataclass(frozen=True)
class Compatibility:
    """Shares of the weight of matched pairs whose names are compatible; nan where nothing is matched.

    Attributes:
        exact: The names mean the same.
        subset: They mean the same, or one means part of the other.
    """

    exact: float
    subset: float


def compatibility(
    matching: Matching, first_names: Sequence[str], second_names: Sequence[str], words: Words | None = None
) -> Compatibility:
    """Returns how much of a matching the names bear out.

    Args:
        matching: Of concepts that are numbered by their place among the names.
        first_names: Of the concepts of the first annotator.
        second_names: Of those of the second.
        words: Judgements and synonyms.
    """
    if not matching.weight:
        return Compatibility(float("nan"), float("nan"))
    known = words or Words()
    weights = dict.fromkeys(RELATIONS, 0)
    for (u, v), weight in zip(matching.pairs, matching.pair_weights, strict=True):
        weights[known.relation(first_names[u], second_names[v])] += weight
    exact = weights[EXACT]
    return Compatibility(exact / matching.weight, (exact + weights[SUBSET]) / matching.weight)


def names_of(first: str, second: str) -> frozenset[str]:
    """Returns two names as a key of judgements: without order, capitals or blanks at the ends.

    >>> sorted(names_of("Wing ", "eye"))
    ['eye', 'wing']
    """
    return frozenset(" ".join(name.casefold().split()) for name in (first, second))


def save_judgements(judged: Mapping[frozenset[str], str], path: Path) -> None:
    """Writes a CSV with the columns `first`, `second` and `relation`."""
    rows = sorted((min(pair), max(pair), relation) for pair, relation in judged.items())
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])


def load_judgements(path: Path) -> dict[frozenset[str], str]:
    """Reads what `save_judgements` wrote, or a person.

    Raises:
        UserFileNotFoundError: If there is no such file.
        UserError: If it is another, a relation is unknown, or two rows say different things of two names.
    """
    found: dict[frozenset[str], str] = {}
    for first, second, relation in named_columns(path, COLUMNS):
        if relation not in RELATIONS:
            raise unknown_name("relation", relation, RELATIONS)
        if found.setdefault(names_of(first, second), relation) != relation:
            raise UserError(f"Expected one relation of '{first}' and '{second}' in {path.name}, got two; keep one.")
    return found


def _is_among(some: Sequence[frozenset[str]], others: Sequence[frozenset[str]]) -> bool:
    return all(any(forms & known for known in others) for forms in some)


def _forms(word: str) -> frozenset[str]:
    """A word, and what it may be the plural of: "axes" of "axe" and of "ax"."""
    found = {word, IRREGULAR.get(word, word)}
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        found.add(word[:-1])
    for plural, singulars in ENDINGS.items():
        if word.endswith(plural) and len(word) > len(plural) + 1:
            found |= {word[: -len(plural)] + singular for singular in singulars}
    return frozenset(found)
