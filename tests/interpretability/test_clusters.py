"""k-means that is kept: against scikit-learn's scaler and loops, on blobs, and on what can go wrong."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from qscore.errors import UserError, UserFileNotFoundError
from qscore.interpretability.clusters import Quantizer, clusterings, quantize
from qscore.interpretability.groupings import by_dominant_feature, by_labels
from qscore.score.kmeans import FAISS, RANDOM, SCIKIT_LEARN, kmeans


def blobs(num: int, size: int = 40, num_features: int = 6) -> tuple[Tensor, np.ndarray]:
    generator = torch.Generator().manual_seed(0)
    centres = 8 * torch.randn(num, num_features, generator=generator)
    which = np.repeat(np.arange(num), size)
    return centres[which] + torch.randn(len(which), num_features, generator=generator), which


def test_blobs_are_found_whatever_the_unit_of_each_feature() -> None:
    h, which = blobs(5)
    for unit in (torch.ones(6), torch.logspace(-3, 4, 6)):
        found = quantize(h * unit, 5).assign(h * unit)
        assert adjusted_rand_score(which, found.clusters) == 1


@pytest.mark.parametrize("num_features", [3, 12])
def test_samples_go_to_the_nearest_centroid_in_standardised_units(num_features: int) -> None:
    h = torch.randn(500, num_features, generator=torch.Generator().manual_seed(0)) * 3 + 1
    quantizer = quantize(h, 7)
    scaled = StandardScaler().fit_transform(h.double().numpy())
    distances = ((scaled[:, None] - quantizer.centroids.double().numpy()) ** 2).sum(2)
    assert np.array_equal(quantizer.assign(h).clusters, distances.argmin(1))
    assert quantizer.inertia == pytest.approx(distances.min(1).sum(), rel=1e-5)
    assert (quantizer.num_fitted, quantizer.num_samples) == (500, 500)


def test_assignment_in_parts_is_that_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    h, _ = blobs(5)
    quantizer = quantize(h, 5)
    whole = quantizer.assign(h).clusters
    monkeypatch.setattr("qscore.interpretability.clusters.NUMBERS", 37)
    assert np.array_equal(quantizer.assign(h).clusters, whole)
    assert len(quantizer.assign(h[:0]).clusters) == 0


def test_a_constant_feature_drops_out_whatever_it_is_elsewhere() -> None:
    h, which = blobs(4)
    padded = torch.cat([h, torch.full((len(h), 1), 0.1)], 1)
    quantizer = quantize(padded, 4)
    assert quantizer.num_constant == 1
    assert adjusted_rand_score(which, quantizer.assign(padded).clusters) == 1
    elsewhere = torch.cat([h, torch.full((len(h), 1), 1e6)], 1)
    assert np.array_equal(quantizer.assign(elsewhere).clusters, quantizer.assign(padded).clusters)
    with pytest.raises(UserError, match="collapsed"):
        quantize(torch.ones(100, 3), 2)


def test_more_samples_than_256_a_centroid_are_subsampled_and_it_is_said() -> None:
    h, which = blobs(3, size=400)
    quantizer = quantize(h, 3)
    assert (quantizer.num_fitted, quantizer.num_samples) == (768, 1200)
    assert adjusted_rand_score(which, quantizer.assign(h).clusters) == 1
    torch.testing.assert_close(quantizer.mean, h.mean(0))  # of all samples, not of the subsample
    assert quantize(h, 3, max_points_per_centroid=400).num_fitted == 1200


def test_what_is_stored_assigns_as_before(tmp_path: Path) -> None:
    h, _ = blobs(5)
    padded = torch.cat([h, torch.zeros(len(h), 1)], 1)
    quantizer = quantize(padded, 5)
    quantizer.save(tmp_path / "k.safetensors")
    again = Quantizer.load(tmp_path / "k.safetensors")
    assert np.array_equal(again.assign(padded).clusters, quantizer.assign(padded).clusters)
    assert (again.inertia, again.num_fitted, again.num_constant) == (quantizer.inertia, 200, 1)
    with pytest.raises(UserFileNotFoundError, match="found none"):
        Quantizer.load(tmp_path / "nothing.safetensors")
    save_file({"weights": torch.zeros(2)}, tmp_path / "other.safetensors")
    (tmp_path / "text.safetensors").write_text("not that")
    for name in ("other.safetensors", "text.safetensors"):
        with pytest.raises(UserError, match=f"another kind of file.*{name[:4]}"):
            Quantizer.load(tmp_path / name)


def test_clusterings_differ_from_one_another_and_repeat() -> None:
    h = torch.randn(300, 4, generator=torch.Generator().manual_seed(0))
    one, two = (clusterings(h, 10, range(3)) for _ in range(2))
    for first, second in zip(one, two, strict=True):
        assert torch.equal(first.centroids, second.centroids)
    assert not torch.equal(one[0].centroids, one[1].centroids)


@pytest.mark.parametrize("num", [2, 8, 30])
def test_both_solvers_reach_the_same_objective_on_blobs(num: int) -> None:
    pytest.importorskip("faiss")
    h, _ = blobs(8)
    ours, theirs = (kmeans(h, num, num_starts=5, start=RANDOM, solver=solver) for solver in (FAISS, SCIKIT_LEARN))
    assert ours.inertia == pytest.approx(theirs.inertia, rel=0.01)


def test_random_starts_are_samples_and_more_of_them_are_never_worse() -> None:
    h, _ = blobs(8)
    at_start = kmeans(h[:20], 20, start=RANDOM)
    assert at_start.inertia == pytest.approx(0, abs=1e-2)
    few, many = (kmeans(h, 8, num_starts=starts, start=RANDOM) for starts in (1, 8))
    assert many.inertia <= few.inertia
    with pytest.raises(UserError, match="k-means"):
        kmeans(h, 2, start="randm")


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_centroids_without_a_sample_are_no_clusters() -> None:
    h = torch.eye(3).repeat(40, 1)  # three different samples for five centroids
    found = quantize(h, 5).assign(h)
    assert len(np.unique(found.clusters)) == 3
    assert adjusted_rand_score(np.arange(120) % 3, found.clusters) == 1


def test_few_samples_a_cluster_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    h, _ = blobs(5)
    with caplog.at_level(logging.WARNING):
        quantize(h, 10)
        assert not caplog.records
        quantize(h, 11)
    assert "200 samples for 11 clusters" in caplog.text


def test_what_cannot_be_clustered_is_refused() -> None:
    h, _ = blobs(2)
    with pytest.raises(UserError, match="from 1 to 80"):
        quantize(h, 81)
    for wrong in (float("nan"), float("inf")):
        broken = h.clone()
        broken[3, 1] = wrong
        with pytest.raises(UserError, match="in 1 of 6 features"):
            quantize(broken, 2)
    with pytest.raises(UserError, match="6 features, as those clustered, got 5"):
        quantize(h, 2).assign(h[:, :5])


def test_dominant_features_and_labels_as_groups() -> None:
    h = torch.tensor([[1.0, 3.0, 2.0], [5.0, 4.0, 0.0], [1.0, 2.0, 3.0]])
    dominant = torch.tensor([[True, False, True], [False, True, False], [False, False, False]])
    assert by_dominant_feature(h, dominant).clusters.tolist() == [2, 1, -1]
    assert by_labels(torch.tensor([3, 0])).clusters.tolist() == [3, 0]
