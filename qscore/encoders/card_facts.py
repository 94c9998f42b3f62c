"""What a model card says of an encoder: read from `run.json` and the result files, never computed anew."""

from pathlib import Path
from typing import Any

from qscore.files import WEIGHTS, read_json, sha256
from qscore.results import Result, load_result

FACTS = "run.json"
MEASURED = (
    ("linear_probe", "top1", "Linear probe, top-1"),
    ("knn", "k20", "kNN, k = 20, top-1"),
    ("misclassification", "auroc", "AUROC of Q, correct positive"),
    ("misclassification", "auprc_misclassified", "AUPRC of Q, misclassified positive"),
    ("misclassification", "base_rate_misclassified", "Share misclassified, the AUPRC of chance"),
    ("sparsity", "hoyer", "Hoyer sparsity"),
    ("quality", "rank_me", "RankMe"),
    ("transfer", "average", "Transfer, mean top-1"),
    ("dominance", "share_empty", "Share of images with empty L ∩ D"),
)
SETTINGS = ("lambda", "weight_unit", "epsilon", "alpha", "formula", "seed", "epochs", "batch_size", "precision")


def origin_of(source: Path) -> list[tuple[str, str]]:
    """Returns name and value of everything known about how an encoder came to be.

    Files are named without their folders, which are the machine's and not the model's.

    Args:
        source: A run directory, or a file of weights.
    """
    if not source.is_dir():
        return [("file", source.name), ("its SHA-256", sha256(source))]
    facts = _facts(source)
    config = facts.get("config", {})
    said = [("stage", facts.get("stage")), ("method", method_of(source)), ("data", data_of(source))]
    said += [(name, config.get(name)) for name in SETTINGS]
    said += [("training steps", facts.get("num_steps")), ("commit of qscore", facts.get("git_commit"))]
    said += [(f"version of {name}", facts.get("versions", {}).get(name)) for name in ("qscore", "torch")]
    said += [("SHA-256 of the run's weights", _sha256(source / WEIGHTS))]
    return [(name, str(value)) for name, value in [*said, *_start(source, facts)] if value not in (None, "")]


def measured(source: Path) -> tuple[list[str], list[list[str]], list[str]]:
    """Returns encoders, a row of numbers for each metric, and the metrics that nothing was found for.

    The encoder's origins stand beside it where they were evaluated on the same images.

    Args:
        source: A run directory, or a file of weights.
    """
    own = _results(source / "results") if source.is_dir() else {}
    origins = {role: _results(source / place) for role, place in _facts(source).get("origins", {}).items()}
    columns = {"this encoder": own, **{role: found for role, found in origins.items() if _comparable(own, found)}}
    rows, missing = [], []
    for evaluation, metric, name in MEASURED:
        if own.get(evaluation) is None or own[evaluation].metrics.get(metric) is None:
            missing.append(name)
        else:
            rows.append([name, *(_number(found.get(evaluation), metric) for found in columns.values())])
    return list(columns), rows, missing


def method_of(source: Path) -> str | None:
    """Returns the name of the SSL method that a run trained with."""
    name: str | None = _facts(source).get("config", {}).get("method", {}).get("name")
    return name


def data_of(source: Path) -> str | None:
    """Returns the name of the images that a run trained on."""
    name: str | None = _facts(source).get("config", {}).get("data", {}).get("name")
    return name


def _facts(source: Path) -> dict[str, Any]:
    file = source / FACTS
    found: dict[str, Any] = read_json(file) if file.is_file() else {}
    return found


def _start(source: Path, facts: dict[str, Any]) -> list[tuple[str, Any]]:
    """Where the run that this one was fine-tuned from got its weights."""
    if facts.get("baseline") is None:
        return []
    baseline = source / facts["baseline"]
    known = _facts(baseline)
    given = known.get("config", {}).get("checkpoint", {}) if known.get("stage") == "imported" else {}
    if given:
        of_file = [("checkpoint", Path(given["path"]).name), ("its SHA-256", given.get("sha256"))]
        return [*of_file, ("its layout", given.get("layout")), ("its role", given.get("role"))]
    return [("fine-tuned from", baseline.resolve().name), ("its SHA-256", _sha256(baseline / WEIGHTS))]


def _sha256(file: Path) -> str | None:
    return sha256(file) if file.is_file() else None


def _results(folder: Path) -> dict[str, Result]:
    return {file.stem: load_result(file) for file in sorted(folder.glob("*.json"))}


def _comparable(own: dict[str, Result], other: dict[str, Result]) -> bool:
    shared = own.keys() & other.keys()
    return bool(shared) and all(own[n].settings.get("images") == other[n].settings.get("images") for n in shared)


def _number(result: Result | None, metric: str) -> str:
    value = None if result is None else result.metrics.get(metric)
    if result is None or value is None:
        return "not measured"
    low, high = (result.metrics.get(f"{metric}_{end}") for end in ("low", "high"))
    return f"{value:.4g}" if low is None or high is None else f"{value:.4g} ({low:.4g} to {high:.4g})"
