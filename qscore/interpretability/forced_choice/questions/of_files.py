"""Questions about groups that stand in files: all trials of a study, and what its report says of each group."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from qscore.errors import UserError
from qscore.interpretability.forced_choice.captions import class_captions
from qscore.interpretability.forced_choice.questions.drawing import make_trials
from qscore.interpretability.forced_choice.questions.group_facts import GroupFacts
from qscore.interpretability.forced_choice.questions.group_files import FiledGroups
from qscore.interpretability.forced_choice.trials import HARD, RANDOM, TrialDesign, Trials, with_descriptions
from qscore.interpretability.forced_choice.words.sentences import SentenceEncoder, embed_captions
from qscore.interpretability.groupings import common_label
from qscore.interpretability.membership import members_by_group
from qscore.interpretability.purity import PER_RANGE, RANGES, choose_by_purity, purity

HUMAN, AUTOMATIC = "human", "automatic"
Ranges = dict[int, tuple[float, float]]


@dataclass(frozen=True)
class Questions:
    """A study before it is a folder.

    Attributes:
        trials: With images, and with words of every describer.
        groups: What is known of each group that is asked about, or that hard negatives come from.
    """

    trials: Trials
    groups: Mapping[int, GroupFacts]


def questions(
    filed: FiledGroups,
    *,
    design: TrialDesign | None = None,
    per_range: int = PER_RANGE,
    sentence_encoder: SentenceEncoder | None = None,
    seed: int = 0,
) -> Questions:
    """Returns the questions that files are enough for (section 5.1 of the paper).

    With labels groups are drawn by purity, without all are asked about; with features there are hard negatives too;
    captions give automatic descriptions by eq. 4. Descriptions, people's too, are asked about on the queries with
    random negatives, as in the paper's tables, and only of groups that have one.

    Args:
        filed: Samples in groups.
        design: How many of what; its `negatives` follow from whether there are features.
        per_range: Groups of each range of purity.
        sentence_encoder: See `embed_captions`.
        seed: Of all draws.

    Raises:
        UserError: If no group can be asked about.
    """
    kinds = (RANDOM,) if filed.features is None else (RANDOM, HARD)
    design = replace(design or TrialDesign(), negatives=kinds)
    facts = _facts(filed)
    ranges = {} if filed.labels is None else _ranges(facts, design.num_references + 1, per_range, seed)
    asked = make_trials(
        filed.grouping, filed.ids, chosen=ranges or None, features=filed.features, design=design, seed=seed
    )
    captions = _captions(filed, facts, sentence_encoder)
    trials = list(asked.trials)
    of_random = replace(asked, trials=tuple(trial for trial in trials if trial.negatives == RANDOM))
    for texts, who in ((captions, AUTOMATIC), (filed.descriptions, HUMAN)):
        described = tuple(trial for trial in of_random.trials if trial.group in texts)
        trials += with_descriptions(replace(of_random, trials=described), texts, who).trials
    shown = {trial.group for trial in trials} | set(asked.nearest.values())
    known = {
        group: replace(
            facts[group],
            caption=captions.get(group, ""),
            hard_negative=str(asked.nearest.get(group, "")),
            purity_range=ranges.get(group),
        )
        for group in sorted(shown)
    }
    return Questions(replace(asked, trials=tuple(trials)), known)


def _facts(filed: FiledGroups) -> dict[int, GroupFacts]:
    """What files say of each group by itself."""
    members = members_by_group(filed.grouping, len(filed.ids))
    plain = {group: GroupFacts(filed.grouping.source, size=len(own)) for group, own in members.items()}
    if filed.labels is None:
        return plain
    labels = np.array(filed.labels)
    numbers = np.zeros(len(labels), dtype=np.int64)
    names, numbers[labels != ""] = np.unique(labels[labels != ""], return_inverse=True)
    purities = purity(numbers, filed.grouping, num_classes=len(names))
    return {
        group: replace(facts, purity=pure, common_label=str(names[common_label(numbers, filed.grouping, group)]))
        for (group, facts), pure in zip(plain.items(), purities.tolist(), strict=True)
    }


def _ranges(facts: Mapping[int, GroupFacts], needed: int, per_range: int, seed: int) -> Ranges:
    """The range of each group that is drawn, of those that are large enough."""
    if per_range < 1:
        raise UserError(f"Expected at least 1 group of each range of purity, got {per_range}.")
    large = {group: fact.purity for group, fact in facts.items() if (fact.size or 0) >= needed}
    chosen = choose_by_purity(
        np.array(list(large.values()), dtype=float),
        np.array(list(large), dtype=int),
        per_range=per_range,
        seed=seed,
    )
    found = {group: (part.low, part.high) for part in chosen for group in part.clusters}
    if not found:
        raise UserError(
            f"Expected groups of {needed} samples or more with a purity above {RANGES[0][0]}, got none of {len(facts)} "
            f"groups, of which {len(large)} are large enough; make other groups, or ask without labels about all."
        )
    return found


def _captions(filed: FiledGroups, facts: Mapping[int, GroupFacts], encoder: SentenceEncoder | None) -> dict[int, str]:
    if filed.captions is None:
        return {}
    said = [(text, group) for text, group in zip(filed.captions, filed.grouping.clusters.tolist(), strict=True) if text]
    texts = [text for text, _ in said]
    chosen = class_captions(embed_captions(texts, encoder), np.array([group for _, group in said]))
    return {group: texts[place] for group, place in zip(facts, chosen.tolist(), strict=True)}
