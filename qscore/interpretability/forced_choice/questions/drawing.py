"""Drawing trials: positives and references from a class, random or hard negatives from outside of it (section 3)."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import cdist

from qscore.errors import UserError, unknown_name
from qscore.files import fingerprint
from qscore.interpretability.forced_choice.trials import HARD, IMAGES, NEGATIVES, Trial, TrialDesign, Trials
from qscore.interpretability.membership import Groups, Members, members_by_group
from qscore.interpretability.reverse_probing.concepts import listed

Positions = Int[np.ndarray, " _"]


def make_trials(
    groups: Groups,
    ids: Sequence[str],
    *,
    chosen: Iterable[int] | None = None,
    features: Float[np.ndarray, "sample feature"] | None = None,
    design: TrialDesign | None = None,
    seed: int = 0,
) -> Trials:
    """Returns trials that show images of each class.

    References are drawn anew for each trial; queries do not come twice while the class, or what is outside of it, has
    others. The positive is on either side in half of the trials of a class and kind of negative. What is drawn for a
    class depends on the seed and on the class, not on which others are studied.

    Args:
        groups: Classes; see `members_by_group`.
        ids: Of the samples, as in `Representations`.
        chosen: Classes to ask about, such as those of `choose_by_purity`; all by default.
        features: f in eq. 2, for hard negatives: representations of the samples. The paper does not say which.
        design: How many of what; by default that of the paper.
        seed: Of all draws.

    Raises:
        UserError: If no class can be asked about, a chosen one has no samples, numbers of samples differ, an id
            comes twice, or the design asks for nothing or for hard negatives without features.
    """
    design = design or TrialDesign()
    _check(design, features, len(ids))
    if len(set(ids)) < len(ids):
        raise UserError(f"Expected every id once, got {len(ids)} samples with {len(set(ids))} ids; number them anew.")
    members = members_by_group(groups, len(ids))
    wanted = list(members) if chosen is None else sorted(set(chosen))
    if unknown := [str(group) for group in wanted if group not in members]:
        raise UserError(f"Expected classes that have samples, got {listed(unknown)}; there are {len(members)} others.")
    nearest = nearest_groups(features, members, wanted) if HARD in design.negatives and features is not None else {}
    left_out = {group: reason for group in wanted if (reason := _obstacle(group, members, nearest, design, len(ids)))}
    asked = [group for group in wanted if group not in left_out]
    if not asked:
        reasons = listed([f"class {group}: {reason}" for group, reason in left_out.items()])
        raise UserError(f"Expected a class that can be asked about, got none: {reasons}. Make larger groups.")
    drawn = (
        trial
        for group in asked
        for kind in design.negatives
        for trial in _of_class(group, kind, members, nearest, ids, design, seed)
    )
    return Trials(tuple(drawn), design, seed, {group: nearest[group] for group in asked if group in nearest}, left_out)


def nearest_groups(
    features: Float[np.ndarray, "sample feature"], members: Members, wanted: Iterable[int]
) -> dict[int, int]:
    """Returns c* of each class: another one, of the nearest mean by Euclidean distance (eq. 2).

    Where groups overlap, it is the nearest that has a sample outside of the class. The first of equals.

    >>> nearest_groups(np.array([[0.0], [1.0], [3.0]]), {0: np.array([0]), 1: np.array([1]), 2: np.array([2])}, [0, 2])
    {0: 1, 2: 1}
    """
    numbers = list(members)
    means = np.stack([features[positions].mean(0, dtype=np.float64) for positions in members.values()])
    found = {}
    for group in wanted:
        distances = cdist(means[[numbers.index(group)]], means)[0]
        order = (numbers[place] for place in np.argsort(distances, kind="stable"))
        others = (other for other in order if len(_without(members[other], members[group])))
        if (nearest := next(others, None)) is not None:
            found[group] = nearest
    return found


def _check(design: TrialDesign, features: np.ndarray | None, num_samples: int) -> None:
    if min(design.num_references, design.num_trials, design.num_answers, len(design.negatives)) < 1:
        raise UserError(f"Expected references, trials, answers and a kind of negative, at least 1 each, got {design}.")
    for kind in design.negatives:
        if kind not in NEGATIVES:
            raise unknown_name("kind of negative", kind, NEGATIVES)
    if len(set(design.negatives)) < len(design.negatives):
        raise UserError(f"Expected each kind of negative once, got {', '.join(design.negatives)}.")
    if HARD in design.negatives and (features is None or len(features) != num_samples):
        got = "none" if features is None else f"those of {len(features)}"
        raise UserError(
            f"Expected features of the {num_samples} samples for hard negatives, got {got}; "
            "pass the representations, or ask for random negatives only."
        )


def _obstacle(group: int, members: Members, nearest: dict[int, int], design: TrialDesign, num_samples: int) -> str:
    """Why a class cannot be asked about, or nothing."""
    size, needed = len(members[group]), design.num_references + 1
    if size < needed:
        return f"{size} samples, {needed} needed"
    if size == num_samples:
        return "no sample outside of it"
    return "no other class for hard negatives" if HARD in design.negatives and group not in nearest else ""


def _of_class(
    group: int, kind: str, members: Members, nearest: dict[int, int], ids: Sequence[str], design: TrialDesign, seed: int
) -> Iterator[Trial]:
    own, num = members[group], design.num_trials
    outside = members[nearest[group]] if kind == HARD else np.arange(len(ids))
    generator = np.random.default_rng((seed, group, NEGATIVES.index(kind)))
    positives, negatives = _queries(own, num, generator), _queries(_without(outside, own), num, generator)
    sides = generator.permutation((np.arange(num) + generator.integers(2)) % 2)
    for number, (positive, negative, side) in enumerate(zip(positives, negatives, sides, strict=True)):
        references = generator.choice(own[own != positive], design.num_references, replace=False)
        query_id = fingerprint(str((seed, group, kind, number)), ids[positive], ids[negative])
        yield Trial(
            fingerprint(query_id, IMAGES),
            query_id,
            group,
            IMAGES,
            kind,
            tuple(ids[place] for place in references),
            "",
            "",
            ids[positive],
            ids[negative],
            int(side),
        )


def _without(pool: Positions, own: Positions) -> Positions:
    return np.setdiff1d(pool, own, assume_unique=True)


def _queries(pool: Positions, num: int, generator: np.random.Generator) -> Positions:
    """Positions drawn from a pool, each as often as any other but for one."""
    rounds = -(-num // len(pool))
    return np.concatenate([generator.permutation(pool) for _ in range(rounds)])[:num]
