"""DDP with two processes on CPUs: each adds the term of its own images, with the D of both."""

import os
import subprocess
import sys
from typing import Any

import pytest
import pytorch_lightning
import torch
from torch.utils.data import DistributedSampler

from qscore import QScorePenalty
from tests.conftest import REPOSITORY
from tests.regularizer.strangers import EPSILON, THRESHOLD, WEIGHT, assert_same_weights, loader, stranger

BATCH_SIZE = 8


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("ddp")
    path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "tests.regularizer.two_processes", str(folder)]
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "PL_GLOBAL_SEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=REPOSITORY, check=False)
    assert done.returncode == 0, done.stderr
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def by_hand(mined: dict[str, Any]) -> Any:
    """One process that does the work of both: the mean of the losses of the two halves, each with its term."""
    module = stranger(pytorch_lightning)
    own = QScorePenalty(mined["discriminative"], weight=WEIGHT, epsilon=EPSILON, threshold=mined["threshold"])
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    images, labels = loader().dataset.tensors  # type: ignore[attr-defined]
    halves = [list(DistributedSampler(images, 2, rank)) for rank in range(2)]  # type: ignore[arg-type]
    for start in range(0, len(halves[0]), BATCH_SIZE):
        optimizer.zero_grad()
        for half in halves:
            positions = half[start : start + BATCH_SIZE]
            h = module.backbone(images[positions])
            loss = torch.nn.functional.cross_entropy(module.head(h), labels[positions]) + own(h)
            (loss / 2).backward()
        optimizer.step()
    return module


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["given", "views"])
def test_two_processes_train_as_one_that_writes_the_term_by_hand(kind: str, processes: list[dict[str, Any]]) -> None:
    expected = by_hand(processes[0][kind]["mined"])
    for rank, process in enumerate(processes):
        assert process[kind]["rank"] == rank
        module = stranger(pytorch_lightning)
        module.load_state_dict(process[kind]["weights"])
        assert_same_weights(module, expected)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "num_images"), [("given", 24), ("views", 24)])
def test_both_processes_have_the_same_features(kind: str, num_images: int, processes: list[dict[str, Any]]) -> None:
    first, second = (process[kind]["mined"] for process in processes)
    assert torch.equal(first["discriminative"], second["discriminative"])
    assert first["threshold"] == second["threshold"]
    assert first["num_samples"] == second["num_samples"] == num_images
    assert first["discriminative"].any()


@pytest.mark.slow
def test_both_processes_find_the_weight_of_the_gradients_of_both(processes: list[dict[str, Any]]) -> None:
    found = [process["gradient"] for process in processes]
    assert found[0]["norms"] == found[1]["norms"]
    module, squares = stranger(pytorch_lightning), torch.zeros(2)
    own = QScorePenalty(found[0]["mined"]["discriminative"], weight=1.0, epsilon=EPSILON, threshold=THRESHOLD)
    images, labels = loader().dataset.tensors  # type: ignore[attr-defined]
    for rank in range(2):
        positions = list(DistributedSampler(images, 2, rank))[:BATCH_SIZE]  # type: ignore[arg-type]
        h = module.backbone(images[positions]).detach().requires_grad_()
        loss = torch.nn.functional.cross_entropy(module.head(h), labels[positions])
        squares += torch.stack([torch.autograd.grad(value, h)[0].square().sum() for value in (loss, own(h))])
    loss_norm, term_norm = (squares.sqrt() / 2).tolist()  # of the mean of both, at the representations of both
    assert found[0]["norms"] == [pytest.approx((loss_norm, term_norm), rel=1e-4)]
    assert found[0]["weight"] == found[1]["weight"] == pytest.approx(0.5 * loss_norm / term_norm, rel=1e-4)
