"""Paired comparison of runs whose differences are planted."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from qscore.report.__main__ import main
from qscore.report.collect import collect
from qscore.report.compare import differences
from qscore.report.compared_metrics import METRICS
from qscore.report.pairing import comparisons
from qscore.report.statistics import holm, sample_interval, t_interval
from qscore.results import Result

NUM_SAMPLES = 400
VIEWS = {"_target_": "lightly.transforms.SimCLRTransform", "cj_strength": 0.5}


def write_run(folder: Path, *, weight: float, seed: int, accuracy: float, num_steps: int = 100, **changed: Any) -> Path:
    """A run directory as training leaves it, with planted results."""
    config = {
        "lambda": weight,
        "seed": seed,
        "epsilon": 2.0,
        "formula": "ratio",
        "alpha": "mined_mean",
        "batch_size": changed.get("batch_size", 64),
        "data": {"name": changed.get("data", "embedded"), "scale": "small"},
        "method": {"name": "simclr", "small": {"views": changed.get("views", VIEWS), "optimization": {"lr": 1.0}}},
        "encoder": {"architecture": "resnet10"},
        "regularizer": {"weight_unit": "raw"},
    }
    facts = {
        "stage": "fine_tune",
        "status": "complete",
        "num_steps": num_steps,
        "data_fingerprint": changed.get("fingerprint", "abc"),
        "versions": {"torch": "2.6"},
        "config": config,
    }
    if "baseline" in changed:
        facts["baseline"] = changed["baseline"]
    config |= changed.get("config", {})
    run = folder / f"lambda{weight}-seed{seed}{changed.get('suffix', '')}"
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps(facts))
    labels = np.arange(NUM_SAMPLES) % 4
    wrong = np.random.default_rng(seed).permutation(NUM_SAMPLES)[: round((1 - accuracy) * NUM_SAMPLES)]
    predictions = labels.copy()
    predictions[wrong] = (labels[wrong] + 1) % 4
    settings = {"images": changed.get("images", "same"), "epsilon": changed.get("epsilon", 2.0), "formula": "ratio"}
    correct = predictions == labels
    q = np.random.default_rng(100 + seed).normal(size=NUM_SAMPLES) + correct
    Result(
        "linear_probe", {"top1": float(correct.mean())}, settings, {"predictions": predictions, "labels": labels}
    ).save(run / "results")
    Result("misclassification", {"auroc": 0.7, "aurc": 0.1}, settings, {"q": q, "correct": correct}).save(
        run / "results"
    )
    return run


def write_sweep(folder: Path, gains: list[float], **changed: Any) -> Path:
    """A control and a run with the regularizer for each seed; the latter is better by `gains`."""
    for seed, gain in enumerate(gains):
        write_run(folder, weight=0.0, seed=seed, accuracy=0.8 + 0.01 * seed)
        write_run(folder, weight=10.0, seed=seed, accuracy=0.8 + 0.01 * seed + gain, **changed)
    return folder


def test_identical_runs_show_no_effect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(write_sweep(tmp_path, [0.0, 0.0, 0.0]))]) == 0
    printed = capsys.readouterr().out
    assert printed.count("no effect shown") == 3
    assert "  !" not in printed
    (comparison,) = comparisons(collect([tmp_path]))
    top1 = differences(comparison)[0]
    assert top1.differences == (0, 0, 0)
    assert top1.seeds == top1.images == (0, 0)


def test_a_planted_difference_is_found_with_scipys_interval(tmp_path: Path) -> None:
    gains = [0.05, 0.06, 0.055]
    (comparison,) = comparisons(collect([write_sweep(tmp_path, gains)]))
    top1 = differences(comparison)[0]
    assert top1.verdict == "effect"
    expected = stats.ttest_rel(top1.treated, top1.reference)
    np.testing.assert_allclose(top1.seeds, expected.confidence_interval(0.95))
    assert top1.p == pytest.approx(min(1, 3 * expected.pvalue))
    assert top1.images is not None
    assert top1.images[0] < np.mean(gains) < top1.images[1]
    assert 0.02 < top1.images[1] - top1.images[0] < 0.08


def test_two_seeds_make_no_claim(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["compare", str(write_sweep(tmp_path, [0.05, 0.05]))])
    printed = capsys.readouterr().out
    assert "no claim: 2 of 3 seeds" in printed
    assert " effect" not in printed.replace("no effect", "")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"num_steps": 200}, "differ in optimizer steps: 200 and 100"),
        ({"fingerprint": "def"}, "differ in training images"),
        ({"views": {**VIEWS, "cj_strength": 1.0}}, "differ in augmentation"),
        ({"batch_size": 32}, "differ in batch size: 32 and 64"),
        ({"images": "other"}, "different held-out images"),
        ({"epsilon": 3.0}, "Q was computed differently (epsilon)"),
    ],
)
def test_unequal_runs_are_warned_of(
    changed: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(write_sweep(tmp_path, [0.05, 0.06, 0.05], **changed))]) == 0
    printed = capsys.readouterr().out
    assert said in printed
    if said.startswith("differ in"):
        assert "differs, cause unclear" in printed
        assert not re.search(r" effect$", printed, re.MULTILINE)


def test_metrics_of_differently_computed_q_are_left_out(tmp_path: Path) -> None:
    (comparison,) = comparisons(collect([write_sweep(tmp_path, [0.05, 0.06, 0.05], epsilon=3.0)]))
    assert [d.metric.name for d in differences(comparison)] == ["top1"]


def test_a_seed_without_control_is_named_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sweep(tmp_path, [0.05, 0.06, 0.05])
    write_run(tmp_path, weight=10.0, seed=7, accuracy=0.9)
    main(["compare", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "Seed 7 has no control and is left out" in printed


def test_groups_are_named_by_what_differs(tmp_path: Path) -> None:
    write_sweep(tmp_path, [0.05, 0.06, 0.05])
    write_run(tmp_path, weight=0.1, seed=0, accuracy=0.8)
    assert {c.treated for c in comparisons(collect([tmp_path]))} == {"Q-Score λ=10", "Q-Score λ=0.1"}


def test_runs_that_started_from_different_encoders_show_no_effect_of_the_regularizer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(3):
        write_run(tmp_path, weight=0.0, seed=seed, accuracy=0.8, baseline="../a")
        write_run(tmp_path, weight=10.0, seed=seed, accuracy=0.9, baseline="../b")
    main(["compare", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "differ in the encoder they started from" in printed
    assert "differs, cause unclear" in printed


def test_different_images_show_no_effect(tmp_path: Path) -> None:
    (comparison,) = comparisons(collect([write_sweep(tmp_path, [0.05, 0.06, 0.055], images="other")]))
    top1 = differences(comparison)[0]
    assert top1.verdict == "differs, cause unclear"
    assert top1.images is None


def test_each_group_meets_the_control_that_was_trained_like_it(tmp_path: Path) -> None:
    for epochs in (10, 50):
        longer = {"config": {"epochs": epochs}, "num_steps": 10 * epochs, "suffix": f"-{epochs}"}
        for seed in range(3):
            write_run(tmp_path, weight=0.0, seed=seed, accuracy=0.8, **longer)
            write_run(tmp_path, weight=10.0, seed=seed, accuracy=0.85, **longer)
    found = comparisons(collect([tmp_path]))
    assert {c.treated for c in found} == {"Q-Score λ=10 epochs=10", "Q-Score λ=10 epochs=50"}
    for comparison in found:
        assert comparison.is_fair
        assert not comparison.cautions
        names = {
            pair.treated.path.name.split("-")[-1] == pair.reference.path.name.split("-")[-1]
            for pair in comparison.pairs
        }
        assert names == {True}


def test_settings_of_the_regularizer_tell_groups_apart(tmp_path: Path) -> None:
    write_sweep(tmp_path, [0.05, 0.05, 0.05])
    for seed in range(3):
        other = {"config": {"regularizer": {"weight_unit": "raw", "column_weight": 1e-4}}, "suffix": "-columns"}
        write_run(tmp_path, weight=10.0, seed=seed, accuracy=0.8, **other)
    names = {c.treated for c in comparisons(collect([tmp_path]))}
    assert names == {"Q-Score λ=10 column_weight=0.0001", "Q-Score λ=10"}


def test_a_run_again_is_no_second_seed(tmp_path: Path) -> None:
    write_sweep(tmp_path, [0.05, 0.05])
    write_run(tmp_path, weight=10.0, seed=0, accuracy=0.9, suffix="-again")
    (comparison,) = comparisons(collect([tmp_path]))
    assert len(comparison.pairs) == 2
    assert "Seed 0 was run 2 times" in comparison.cautions[0]


def test_runs_without_a_seed_are_left_out(tmp_path: Path) -> None:
    write_sweep(tmp_path, [0.05, 0.05])
    write_run(tmp_path, weight=10.0, seed=5, accuracy=0.9, config={"seed": None})
    (comparison,) = comparisons(collect([tmp_path]))
    assert any("no seed" in text for text in comparison.cautions)


def test_one_origin_of_all_seeds_is_said(tmp_path: Path) -> None:
    for seed in range(3):
        for weight in (0.0, 10.0):
            write_run(tmp_path, weight=weight, seed=seed, accuracy=0.8, baseline="../one")
    (comparison,) = comparisons(collect([tmp_path]))
    assert comparison.is_fair
    assert any("one pretrained encoder" in text for text in comparison.cautions)


def test_missing_arrays_leave_the_interval_over_images_out(tmp_path: Path) -> None:
    write_sweep(tmp_path, [0.05, 0.06, 0.05])
    for run in tmp_path.glob("lambda0.0*"):
        (run / "results" / "linear_probe.json").unlink()
        Result("knn", {"k20": 0.7}, {"images": "same"}, {}).save(run / "results")
    for run in tmp_path.glob("lambda10*"):
        Result("knn", {"k20": 0.8}, {"images": "same"}, {"predictions_k20": np.zeros(NUM_SAMPLES)}).save(
            run / "results"
        )
    (comparison,) = comparisons(collect([tmp_path]))
    found = {d.metric.name: d.images for d in differences(comparison)}
    assert found["k20"] is None
    assert "top1" not in found


def test_an_effect_that_does_not_outlast_the_correction_is_called_so(tmp_path: Path) -> None:
    (comparison,) = comparisons(collect([write_sweep(tmp_path, [0.03, 0.06, 0.045])]))
    top1 = differences(comparison)[0]
    assert top1.seeds[0] > 0
    assert top1.p > 0.05
    assert top1.verdict == "effect before Holm's correction"


def test_everything_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs, out = write_sweep(tmp_path / "runs", [0.05, 0.06, 0.05]), tmp_path / "out"
    assert main(["compare", str(runs), "--out", str(out)]) == 0
    page = (out / "compare.html").read_text()
    assert "data:image/png;base64," in page
    assert page.count('class="effect"') == 1
    rows = list(csv.DictReader((out / "compare_seeds.csv").read_text().splitlines()))
    top1 = [float(row["treated value"]) for row in rows if row["metric"] == "Linear probe top-1"]
    assert top1 == pytest.approx([0.85, 0.87, 0.87], abs=0.002)
    assert (out / "compare.png").stat().st_size > 5000


def test_runs_that_cannot_be_set_against_anything_are_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path, weight=10.0, seed=0, accuracy=0.9)
    assert main(["compare", str(tmp_path)]) == 2
    assert "lambda=0" in capsys.readouterr().err


def test_the_interval_over_images_covers_the_truth() -> None:
    """In 60 made worlds of known difference a 90 % interval should miss it about 6 times."""
    missed = 0
    for world in range(60):
        generator = np.random.default_rng(world)
        one, other = generator.normal(0.3, 1, 150), generator.normal(0, 1, 150)
        low, high = sample_interval([([one], [other])], lambda a: float(a[0].mean()), num=200, confidence=0.9)
        missed += not low <= 0.3 <= high
    assert 1 <= missed <= 14


def test_the_area_of_resampled_images_is_scikit_learns() -> None:
    generator = np.random.default_rng(0)
    correct = generator.random(200) < 0.8
    scores = np.round(generator.normal(size=200) + correct, 1)
    statistic = next(m.statistic for m in METRICS if m.name == "auroc")
    assert statistic([scores, correct]) == pytest.approx(roc_auc_score(correct, scores))
    assert np.isnan(statistic([scores, np.ones(200, bool)]))


def write_probed_sweep(folder: Path, gains: list[float], **treated: Any) -> Path:
    """A control and a run with the regularizer for each seed, each with a reverse probe; the latter gains nats."""
    write_sweep(folder, [0.0 for _ in gains])
    for seed, gain in enumerate(gains):
        for weight, more in ((0.0, 0.0), (10.0, gain)):
            nats = 1.0 + 0.1 * seed + more
            metrics: dict[str, float | None] = {"information_nats": nats, "ami": nats / 4, "nmi": nats / 3, "top1": 0.5}
            settings = {"images": "same", "num_clusters": 10, "grouping": "k-means", "groups": ["colour"]}
            changed = treated if weight else {}
            result = Result("reverse_probing", metrics | {"num_concepts": 11}, settings | changed)
            result.save(folder / f"lambda{weight}-seed{seed}" / "results")
    return folder


def test_reverse_probes_are_compared_over_training_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gains = [0.2, 0.25, 0.22]
    (comparison,) = comparisons(collect([write_probed_sweep(tmp_path, gains)]))
    found = {d.metric.name: d for d in differences(comparison) if d.metric.evaluation == "reverse_probing"}
    assert list(found) == ["information_nats", "ami", "nmi", "top1"]
    assert found["information_nats"].differences == pytest.approx(tuple(gains))
    assert found["information_nats"].seeds == pytest.approx(t_interval(gains))
    assert found["information_nats"].images is None
    assert found["top1"].verdict == "no effect shown"
    assert main(["compare", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    assert "Reverse probe, information (nats)" in capsys.readouterr().out


@pytest.mark.parametrize("unlike", [{"num_clusters": 20}, {"grouping": "labels"}, {"groups": ["colour", "scene"]}])
def test_unlike_reverse_probes_are_left_out(unlike: dict[str, Any], tmp_path: Path) -> None:
    (comparison,) = comparisons(collect([write_probed_sweep(tmp_path, [0.2, 0.2, 0.2], **unlike)]))
    assert all(d.metric.evaluation != "reverse_probing" for d in differences(comparison))


def test_one_seed_has_no_interval() -> None:
    assert t_interval([0.3]) == (-np.inf, np.inf)


def test_holm_is_monotone_and_never_below_the_raw_p() -> None:
    p = np.random.default_rng(0).random(9) ** 3
    adjusted = np.array(holm(p.tolist()))
    assert (adjusted >= p).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()
    assert adjusted.min() == pytest.approx(min(1, 9 * p.min()))
