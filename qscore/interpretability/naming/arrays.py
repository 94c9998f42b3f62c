"""The namings of a study as arrays of a result file; every table and figure is drawn from these."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from qscore.interpretability.naming.explanations import explanations, summary
from qscore.interpretability.naming.families import SHAPES
from qscore.interpretability.naming.named import Named
from qscore.interpretability.naming.pairs import Agreed, Pair
from qscore.interpretability.naming.shares import Arrays

OWN_FACTS = ("num_images", "num_activations", "mean_significant")  # counted here, or a row of their own
NAMES_END = "\n"  # between the names of an explanation, none of which has a line break


def group_arrays(named: Named, facts: Mapping[str, Mapping[str, Any]]) -> Arrays:
    """Returns what is known of each group (table 1): `fact` names, and `group_facts` (group, fact); NaN if unknown.

    `group_images`: all images of the group where a fact `num_images` says so, else those with an activation.
    """
    of_groups = [facts.get(name, {}) for name in named.groups]
    images = [len(np.unique(named.image_of[named.inside(group)])) for group in range(len(named.groups))]
    numbers = [{k: float(v) for k, v in own.items() if type(v) in (int, float)} for own in of_groups]
    names = [name for name in dict.fromkeys(name for own in numbers for name in own) if name not in OWN_FACTS]
    table = [[own.get(name, np.nan) for name in names] for own in numbers]
    return {
        "group": texts(named.groups),
        "group_title": texts(str(own.get("title", "")) for own in of_groups),
        "group_images": np.array([own.get("num_images", n) for own, n in zip(numbers, images, strict=True)], int),
        "group_activations": np.bincount(named.group_of, minlength=len(named.groups)),
        "fact": texts(names),
        "group_facts": np.array(table, float).reshape(len(of_groups), len(names)),
    }


def naming_arrays(named: Named) -> Arrays:
    """Returns the namings themselves: from them everything else can be counted again."""
    concepts = named.concepts
    return {
        "annotator": texts(named.annotators),
        "has_named": named.has_named,
        "is_done": named.is_done,
        "activation": texts(named.activations),
        "activation_group": named.group_of,
        "activation_image": texts(named.image_ids)[named.image_of],
        "activation_feature": texts(named.features),
        "activation_concept": named.concept_of,
        "activation_discarded": named.discarded,
        "concept": texts(concept.name for concept in concepts),
        **{
            f"concept_{name}": np.array([getattr(concept, name) for concept in concepts], int)
            for name in ("annotator", "group", "num_activations", "num_images")
        },
        "concept_is_small": np.array([concept.is_small for concept in concepts], bool),
    }


def pair_arrays(pairs: Sequence[Pair]) -> Arrays:
    """Returns every pair of annotators, each figure of agreement as (pair, shape), and the edges of all pairs."""
    edges = [(place, edge) for place, pair in enumerate(pairs) for edge in pair.edges]
    fields = [field.name for field in dataclasses.fields(Agreed)]
    return {
        "shape": texts(SHAPES),
        "pair_group": np.array([pair.group for pair in pairs], int),
        "pair_annotators": np.array([pair.annotators for pair in pairs], int).reshape(len(pairs), 2),
        "pair_common": np.array([pair.num_common for pair in pairs], int),
        "pair_jaccard": np.array([pair.jaccard for pair in pairs], float),
        **{f"pair_{name}": _by_shape(pairs, name) for name in fields},
        "edge_pair": np.array([place for place, _ in edges], int),
        "edge_concepts": np.array([edge.concepts for _, edge in edges], int).reshape(len(edges), 2),
        "edge_weight": np.array([edge.weight for _, edge in edges], int),
        "edge_is_matched": np.array([e.is_matched for _, e in edges], bool).reshape(len(edges), len(SHAPES)),
        "edge_relation": texts(edge.relation for _, edge in edges),
        "edge_is_confirmed": np.array([edge.is_confirmed for _, edge in edges], bool),
    }


def summary_arrays(named: Named) -> Arrays:
    """Returns how often each set of names explains an image, for every group and annotator (table 4)."""
    rows: list[tuple[int, int, str, int]] = []
    images = np.array(named.image_ids, dtype=np.str_)[named.image_of]
    for who, group in zip(*np.nonzero(named.has_named), strict=True):
        inside = named.inside(int(group))
        concepts = named.concept_of[who, inside].tolist()
        names = [None if place < 0 else " ".join(named.concepts[place].name.split()) for place in concepts]
        counted = summary(explanations(names, images[inside].tolist()))
        rows += [(int(group), int(who), NAMES_END.join(said), count) for said, count in counted]
    return {
        "summary_group": np.array([row[0] for row in rows], int),
        "summary_annotator": np.array([row[1] for row in rows], int),
        "summary_names": texts(row[2] for row in rows),
        "summary_images": np.array([row[3] for row in rows], int),
    }


def texts(values: Iterable[str]) -> np.ndarray:
    """Returns texts as an array that needs no pickle."""
    return np.array(list(values), dtype=np.str_)


def _by_shape(pairs: Sequence[Pair], name: str) -> np.ndarray:
    rows = [[getattr(agreed, name) for agreed in pair.agreed] for pair in pairs]
    return np.array(rows, int if name == "num_permutations" else float).reshape(len(pairs), len(SHAPES))
