"""Explanation networks: their numbers by loops, and trained on digits, where they must be faithful and alive."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from qscore.data.sources import Splits
from qscore.errors import UserError, UserFileNotFoundError
from qscore.interpretability.naming.backward import relevance
from qscore.interpretability.naming.fidelity import fidelity
from qscore.interpretability.naming.significance import significant
from qscore.interpretability.naming.xnn import XNN, load_xnn, pull_away
from qscore.interpretability.naming.xnn_fit import fit_xnn
from qscore.interpretability.naming.xnn_state import XNNFit
from qscore.interpretability.naming.xnn_training import SPARSITIES, XNNTraining

from .. import planted


def some_xnn(seed: int = 0) -> XNN:
    torch.manual_seed(seed)
    return XNN(torch.randn(3, 4, 6), torch.randn(3, 4), torch.randn(3, 4), torch.randn(3))


def trained(num_hidden: int, images: Tensor, labels: Tensor, steps: int) -> tuple[nn.Sequential, nn.Sequential]:
    """A network up to its first fully connected layer, and from there to class scores, by two layers more."""
    torch.manual_seed(0)
    below = nn.Sequential(nn.Flatten(), nn.Linear(images[0].numel(), num_hidden), nn.ReLU())
    above = nn.Sequential(nn.Linear(num_hidden, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam([*below.parameters(), *above.parameters()], 3e-3)
    for _ in range(steps):
        rows = torch.randint(len(images), (128,))
        optimizer.zero_grad()
        F.cross_entropy(above(below(images[rows])), labels[rows]).backward()
        optimizer.step()
    return below, above


def test_scores_and_their_terms_by_loops(tmp_path: Path) -> None:
    xnn, h = some_xnn(), torch.rand(5, 6)
    classes = torch.tensor([2, 0, 1, 1, 2])
    xnn.save(tmp_path / "xnn.safetensors")
    terms = load_xnn(tmp_path / "xnn.safetensors").contributions(h, classes)
    for i, row in enumerate(h):
        for c in range(3):
            x = [max(0.0, float(xnn.embedding[c, k] @ row + xnn.bias[c, k])) for k in range(4)]
            parts = [float(xnn.coefficients[c, k]) * x[k] for k in range(4)]
            assert float(xnn.scores(h)[i, c]) == pytest.approx(sum(parts) + float(xnn.intercepts[c]), abs=1e-5)
            if c == classes[i]:
                np.testing.assert_allclose(terms[i], parts, atol=1e-5)


def test_maps_of_x_features_start_with_their_weights() -> None:
    """The same as to take the X-feature for one more layer of the network."""
    torch.manual_seed(0)
    below, xnn, images = nn.Sequential(nn.Linear(4, 6), nn.ReLU()), some_xnn(), torch.rand(9, 4)
    layer = nn.Linear(6, 4)
    layer.weight.data, layer.bias.data = xnn.embedding[1], xnn.bias[1].abs() + 5  # all features are positive
    for k in range(4):
        chosen = torch.full((9,), k)
        expected = relevance(nn.Sequential(below, layer, nn.ReLU()), images, chosen, layer="")
        found = relevance(below, images, xnn.excitation(torch.ones(9, dtype=torch.long), chosen), layer="")
        torch.testing.assert_close(found, expected)


def test_fidelity_by_loops() -> None:
    xnn, h = some_xnn(), torch.rand(200, 6)
    own = xnn.scores(h)
    exact = fidelity(xnn, h, own, own.argmax(1))
    assert (exact.rmse, exact.same_decision, exact.accuracy) == ((0.0, 0.0, 0.0), 1.0, 1.0)
    scores = own + torch.tensor([0.0, 0.3, 0.0])
    found = fidelity(xnn, h, scores)
    assert found.rmse == pytest.approx((0, 0.3, 0), abs=1e-6)
    assert found.errors[1] == pytest.approx(0.3 / float(scores.max() - scores.min()), abs=1e-6)
    assert found.same_decision == np.mean([own[i].argmax() == scores[i].argmax() for i in range(200)])
    active = [[float((xnn.features(h)[:, c, k] > 0).sum()) for k in range(4)] for c in range(3)]
    assert found.dead == tuple(sum(count < 2 for count in row) for row in active)
    assert found.accuracy is None
    own = max(0.3 / float(scores[:, 1].max() - scores[:, 1].min()), 0)
    assert f"{own:.2%} of the range of its own class" in found.line()


def test_the_unfaithful_is_refused_unless_forced() -> None:
    h = torch.rand(200, 6)
    xnn = XNN(torch.rand(2, 2, 6), torch.zeros(2, 2), torch.rand(2, 2), torch.zeros(2))
    scores = xnn.scores(h)
    fidelity(xnn, h, scores, scores.argmax(1)).require()
    dead = XNN(xnn.embedding, torch.tensor([[0.0, 0.0], [0.0, -9.0]]), xnn.coefficients, xnn.intercepts)
    found = fidelity(dead, h, scores, scores.argmax(1))
    assert len(found.faults) == 3
    with pytest.raises(UserError, match=r"for class 1, .*accuracy.*1 dead"):
        found.require()
    found.require(force=True)
    with pytest.raises(UserError, match="for class 'owl'"):
        fidelity(dead, h, scores, scores.argmax(1), ["cat", "owl"]).require()


def test_the_pull_away_term_ignores_dead_features() -> None:
    x = torch.rand(30, 2, 4)
    x[:, 1, 2] = 0
    live = x.amax(0) > 0
    for c, alive in ((0, [0, 1, 2, 3]), (1, [0, 1, 3])):
        cosines = [F.cosine_similarity(x[:, c, i], x[:, c, j], dim=0) ** 2 for i in alive for j in alive if i != j]
        assert float(pull_away(x, live)[c]) == pytest.approx(float(torch.stack(cosines).mean()), abs=1e-6)


@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_faithful_and_alive_on_held_out_digits(sparsity: str) -> None:
    images, classes = planted.digits()
    labels = torch.from_numpy(classes).long()
    below, above = trained(64, images[::2], labels[::2], 300)
    with torch.no_grad():
        h = below(images)
        scores = above(h)
    training = XNNTraining(num_steps=400, batch_size=128, sparsity=sparsity)
    first, again = (fit_xnn(h[::2], scores[::2], training) for _ in range(2))
    assert torch.equal(first.xnn.embedding, again.xnn.embedding)
    found = fidelity(first.xnn, h[1::2], scores[1::2], labels[1::2])
    assert sum(found.dead) == 0
    assert found.accuracy >= found.network_accuracy - 0.015
    assert max(found.errors) < 0.02  # an eighth of the steps


def test_training_never_looks_at_all_samples_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Features that die are started anew along what is left of their own class, whichever rows come together."""
    generator = torch.Generator().manual_seed(0)
    h = torch.rand(200, 6, generator=generator)
    scores = h @ torch.randn(6, 3, generator=generator)
    sizes, found, compute = [], [], XNNFit._features
    monkeypatch.setattr(XNNFit, "_features", lambda fit, h: (sizes.append(len(h)), compute(fit, h))[1])
    for rows in (50, 200):
        monkeypatch.setattr("qscore.interpretability.naming.xnn_state.ROWS_AT_ONCE", rows)
        fit = XNNFit(h, scores, XNNTraining(num_steps=60, batch_size=32))
        with torch.no_grad():
            fit.bias[1, 2:] = -99
        left = fit.targets[:, 1] - (compute(fit, fit.h) * fit.coefficients).sum(2)[:, 1].detach()
        assert fit._revive().tolist() == [False, True, False]
        direction = np.linalg.lstsq((fit.h - fit.h.mean(0)).numpy(), (left - left.mean()).numpy(), rcond=None)[0]
        assert abs(np.corrcoef(fit.embedding[1, 2].detach(), direction)[0, 1]) > 0.99
        fit.run()
        found.append(fit.xnn().scores(h))
        assert max(sizes) == rows
    torch.testing.assert_close(*found, atol=1e-2, rtol=1e-2)


def test_sparsity_and_orthogonality_are_had_where_they_are_asked_for() -> None:
    """The score is a sum of ten parts that are never there together: one X-feature is enough, five can share them."""
    torch.manual_seed(0)
    h = torch.eye(10)[torch.randint(10, (2000,))] * (0.5 + torch.rand(2000, 10))
    scores = torch.stack([h.sum(1), h[:, :5].sum(1) - h[:, 5:].sum(1)], 1)
    weights = {"none": (0.0, 0.0), "both": (0.03, 0.5)}
    found = {}
    for name, (sparse, orthogonal) in weights.items():
        training = XNNTraining(num_steps=800, sparsity_weight=sparse, orthogonality_weight=orthogonal, batch_size=256)
        xnn = fit_xnn(h, scores, training).xnn
        found[name] = fidelity(xnn, h, scores)
        found[name].require()
        terms = xnn.contributions(h, torch.zeros(2000, dtype=torch.long))
        assert significant(terms).any(1).mean() > 0.9
    assert found["both"].orthogonality < 0.5 * found["none"].orthogonality


@pytest.mark.slow
def test_the_bundled_digits_are_explained_within_a_point_and_a_hundredth(digits: Splits) -> None:
    parts = digits.train, digits.test
    pixels = [torch.from_numpy(np.asarray(part.images)).float() / 255 for part in parts]
    images, labels = [x.reshape(len(x), 28, 28, -1)[..., 0] for x in pixels], [part.labels for part in parts]
    below, above = trained(256, images[0], labels[0], 400)
    with torch.no_grad():
        h = [below(part) for part in images]
        scores = [above(part) for part in h]
    found = fidelity(fit_xnn(h[0], scores[0]).xnn, h[1], scores[1], labels[1])
    assert found.network_accuracy > 0.93
    found.require()


def test_what_cannot_be_trained_or_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="got class 1 without"):
        fit_xnn(torch.rand(9, 4), torch.stack([torch.rand(9), torch.ones(9)], 1))
    with pytest.raises(UserError, match="Unknown sparsity"):
        XNNTraining(sparsity="l2")
    with pytest.raises(UserFileNotFoundError):
        load_xnn(tmp_path / "none.safetensors")
