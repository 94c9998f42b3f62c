"""Representations into clusters, by a k-means that is kept and can be applied to other samples."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from qscore.errors import UserError, UserFileNotFoundError
from qscore.evaluation.linear import Standardisation
from qscore.files import written_whole
from qscore.interpretability.purity import purity as purity
from qscore.records import Grouping
from qscore.score.chunks import NUMBERS
from qscore.score.kmeans import PLUS_PLUS, kmeans

log = logging.getLogger(__name__)

MAX_CLUSTERS, SAMPLES_PER_CLUSTER = 1000, 20
TENSORS, FACTS = (
    ("mean", "scale", "centroids"),
    {"inertia": float, "num_fitted": int, "num_samples": int, "solver": str},
)


def default_num_clusters(num_samples: int) -> int:
    """Returns the paper's K = 1000, or what leaves 20 samples a cluster where there are fewer; 2 at least.

    >>> default_num_clusters(1_280_000), default_num_clusters(3000), default_num_clusters(10)
    (1000, 150, 2)
    """
    return max(2, min(MAX_CLUSTERS, num_samples // SAMPLES_PER_CLUSTER))


@dataclass(frozen=True)
class Quantizer:
    """Standardisation by the statistics of the clustered samples, then the nearest centroid.

    Attributes:
        mean: Of each feature over the clustered samples.
        scale: Its standard deviation (divided by their number); infinite for a constant feature, which so drops out.
        centroids: Of standardised features.
        inertia: Sum of squared distances to the centroids, over the samples that k-means was fitted on.
        num_fitted: How many those are.
        num_samples: Of how many they were drawn.
        solver: "faiss" or "scikit-learn".
    """

    mean: Float[Tensor, " feature"]
    scale: Float[Tensor, " feature"]
    centroids: Float[Tensor, "cluster feature"]
    inertia: float
    num_fitted: int
    num_samples: int
    solver: str

    @property
    def num_constant(self) -> int:
        """Number of features that dropped out."""
        return int(self.scale.isinf().sum())

    def assign(self, h: Float[Tensor, "sample feature"]) -> Grouping:
        """Returns the cluster of each sample, of those that were clustered or of others.

        Raises:
            UserError: If the samples have another number of features.
        """
        if h.shape[1] != len(self.mean):
            raise UserError(
                f"Expected representations of {len(self.mean)} features, as those clustered, got {h.shape[1]}; "
                "use the encoder that the clusters were made of."
            )
        half_norms = self.centroids.square().sum(1) / 2

        def nearest(rows: Tensor) -> Tensor:
            return torch.addmm(half_norms, self.standardised(rows), self.centroids.T, alpha=-1).argmin(1)

        rows = max(1, NUMBERS // max(h.shape[1], len(self.centroids)))
        found = torch.cat([nearest(part) for part in torch.split(h, rows)])
        return Grouping(found.numpy(), f"k-means, K = {len(self.centroids)}")

    def standardised(self, h: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample feature"]:
        """Returns representations in the units of the centroids."""
        return (h.float() - self.mean) / self.scale

    def save(self, path: Path) -> None:
        """Writes a safetensors file."""
        with written_whole(path) as temporary:
            facts = {name: str(getattr(self, name)) for name in FACTS}
            save_file({name: getattr(self, name).contiguous() for name in TENSORS}, temporary, facts)

    @classmethod
    def load(cls, path: Path) -> "Quantizer":
        """Reads what `save` wrote.

        Raises:
            UserError: If it is another kind of file.
            UserFileNotFoundError: If there is none.
        """
        if not path.is_file():
            raise UserFileNotFoundError(f"Expected stored clusters, found none at {path}; cluster some samples first.")
        try:
            with safe_open(path, "pt") as file:
                facts = file.metadata()
                numbers = {name: kind(facts[name]) for name, kind in FACTS.items()}
                return cls(**{name: file.get_tensor(name) for name in TENSORS}, **numbers)
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"Expected stored clusters, got another kind of file: {path}.") from error


def quantize(
    h: Float[Tensor, "sample feature"],
    num_clusters: int,
    *,
    seed: int = 0,
    num_starts: int = 5,
    max_iterations: int = 100,
    max_points_per_centroid: int = 256,
    start: str = PLUS_PLUS,
) -> Quantizer:
    """Returns the best of some runs of k-means on standardised representations.

    The settings are those of appendix C of Laina et al. (ICLR 2022, arXiv 2209.03268): 100 iterations, the best of
    5. They begin by k-means++, not from random samples as faiss does, which ends up to 9 % higher. The paper's 256,000
    vectors are faiss' default of 256 samples a centroid for K = 1000; as there, more than that are subsampled. By faiss
    where it is installed, else by scikit-learn.

    Args:
        h: May be mapped from a file.
        num_clusters: K, at most the number of samples.
        seed: Of the subsample and the starts.
        num_starts: Of which the one with the least inertia is kept.
        max_iterations: Of Lloyd's algorithm.
        max_points_per_centroid: More samples than this times K are subsampled.
        start: "k-means++" or "random".

    Raises:
        UserError: If there are fewer samples than clusters, a number is not finite, or all representations are the
            same.
    """
    scaling = Standardisation.of(h, torch.arange(len(h)), constant=float("inf"))
    if wrong := int((~scaling.mean.isfinite()).sum()):
        raise UserError(
            f"Expected finite representations, got NaN or infinity in {wrong} of {h.shape[1]} features; "
            "the training diverged, or the encoder overflows in half precision."
        )
    if bool(scaling.scale.isinf().all()):
        raise UserError("Expected representations that differ, got the same for all samples: the encoder collapsed.")
    rows = torch.arange(len(h))
    if len(h) > num_clusters * max_points_per_centroid:
        drawn = torch.randperm(len(h), generator=torch.Generator().manual_seed(seed))
        rows = drawn[: num_clusters * max_points_per_centroid].sort().values
    if len(h) < num_clusters * SAMPLES_PER_CLUSTER:
        log.warning("%d samples for %d clusters: below 20 a cluster, a probe learns little.", len(h), num_clusters)
    found = kmeans(
        scaling.of_rows(h, rows),
        num_clusters,
        seed=seed,
        num_starts=num_starts,
        max_iterations=max_iterations,
        start=start,
    )
    mean, scale = scaling.mean.float(), scaling.scale.float()
    return Quantizer(mean, scale, found.centres, found.inertia, len(rows), len(h), found.solver)


def clusterings(
    h: Float[Tensor, "sample feature"], num_clusters: int, seeds: Iterable[int] = range(5)
) -> list[Quantizer]:
    """Returns independent clusterings of the same representations, for a mean and a standard deviation over them.

    "Best of 5" and "5 clusterings" are two different fives: 25 runs of k-means.
    """
    progress = tqdm(tuple(seeds), desc=f"k-means, K = {num_clusters}", unit="clustering", leave=False)
    return [quantize(h, num_clusters, seed=seed) for seed in progress]
