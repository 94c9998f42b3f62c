"""Stored probes: on the samples they come from, on others, and on what they cannot read."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from qscore.errors import UserError, UserFileNotFoundError
from qscore.interpretability.clusters import Quantizer, quantize
from qscore.interpretability.reverse_probing.concepts import of_samples, side_by_side
from qscore.interpretability.reverse_probing.measures import MEASURES
from qscore.interpretability.reverse_probing.probe import ReverseProbe, reverse_probe
from qscore.interpretability.reverse_probing.solvers import SGD
from qscore.interpretability.reverse_probing.split import stratified_split
from qscore.interpretability.reverse_probing.stored import StoredProbe
from qscore.interpretability.reverse_probing.transfer import transfer
from qscore.records import Concepts
from tests.interpretability.planted import digits, one_hot, random_concepts


@pytest.fixture(scope="module")
def h() -> Tensor:
    return digits()[0]


@pytest.fixture(scope="module")
def concepts() -> Concepts:
    return side_by_side([one_hot(digits()[1], "labels"), random_concepts(1797, 4)])


@pytest.fixture(scope="module")
def quantizer(h: Tensor) -> Quantizer:
    return quantize(h, 10)


@pytest.fixture(scope="module")
def probe(h: Tensor, concepts: Concepts, quantizer: Quantizer) -> ReverseProbe:
    return reverse_probe(concepts, quantizer.assign(h), seed=4)


@pytest.mark.parametrize("solver", ["lbfgs", SGD(epochs=5)])
def test_what_is_stored_gives_the_test_figures_again(
    tmp_path: Path, h: Tensor, concepts: Concepts, quantizer: Quantizer, solver: str | SGD
) -> None:
    fitted = reverse_probe(concepts, quantizer.assign(h), seed=4, solver=solver)
    quantizer.save(tmp_path / "clusters.safetensors")
    StoredProbe.of(fitted, concepts).save(tmp_path / "probe.safetensors")
    clusters, probe = (
        Quantizer.load(tmp_path / "clusters.safetensors"),
        StoredProbe.load(tmp_path / "probe.safetensors"),
    )
    test = stratified_split(clusters.assign(h).clusters, probe.seed).test
    assert np.array_equal(test, fitted.split.test)
    found = transfer(clusters, probe, h[test], of_samples(concepts, [concepts.ids[i] for i in test]))
    names = [name for name in MEASURES if name != "entropy_all_nats"]  # all samples, of which only these are here
    for name in names:
        assert getattr(found.measures, name) == pytest.approx(getattr(fitted, name), abs=1e-6)
    np.testing.assert_allclose(found.surprise, fitted.surprise, atol=1e-6)
    assert (probe.names, probe.groups, probe.solver) == (concepts.names, concepts.groups, fitted.solver)
    assert found.num_unknown == 0


def test_columns_are_found_by_name(h: Tensor, concepts: Concepts, quantizer: Quantizer, probe: ReverseProbe) -> None:
    stored = StoredProbe.of(probe, concepts)
    order = np.random.default_rng(0).permutation(len(concepts.names))
    mixed = Concepts(
        concepts.present[:, order],
        tuple(concepts.names[i] for i in order),
        tuple(concepts.groups[i] for i in order),
        concepts.ids,
    )
    more = side_by_side([one_hot(np.arange(1797) % 3, "others"), mixed])
    expected = transfer(quantizer, stored, h, concepts)
    np.testing.assert_allclose(transfer(quantizer, stored, h, more).surprise, expected.surprise, rtol=1e-4, atol=1e-5)
    renamed = dataclasses.replace(mixed, groups=tuple(group.replace("noise", "sound") for group in mixed.groups))
    with pytest.raises(UserError, match=r"none of 4 out of 14: \[noise\] word 0"):
        transfer(quantizer, stored, h, renamed)


def test_other_samples_are_standardised_by_the_stored_numbers(
    h: Tensor, concepts: Concepts, quantizer: Quantizer, probe: ReverseProbe
) -> None:
    stored = StoredProbe.of(probe, concepts)
    here = transfer(quantizer, stored, h, concepts)
    shifted = transfer(quantizer, stored, h + 0.2, concepts)
    assert shifted.measures.information_nats < here.measures.information_nats
    assert np.isnan(shifted.measures.ami)  # they all come to lie in one cluster
    assert np.isfinite(shifted.measures.information_nats)
    expected = torch.cdist((h + 0.2 - quantizer.mean) / quantizer.scale, quantizer.centroids).argmin(1)
    assert (shifted.grouping.clusters == expected.numpy()).mean() > 0.999


def test_clusters_that_are_absent_or_unknown_are_counted(h: Tensor, concepts: Concepts, quantizer: Quantizer) -> None:
    clusters = quantizer.assign(h).clusters
    without = reverse_probe(concepts, np.where(clusters == 3, -1, clusters))
    stored = StoredProbe.of(without, concepts)
    found = transfer(quantizer, stored, h, concepts)
    assert found.num_unknown == (clusters == 3).sum()
    assert np.array_equal(np.isnan(found.surprise), clusters == 3)
    assert found.measures.num_test == (clusters != 3).sum()
    assert found.measures.num_absent == 0
    few = np.flatnonzero((clusters == 2) | (clusters == 5))
    there = transfer(quantizer, stored, h[few], of_samples(concepts, [concepts.ids[i] for i in few]))
    assert there.measures.num_absent == 7
    only = np.flatnonzero(clusters == 3)
    with pytest.raises(UserError, match="clusters that the probe knows"):
        transfer(quantizer, stored, h[only], of_samples(concepts, [concepts.ids[i] for i in only]))
    with pytest.raises(UserError, match="of the 10 samples, got those of 1797"):
        transfer(quantizer, stored, h[:10], concepts)


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserFileNotFoundError, match="found none"):
        StoredProbe.load(tmp_path / "nothing.safetensors")
    save_file({"weights": torch.zeros(2)}, tmp_path / "other.safetensors")
    (tmp_path / "text.safetensors").write_text("not that")
    for name in ("other.safetensors", "text.safetensors"):
        with pytest.raises(UserError, match=f"another kind of file.*{name[:4]}"):
            StoredProbe.load(tmp_path / name)
