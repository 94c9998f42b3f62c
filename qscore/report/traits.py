"""What decides a run besides its seed: its treatment, and what a fair control must share with it."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from qscore.files import fingerprint
from qscore.report.collect import REGULARIZED, EvaluatedEncoder

Facts = dict[str, Any]
TREATMENT = ("lambda", "formula", "epsilon", "alpha")
SHORT = {"lambda": "λ={:g}", "formula": "{}", "epsilon": "ε={}", "alpha": "α={}"}
SCORING = ("epsilon", "formula", "lower", "upper")
INTERPOLATED = ("_target_", "weight", "epsilon", "threshold", "formula")  # in the regularizer's settings again
SHARED: dict[str, Callable[[Facts], Any]] = {
    "data set": lambda facts: _config(facts).get("data", {}).get("name"),
    "method": lambda facts: _config(facts).get("method", {}).get("name"),
    "encoder": lambda facts: _config(facts).get("encoder"),
    "augmentation": lambda facts: _recipe(facts).get("views"),
    "optimization": lambda facts: _recipe(facts).get("optimization"),
    "settings of the method": lambda facts: _recipe(facts).get("module"),
    "epochs": lambda facts: _config(facts).get("epochs"),
    "batch size": lambda facts: _config(facts).get("batch_size"),
    "precision": lambda facts: _config(facts).get("precision"),
    "warm-up of new heads": lambda facts: _config(facts).get("head_warmup_steps"),
}
OUTCOMES: dict[str, Callable[[Facts], Any]] = {
    "optimizer steps": lambda facts: facts.get("num_steps"),
    "training images": lambda facts: facts.get("data_fingerprint"),
}


def traits(encoder: EvaluatedEncoder) -> dict[str, Any]:
    """Returns everything that was chosen for a run but its seed, by name; of a control no treatment."""
    config = _config(encoder.facts)
    found = {name: read(encoder.facts) for name, read in SHARED.items()}
    found["scoring"] = None if config.get("epsilon") == "auto" else scoring(encoder)
    if encoder.role == REGULARIZED:
        settings = config.get("regularizer", {})
        found |= {name: config.get(name) for name in TREATMENT}
        found |= {name: value for name, value in settings.items() if name not in INTERPOLATED}
    return found


def unlike(one: EvaluatedEncoder, other: EvaluatedEncoder) -> dict[str, tuple[Any, Any]]:
    """Returns what two runs should share and do not, with both values."""
    read = {name: (look(one.facts), look(other.facts)) for name, look in {**SHARED, **OUTCOMES}.items()}
    read["the encoder they started from"] = (baseline_path(one), baseline_path(other))
    return {name: values for name, values in read.items() if values[0] != values[1]}


def group_name(encoder: EvaluatedEncoder, others: Iterable[EvaluatedEncoder]) -> str:
    """Returns a name that tells a group from all others of its role by what differs."""
    own, peers = traits(encoder), [traits(e) for e in others if e.role == encoder.role]
    differing = [name for name in own if len({str(peer.get(name)) for peer in peers}) > 1]
    shown = [name for name in differing if name not in ("data set", "method")]  # these are said apart
    if encoder.role == REGULARIZED:
        shown = ["lambda", *(name for name in shown if name != "lambda")]
    return " ".join([encoder.role, *(_said(name, own[name]) for name in shown)])


def place(encoder: EvaluatedEncoder) -> str:
    """Returns the method and the data."""
    return f"{SHARED['method'](encoder.facts)} on {SHARED['data set'](encoder.facts)}"


def scoring(encoder: EvaluatedEncoder) -> dict[str, Any]:
    """Returns how Q was computed."""
    result = encoder.results.get("misclassification")
    return {} if result is None else {name: result.settings.get(name) for name in SCORING}


def baseline_path(encoder: EvaluatedEncoder) -> Path | None:
    """Returns the directory of the encoder that a run started from."""
    name = encoder.facts.get("baseline")
    return None if name is None else (encoder.path / name).resolve()


def _said(name: str, value: Any) -> str:
    if name in SHORT:
        return SHORT[name].format(value)
    return f"{name} #{fingerprint(str(value))[:4]}" if isinstance(value, (dict, list)) else f"{name}={value}"


def _config(facts: Facts) -> dict[str, Any]:
    config: dict[str, Any] = facts.get("config", {})
    return config


def _recipe(facts: Facts) -> dict[str, Any]:
    """The part of the method's settings that goes with the size of the images."""
    config = _config(facts)
    chosen: dict[str, Any] = config.get("method", {}).get(config.get("data", {}).get("scale"), {})
    return chosen
