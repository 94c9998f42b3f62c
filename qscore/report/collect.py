"""Finds runs and their results on disk."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import read_json, read_object, whole_files
from qscore.installation import command
from qscore.report.recipe import training_of, training_of_origin
from qscore.results import Result, load_result

FACTS = "run.json"
GROUPS = ("data", "method", "encoder", "regularizer")
UNTRAINED, BASELINE, CONTROL, REGULARIZED, ENCODER = "untrained", "baseline", "control", "Q-Score", "encoder"
TOLD_APART_BY = ("epsilon", "formula", "images")
ROLES = (UNTRAINED, BASELINE, CONTROL, REGULARIZED, ENCODER)


@dataclass(frozen=True)
class EvaluatedEncoder:
    """One encoder and what its evaluations found.

    Attributes:
        name: Short name for legends.
        role: "untrained" (the baseline's network before any training), "baseline" (before fine-tuning), "control"
            (fine-tuned with lambda = 0), "Q-Score", or "encoder" (a run that was not fine-tuned from another).
        path: Its run directory.
        settings: What distinguishes it: lambda, epsilon, formula, seed, epochs.
        results: By evaluation.
        histograms: Q during fine-tuning, one entry an epoch; empty for a baseline.
        facts: Content of `run.json`.
        guard: What the guard saw during fine-tuning, see `guard.json`; empty where there was none.
        data: Name of the data set it was fine-tuned on; of an origin, that of the run it is an origin of.
        method: Name of the SSL method, likewise.
        recipe: How it was fine-tuned, under the names of the configuration; of an origin, its encoder alone.
    """

    name: str
    role: str
    path: Path
    settings: dict[str, Any]
    results: dict[str, Result]
    histograms: list[dict[str, Any]]
    guard: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    data: str = ""
    method: str = ""
    recipe: dict[str, Any] = field(default_factory=dict)

    def metric(self, evaluation: str, name: str) -> float | None:
        """Returns a number, or None where it was not measured or is not defined."""
        result = self.results.get(evaluation)
        return None if result is None else result.metrics.get(name)

    def array(self, evaluation: str, name: str) -> Any:
        """Returns an array, or None where the evaluation did not run or had nothing to draw."""
        result = self.results.get(evaluation)
        return None if result is None else result.arrays.get(name)


def collect(paths: Iterable[Path]) -> list[EvaluatedEncoder]:
    """Returns the encoders under some run directories, or folders of them: baselines, then controls, then the rest.

    Raises:
        UserFileNotFoundError: If a path holds no run.
        UserError: If none of the runs has been evaluated.
    """
    runs = [run for path in paths for run in _runs_under(path)]
    encoders: dict[tuple[Any, ...], EvaluatedEncoder] = {}
    for run in dict.fromkeys(runs):
        for encoder in _encoders_of(run):
            key = (encoder.role, encoder.path, *(str(encoder.settings.get(n)) for n in TOLD_APART_BY))
            encoders.setdefault(key, encoder)
    if not encoders:
        raise UserError(f"Expected evaluated runs, got none with results; run: {command('evaluate')} run=RUN_DIR")
    return _told_apart(sorted(encoders.values(), key=_order))


def images_differ(encoders: Iterable[EvaluatedEncoder]) -> bool:
    """Returns whether encoders were evaluated on different held-out images, and so cannot be compared."""
    return len({r.settings.get("images") for e in encoders for r in e.results.values()}) > 1


def _told_apart(encoders: list[EvaluatedEncoder]) -> list[EvaluatedEncoder]:
    """Adds to every name what differs between the runs besides lambda and the seed."""
    differing = [n for n in TOLD_APART_BY if len({e.settings.get(n) for e in encoders}) > 1]
    if not differing:
        return encoders
    said = {"epsilon": "ε={}", "formula": "{}", "images": "images {:.4}"}
    return [
        dataclasses.replace(e, name=", ".join([e.name, *(said[n].format(str(e.settings.get(n))) for n in differing)]))
        for e in encoders
    ]


def _runs_under(path: Path) -> list[Path]:
    if (path / FACTS).is_file():
        return [path.resolve()]
    found = sorted(file.parent.resolve() for file in path.rglob(FACTS)) if path.is_dir() else []
    if not found:
        raise UserFileNotFoundError(f"Expected a run directory, or a folder of them, at {path}; found none.")
    return found


def _encoders_of(run: Path) -> list[EvaluatedEncoder]:
    facts = read_object(run / FACTS)
    config, origins = facts.get("config", {}), facts.get("origins", {})
    if not _is_config(config) or not _is_texts(origins):
        raise UserError(f"Expected settings, and folders of origins, in {run / FACTS}, got something else.")
    encoders = []
    for role, folder in origins.items():
        results = _results(run / folder)
        origin = (run / folder).resolve().parents[1]
        settings, training = _settings({}, results), training_of_origin(config)
        about = _if_there(origin / FACTS) or {}
        encoders.append(EvaluatedEncoder(role, role, origin, settings, results, [], facts=about, **training))
    if results := _results(run / "results"):
        role = _role(facts, config)
        settings = _settings(config, results)
        histograms, guard = _if_there(run / "q_score_histograms.json"), _guard(run / "guard.json")
        name = _name(role, run, settings)
        seen = (histograms or [], guard or {}, facts)
        encoders.append(EvaluatedEncoder(name, role, run, settings, results, *seen, **training_of(config)))
    return encoders


def _is_config(config: object) -> bool:
    if not isinstance(config, dict) or not all(isinstance(config.get(name, {}), dict) for name in GROUPS):
        return False
    numbers = (config.get("lambda", 0), config["encoder"].get("width", 1) if "encoder" in config else 1)
    column_weight = config.get("regularizer", {}).get("column_weight")
    return all(isinstance(number, int | float) for number in (*numbers, column_weight or 0))


def _is_texts(origins: object) -> bool:
    return isinstance(origins, dict) and all(isinstance(folder, str) for folder in origins.values())


def _guard(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    found = read_object(file)
    parts = [found.get(name) for name in ("floors", "broken", "best")]
    if not isinstance(found.get("curve"), list) or not all(isinstance(part, dict) for part in parts):
        raise UserError(f"Expected what the guard of a run saw in {file}, got something else; take the file away.")
    return found


def _if_there(file: Path) -> Any:
    return read_json(file) if file.is_file() else None


def _results(folder: Path) -> dict[str, Result]:
    return {file.stem: load_result(file) for file in whole_files(folder, "*.json")}


def _role(facts: dict[str, Any], config: dict[str, Any]) -> str:
    if facts.get("stage") != "fine_tune":
        return ENCODER
    column_weight = config.get("regularizer", {}).get("column_weight") or 0
    return REGULARIZED if config.get("lambda", 0) > 0 or column_weight > 0 else CONTROL


def _settings(config: dict[str, Any], results: dict[str, Result]) -> dict[str, Any]:
    scored = next((result.settings for result in results.values() if "epsilon" in result.settings), {})
    chosen: dict[str, Any] = {name: config[name] for name in ("lambda", "seed", "epochs") if name in config}
    if unit := config.get("regularizer", {}).get("weight_unit"):
        chosen["weight_unit"] = unit
    return chosen | {n: scored[n] for n in TOLD_APART_BY if isinstance(scored.get(n), str | int | float)}


def _name(role: str, run: Path, settings: dict[str, Any]) -> str:
    if role == ENCODER:
        return run.name
    unit = " × gradient" if settings.get("weight_unit") == "gradient" else ""
    return CONTROL if role == CONTROL else f"{REGULARIZED} λ={settings['lambda']:g}{unit}"


def _order(encoder: EvaluatedEncoder) -> tuple[Any, ...]:
    settings = encoder.settings
    numbers = [settings.get(name) or 0 for name in ("epsilon", "lambda", "seed")]
    return (ROLES.index(encoder.role), *numbers, str(encoder.path))
