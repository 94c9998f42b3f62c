"""The study in one table and one picture, from docs/study/results: python docs/study/summary.py."""

import csv
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from qscore.files import write_text
from qscore.report.statistics import t_interval

RESULTS = Path(__file__).parent / "results"
SETTINGS = ("fashion-simclr", "fashion-byol", "emoji-simclr", "emoji-byol")
METRICS = {
    "Linear probe top-1": "linear probe (points)",
    "kNN k=20": "kNN (points)",
    "AUROC of Q": "AUROC of Q",
    "Hoyer sparsity": "Hoyer",
    "RankMe": "RankMe",
}
FORMULAS = {"ratio": "#D55E00", "centered": "#0072B2", "soft": "#009E73"}
POINTS = ("Linear probe top-1", "kNN k=20")

Key = tuple[str, str, float, str]


def differences() -> dict[Key, list[float]]:
    """Paired differences to the control by (setting, formula, lambda, metric)."""
    found: dict[Key, list[float]] = defaultdict(list)
    for setting in SETTINGS:
        for row in csv.DictReader((RESULTS / setting / "compare_seeds.csv").read_text().splitlines()):
            if row["reference"] != "control" or row["metric"] not in METRICS:
                continue
            weight = float(re.search(r"λ=(\S+)", row["treated"]).group(1))  # type: ignore[union-attr]
            formula = next(name for name in FORMULAS if name in row["treated"])
            factor = 100 if row["metric"] in POINTS else 1
            each = factor * (float(row["treated value"]) - float(row["reference value"]))
            found[setting, formula, weight, row["metric"]].append(each)
    return found


def table(found: dict[Key, list[float]]) -> str:
    """Markdown: mean difference and its 95 % interval over seeds; bold where that excludes 0."""
    lines = ["| setting | formula | λ | " + " | ".join(METRICS.values()) + " |", "|---" * (3 + len(METRICS)) + "|"]
    for setting, formula, weight in sorted({key[:3] for key in found}, key=lambda k: (SETTINGS.index(k[0]), k[1:])):
        cells = [cell(found[setting, formula, weight, metric]) for metric in METRICS]
        lines.append(f"| {setting} | {formula} | {weight:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def cell(each: list[float]) -> str:
    """One difference."""
    low, high = t_interval(each)
    text = f"{np.mean(each):+.3g} [{low:+.2g}, {high:+.2g}]"
    return f"**{text}**" if low > 0 or high < 0 else text


def picture(found: dict[Key, list[float]]) -> Figure:
    """Differences over lambda, one row a setting, one column a metric."""
    figure = Figure(figsize=(15, 10), layout="constrained")
    grid = figure.subplots(len(SETTINGS), len(METRICS), sharex=True)
    for row, setting in zip(grid, SETTINGS, strict=True):
        for axis, metric in zip(row, METRICS, strict=True):
            for i, (formula, color) in enumerate(FORMULAS.items()):
                weights = sorted(
                    key[2] for key in found if key[0] == setting and key[1] == formula and key[3] == metric
                )
                each = [found[setting, formula, weight, metric] for weight in weights]
                x = np.array(weights) * 1.15 ** (i - 1)
                means = [np.mean(values) for values in each]
                reach = [abs(t_interval(values)[1] - np.mean(values)) for values in each]
                axis.errorbar(x, means, reach, color=color, marker="o", capsize=3, label=formula)
                axis.plot(np.repeat(x, [len(v) for v in each]), np.concatenate(each), ".", color=color, alpha=0.4)
            axis.axhline(0, color="#999999", linewidth=0.8)
            axis.set_xscale("log")
            axis.set_title(METRICS[metric] if setting == SETTINGS[0] else "")
        row[0].set_ylabel(setting)
    grid[0][0].legend(frameon=False)
    for axis in grid[-1]:
        axis.set_xlabel("λ")
    return figure


if __name__ == "__main__":
    measured = differences()
    write_text(RESULTS / "summary.md", table(measured) + "\n")
    picture(measured).savefig(RESULTS / "summary.png", dpi=110)
    print(table(measured))
