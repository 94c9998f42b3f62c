"""The figures of features and classes show the numbers of the result files, for few encoders and many classes."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from qscore.evaluation import EvaluationInputs
from qscore.evaluation.classes import classes
from qscore.evaluation.dominance import dominance
from qscore.evaluation.feature_selection import feature_selection
from qscore.evaluation.linear_probe import linear_probe
from qscore.evaluation.sparsity import sparsity
from qscore.records import Representations
from qscore.report.change_figures import class_accuracy, sparsity_scatter
from qscore.report.class_figures import class_averages, feature_shares, feature_weights, shown_features
from qscore.report.collect import BASELINE, CONTROL, REGULARIZED, UNTRAINED, EvaluatedEncoder
from qscore.report.page import write_report
from qscore.report.selection_figures import selection_curves, transfer_accuracy
from qscore.results import Result
from tests.evaluation.planted import EPSILON, GENERAL, PER_CLASS, SPECIFIC, planted, planted_inputs


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    inputs = planted_inputs()
    found = {e.__name__: e(inputs) for e in (classes, dominance, linear_probe, sparsity)}
    return {**found, "feature_selection": feature_selection(inputs, percentages=(10, 50, 100))}


def evaluated(role: str, results: dict[str, Result], name: str = "") -> EvaluatedEncoder:
    return EvaluatedEncoder(name or role, role, Path(name or role), {"seed": 0, "epsilon": EPSILON}, results, [])


def with_accuracy(*accuracies: float) -> dict[str, Result]:
    metrics: dict[str, float | None] = {f"class/{'abc'[i]}": value for i, value in enumerate(accuracies)}
    return {"linear_probe": Result("linear_probe", metrics)}


def test_four_features_of_different_classes_and_one_of_all_are_shown(results: dict[str, Result]) -> None:
    encoder = evaluated(BASELINE, results)
    *specific, general = shown_features(encoder)
    assert [kind for _, kind in specific] == ["D"] * 4
    assert len({(feature - SPECIFIC.start) // PER_CLASS for feature, _ in specific}) == 4
    assert general[1] == "upper tail"
    assert GENERAL.start <= general[0] < GENERAL.stop
    for draw, array in ((feature_shares, "shares"), (feature_weights, "weights")):
        axes = [axis for part in draw([encoder]).subfigs for axis in part.axes]
        for axis, (feature, kind) in zip(axes, shown_features(encoder), strict=True):
            assert axis.get_title() == f"feature {feature} ({kind})"
            drawn = [bar.get_height() for bar in axis.patches]  # type: ignore[attr-defined]
            np.testing.assert_allclose(drawn, encoder.array("classes", array)[:, feature], rtol=1e-6)


def test_averages_of_right_and_wrong_samples_stand_side_by_side_in_the_order_of_dominance(
    results: dict[str, Result],
) -> None:
    (part,) = class_averages([evaluated(BASELINE, results)]).subfigs
    right, wrong = (np.ma.filled(axis.images[0].get_array(), np.nan) for axis in part.axes)
    arrays = results["classes"].arrays
    shown = np.flatnonzero(arrays["num_wrong"])
    order = np.argsort(arrays["counts"], kind="stable")
    peak = np.fmax(arrays["right"][shown].max(1), arrays["wrong"][shown].max(1))[:, None]
    np.testing.assert_allclose(right, arrays["right"][shown][:, order] / peak, rtol=1e-5)
    np.testing.assert_allclose(wrong, arrays["wrong"][shown][:, order] / peak, rtol=1e-5)
    names = [text.get_text() for text in part.axes[0].get_yticklabels()]
    assert names == [f"class {c} ({arrays['num_right'][c]})" for c in shown]


def test_curves_and_the_span_of_the_random_draws_are_those_of_the_result(results: dict[str, Result]) -> None:
    (axis,) = selection_curves([evaluated(BASELINE, results)]).axes
    arrays = results["feature_selection"].arrays
    lines = {str(line.get_label()): line for line in axis.lines}
    for text, name in (("middle", "middle"), ("lower tail", "lower_tail"), ("upper tail", "upper_tail")):
        assert list(lines[text].get_ydata()) == list(arrays[name])
        assert list(lines[text].get_xdata()) == [10, 50, 100]
    assert list(lines["random, 4 draws"].get_ydata()) == pytest.approx(list(arrays["random"].mean(0)))
    heights = axis.collections[0].get_paths()[0].vertices[:, 1]  # type: ignore[index]
    assert (heights.min(), heights.max()) == (arrays["random"].min(), arrays["random"].max())


def test_classes_are_sorted_by_the_baseline_and_counted_as_better_or_worse() -> None:
    encoders = [
        evaluated(UNTRAINED, with_accuracy(0.1, 0.1, 0.1)),
        evaluated(BASELINE, with_accuracy(0.9, 0.5, 0.7)),
        evaluated(CONTROL, with_accuracy(0.9, 0.6, 0.8)),
        evaluated(REGULARIZED, with_accuracy(0.8, 0.4, 0.9)),
    ]
    (axis,) = class_accuracy(encoders).axes
    assert [list(line.get_ydata()) for line in axis.lines] == [[0.5, 0.7, 0.9], [0.6, 0.8, 0.9], [0.4, 0.9, 0.8]]
    assert [text.get_text() for text in axis.get_xticklabels()] == ["b", "c", "a"]
    assert [line.get_label() for line in axis.lines] == [
        "baseline, seed 0",
        "control, seed 0: 2 classes better, 0 worse",
        "Q-Score, seed 0: 1 classes better, 2 worse",
    ]


def test_only_the_classes_that_changed_most_are_drawn_of_many() -> None:
    before = {"linear_probe": Result("linear_probe", {f"class/{c}": 0.5 for c in range(150)})}
    after = {"linear_probe": Result("linear_probe", {f"class/{c}": 0.5 + 0.3 * (c >= 50) for c in range(150)})}
    (axis,) = class_accuracy([evaluated(BASELINE, before), evaluated(CONTROL, after)]).axes
    assert [len(line.get_ydata()) for line in axis.lines] == [100, 100]  # type: ignore[arg-type]
    assert set(axis.lines[1].get_ydata()) == {0.8}
    assert "100 classes better, 0 worse" in str(axis.lines[1].get_label())


def test_the_scatter_says_how_many_images_became_sparser(results: dict[str, Result]) -> None:
    hoyer = results["sparsity"].arrays["hoyer"]
    sparser = dict(results["sparsity"].arrays, hoyer=np.where(np.arange(len(hoyer)) % 4, hoyer + 0.1, hoyer - 0.1))
    after = {"sparsity": dataclasses.replace(results["sparsity"], arrays=sparser)}
    figure = sparsity_scatter([evaluated(BASELINE, results), evaluated(REGULARIZED, after)])
    before, regularized = figure.axes
    assert len(before.collections) == 1
    assert len(regularized.collections) == 2
    assert "75% of the images are sparser than before" in regularized.get_xlabel()
    assert before.get_xlim() == regularized.get_xlim()
    two = [evaluated(BASELINE, results, "one"), evaluated(BASELINE, results, "two"), evaluated(CONTROL, after)]
    assert "sparser" not in sparsity_scatter(two).axes[2].get_xlabel()  # it began with either of them


def test_every_data_set_has_a_dot_for_each_encoder_that_was_measured_on_it() -> None:
    def probed(**top1: float) -> dict[str, Result]:
        metrics = {f"{name}/top1": value for name, value in top1.items()} | {"average": 0.5}
        return {"transfer": Result("transfer", dict(metrics), {}, {"datasets": np.array(list(top1))})}

    encoders = [evaluated(BASELINE, probed(stl10=0.4, cars=0.6)), evaluated(CONTROL, probed(stl10=0.7))]
    (axis,) = transfer_accuracy(encoders).axes
    assert [text.get_text() for text in axis.get_yticklabels()] == ["stl10", "cars", "average"]
    assert [list(line.get_xdata()) for line in axis.lines] == [[0.4, 0.6, 0.5], [0.7, 0.5]]


SIX = [UNTRAINED, BASELINE, CONTROL, REGULARIZED, REGULARIZED, REGULARIZED]


@pytest.mark.parametrize("roles", [[BASELINE], pytest.param(SIX, marks=pytest.mark.slow)])
def test_one_to_six_encoders_are_drawn(roles: list[str], results: dict[str, Result], tmp_path: Path) -> None:
    encoders = [evaluated(role, results, f"{role} {i}") for i, role in enumerate(roles)]
    page = write_report(encoders, tmp_path).read_text()
    for title in ("fig. 2", "fig. A.1", "figs. 5, A.8", "figs. 4, A.2", "fig. A.5", "fig. A.6"):
        assert title in page
    assert "table A.1" not in page


def test_a_hundred_classes_and_an_empty_d_are_drawn(tmp_path: Path) -> None:
    def many(num_samples: int, seed: int) -> Representations:
        split = planted(num_samples, seed)
        assert split.labels is not None
        names = tuple(f"n{c:08d} a long name" for c in range(100))
        return dataclasses.replace(split, labels=split.labels + 10 * (torch.arange(num_samples) % 7), class_names=names)

    train, test = many(600, 0), many(300, 1)
    for epsilon in (EPSILON, 50.0):
        found = classes(EvaluationInputs(train, test, epsilon=epsilon))
        encoder = evaluated(BASELINE, {"classes": found})
        axes = [axis for part in feature_shares([encoder]).subfigs for axis in part.axes]
        assert all(len(axis.patches) <= 20 for axis in axes)
        rows = [axis.images[0].get_array() for part in class_averages([encoder]).subfigs for axis in part.axes]
        assert all(row is not None and len(row) <= 20 for row in rows)
        write_report([encoder], tmp_path)
