"""How rankings are judged: against scikit-learn, against loops, and against another library."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from qscore.evaluation.ranking import (
    augrc,
    aurc,
    auroc_within,
    bootstrap_aurocs,
    e_aurc,
    fpr_at_95_tpr,
    weighted_auroc,
)


@pytest.fixture(params=[False, True], ids=["distinct", "ties"])
def ranked(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    correct = generator.random(300) < 0.8
    scores = generator.normal(size=300) + correct
    return (np.round(scores, 1) if request.param else scores), correct


def test_weighted_auroc_is_scikit_learns(ranked: tuple[np.ndarray, np.ndarray]) -> None:
    scores, correct = ranked
    weights = np.random.default_rng(1).integers(0, 4, size=(20, len(scores)))
    expected = [roc_auc_score(correct, scores, sample_weight=w) for w in weights]
    np.testing.assert_allclose(weighted_auroc(scores, correct, weights), expected)


def test_a_drawn_set_without_errors_ranks_nothing(ranked: tuple[np.ndarray, np.ndarray]) -> None:
    scores, correct = ranked
    assert np.isnan(weighted_auroc(scores, correct, correct[None].astype(float))).all()


def test_bootstraps_of_two_scores_share_their_samples(ranked: tuple[np.ndarray, np.ndarray]) -> None:
    scores, correct = ranked
    found = bootstrap_aurocs({"one": scores, "same": 3 * scores - 1, "opposite": -scores}, correct, num=250, seed=0)
    assert len(found["one"]) == 250
    np.testing.assert_array_equal(found["one"], found["same"])
    np.testing.assert_allclose(found["one"] + found["opposite"], 1)
    spread = found["one"].std()
    standard_error = np.sqrt(0.25 / min(correct.sum(), (~correct).sum()))
    assert 0 < spread < standard_error
    assert abs(found["one"].mean() - roc_auc_score(correct, scores)) < 0.01


def test_fpr_at_95_tpr_is_read_off_the_roc_curve(ranked: tuple[np.ndarray, np.ndarray]) -> None:
    scores, correct = ranked
    fpr, tpr, _ = roc_curve(correct, scores, drop_intermediate=False)
    assert fpr_at_95_tpr(scores, correct) == pytest.approx(fpr[tpr >= 0.95].min(), abs=1e-6)


def test_auroc_within_compares_only_samples_of_a_group(ranked: tuple[np.ndarray, np.ndarray]) -> None:
    scores, correct = ranked
    groups = np.random.default_rng(2).integers(0, 5, size=len(scores))
    won = pairs = 0.0
    for i in np.flatnonzero(correct):
        for j in np.flatnonzero(~correct):
            if groups[i] == groups[j]:
                pairs += 1
                won += 1.0 if scores[i] > scores[j] else 0.5 if scores[i] == scores[j] else 0.0
    assert auroc_within(scores, correct, groups) == pytest.approx(won / pairs)
    shifted = scores + 100 * groups  # a score that knows the group only
    assert auroc_within(shifted, correct, groups) == pytest.approx(won / pairs)
    assert auroc_within(scores, correct, np.arange(len(scores))) is None


def test_excess_is_zero_for_a_perfect_ranking_only(ranked: tuple[np.ndarray, np.ndarray]) -> None:
    scores, correct = ranked
    assert e_aurc(correct.astype(float), correct) == 0
    assert e_aurc(scores, correct) > 0
    n, errors = len(correct), int((~correct).sum())
    by_hand = sum((k - (n - errors)) / k for k in range(n - errors + 1, n + 1)) / n
    # errors at the end, in any order among themselves
    assert aurc(scores, correct) - e_aurc(scores, correct) == pytest.approx(by_hand, abs=1e-9)


def test_augrc_is_the_mean_number_of_undetected_errors(ranked: tuple[np.ndarray, np.ndarray]) -> None:
    scores, correct = ranked
    generator = np.random.default_rng(3)
    drawn = []
    for _ in range(300):
        order = np.argsort(-(scores + 1e-9 * generator.random(len(scores))))
        drawn.append(np.cumsum(~correct[order]).mean() / len(scores))
    assert augrc(scores, correct) == pytest.approx(np.mean(drawn), abs=1e-4)


def test_areas_equal_those_of_torch_uncertainty(ranked: tuple[np.ndarray, np.ndarray]) -> None:
    """It joins the points by straight lines; without ties the difference vanishes with the number of samples."""
    torch_uncertainty = pytest.importorskip("torch_uncertainty.metrics")
    scores, correct = ranked
    if len(np.unique(scores)) < len(scores):
        pytest.skip("it breaks ties by the order of the samples")
    torch = pytest.importorskip("torch")
    confidence = torch.from_numpy((scores - scores.min()) / (np.ptp(scores) * 1.01) * 0.49 + 0.505)
    probabilities = torch.stack([1 - confidence, confidence], 1)
    targets = torch.from_numpy(correct.astype(int))
    for name, own in (("AURC", aurc), ("AUGRC", augrc)):
        metric = getattr(torch_uncertainty, name)()
        metric.update(probabilities, targets)
        assert float(metric.compute()) == pytest.approx(own(scores, correct), abs=0.005)
