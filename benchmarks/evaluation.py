"""What mining, Q-Score, probe, kNN and k-means cost, against what they replace, and how they grow.

    python -m benchmarks.evaluation                 everything, to benchmarks/results/evaluation.json
    python -m benchmarks.evaluation --only gates    the comparisons alone; the rest of the file stays
    python -m benchmarks.evaluation --small         tiny: does it run

The gates are those of C4, C5 and C7 to C10; `held` says which ratios were met in this run. One thread, CPU seconds.
"""

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks import comparisons, searches
from benchmarks.growth import MAX_QUERIES, growth, write_rows
from benchmarks.harness import RESULTS, save
from benchmarks.made import Sizes

NAME = "evaluation"
SIZES = [5_000, 250_000, 500_000, 1_000_000]
GATES = {
    "C4": comparisons.c4_q_term,
    "C5": comparisons.c5_counts,
    "C7": comparisons.c7_cached_features,
    "C8": comparisons.c8_probe_path,
    "C9": searches.c9_neighbours,
    "C10": searches.c10_kmeans,
}
TASKS = ("counts", "q", "probe", "knn")


def main() -> None:
    """Runs what is asked for and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--small", action="store_true", help="tiny sizes: does it run")
    parser.add_argument("--only", choices=("gates", "growth"))
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS, help="whose growth to measure")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    file = asked.out / f"{NAME}.json"
    found = json.loads(file.read_text()) if asked.only and file.is_file() else {}
    found.pop("machine", None)
    if asked.only != "growth":
        found["gates"] = gates(Sizes.small() if asked.small else Sizes(), asked.rounds)
    if asked.only != "gates":
        grown = _grown([300, 600] if asked.small else SIZES, tuple(asked.tasks), 20 if asked.small else MAX_QUERIES)
        found["growth"] = {**found.get("growth", {}), **grown}
    print(save(NAME, {"small": asked.small, **found}, asked.out))


def gates(sizes: Sizes, rounds: int) -> dict[str, object]:
    """Returns what each comparison measured, and whether its goals were met."""
    found: dict[str, object] = {}
    for name, compare in GATES.items():
        found[name] = compare(sizes, rounds)
        print(name, json.dumps(found[name]), flush=True)
    return found


def _grown(sizes: list[int], tasks: tuple[str, ...], num_queries: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows"
        write_rows(file, max(sizes))
        return growth(file, sizes, tasks, num_queries)


if __name__ == "__main__":
    main()
