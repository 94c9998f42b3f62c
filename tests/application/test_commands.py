"""train.py, evaluate.py and the report as a user runs them."""

import csv
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from torchvision.models.resnet import BasicBlock, ResNet

from qscore import load_encoder
from qscore.files import read_json
from qscore.report.__main__ import main as report
from qscore.results import load_result
from qscore.score import load_representations
from tests.application.conftest import LIGHT, NUM_STEPS_PER_EPOCH, tiny
from tests.encoders.sources import moco_trained
from tests.processes import script

EVALUATIONS = {
    "heatmaps",
    "quality",
    "linear_probe",
    "knn",
    "misclassification",
    "sparsity",
    "dominance",
    "classes",
    "feature_selection",
}


def runs(sweep: Path) -> dict[str, Path]:
    return {path.name: path for path in (sweep / "sweep").iterdir() if path.is_dir()}


def run_with(sweep: Path, part: str) -> Path:
    return next(run for name, run in runs(sweep).items() if f"_{part}_" in name)


def facts(run: Path) -> dict[str, object]:
    return json.loads((run / "run.json").read_text())  # type: ignore[no-any-return]


def test_a_sweep_leaves_one_whole_directory_a_run(sweep: Path) -> None:
    found = runs(sweep)
    assert len(found) == 2
    assert {re.sub(r".*_(lambda[0-9]+)_.*", r"\1", name) for name in found} == {"lambda0", "lambda20"}
    for run in found.values():
        names = {path.name for path in run.iterdir()}
        assert {
            ".hydra",
            "run.json",
            "encoder.safetensors",
            "encoder.json",
            "discriminative_features.json",
            "checkpoints",
            "metrics.csv",
            "results",
            "q_score_histograms.json",
            "guard.json",
            "best",
            "report",
        } <= names
        content = facts(run)
        assert (content["status"], content["stage"], content["num_steps"]) == (
            "complete",
            "fine_tune",
            2 * NUM_STEPS_PER_EPOCH,
        )
        assert {file.stem for file in (run / "results").glob("*.json")} == EVALUATIONS
        assert load_encoder(run).feature_dim == 64
    assert len(list((sweep / "pretrained").iterdir())) == 1


def test_control_and_regularized_share_baseline_features_and_steps_but_not_weights(sweep: Path) -> None:
    control, regularized = (run_with(sweep, part) for part in ("lambda0", "lambda20"))
    assert facts(control)["origins"] == facts(regularized)["origins"]
    mined = [json.loads((run / "discriminative_features.json").read_text()) for run in (control, regularized)]
    assert mined[0] == mined[1]
    assert load_encoder(control).fingerprint() != load_encoder(regularized).fingerprint()
    with (regularized / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {"q_score/mean", "q_score/term", "q_score/share_below", "q_score/share_empty", "train/loss"} <= rows[
        0
    ].keys()


def test_numbers_of_page_json_and_cached_representations_agree(sweep: Path, tmp_path: Path) -> None:
    assert report([str(sweep / "sweep"), "--out", str(tmp_path)]) == 0
    page = (tmp_path / "index.html").read_text()
    text = re.sub(r"<[^>]+>", " ", page)
    for run in runs(sweep).values():
        probe, ranking = (
            load_result(run / "results" / f"{name}.json") for name in ("linear_probe", "misclassification")
        )
        train, test = (
            load_representations(next((run / "representations").glob(f"{split}-*"))) for split in ("train", "test")
        )
        assert train.labels is not None
        assert test.labels is not None
        scaler = StandardScaler().fit(train.h.numpy().astype(float))
        model = LogisticRegression(C=probe.settings["C"], max_iter=1000).fit(
            scaler.transform(train.h.numpy().astype(float)), train.labels.numpy()
        )
        predicted = model.predict(scaler.transform(test.h.numpy().astype(float)))
        correct = probe.arrays["predictions"] == test.labels.numpy()
        assert (predicted != probe.arrays["predictions"]).sum() <= 1  # an image between two classes, to rounding
        assert probe.metrics["top1"] == pytest.approx(correct.mean(), abs=1e-12)
        assert f"{100 * correct.mean():.2f}" in text
        auroc = roc_auc_score(correct, ranking.arrays["q"])
        assert ranking.metrics["auroc"] == pytest.approx(auroc, abs=1e-6)
        assert f"{auroc:.3f}" in text
    with (tmp_path / "comparison.csv").open() as file:
        rows = {row["encoder"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"untrained", "baseline", "control", "Q-Score λ=20"}
    control = run_with(sweep, "lambda0")
    stored = load_result(control / "results" / "knn.json").metrics["k20"]
    assert float(rows["control"]["knn/k20"]) == stored


def test_the_page_stands_alone(sweep: Path, tmp_path: Path) -> None:
    report([str(run) for run in runs(sweep).values()] + ["--out", str(tmp_path)])
    page = (tmp_path / "index.html").read_text()
    assert not re.search(r"""(src|<link[^>]*href)=["'](?!data:)""", page)
    assert page.count("data:image/png;base64,") == 16
    assert "no evidence of an effect" in page
    assert (tmp_path / "per_class.csv").read_text().count("\n") == 11


def test_running_a_finished_sweep_again_changes_nothing(sweep: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (sweep / "sweep").rglob("encoder.safetensors")}
    done = script("train", "-m", *tiny(sweep, "lambda=0,20", *LIGHT))
    assert done.returncode == 0, done.stderr
    assert "complete already" in done.stdout
    assert before == {path: path.stat().st_mtime_ns for path in (sweep / "sweep").rglob("encoder.safetensors")}


def test_evaluate_a_run_and_an_exported_encoder(
    sweep: Path, tmp_path: Path, command: Callable[..., tuple[int, str]]
) -> None:
    run = next(iter(runs(sweep).values()))
    status, error = command("evaluate", f"run='{run}'", f"out={tmp_path}/a", "evaluation=knn", "num_workers=0")
    assert (status, error.count("Error")) == (0, 0)
    again = load_result(tmp_path / "a" / "results" / "knn.json")
    assert again.metrics == load_result(run / "results" / "knn.json").metrics

    images, labels = np.zeros((40, 20, 20), np.uint8), np.arange(40) % 2
    images[labels == 1, 5:15, 5:15] = 255
    np.savez(tmp_path / "squares.npz", images=images, labels=labels)
    status, _ = command(
        "evaluate",
        f"encoder='{run / 'encoder.safetensors'}'",
        f"data={tmp_path}/squares.npz",
        f"out={tmp_path}/b",
        "evaluation=linear_probe",
        "scoring.epsilon=auto",
        "num_workers=0",
    )
    assert status == 0
    assert load_result(tmp_path / "b" / "results" / "linear_probe.json").metrics["top1"] == 1.0


def test_an_exported_encoder_is_fine_tuned_with_new_heads(
    sweep: Path, tmp_path: Path, command: Callable[..., tuple[int, str]]
) -> None:
    source = next(iter(runs(sweep).values())) / "encoder.safetensors"
    options = [
        f"checkpoint='{source}'",
        "epochs=1",
        "evaluation=none",
        "method=byol",
        "data=embedded",
        "batch_size=1024",
    ]
    heads = ["+method.small.module.hidden_dim=16", "~method.small.module.temperature", "~method.small.views.hf_prob"]
    status, error = command("train", *tiny(tmp_path, *options, *heads, "~method.small.views.random_gray_scale"))
    assert (status, error.count("Traceback")) == (0, 0), error
    run = tmp_path / "run"
    assert facts(run)["status"] == "complete"
    assert facts((run / str(facts(run)["baseline"])).resolve())["stage"] == "imported"


def test_anybodys_checkpoint_is_fine_tuned_and_evaluated(
    tmp_path: Path, command: Callable[..., tuple[int, str]]
) -> None:
    torch.manual_seed(0)
    student, teacher = (ResNet(BasicBlock, [1, 1, 1, 1]) for _ in range(2))
    file = tmp_path / "moco_v2_800ep_pretrain.pth.tar"
    torch.save(moco_trained(student, teacher), file)
    options = [f"checkpoint='{file}'", "epochs=1", "method=moco", "method.small.module.queue_size=256", "lambda=1"]
    recipe = ["~method.small.views.hf_prob", "~method.small.views.random_gray_scale", "batch_size=256"]
    asked = tiny(tmp_path, *options, *recipe, "evaluation=sparsity")
    status, error = command("train", *(option for option in asked if not option.startswith("encoder.")))
    assert status == 0, error
    run = tmp_path / "run"
    assert set(facts(run)["started_with"].values()) == {"warm"}  # type: ignore[attr-defined]
    imported = (run / str(facts(run)["baseline"])).resolve()
    origin = read_json(imported / "encoder.json")["source"]
    assert (origin["layout"], origin["role"]) == ("moco", "student")
    assert origin["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert load_encoder(imported).fingerprint() == load_encoder(file).fingerprint()
    assert load_encoder(run).settings["mean"] == load_encoder(file).settings["mean"] == [0.485, 0.456, 0.406]

    out = tmp_path / "evaluated"
    asked = [
        f"encoder='{file}'",
        f"data={tmp_path}/digits.npz",
        f"out={out}",
        "evaluation=sparsity",
        "data.image_size=28",
    ]
    status, error = command("evaluate", *asked)
    assert status == 0, error
    baseline = load_result(run / facts(run)["origins"]["baseline"] / "sparsity.json")  # type: ignore[index]
    assert load_result(out / "results" / "sparsity.json").metrics == baseline.metrics


def test_other_data_gets_a_baseline_of_its_own_and_results_apart(
    sweep: Path, tmp_path: Path, command: Callable[..., tuple[int, str]]
) -> None:
    control = run_with(sweep, "lambda0")
    before = (control / "results" / "linear_probe.json").read_bytes()
    (pretrained,) = (sweep / "pretrained").iterdir()
    images = np.random.default_rng(0).integers(0, 255, (300, 28, 28), np.uint8)
    np.savez(tmp_path / "noise.npz", images=images, labels=np.arange(300) % 3)
    options = [
        f"checkpoint={pretrained}",
        f"data={tmp_path}/noise.npz",
        "epochs=1",
        "lambda=0",
        "evaluation=linear_probe",
    ]
    status, error = command("train", *tiny(tmp_path, *options))
    assert status == 0, error
    run = tmp_path / "run"
    origins = facts(run)["origins"]
    assert isinstance(origins, dict)
    baseline = load_result(run / origins["baseline"] / "linear_probe.json")
    assert [name for name in baseline.metrics if name.startswith("class/")] == ["class/0", "class/1", "class/2"]
    assert report([str(run), str(control), "--out", str(tmp_path / "report")]) == 0
    assert "DIFFERENT held-out images" in (tmp_path / "report" / "index.html").read_text()

    status, _ = command("evaluate", f"run='{control}'", f"data={tmp_path}/noise.npz", "evaluation=linear_probe")
    assert status == 0
    assert (control / "results" / "linear_probe.json").read_bytes() == before
    (apart,) = control.glob("evaluated-*")
    assert load_result(apart / "results" / "linear_probe.json").metrics.keys() == baseline.metrics.keys()


def test_evaluations_asked_for_later_are_done(tmp_path: Path, command: Callable[..., tuple[int, str]]) -> None:
    assert command("train", *tiny(tmp_path, "epochs=1", "evaluation=none"))[0] == 0
    assert not (tmp_path / "run" / "results").exists()
    weights = (tmp_path / "run" / "encoder.safetensors").read_bytes()
    assert command("train", *tiny(tmp_path, "epochs=1", "evaluation=sparsity"))[0] == 0
    assert (tmp_path / "run" / "results" / "sparsity.json").exists()
    assert (tmp_path / "run" / "metrics.csv").exists()
    assert (tmp_path / "run" / "encoder.safetensors").read_bytes() == weights
