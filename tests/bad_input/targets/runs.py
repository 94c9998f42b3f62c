"""What a run directory holds, as `resume`, `evaluate.py` and the report read it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from qscore.application.command_line import saved_config
from qscore.application.evaluate import mined_epsilon
from qscore.application.run_directory import RunDirectory, finished_run
from qscore.encoders.loading import own_weights
from qscore.report.collect import collect
from qscore.results import Result, load_result
from qscore.study.finding import find_questions
from qscore.study.material import IMAGES, TRIALS
from tests.bad_input.archives import NPZ
from tests.bad_input.spoiling import JSON
from tests.bad_input.targets.arrays import hostile as of_arrays
from tests.bad_input.targets.studies import deep
from tests.bad_input.trying import CANARY, Target

CONFIG: dict[str, Any] = {
    "lambda": 0.1,
    "seed": 0,
    "epochs": 2,
    "data": {"name": "npz", "source": {"_target_": "qscore.data.catalogue.npz_images", "path": "images.npz"}},
    "method": {"name": "simclr"},
    "encoder": {"_target_": "qscore.encoders.Encoder", "architecture": "resnet10"},
    "regularizer": {"_target_": "qscore.regularizer.QScoreRegularizer", "weight_unit": "raw", "column_weight": None},
    "scoring": {"epsilon": 4, "formula": "ratio", "lower": 0.5, "upper": 0.95, "seed": 0},
}
FACTS = {"stage": "fine_tune", "status": "complete", "config": CONFIG, "evaluated": ["knn"], "versions": {}}
MINED = {"features": [1, 3], "num_features": 8, "epsilon": 4.0, "threshold": 0.1, "num_samples": 99, "counts": [0] * 8}

AT_START = {"knn_top1": 0.5, "rankme": 3.0, "feature_std": 0.1, "epoch": 0}
GUARD = {"curve": [AT_START], "floors": {"knn_top1": 0.4}, "broken": {}, "best": {"epoch": 0, "encoder": "best/x"}}


def run(folder: Path, facts: dict[str, Any] = FACTS) -> None:
    (folder / "results").mkdir()
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "encoder.safetensors").write_bytes(b"")
    (folder / "encoder.json").write_text("{}")
    (folder / "discriminative_features.json").write_text(json.dumps(MINED))
    (folder / "guard.json").write_text(json.dumps(GUARD))
    result(folder / "results")


def result(folder: Path) -> None:
    settings = {"epsilon": 4.0, "formula": "ratio", "images": "abc", "questions": "questions-1"}
    Result("knn", {"top1": 0.5, "none": None}, settings, {"curve": np.arange(3.0)}, ("a note",)).save(folder)


def run_with_questions(folder: Path) -> None:
    run(folder)
    questions = folder / "representations" / "questions-1"
    questions.mkdir(parents=True)
    for name in (TRIALS, IMAGES):
        (questions / name).write_text("")


def read_run(folder: Path) -> object:
    found = finished_run(folder)
    mined_epsilon(found)
    own_weights(folder)
    return [found.is_evaluated(["knn"]), found.baseline, saved_config(OmegaConf.create({"resume": str(folder)}))]


def begin(folder: Path) -> None:
    RunDirectory(folder).begin("fine_tune", CONFIG)


def same_result(folder: Path, found: Any) -> None:
    content = json.loads((folder / "knn.json").read_text())
    assert found.metrics == content["metrics"]
    assert found.settings == content["settings"]
    with np.load(folder / "knn.npz", allow_pickle=False) as file:
        assert set(file.files) == set(found.arrays)
        assert all(np.array_equal(file[name], found.arrays[name], equal_nan=False) for name in file.files)


def makes(folder: Path) -> None:
    run(folder)
    np.savez(folder / "images.npz", images=np.zeros((8, 4, 4), np.uint8), labels=np.arange(8) % 2)


def with_target(target: str, **arguments: Any) -> Any:
    changed = {**CONFIG, "data": {"name": "npz", "source": {"_target_": target, **arguments}}}
    return lambda: {"run.json": json.dumps({**FACTS, "config": changed}).encode()}


def instantiated(folder: Path) -> object:
    """As `resume` and `evaluate.py run=` make what a run names."""
    from hydra.utils import instantiate

    from qscore.application.trusted import trusted

    config = trusted(finished_run(folder).facts["config"], folder)
    return instantiate(OmegaConf.create(config).data.source, path=str(folder / "images.npz"))


TARGETS = [
    Target("run", run, read_run, {"run.json": JSON, "discriminative_features.json": JSON}, deep("run.json")),
    Target("run that is begun again", run, begin, {"run.json": JSON}, deep("run.json")),
    Target(
        "run that makes objects",
        makes,
        instantiated,
        {"run.json": ()},
        {
            "a command": with_target("os.system", command=f"touch {CANARY}"),
            "a command by another way": with_target("qscore.files.os.system", command=f"touch {CANARY}"),
            "a command that is not resolved": lambda: {
                "run.json": json.dumps(
                    {**FACTS, "config": {**CONFIG, "data": {"source": "${oc.decode:'{_target_: os.system}'}"}}}
                ).encode()
            },
            "a function of Python": with_target("builtins.open", file=str(CANARY), mode="w"),
            "a function of ours that imports": with_target("hydra.utils.get_method", path="antigravity"),
        },
    ),
    Target(
        "result",
        result,
        lambda folder: load_result(folder / "knn.json"),
        {".json": JSON, ".npz": NPZ},
        {**of_arrays("knn.npz", {"curve": np.arange(3.0)}, "curve"), **deep("knn.json")},
        same_result,
    ),
    Target(
        "runs of a report",
        run,
        lambda folder: collect([folder]),
        {"run.json": JSON, "guard.json": JSON, "knn.json": JSON, "knn.npz": NPZ},
        deep("run.json", "guard.json", "results/knn.json"),
    ),
    Target(
        "questions of a result",
        run_with_questions,
        lambda folder: find_questions(folder / "results" / "knn.json"),
        {"knn.json": JSON},
    ),
]
