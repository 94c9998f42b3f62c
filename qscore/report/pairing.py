"""Which runs may be set against which: grouped by what differs, paired by their training seed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from qscore.report.collect import BASELINE, CONTROL, REGULARIZED, EvaluatedEncoder

TREATMENT = ("lambda", "formula", "epsilon", "alpha")
SHORT = {"lambda": "λ={:g}", "formula": "{}", "epsilon": "ε={}", "alpha": "α={}"}
SCORING = ("epsilon", "formula", "lower", "upper")
UNEQUAL = "Control and"
MUST_AGREE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "optimizer steps": lambda facts: facts.get("num_steps"),
    "training images": lambda facts: facts.get("data_fingerprint"),
    "augmentation": lambda facts: _recipe(facts).get("views"),
    "optimization": lambda facts: _recipe(facts).get("optimization"),
    "batch size": lambda facts: _config(facts).get("batch_size"),
    "method": lambda facts: _config(facts).get("method", {}).get("name"),
    "encoder": lambda facts: _config(facts).get("encoder"),
    "precision": lambda facts: _config(facts).get("precision"),
    "version of torch": lambda facts: facts.get("versions", {}).get("torch"),
}


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
    """

    treated: str
    reference: str
    where: str
    pairs: tuple[Pair, ...]
    cautions: tuple[str, ...]
    is_fair: bool = True

    @property
    def title(self) -> str:
        """One line that says what is compared."""
        return f"{self.treated} against {self.reference}, {self.where}"


def comparisons(encoders: Iterable[EvaluatedEncoder]) -> list[Comparison]:
    """Returns every group with the regularizer against its control, then it and the control against the baseline.

    A group holds the runs that differ in nothing but the seed. Its control is trained by the same method on data of the
    same name; where there is none, any control is taken, and the cautions say what differs.
    """
    known = list(encoders)
    controls = [e for e in known if e.role == CONTROL]
    found = []
    for group in _groups(e for e in known if e.role == REGULARIZED):
        near = [e for e in controls if _where(e) == _where(group[0])] or controls
        found.append(_comparison(group, near, CONTROL, of=known))
        found.append(_comparison(group, _baselines(known), BASELINE, of=known))
    for group in _groups(controls):
        found.append(_comparison(group, _baselines(known), BASELINE, of=known))
    return [comparison for comparison in found if comparison.pairs]


def group_name(encoder: EvaluatedEncoder, others: Iterable[EvaluatedEncoder]) -> str:
    """Returns a name that tells a group from all others by what differs."""
    if encoder.role != REGULARIZED:
        return encoder.role
    config = _config(encoder.facts)
    peers = [_config(e.facts) for e in others if e.role == REGULARIZED]
    differing = [n for n in TREATMENT if n == "lambda" or len({str(c.get(n)) for c in peers}) > 1]
    if len({str(c.get("regularizer", {}).get("weight_unit")) for c in peers}) > 1:
        unit = config.get("regularizer", {}).get("weight_unit")
        return " ".join([REGULARIZED, *(SHORT[n].format(config.get(n)) for n in differing), f"({unit})"])
    return " ".join([REGULARIZED, *(SHORT[n].format(config.get(n)) for n in differing)])


def _comparison(
    group: list[EvaluatedEncoder], candidates: list[EvaluatedEncoder], role: str, *, of: list[EvaluatedEncoder]
) -> Comparison:
    pairs, cautions = [], []
    for treated in sorted(group, key=_seed):
        matching = list(_matching(treated, candidates, role))
        if not matching:
            cautions.append(f"Seed {_seed(treated)} has no {role} and is left out.")
            continue
        pairs.append(Pair(_seed(treated), treated, matching[0]))
    unequal = sorted({text for pair in pairs for text in _differences(pair, role)})
    cautions += unequal
    if role == BASELINE and len({pair.reference.path for pair in pairs}) < len(pairs):
        cautions.append(
            "Several seeds start from one pretrained encoder: they vary the fine-tuning only and say nothing of "
            "another pretraining."
        )
    if role == BASELINE:
        cautions.append(f"{group_name(group[0], of)} was trained longer than the baseline; only a control is fair.")
    is_fair = role == CONTROL and not any(text.startswith(UNEQUAL) for text in unequal)
    return Comparison(group_name(group[0], of), role, _where(group[0]), tuple(pairs), tuple(cautions), is_fair)


def _matching(treated: EvaluatedEncoder, candidates: list[EvaluatedEncoder], role: str) -> Iterator[EvaluatedEncoder]:
    """Those that can stand against a run; first the ones whose Q was computed in the same way."""
    if role == BASELINE:
        own = treated.facts.get("baseline")
        paths = [] if own is None else [(treated.path / own).resolve()]
        fitting = [e for e in candidates if e.path in paths]
    else:
        fitting = [e for e in candidates if _seed(e) == _seed(treated)]
    yield from sorted(fitting, key=lambda e: _scoring(e) != _scoring(treated))


def _differences(pair: Pair, role: str) -> Iterator[str]:
    """What should be equal in a pair and is not, as sentences."""
    ours, theirs = pair.treated, pair.reference
    if role == CONTROL:
        for name, read in MUST_AGREE.items():
            one, other = read(ours.facts), read(theirs.facts)
            if one != other:
                detail = f": {one} and {other}" if len(f"{one}{other}") < 40 else ""
                yield f"{UNEQUAL} {ours.role} differ in {name}{detail}: the difference is not that of Q-Score alone."
    if ours.settings.get("images") != theirs.settings.get("images"):
        yield "They were evaluated on different held-out images: the numbers cannot be compared."
    differing = [name for name in SCORING if _scoring(ours).get(name) != _scoring(theirs).get(name)]
    if differing:
        yield f"Q was computed differently ({', '.join(differing)}): metrics of Q cannot be compared, others can."


def _groups(encoders: Iterable[EvaluatedEncoder]) -> list[list[EvaluatedEncoder]]:
    groups: dict[str, list[EvaluatedEncoder]] = {}
    for encoder in encoders:
        config = _config(encoder.facts)
        treatment = [str(config.get(name)) for name in TREATMENT] if encoder.role == REGULARIZED else []
        scoring = str(_scoring(encoder)) if config.get("epsilon") != "auto" else ""
        key = [*treatment, str(config.get("regularizer")) if treatment else "", scoring, _where(encoder)]
        key += [str(config.get(name)) for name in ("epochs", "batch_size", "encoder", "precision")]
        groups.setdefault("|".join(key), []).append(encoder)
    return [_one_per_seed(group) for group in groups.values()]


def _one_per_seed(group: list[EvaluatedEncoder]) -> list[EvaluatedEncoder]:
    """Of runs with equal settings and seed the first: a second one is no second observation."""
    return list({_seed(encoder): encoder for encoder in reversed(group)}.values())


def _baselines(encoders: list[EvaluatedEncoder]) -> list[EvaluatedEncoder]:
    return [e for e in encoders if e.role == BASELINE]


def _where(encoder: EvaluatedEncoder) -> str:
    config = _config(encoder.facts)
    return f"{config.get('method', {}).get('name')} on {config.get('data', {}).get('name')}"


def _seed(encoder: EvaluatedEncoder) -> int:
    return int(encoder.settings.get("seed", 0))


def _scoring(encoder: EvaluatedEncoder) -> dict[str, Any]:
    result = encoder.results.get("misclassification")
    return {} if result is None else {name: result.settings.get(name) for name in SCORING}


def _config(facts: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = facts.get("config", {})
    return config


def _recipe(facts: dict[str, Any]) -> dict[str, Any]:
    """The part of the method's settings that goes with the size of the images."""
    config = _config(facts)
    chosen: dict[str, Any] = config.get("method", {}).get(config.get("data", {}).get("scale"), {})
    return chosen
