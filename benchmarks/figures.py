"""The figures of docs/performance.md, from result files."""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from benchmarks.page import _gated, _words

Found = dict[str, Any]
OURS, OTHERS, GOAL = "#1b6ca8", "#b8b8b8", "#c23b22"


def draw(results: Found, folder: Path) -> list[Path]:
    """Writes every figure that there are results for, and returns their paths."""
    drawn = {
        "performance-gates": gates,
        "performance-speed": speed,
        "performance-growth": growth,
        "performance-reverse-probing": reverse_probing,
    }
    paths = []
    for name, figure in drawn.items():
        made = figure(results)
        if made is not None:
            path = folder / f"{name}.png"
            made.savefig(path, dpi=110, bbox_inches="tight")
            plt.close(made)
            paths.append(path)
    return paths


def gates(results: Found) -> Any:
    """Every ratio with its range over its goal, so that 1 is the goal and right of it is better."""
    bars = []
    for group, title in _gated(results):
        for name, ratio in group["ratios"].items():
            low, high = ratio["at_least"], ratio["at_most"]
            if low is not None:
                bars.append((f"{title}: {_words(name)}", *(ratio[key] / low for key in ("median", "low", "high"))))
            elif high is not None:
                margins = [high / max(ratio[key], 1e-12) for key in ("median", "high", "low")]
                bars.append((f"{title}: {_words(name)}", *margins))
    figure, axis = plt.subplots(figsize=(8, 0.36 * len(bars) + 1))
    for row, (_, median, low, high) in enumerate(reversed(bars)):
        axis.barh(row, median, color=OURS if median >= 1 else GOAL, height=0.6)
        axis.plot([low, high], [row, row], color="black", linewidth=1)
    axis.axvline(1, color=GOAL, linestyle="--", linewidth=1)
    axis.set_xscale("log")
    axis.set_yticks(range(len(bars)), [bar[0] for bar in reversed(bars)], fontsize=8)
    axis.set_xlabel("measured ratio over its goal (right of the line: met); black: range over the rounds")
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def speed(results: Found) -> Any:
    """Images a second of every variant, one panel a setting."""
    panels = [
        (f"{size}, {where}", results[name][size])
        for name, where in (("training", "CPU, one thread"), ("training-gpu", "GPU"))
        for size in ("32px", "224px")
        if size in results.get(name, {})
    ]
    if not panels:
        return None
    figure, axes = plt.subplots(1, len(panels), figsize=(5.5 * len(panels), 2.6), squeeze=False)
    for axis, (title, found) in zip(axes[0], panels, strict=True):
        rates = sorted(found["images_per_second"].items(), key=lambda each: each[1])
        axis.barh([name for name, _ in rates], [r for _, r in rates], color=[_color(name) for name, _ in rates])
        axis.set_title(f"{found['setting']['architecture']}, {title}", fontsize=10)
        axis.set_xlabel("images a second (two views each)")
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


def reverse_probing(results: Found) -> Any:
    """Seconds of one clustering and one probe, over each size while the other two stay."""
    measured = results.get("reverse_probing", {}).get("measured")
    if not measured:
        return None
    sizes = ("samples", "concepts", "clusters")
    base = {name: max([row[name] for row in measured], key=[row[name] for row in measured].count) for name in sizes}
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), sharey=True)
    for axis, name in zip(axes, sizes, strict=True):
        others = [other for other in sizes if other != name]
        rows = sorted(
            (row for row in measured if all(row[o] == base[o] for o in others)), key=lambda row: float(row[name])
        )
        for part, color in (("clustering_s", OURS), ("probe_s", GOAL)):
            label = part.removesuffix("_s")
            axis.plot([row[name] for row in rows], [row[part] for row in rows], marker="o", color=color, label=label)
        axis.set_xlabel(name)
        axis.set_ylim(bottom=0)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("seconds")
    axes[0].legend(frameon=False)
    figure.tight_layout()
    return figure


def growth(results: Found) -> Any:
    """Time and memory over the number of representations."""
    tasks = results["evaluation"].get("growth")
    if not tasks:
        return None
    figure, (times, memory) = plt.subplots(1, 2, figsize=(10, 3.4))
    for name, found in tasks.items():
        rows = [row["rows"] for row in found["measured"]]
        (line,) = times.plot(rows, [row["cpu_s"] for row in found["measured"]], marker="o", label=name)
        more = found["extrapolated"]
        times.plot(
            [rows[-1], more["rows"]], [found["measured"][-1]["cpu_s"], more["cpu_s"]], ":", color=line.get_color()
        )
        memory.plot(rows, [row["peak_mib"] / 1024 for row in found["measured"]], marker="o", label=name)
    memory.axhline(8, color=GOAL, linestyle="--", linewidth=1, label="limit at a million")
    times.set_ylabel("CPU s (dotted: extrapolated)")
    memory.set_ylabel("peak memory, GiB, pages of the file included")
    for axis in (times, memory):
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xlabel("representations, 512 features")
        axis.spines[["top", "right"]].set_visible(False)
    memory.legend(fontsize=8)
    figure.tight_layout()
    return figure


def _color(name: str) -> str:
    return OURS if name == "train.py" else "#8fb8d6" if name.startswith("ceiling") else OTHERS
