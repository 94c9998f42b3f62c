"""Which runs may be set against which: grouped by what differs, paired by their training seed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from qscore.report.collect import BASELINE, CONTROL, REGULARIZED, EvaluatedEncoder
from qscore.report.effect import without_effect
from qscore.report.traits import baseline_path, group_name, place, scoring, traits, unlike

SHORT_VALUES = 40


@dataclass(frozen=True)
class Pair:
    """Two encoders of the same training seed.

    Attributes:
        seed: The seed.
        treated: The one that is asked about.
        reference: The one it is set against.
    """

    seed: int
    treated: EvaluatedEncoder
    reference: EvaluatedEncoder

    @property
    def same_images(self) -> bool:
        """Whether both were evaluated on the same held-out images."""
        return self.treated.settings.get("images") == self.reference.settings.get("images")


@dataclass(frozen=True)
class Comparison:
    """One group of runs against another.

    Attributes:
        treated: Name of the group that is asked about.
        reference: Name of the other.
        where: Method and data.
        pairs: By seed.
        cautions: Why the difference may not be what it seems.
        is_fair: Whether the two differ in the treatment alone, as far as their records tell.
        without_effect: Those of the cautions that say that the term changed nothing.
    """

    treated: str
    reference: str
    where: str
    pairs: tuple[Pair, ...]
    cautions: tuple[str, ...]
    is_fair: bool
    without_effect: tuple[str, ...]

    @property
    def title(self) -> str:
        """One line that says what is compared."""
        return f"{self.treated} against {self.reference}, {self.where}"


def comparisons(encoders: Iterable[EvaluatedEncoder]) -> list[Comparison]:
    """Returns every group with the regularizer against its control, then it and the control against the baseline.

    A group holds the runs that differ in nothing but the seed. Its control is the one of the same seed that was trained
    most alike; the cautions say what differs all the same.
    """
    known = list(encoders)
    controls, baselines = ([e for e in known if e.role == role] for role in (CONTROL, BASELINE))
    found = []
    for group in _groups(e for e in known if e.role == REGULARIZED):
        found += [_comparison(group, controls, CONTROL, known), _comparison(group, baselines, BASELINE, known)]
    found += [_comparison(group, baselines, BASELINE, known) for group in _groups(controls)]
    return [comparison for comparison in found if comparison.pairs]


def _comparison(
    group: list[EvaluatedEncoder], candidates: list[EvaluatedEncoder], role: str, known: list[EvaluatedEncoder]
) -> Comparison:
    name = group_name(group[0], known)
    pairs, cautions = [], []
    for seed, runs in _by_seed(group).items():
        if seed is None:
            cautions.append(f"{len(runs)} of {name} have no seed and are left out.")
            continue
        if len(runs) > 1:
            cautions.append(f"Seed {seed} was run {len(runs)} times with the same settings: the first one counts.")
        reference = _reference(runs[0], candidates, role)
        if reference is None:
            cautions.append(f"Seed {seed} has no {role} and is left out.")
        else:
            pairs.append(Pair(seed, runs[0], reference))
    unequal = sorted({text for pair in pairs for text in _unequal(pair, role)})
    origins = [path for pair in pairs if (path := baseline_path(pair.treated)) is not None]
    shared = len(set(origins)) < len(origins)
    alike = sorted({text for pair in pairs for text in _scored_differently(pair)})
    said = (without_effect(pair.treated, pair.reference) for pair in pairs if role == CONTROL)
    unchanged = tuple(text for text in said if text is not None)
    cautions += [*unchanged, *unequal, *alike, *([_one_origin()] if shared else [])]
    if role == BASELINE:
        cautions.append(f"{name} was trained longer than the baseline; only a control is fair.")
    is_fair = role == CONTROL and not unequal
    return Comparison(name, role, place(group[0]), tuple(pairs), tuple(cautions), is_fair, unchanged)


def _reference(treated: EvaluatedEncoder, candidates: list[EvaluatedEncoder], role: str) -> EvaluatedEncoder | None:
    """The one to set a run against: its own baseline, or the control of its seed that is most like it."""
    if role == BASELINE:
        fitting = [e for e in candidates if e.path == baseline_path(treated)]
    else:
        fitting = [e for e in candidates if e.settings.get("seed") == treated.settings.get("seed")]

    def distance(other: EvaluatedEncoder) -> tuple[bool, int, bool]:
        other_images = other.settings.get("images") != treated.settings.get("images")
        num_unlike = 0 if role == BASELINE else len(unlike(treated, other))
        return other_images, num_unlike, scoring(other) != scoring(treated)

    return min(fitting, key=distance, default=None)


def _unequal(pair: Pair, role: str) -> Iterator[str]:
    """What makes a pair unfair, as sentences."""
    if role == CONTROL:
        for name, (one, other) in unlike(pair.treated, pair.reference).items():
            detail = f": {one} and {other}" if len(f"{one}{other}") < SHORT_VALUES else ""
            yield f"Control and Q-Score differ in {name}{detail}: the difference is not that of Q-Score alone."
    if not pair.same_images:
        yield "They were evaluated on different held-out images: the numbers cannot be compared."


def _scored_differently(pair: Pair) -> Iterator[str]:
    """What does not make it unfair, but must be known."""
    ours, theirs = scoring(pair.treated), scoring(pair.reference)
    differing = [name for name in ours if ours[name] != theirs.get(name)]
    if differing:
        yield f"Q was computed differently ({', '.join(differing)}): metrics of Q cannot be compared, others can."
    versions = [e.facts.get("versions", {}).get("torch") for e in (pair.treated, pair.reference)]
    if versions[0] != versions[1]:
        yield f"They were trained with torch {versions[0]} and {versions[1]}."


def _one_origin() -> str:
    return (
        "Several seeds start from one pretrained encoder: they vary the fine-tuning only and say nothing of another "
        "pretraining."
    )


def _groups(encoders: Iterable[EvaluatedEncoder]) -> list[list[EvaluatedEncoder]]:
    """Runs of the same traits; those of one seed that started from different encoders stand apart."""
    groups: dict[str, list[EvaluatedEncoder]] = {}
    for encoder in encoders:
        groups.setdefault(str(sorted(traits(encoder).items(), key=str)), []).append(encoder)
    found = []
    for group in groups.values():
        if all(len({baseline_path(e) for e in runs}) == 1 for runs in _by_seed(group).values()):
            found.append(group)
            continue
        by_origin: dict[object, list[EvaluatedEncoder]] = {}
        for encoder in group:
            by_origin.setdefault(baseline_path(encoder), []).append(encoder)
        found += by_origin.values()
    return found


def _by_seed(group: Iterable[EvaluatedEncoder]) -> dict[int | None, list[EvaluatedEncoder]]:
    seeds: dict[int | None, list[EvaluatedEncoder]] = {}
    for encoder in group:
        seeds.setdefault(encoder.settings.get("seed"), []).append(encoder)
    return seeds
