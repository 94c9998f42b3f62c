"""k-means of representations: by faiss where it is installed, else by scikit-learn, from the same start."""

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import torch
from jaxtyping import Float
from sklearn.cluster import KMeans, kmeans_plusplus
from torch import Tensor

from qscore.errors import UserError, unknown_name

FAISS, SCIKIT_LEARN = "faiss", "scikit-learn"
PLUS_PLUS, RANDOM = "k-means++", "random"
MIN_SEEDED, SEEDED_PER_CENTRE = 10_000, 10


@dataclass(frozen=True)
class Clusters:
    """What k-means found.

    Attributes:
        centres: (cluster, feature), float32.
        inertia: Sum of the squared distances of the samples to their nearest centres.
        solver: "faiss" or "scikit-learn".
    """

    centres: Float[Tensor, "cluster feature"]
    inertia: float
    solver: str


def kmeans(
    h: Float[Tensor, "sample feature"],
    num: int,
    *,
    seed: int = 0,
    num_starts: int = 1,
    max_iterations: int = 50,
    solver: str | None = None,
    start: str = PLUS_PLUS,
) -> Clusters:
    """Returns the best of some runs of Lloyd's algorithm.

    Both solvers take the same steps: their inertias agree to rounding unless a cluster runs empty, which they fill by
    other rules. faiss is the faster one.

    Args:
        h: Computed in float32, on the CPU.
        num: Number of clusters, at most that of samples.
        seed: Of the starts.
        num_starts: How many; the one with the least inertia is returned.
        max_iterations: Of Lloyd's algorithm.
        solver: "faiss" or "scikit-learn"; the first where it is installed by default.
        start: "k-means++" (Arthur and Vassilvitskii, SODA 2007), drawn among ten samples a centre, 10,000 at least; or
            "random", samples as they come.

    Raises:
        UserError: If there are fewer samples than clusters, or faiss is asked for and not installed.
    """
    if start not in (PLUS_PLUS, RANDOM):
        raise unknown_name("start of k-means", start, (PLUS_PLUS, RANDOM))
    if not 1 <= num <= len(h):
        raise UserError(f"Expected from 1 to {len(h)} clusters, as many as samples, got {num}; ask for fewer.")
    installed = find_spec("faiss") is not None
    solver = solver or (FAISS if installed else SCIKIT_LEARN)
    if solver not in (FAISS, SCIKIT_LEARN) or (solver == FAISS and not installed):
        raise UserError(
            f"Expected solver '{SCIKIT_LEARN}', or '{FAISS}' where it is installed, got '{solver}'; "
            "install it with: pip install 'qscore[faiss]'"
        )
    x, generator = np.ascontiguousarray(h.detach().cpu().float().numpy()), np.random.default_rng(seed)
    fit = by_faiss if solver == FAISS else by_scikit_learn
    begin = _plus_plus if start == PLUS_PLUS else _random
    runs = [fit(x, begin(x, num, generator), max_iterations) for _ in range(num_starts)]
    centres, inertia = min(runs, key=lambda run: run[1])
    return Clusters(torch.from_numpy(centres), inertia, solver)


def _plus_plus(x: np.ndarray, num: int, generator: np.random.Generator) -> np.ndarray:
    size = max(MIN_SEEDED, SEEDED_PER_CENTRE * num)
    if size < len(x):
        x = x[np.sort(generator.choice(len(x), size, replace=False))]
    return np.asarray(kmeans_plusplus(x, num, random_state=int(generator.integers(2**31)))[0])


def _random(x: np.ndarray, num: int, generator: np.random.Generator) -> np.ndarray:
    return x[np.sort(generator.choice(len(x), num, replace=False))]


def by_scikit_learn(x: np.ndarray, start: np.ndarray, max_iterations: int) -> tuple[np.ndarray, float]:
    """Returns centres and inertia after at most so many steps from `start`, (cluster, feature)."""
    model = KMeans(len(start), init=start, n_init=1, max_iter=max_iterations, tol=0).fit(x)
    return model.cluster_centers_, float(model.inertia_)


def by_faiss(x: np.ndarray, start: np.ndarray, max_iterations: int) -> tuple[np.ndarray, float]:
    """Returns the same by faiss."""
    import faiss

    model = faiss.Kmeans(
        x.shape[1], len(start), niter=max_iterations, min_points_per_centroid=1, max_points_per_centroid=len(x)
    )
    model.train(x, init_centroids=start)
    return model.centroids, float(model.index.search(x, 1)[0].sum(dtype=np.float64))
