"""What people named in a study, as a result that tables and figures are made of (tables 1 to 6, figs. 3 to 7).

Hamidi-Haines, Qi, Fern, Li and Tadepalli, arXiv 1812.07150. Concepts that are seen in under three images do not count.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from qscore.interpretability.naming.agreeing import find_pairs
from qscore.interpretability.naming.arrays import group_arrays, naming_arrays, pair_arrays, summary_arrays
from qscore.interpretability.naming.chance import NUM_PERMUTATIONS
from qscore.interpretability.naming.coverage import MIN_IMAGES
from qscore.interpretability.naming.families import SHAPES
from qscore.interpretability.naming.judged import judged_words
from qscore.interpretability.naming.named import Named
from qscore.interpretability.naming.records import Record, read_named
from qscore.interpretability.naming.shares import COVERAGES, Arrays, share_arrays
from qscore.results import Result

EVALUATION = "namings"
OF_PAIRS = ("agreement", "expected", "excess", "exact", "subset")


def namings_result(
    records: Iterable[Record],
    activations: Iterable[Record],
    relations: Iterable[Record] = (),
    *,
    name: str = "",
    facts: Mapping[str, Mapping[str, Any]] | None = None,
    source: Mapping[str, Any] | None = None,
    synonyms: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    num_permutations: int = NUM_PERMUTATIONS,
    seed: int = 0,
) -> Result:
    """Returns coverage, purity, agreement beside chance, compatibility of names and explanations of a study.

    Args:
        records: Of an annotator and a group each, as `python -m qscore.study export` writes them.
        activations: Facts of every activation: activation_id, group, image and feature.
        relations: Of names, as people confirmed them; see `judged_words`.
        name: Of the study.
        facts: Of groups: `title`, `num_images`, and any other numbers, which table 1 shows.
        source: What the maps are of: encoder, layer, method; its `notes` are for readers of the names.
        synonyms: Words that mean the same, such as {"nose": "beak"}.
        notes: More that a reader must see.
        num_permutations: Of the baseline of agreement.
        seed: Of the permutations.

    Raises:
        UserError: If nobody named anything, or these do not fit together; see `read_named`.
    """
    named = read_named(records, activations)
    words = judged_words(relations, named.groups, synonyms)
    pairs = list(find_pairs(named, words, num_permutations=num_permutations, seed=seed))
    arrays = {
        **group_arrays(named, facts or {}),
        **naming_arrays(named),
        **share_arrays(named),
        **pair_arrays(pairs),
        **summary_arrays(named),
    }
    about = {key: value for key, value in (source or {}).items() if key != "notes"}
    told = [*notes, *(source or {}).get("notes", ()), *_notes(named, arrays, num_permutations)]
    settings = {"study": name, "source": about, "num_permutations": num_permutations, "seed": seed}
    settings |= {"min_images": MIN_IMAGES, "headline": "star"}
    return Result(EVALUATION, _metrics(named, arrays), settings, arrays, tuple(told))


def _metrics(named: Named, arrays: Arrays) -> dict[str, float | None]:
    """Counts, and means over the groups of the means of each; None where there is nothing to average."""
    found: dict[str, float | None] = {
        "num_annotators": len(named.annotators),
        "num_groups": len(named.groups),
        "num_activations": len(named.activations),
        "num_images": len(named.image_ids),
        "num_concepts": sum(not concept.is_small for concept in named.concepts),
        "num_small_concepts": sum(concept.is_small for concept in named.concepts),
    }
    for kind, shares in zip(COVERAGES, arrays["coverage"], strict=True):
        found |= {f"coverage/{kind}": _mean(shares[:, :-1]), f"coverage/{kind}_any": _mean(shares[:, -1:])}
    found |= {name: _mean(arrays[name]) for name in ("cx_purity", "xc_purity")}
    group = arrays["pair_group"]
    by_group = [np.flatnonzero(group == place) for place in range(len(named.groups))]
    found["jaccard"] = _mean_of_means([arrays["pair_jaccard"][rows] for rows in by_group])
    for place, shape in enumerate(SHAPES):
        for name in OF_PAIRS:
            values = arrays[f"pair_{name}"][:, place]
            found[f"{name}/{shape}"] = _mean_of_means([values[rows] for rows in by_group])
    return found


def _mean(shares: np.ndarray) -> float | None:
    return _mean_of_means(list(shares))


def _mean_of_means(parts: Iterable[np.ndarray]) -> float | None:
    means = [float(part[np.isfinite(part)].mean()) for part in parts if np.isfinite(part).any()]
    return sum(means) / len(means) if means else None


def _notes(named: Named, arrays: Arrays, num_permutations: int) -> list[str]:
    """What a reader must see."""
    found = []
    if len(named.annotators) == 1:
        found.append("One annotator: agreement needs two, and nothing here says whether others see the same.")
    elif not len(arrays["pair_group"]):
        found.append("No group was named by two annotators: agreement needs that.")
    if not (named.concept_of >= 0).any():
        found.append("Nothing is named: there is no concept that counts, and so no purity and no agreement.")
    if all(len(np.unique(named.feature_of[named.inside(group)])) == 1 for group in range(len(named.groups))):
        found.append("Every group is of one feature: CX-purity is 1 whatever people do.")
    if unfinished := int((named.has_named & ~named.is_done).sum()):
        found.append(f"{unfinished} of {int(named.has_named.sum())} namings are not finished; they count as they are.")
    if small := sum(concept.is_small for concept in named.concepts):
        found.append(f"{small} concepts are left out: they are seen in under {MIN_IMAGES} images (section 4).")
    if len(arrays["pair_group"]):
        common, wanted = arrays["pair_common"] > 0, arrays["pair_num_permutations"]
        if slow := int((common & (wanted[:, -1] == 0)).sum()):
            found.append(f"{slow} pairs have too many concepts for families by diameter, or for their chance.")
        few = wanted[common & (wanted[:, 1] < num_permutations), 1]
        if len(few):
            found.append(
                f"The chance of {len(few)} pairs is from {few.min()} to {few.max()} permutations, not "
                f"{num_permutations}: there are many pairs, or many concepts."
            )
    return found
