"""How time and memory grow with the number of rows: each measurement in a process of its own, on a memory-mapped file.

    python -m benchmarks.growth TASK ROWS FILE     one measurement, as JSON

`evaluation.py` runs them all. The peak counts the pages of the file that were read, which the system can take back.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from qscore.evaluation.probe import fit_probe
from qscore.score import dominance_counts, neighbours, q_score

NUM_FEATURES, NUM_CLASSES, PART = 512, 10, 50_000
MAX_QUERIES, MAX_ROWS = 10_000, 1_000_000


def tasks(h: Tensor, labels: Tensor, queries: Tensor) -> dict[str, Callable[[], object]]:
    """Returns what is measured, by name."""
    kept = torch.arange(NUM_FEATURES) % 2 == 0
    return {
        "counts": lambda: dominance_counts(h, 4.0),
        "q": lambda: q_score(h, kept, 4.0),
        "probe": lambda: fit_probe(h.numpy(), labels.numpy(), h[:100].numpy(), labels[:100].numpy()),
        "knn": lambda: neighbours(queries, h, 200),
    }


def write_rows(file: Path, rows: int) -> None:
    """Writes ReLU-like features with a class in them, float32, part by part."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(NUM_CLASSES, NUM_FEATURES, generator=torch.Generator().manual_seed(1))
    with file.open("wb") as out:
        for start in range(0, rows, PART):
            labels = _labels(rows)[start : start + PART]
            part = torch.randn(len(labels), NUM_FEATURES, generator=generator) + 0.1 * centres[labels]
            out.write(part.relu_().numpy().tobytes())


def growth(file: Path, sizes: list[int], names: tuple[str, ...], num_queries: int) -> dict[str, object]:
    """Returns CPU seconds and peak memory of each task at each size, and the ratio of each doubling."""
    found: dict[str, object] = {}
    for name in names:
        rows = [_in_a_process(name, size, file, num_queries) for size in sizes]
        pairs = [(a, b) for a, b in pairwise(rows) if b["rows"] == 2 * a["rows"]]
        doublings = {f"{a['rows']} to {b['rows']}": b["cpu_s"] / a["cpu_s"] for a, b in pairs}
        found[name] = {"measured": rows, "doubling": doublings, "extrapolated": _extrapolated(rows, 5_000_000)}
    return found


def _extrapolated(measured: list[dict[str, float]], rows: int) -> dict[str, float | str]:
    last = measured[-1]
    return {"rows": rows, "cpu_s": last["cpu_s"] * rows / last["rows"], "how": "in proportion to the largest measured"}


def _in_a_process(name: str, rows: int, file: Path, num_queries: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.growth", name, str(rows), str(file), str(num_queries)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _labels(rows: int) -> Tensor:
    return torch.randint(0, NUM_CLASSES, (MAX_ROWS,), generator=torch.Generator().manual_seed(2))[:rows]


def measure(name: str, rows: int, file: Path, num_queries: int = MAX_QUERIES) -> dict[str, float]:
    """Returns rows, CPU and wall seconds and peak memory (MiB; and before the task) of one task in this process."""
    torch.set_num_threads(1)
    h = torch.from_file(str(file), shared=False, size=rows * NUM_FEATURES).view(rows, NUM_FEATURES)
    queries = torch.randn(num_queries, NUM_FEATURES, generator=torch.Generator().manual_seed(3)).relu()
    run = tasks(h, _labels(rows), queries)[name]
    before, cpu, wall = _peak_mib(), time.process_time(), time.perf_counter()
    run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"rows": rows, "cpu_s": cpu, "wall_s": wall, "peak_mib": _peak_mib(), "before_mib": before}


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


if __name__ == "__main__":
    task, rows, file, *num_queries = sys.argv[1:]
    print(json.dumps(measure(task, int(rows), Path(file), *map(int, num_queries))))
