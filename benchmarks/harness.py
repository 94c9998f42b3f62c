"""Timings that a busy machine cannot bend much: interleaved rounds, CPU time, ratios within a round."""

import json
import os
import platform
import random
import time
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import torch

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("torch", "torchvision", "pytorch-lightning", "lightly", "scikit-learn", "numpy", "scipy", "faiss-cpu")


def interleaved(
    variants: dict[str, Callable[[], object]], rounds: int, *, warm: bool = True, seed: int = 0
) -> dict[str, list[float]]:
    """Returns the CPU seconds of each variant in each round, one thread; the order is drawn anew in every round.

    Args:
        variants: What to time, by name.
        rounds: How often.
        warm: Whether each runs once before, untimed.
        seed: Of the order.
    """
    threads, order = torch.get_num_threads(), random.Random(seed)
    times: dict[str, list[float]] = {name: [] for name in variants}
    torch.set_num_threads(1)
    try:
        for run in variants.values() if warm else ():
            run()
        for _ in range(rounds):
            for name in order.sample(list(variants), len(variants)):
                times[name].append(cpu_seconds(variants[name]))
    finally:
        torch.set_num_threads(threads)
    return times


def cpu_seconds(run: Callable[[], object]) -> float:
    """Returns the CPU seconds of all threads of this process during one call."""
    start = time.process_time()
    run()
    return time.process_time() - start


def ratio(times: dict[str, list[float]], a: str, b: str) -> dict[str, float]:
    """Returns median, lowest and highest over the rounds of the time of `a` divided by that of `b`.

    >>> ratio({"loop": [4.0, 6.0, 9.0], "ours": [1.0, 2.0, 3.0]}, "loop", "ours")
    {'median': 3.0, 'low': 3.0, 'high': 4.0}
    """
    ratios = [x / y for x, y in zip(times[a], times[b], strict=True)]
    return {"median": median(ratios), "low": min(ratios), "high": max(ratios)}


def medians(times: dict[str, list[float]]) -> dict[str, float]:
    """Returns the median CPU seconds of each variant."""
    return {name: median(values) for name, values in times.items()}


def machine(packages: Iterable[str] = PACKAGES) -> dict[str, object]:
    """Returns what the timings depend on: processor, cores, memory, versions; never the name of the host."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "threads": 1,
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: found for name in packages if (found := _version(name))},
    }


def save(name: str, payload: dict[str, object], folder: Path = RESULTS) -> Path:
    """Writes `payload` with the facts of the machine to FOLDER/NAME.json, and returns the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"machine": machine(), **payload}, indent=2) + "\n")
    return path


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return " ".join([model, *(flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags)])


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
