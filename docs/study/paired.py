"""An evaluation of all runs of study.py, and what differs from the control of the same seed: a table and a picture."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from qscore.files import read_json, write_text
from qscore.report.statistics import t_interval

RESULTS = Path(__file__).parent / "results"
SETTINGS = ("fashion-simclr", "fashion-byol", "emoji-simclr", "emoji-byol")
CONTROL, SEEDS = "ratio-lambda=0", (0, 1, 2)
TREATED = ("ratio-lambda=0.1", "ratio-lambda=10", "ratio-lambda=1000", "centered-lambda=10")
SHOWN = ("baseline", *TREATED)
NAMES = {name: name.replace("-lambda=", ", λ = ") for name in SHOWN}

Numbers = dict[str, float | None]
Found = dict[tuple[str, str, int], Numbers]


def of_all_runs(runs: Path, numbers: Callable[[Path, str], Numbers]) -> Found:
    """Returns the numbers of the baseline, the control and the runs with the regularizer, in every setting and seed."""
    found = {}
    for setting in SETTINGS:
        for seed in SEEDS:
            folders = {name: runs / setting / f"{name}-seed={seed}" for name in (CONTROL, *TREATED)}
            control = folders[CONTROL]
            folders["baseline"] = (control / read_json(control / "run.json")["baseline"]).resolve()
            found |= {(setting, name, seed): numbers(folder, setting) for name, folder in folders.items()}
    return found


def evaluated(run: Path, evaluation: str, *options: str) -> Numbers:
    """Returns the metrics of an evaluation of a run; what was evaluated before is left alone."""
    file = run / "results" / f"{evaluation}.json"
    if not file.is_file():
        command = ["evaluate.py", f"run={run}", f"evaluation={evaluation}", *options]
        print(*command, flush=True)
        subprocess.run([sys.executable, *command], check=True, stderr=subprocess.DEVNULL)
    metrics: Numbers = read_json(file)["metrics"]
    return metrics


def write(found: Found, metrics: Mapping[str, str], shown: Sequence[str], out: Path) -> None:
    """Writes the numbers of every run, the table and the picture.

    Args:
        found: As by `of_all_runs`.
        metrics: Those of the table, with their headings.
        shown: Those of the picture.
        out: Folder.
    """
    rows = [[*map(str, key), json.dumps(numbers)] for key, numbers in found.items()]
    write_text(out / "runs.tsv", "".join("\t".join(row) + "\n" for row in rows))
    write_text(out / "table.md", table(found, metrics) + "\n")
    picture(found, metrics, shown).savefig(out / "summary.png", dpi=110)
    print(table(found, metrics))


def differences(found: Found, setting: str, name: str, metric: str) -> list[float]:
    """Of each seed, to the control of the same seed; NaN where either could not be measured."""
    pairs = ((found[setting, name, seed][metric], found[setting, CONTROL, seed][metric]) for seed in SEEDS)
    return [np.nan if one is None or other is None else one - other for one, other in pairs]


def table(found: Found, metrics: Mapping[str, str]) -> str:
    """Markdown: the control's mean, then mean paired differences to it, each with its 95 % interval over seeds."""
    lines = ["| setting | run | " + " | ".join(metrics.values()) + " |", "|---" * (2 + len(metrics)) + "|"]
    for setting in SETTINGS:
        of_control = [[found[setting, CONTROL, seed][metric] for seed in SEEDS] for metric in metrics]
        lines.append(f"| {setting} | control | " + " | ".join(level(each) for each in of_control) + " |")
        for name in SHOWN:
            cells = [cell(differences(found, setting, name, metric)) for metric in metrics]
            lines.append(f"| {setting} | {NAMES[name]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def level(each: list[float | None]) -> str:
    """The mean of the control."""
    values = np.array(each, dtype=float)
    low, high = t_interval(values.tolist())
    return f"{values.mean():.3g} [{low:.2g}, {high:.2g}]" if np.isfinite(values).all() else "–"


def cell(each: list[float]) -> str:
    """One difference; bold where its interval excludes 0, a dash where a seed could not be measured."""
    if not np.isfinite(each).all():
        return "–"
    low, high = t_interval(each)
    text = f"{np.mean(each):+.2g} [{low:+.2g}, {high:+.2g}]"
    return f"**{text}**" if low > 0 or high < 0 else text


def picture(found: Found, metrics: Mapping[str, str], shown: Sequence[str]) -> Figure:
    """Paired differences to the control: a row a setting, a column a metric."""
    figure = Figure(figsize=(13, 9), layout="constrained")
    for row, setting in zip(figure.subplots(len(SETTINGS), len(shown), sharex="col"), SETTINGS, strict=True):
        for axis, metric in zip(row, shown, strict=True):
            for place, name in enumerate(SHOWN):
                each = differences(found, setting, name, metric)
                low, high = t_interval(each)
                axis.plot([low, high], [place, place], color="#0072B2")
                axis.plot(each, [place] * len(each), ".", color="#0072B2", alpha=0.5)
                axis.plot(np.mean(each), place, "o", color="#0072B2")
            axis.axvline(0, color="#999999", linewidth=0.8)
            axis.set_yticks(range(len(SHOWN)), NAMES.values() if axis is row[0] else [""] * len(SHOWN))
            axis.invert_yaxis()
            axis.set_title(metrics[metric] if setting == SETTINGS[0] else "")
        row[0].set_ylabel(setting)
    figure.supxlabel("difference to the control of the same seed")
    return figure
