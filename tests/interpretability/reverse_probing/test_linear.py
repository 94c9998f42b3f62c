"""Both solvers against scikit-learn and a dense layer of torch."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.nn import functional as F  # noqa: N812

from qscore.errors import UserError
from qscore.interpretability.reverse_probing import linear
from qscore.interpretability.reverse_probing.linear import Examples, LinearModel, cross_entropy
from qscore.interpretability.reverse_probing.probe import choose_solver
from qscore.interpretability.reverse_probing.solvers import LBFGS, SGD


def examples(num: int, num_clusters: int, num_concepts: int = 12, seed: int = 0) -> Examples:
    generator = np.random.default_rng(seed)
    present = generator.random((num, num_concepts)) < 0.3
    present[:5] = False
    truth = np.random.default_rng(99).normal(size=(num_concepts, num_clusters))
    clusters = (present @ truth + generator.gumbel(size=(num, num_clusters))).argmax(1)
    return Examples(csr_array(present), clusters)


def test_logits_are_those_of_a_dense_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    part = examples(50, 4)
    model = LinearModel(torch.randn(12, 4), torch.randn(4))
    dense = torch.from_numpy(part.present.toarray()).float() @ model.weights + model.bias
    torch.testing.assert_close(model.logits(part.present), dense)
    torch.testing.assert_close(model.logits(csr_array((3, 12), dtype=bool)), model.bias.expand(3, 4))
    for rows in (4096, 7):
        monkeypatch.setattr(linear, "ROWS", rows)
        np.testing.assert_allclose(model.log_posterior(part.present), dense.log_softmax(1).numpy(), rtol=1e-5)


@pytest.mark.parametrize("num_clusters", [2, 5])
@pytest.mark.parametrize("l2", [1e-1, 1e-3])
def test_the_optimum_is_that_of_scikit_learn(num_clusters: int, l2: float) -> None:
    train, validation = examples(600, num_clusters), examples(200, num_clusters, seed=1)
    model = LBFGS((l2,), gradient_tolerance=1e-6).fit(train, validation, num_clusters, seed=0, device="cpu")
    oracle = LogisticRegression(C=1 / (l2 * 600), tol=1e-8, max_iter=5000)
    oracle.fit(train.present.toarray().astype(float), train.clusters)
    expected = oracle.predict_log_proba(validation.present.toarray().astype(float))
    np.testing.assert_allclose(model.log_posterior(validation.present), expected, atol=2e-3)


def test_the_strength_with_the_lowest_cross_entropy_on_the_validation_part_is_kept() -> None:
    train, validation = examples(150, 5), examples(400, 5, seed=1)
    chosen = cross_entropy(LBFGS().fit(train, validation, 5, seed=0, device="cpu"), validation)
    each = [
        cross_entropy(LBFGS(l2=(l2,)).fit(train, validation, 5, seed=0, device="cpu"), validation) for l2 in LBFGS().l2
    ]
    assert chosen == pytest.approx(min(each), abs=1e-3)
    assert chosen < each[0]


def test_sgd_is_that_of_torch_on_dense_inputs_and_keeps_the_best_epoch() -> None:
    train, validation = examples(300, 5), examples(200, 5, seed=1)
    solver = SGD(batch_size=64, epochs=6, milestones=(2, 4))
    model = solver.fit(train, validation, 5, seed=3, device="cpu")
    dense = nn.Linear(12, 5)
    nn.init.zeros_(dense.weight)
    with torch.no_grad():
        dense.bias.copy_(torch.from_numpy(np.log(np.bincount(train.clusters) / 300)))
    optimizer = torch.optim.SGD(dense.parameters(), lr=3.5, momentum=0.9, weight_decay=3e-6)
    generator, reached = np.random.default_rng(3), []
    x, target = torch.from_numpy(train.present.toarray()).float(), torch.from_numpy(train.clusters)
    for epoch in range(6):
        for group in optimizer.param_groups:
            group["lr"] = 3.5 / 10 ** sum(epoch >= milestone for milestone in (2, 4))
        for batch in torch.from_numpy(generator.permutation(300)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(dense(x[batch]), target[batch]).backward()
            optimizer.step()
        log_q = dense(torch.from_numpy(validation.present.toarray()).float()).log_softmax(1).detach()
        reached.append(float(F.nll_loss(log_q, torch.from_numpy(validation.clusters))))
    assert cross_entropy(model, validation) == pytest.approx(min(reached), rel=1e-3)
    assert not model.weights.requires_grad


@pytest.mark.parametrize("solver", [SGD(epochs=5), LBFGS()])
def test_concepts_that_mislead_leave_the_frequencies_of_the_clusters(solver: SGD | LBFGS) -> None:
    present, clusters = np.eye(2, dtype=bool)[np.arange(90) % 2], np.arange(90) % 2
    train, validation = Examples(csr_array(present), clusters), Examples(csr_array(present), 1 - clusters)
    assert cross_entropy(solver.fit(train, validation, 2, seed=0, device="cpu"), validation) == pytest.approx(np.log(2))


def test_sgd_that_diverges_says_so() -> None:
    part = examples(300, 5)
    with pytest.raises(UserError, match="learning rate of inf"):
        SGD(learning_rate=float("inf"), epochs=2).fit(part, part, 5, seed=0, device="cpu")


def test_the_solver_goes_by_the_size_of_the_problem() -> None:
    small = examples(100, 3)
    assert choose_solver("auto", small, 3)[0] == "lbfgs"
    assert choose_solver("auto", small, 60_000)[0] == "sgd"
    assert choose_solver(SGD(epochs=1), small, 3) == ("SGD", SGD(epochs=1))
