"""Writes the measured numbers into docs/performance.md and draws its figures, from benchmarks/results/*.json.

    python -m benchmarks.page

The text of the page is written by hand; what stands between `<!-- NAME -->` and `<!-- end -->` is written here.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.harness import RESULTS

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
PICTURES = PAGE.parent / "images"
NOT_MEASURED = "not measured"
Found = dict[str, Any]


def main() -> None:
    """Fills the page and draws the figures."""
    from benchmarks import figures

    results = read()
    PAGE.write_text(filled(PAGE.read_text(), results))
    for path in figures.draw(results, PICTURES):
        print(path)


def read(folder: Path = RESULTS) -> Found:
    """Returns the results by name; those of a GPU under `NAME-gpu`."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}


def filled(text: str, results: Found) -> str:
    """Returns a page with every table written anew."""

    def table(match: re.Match[str]) -> str:
        name = match.group(1)
        return f"<!-- {name} -->\n{TABLES[name](results)}\n<!-- end -->"

    return re.sub(r"<!-- ([\w-]+) -->\n.*?<!-- end -->", table, text, flags=re.S)


def gates(results: Found) -> str:
    """Every comparison with a goal: what was measured, the goal, whether it was met."""
    rows = [("comparison", "median", "range over the rounds", "goal", "met")]
    for group, title in _gated(results):
        for name, ratio in group["ratios"].items():
            low, high = ratio["at_least"], ratio["at_most"]
            goal = f"≥ {low:g}" if low is not None else f"≤ {high:g}" if high is not None else ""
            met = {True: "yes", False: "**no**"}[group["held"][name]] if goal else ""
            spread = f"{_number(ratio['low'])} to {_number(ratio['high'])}"
            rows.append((f"{title}: {_words(name)}", _number(ratio["median"]), spread, goal, met))
    return _table(rows)


def speed(results: Found) -> str:
    """Images a second end to end, by setting."""
    rows = [("setting", "variant", "images a second", "peak memory, GB", "train.py is faster by")]
    for result, where in (("training", "CPU, one thread"), ("training-gpu", "GPU")):
        for size in ("32px", "224px"):
            found = results.get(result, {}).get(size)
            if found is None:
                rows.append((f"{size}, {where}", "", NOT_MEASURED, "", ""))
                continue
            setting = f"{found['setting']['architecture']}, {size}, batch {found['setting']['batch_size']}, {where}"
            for name, rate in sorted(found["images_per_second"].items(), key=lambda each: -each[1]):
                over = found["train.py over"].get(name)
                factor = (
                    ""
                    if over is None
                    else f"{_number(over['median'])} ({_number(over['low'])} to {_number(over['high'])})"
                )
                rows.append((setting, name, _number(rate), _number(found["peak_gb"][name]), factor))
    return _table(rows)


def cost(results: Found) -> str:
    """What the loop, the regularizer and mining cost."""
    found = results["training"]["parts"]
    loop, regularizer, mining = found["loop_ms_per_step"], found["regularizer"], found["mining"]
    rows = [("part", "CPU ms", "share")]
    step = 1000 * found["step"]["cpu_s"]["default"]
    rows.append(
        (f"one step, {found['setting']['architecture']}, batch {found['setting']['batch_size']}", _number(step), "")
    )
    around = loop["without regularizer"] - loop["by hand"]
    rows.append(("Lightning's loop around a step", _number(around), f"{around / step:.2%} of the step"))
    term = regularizer["term_ms"]
    rows.append(("the Q-Score term, forward and backward", _number(term), f"{term / step:.3%} of the step"))
    hooks = regularizer["with_hooks_ms"]
    rows.append(("the regularizer with hooks, statistics and log", _number(hooks), f"{hooks / step:.2%} of the step"))
    count = mining["ratios"]["count / encode"]["median"]
    rows.append(
        ("counting dominant features", _number(1000 * mining["cpu_s"]["count"]), f"{count:.2%} of the encoding")
    )
    return _table(rows)


def where(results: Found) -> str:
    """What a step spends its time on."""
    rows = [("stage of a step", "ms", "share")]
    stages = results["training"]["parts"]["where"]
    for name, took in stages.items():
        rows.append((name, _number(1000 * took), f"{took / sum(stages.values()):.1%}"))
    return _table(rows)


def growth(results: Found) -> str:
    """Time and memory over the number of representations."""
    rows = [("task", "representations", "CPU s", "peak memory, GiB", "of it before the task, GiB")]
    doublings = []
    for task, found in results["evaluation"].get("growth", {}).items():
        for row in found["measured"]:
            memory = (_number(row[key] / 1024) for key in ("peak_mib", "before_mib"))
            rows.append((task, f"{row['rows']:,}", _number(row["cpu_s"]), *memory))
        more = found["extrapolated"]
        rows.append((f"{task}, extrapolated", f"{more['rows']:,}", _number(more["cpu_s"]), "", ""))
        doublings += [f"{task} {span} x {ratio:.2f}" for span, ratio in found["doubling"].items()]
    return _table(rows) + (
        "\n\nWhat doubling the data multiplies the time by: " + "; ".join(doublings) + "." if doublings else ""
    )


def reverse_probing(results: Found) -> str:
    """One clustering and one probe over the number of samples, concepts and clusters; both cores, wall clock."""
    rows = [("samples", "concepts", "clusters", "k-means by", "clustering, s", "probe, s", "by", "peak memory, GB")]
    for row in results.get("reverse_probing", {}).get("measured", []):
        sizes = [f"{row[name]:,}" for name in ("samples", "concepts", "clusters")]
        times = (row["kmeans"], _number(row["clustering_s"]), _number(row["probe_s"]), row["solver"])
        rows.append((*sizes, *times, _number(row["peak_gb"])))
    return _table(rows)


def startup(results: Found) -> str:
    """CPU seconds before a command does anything."""
    found = results["startup"]["cpu_s"]
    return _table([("command", "CPU s"), *((f"`{name}`", _number(value)) for name, value in found.items())])


def machines(results: Found) -> str:
    """What each result was measured on."""
    rows = [("result", "processor", "cores", "GPU", "torch")]
    for name, found in results.items():
        machine = found["machine"]
        gpu = machine["gpu"] or "none"
        rows.append((name, machine["processor"], str(machine["cores"]), gpu, machine["versions"]["torch"]))
    return _table(rows)


TABLES: dict[str, Callable[[Found], str]] = {
    "gates": gates,
    "speed": speed,
    "cost": cost,
    "where": where,
    "growth": growth,
    "reverse-probing": reverse_probing,
    "startup": startup,
    "machines": machines,
}
TITLES = {
    "C4": "Q-Score term and gradient",
    "C5": "dominance counts",
    "C7": "probe with features once",
    "C8": "probe, nine penalties",
    "C9": "kNN, 50,000 x 512",
    "C10": "k-means",
}


def _gated(results: Found) -> list[tuple[Found, str]]:
    training = results.get("training", {})
    views = [(found, f"views, {size}") for size, found in training.get("views", {}).items()]
    parts = [(training["parts"][name], name) for name in ("step", "mining")] if "parts" in training else []
    evaluation = [(found, TITLES[name]) for name, found in results["evaluation"]["gates"].items()]
    return [*views, *parts, *evaluation]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _with_range(ratio: Found) -> str:
    return f"{_number(ratio['median'])} ({_number(ratio['low'])} to {_number(ratio['high'])})"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _table(rows: list[tuple[str, ...]]) -> str:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


if __name__ == "__main__":
    main()
