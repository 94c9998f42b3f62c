"""What one clustering and one probe cost, and how that grows with samples, concepts and clusters.

    python -m benchmarks.reverse_probing                  10 minutes on 2 cores
    python -m benchmarks.reverse_probing --small          seconds
    python -m benchmarks.reverse_probing one SAMPLES CONCEPTS CLUSTERS    a single measurement

Each measurement runs in a process of its own, so that its peak memory is its own. Both cores work: wall-clock seconds.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_array, vstack

from benchmarks.harness import RESULTS, machine, save
from qscore.interpretability.clusters import quantize
from qscore.interpretability.reverse_probing.probe import reverse_probe

NUM_FEATURES, PRESENT, FLIPPED = 512, 0.02, 0.005
LARGEST = (50_000, 1000, 1000)  # samples, concepts, clusters: of the paper's size but for the number of samples
BASE = (16_000, 1000, 400)
GRID = (
    LARGEST,
    BASE,
    *((samples, *BASE[1:]) for samples in (8_000, 32_000)),
    *((BASE[0], concepts, BASE[2]) for concepts in (250, 4000)),
    *((*BASE[:2], clusters) for clusters in (100, 1600)),
)
SMALL = ((2000, 50, 40), (4000, 50, 40))
PART = 10_000


def made(num_samples: int, num_concepts: int) -> tuple[torch.Tensor, csr_array]:
    """Returns ReLU-like representations around 2,000 kinds, and concepts that go with the kinds, with errors."""
    generator, rng = torch.Generator().manual_seed(0), np.random.default_rng(0)
    centres = torch.randn(2000, NUM_FEATURES, generator=generator)
    kinds = torch.randint(0, 2000, (num_samples,), generator=generator)
    h = torch.cat(
        [
            (0.7 * centres[part] + torch.randn(len(part), NUM_FEATURES, generator=generator)).relu_()
            for part in kinds.split(PART)
        ]
    )
    profiles = rng.random((2000, num_concepts)) < PRESENT
    parts = [
        csr_array(profiles[part.numpy()] ^ (rng.random((len(part), num_concepts)) < FLIPPED))
        for part in kinds.split(PART)
    ]
    return h, csr_array(vstack(parts))


def one(num_samples: int, num_concepts: int, num_clusters: int) -> dict[str, float | int | str]:
    """Returns seconds of one clustering and one probe, and the peak memory of the process."""
    h, concepts = made(num_samples, num_concepts)
    started = time.perf_counter()
    quantizer = quantize(h, num_clusters)
    clustered = time.perf_counter()
    probe = reverse_probe(concepts, quantizer.assign(h))
    probed = time.perf_counter()
    return {
        "samples": num_samples,
        "concepts": num_concepts,
        "clusters": num_clusters,
        "concepts_per_sample": round(concepts.nnz / num_samples, 1),
        "clustering_s": clustered - started,
        "probe_s": probed - clustered,
        "kmeans": "faiss" if find_spec("faiss") else "scikit-learn",
        "solver": probe.solver,
        "information_nats": probe.information_nats,
        "ami": probe.ami,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
    }


def main() -> None:
    """Measures the grid."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    found: list[dict[str, float | int | str]] = []
    for sizes in SMALL if options.small else GRID:
        found.append(_in_a_process(*sizes))
        print(found[-1], flush=True)
        about = {**machine(), "threads": torch.get_num_threads()}
        save("reverse_probing", {"machine": about, "features": NUM_FEATURES, "measured": found}, options.out)


def _in_a_process(*sizes: int) -> dict[str, float | int | str]:
    command = [sys.executable, "-m", "benchmarks.reverse_probing", "one", *map(str, sizes)]
    found: dict[str, float | int | str] = json.loads(
        subprocess.run(command, capture_output=True, check=True, text=True).stdout
    )
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(one(*map(int, sys.argv[2:]))))
    else:
        main()
