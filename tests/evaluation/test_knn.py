"""The vote against the library whose protocol it follows, and its edges."""

import pytest
import torch
from lightly.utils.benchmarking import knn_predict
from torch.nn import functional as F  # noqa: N812

from qscore.errors import UserError
from qscore.evaluation import knn as module
from qscore.evaluation.inputs import EvaluationInputs
from qscore.evaluation.knn import knn, weighted_vote
from qscore.records import Representations


def samples(num: int, seed: int, num_classes: int = 7) -> Representations:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, num_classes, (num,), generator=generator)
    h = torch.randn(num, 24, generator=generator) + F.one_hot(labels, 24)
    return Representations(h, labels, (), tuple(map(str, range(num_classes))), "")


@pytest.mark.parametrize("k", [1, 20, 200])
def test_predictions_are_those_of_lightly(k: int) -> None:
    train, test = samples(3000, 0), samples(500, 1)
    assert train.labels is not None
    found = knn(EvaluationInputs(train, test), ks=(k, 5)).arrays[f"predictions_k{k}"]
    bank = F.normalize(train.h, dim=1).T.contiguous()
    expected = knn_predict(F.normalize(test.h, dim=1), bank, train.labels, 7, knn_k=k, knn_t=0.07)[:, 0]
    assert found.tolist() == expected.tolist()


def test_a_smaller_k_reads_the_search_for_a_larger_one() -> None:
    inputs = EvaluationInputs(samples(100, 0), samples(20, 1))
    alone = knn(EvaluationInputs(inputs.train, inputs.test), ks=(5,)).arrays["predictions_k5"]
    assert (knn(inputs, ks=(50, 5)).arrays["predictions_k5"] == alone).all()
    wide, narrow = inputs.neighbours(1000), inputs.neighbours(5)
    assert wide[1].shape == (20, 100)
    assert torch.equal(wide[1][:, :5], narrow[1])


def test_votes_do_not_depend_on_the_chunks_nor_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    similarity = torch.rand(40, 9, generator=generator).sort(1, descending=True).values
    voters = torch.randint(0, 4, (40, 9), generator=generator)
    whole = weighted_vote(similarity, voters, 4, 0.07)
    monkeypatch.setattr(module, "VOTES", 12)
    assert torch.equal(weighted_vote(similarity, voters, 4, 0.07), whole)
    assert torch.equal(weighted_vote(similarity, voters, 4, 1e-4), voters[:, 0])  # the nearest decides


@pytest.mark.parametrize("ks", [(), (0,), (20, -1)])
def test_numbers_of_neighbours_below_one_are_refused(ks: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="from 1"):
        knn(EvaluationInputs(samples(9, 0), samples(9, 1)), ks=ks)
