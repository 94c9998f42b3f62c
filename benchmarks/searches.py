"""Neighbours and k-means against what they replace."""

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import torch
from lightly.utils.benchmarking import knn_predict
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from benchmarks.harness import interleaved, ratio
from benchmarks.made import Gate, Sizes, features, gate
from qscore.evaluation.knn import weighted_vote
from qscore.score import neighbours
from qscore.score.kmeans import by_faiss, by_scikit_learn


def c9_neighbours(s: Sizes, rounds: int) -> Gate:
    """Search and vote, against lightly's knn_predict, a loop over some queries, and faiss where it is installed."""
    bank, h = features(s.bank, s.features), features(s.queries, s.features, seed=1)
    labels = torch.arange(s.bank) % s.classes
    unit, queries = F.normalize(bank, dim=1).T.contiguous(), F.normalize(h, dim=1)
    found: dict[str, Tensor] = {}

    def ours() -> None:
        similarity, index = neighbours(h, bank, s.k)
        found["ours"] = weighted_vote(similarity, labels[index], s.classes, 0.07)

    def lightly(size: int, num: int) -> None:
        parts = torch.split(queries[:num], size)
        votes = [knn_predict(part, unit, labels, s.classes, knn_k=s.k, knn_t=0.07)[:, 0] for part in parts]
        found["lightly"] = torch.cat(votes) if num == s.queries else found.get("lightly", labels[:0])

    variants = {"ours": ours, "lightly": lambda: lightly(128, s.queries), "some_looped": lambda: lightly(1, s.looped)}
    if find_spec("faiss"):
        import faiss

        faiss.omp_set_num_threads(1)
        flat = faiss.IndexFlatIP(s.features)
        flat.add(np.ascontiguousarray(unit.T.numpy()))
        variants["faiss"] = lambda: flat.search(queries.numpy(), s.k)
    times = interleaved(variants, rounds)
    times["loop"] = [seconds * s.queries / s.looped for seconds in times["some_looped"]]
    goals = {"lightly / ours": (ratio(times, "lightly", "ours"), 0.85, None)}
    goals["loop / ours"] = (ratio(times, "loop", "ours"), 6, None)
    if "faiss" in times:
        goals["ours / faiss"] = (ratio(times, "ours", "faiss"), None, 1.5)
    same = float((found["ours"] == found["lightly"]).double().mean())
    return gate(times, goals) | {"same_predictions_as_lightly": same}


def c10_kmeans(s: Sizes, rounds: int) -> Gate:
    """Ten steps of Lloyd's algorithm from one start, by both solvers."""
    x = features(s.clustered, s.features).numpy()
    start, inertia = x[: s.clusters].copy(), {}

    def run(name: str, solver: Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, float]]) -> None:
        inertia[name] = solver(x, start, 10)[1]

    variants = {"scikit_learn": lambda: run("scikit_learn", by_scikit_learn)}
    if find_spec("faiss"):
        variants["faiss"] = lambda: run("faiss", by_faiss)
    times = interleaved(variants, min(rounds, 3), warm=False)
    goals = {}
    if "faiss" in times:
        goals["scikit_learn / faiss"] = (ratio(times, "scikit_learn", "faiss"), 1, None)
        gap = abs(inertia["faiss"] / inertia["scikit_learn"] - 1)
        goals["inertia gap"] = ({"median": gap, "low": gap, "high": gap}, None, 0.001)
    return gate(times, goals) | {"inertia": inertia}
