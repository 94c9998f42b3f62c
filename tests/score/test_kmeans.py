"""Both solvers against loops and each other."""

from importlib.util import find_spec

import pytest
import torch
from torch import Tensor

from qscore.errors import UserError
from qscore.score.kmeans import FAISS, SCIKIT_LEARN, kmeans

SOLVERS = [SCIKIT_LEARN, pytest.param(FAISS, marks=pytest.mark.skipif(find_spec("faiss") is None, reason="an extra"))]


@pytest.fixture
def h() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    centres = 3 * torch.randn(9, 12, generator=generator)
    return centres.repeat_interleave(40, 0) + torch.randn(360, 12, generator=generator)


@pytest.mark.parametrize("solver", SOLVERS)
def test_inertia_is_the_sum_of_squares_and_centres_are_means(h: Tensor, solver: str) -> None:
    found = kmeans(h, 9, solver=solver, max_iterations=100)
    distances = torch.cdist(h, found.centres).square()
    assert found.inertia == pytest.approx(float(distances.amin(1).sum()), rel=1e-4)
    assert found.solver == solver
    assigned = distances.argmin(1)
    means = torch.stack([h[assigned == cluster].mean(0) for cluster in range(9)])
    torch.testing.assert_close(found.centres, means, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("num", [3, 9, 40])
def test_both_solvers_agree(h: Tensor, num: int) -> None:
    pytest.importorskip("faiss")
    ours, theirs = (kmeans(h, num, seed=2, solver=solver) for solver in (FAISS, SCIKIT_LEARN))
    assert ours.inertia == pytest.approx(theirs.inertia, rel=1e-3)


def test_more_starts_are_never_worse_and_a_seed_repeats(h: Tensor) -> None:
    one, again, many = (kmeans(h, 9, seed=1, num_starts=starts) for starts in (1, 1, 5))
    assert torch.equal(one.centres, again.centres)
    assert many.inertia <= one.inertia


def test_every_sample_its_own_cluster_and_no_more(h: Tensor) -> None:
    assert kmeans(h[:20], 20).inertia == pytest.approx(0, abs=1e-2)
    with pytest.raises(UserError, match="from 1 to 20"):
        kmeans(h[:20], 21)
    with pytest.raises(UserError, match="scikit-learn"):
        kmeans(h, 2, solver="other")
