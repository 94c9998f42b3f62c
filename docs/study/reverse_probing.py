"""Does Q-Score fine-tuning make a representation more sayable? Reverse probes of the runs of study.py, paired by seed.

python docs/study/reverse_probing.py RUNS_DIR EMOJI_WORDS.csv   # the latter by docs/study/data.py emoji_words

What was probed is left alone; the tables and the picture go to docs/study/results/reverse_probing.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from qscore.files import read_json, write_text
from qscore.report.statistics import t_interval

OUT = Path(__file__).parent / "results" / "reverse_probing"
SETTINGS = ("fashion-simclr", "fashion-byol", "emoji-simclr", "emoji-byol")
CONTROL, SEEDS = "ratio-lambda=0", (0, 1, 2)
TREATED = ("ratio-lambda=0.1", "ratio-lambda=10", "ratio-lambda=1000", "centered-lambda=10")
EXPERTS = ("brightness", "sharpness", "edges", "shape")
COLOURS = ("colour", "colour_count", "saturation")
METRICS = {
    "information_nats": "information (nats)",
    "ami": "AMI",
    "nmi": "NMI",
    "top1": "top-1",
    "bridge/surprise_q_spearman": "Spearman of surprise and Q",
    "bridge/auroc_surprise": "AUROC of surprise",
    "bridge/auroc_rarity": "AUROC of rarity",
    "bridge/auroc_q": "AUROC of Q",
}
KEPT = (
    "nmi_by_chance",
    "shuffled/information_nats",
    "shuffled/ami",
    "information_nats_sd",
    "num_clusters",
    "num_concepts",
)
Found = dict[tuple[str, str, int], dict[str, float]]


def main(runs: str, words: str) -> None:
    """Probes every run and its baseline, and writes what differs."""
    found = {
        (setting, name, seed): numbers
        for setting in SETTINGS
        for seed in SEEDS
        for name, numbers in of_seed(Path(runs) / setting, setting, seed, words).items()
    }
    rows = [[*map(str, key), json.dumps(numbers)] for key, numbers in found.items()]
    write_text(OUT / "runs.tsv", "".join("\t".join(row) + "\n" for row in rows))
    write_text(OUT / "table.md", table(found) + "\n")
    picture(found).savefig(OUT / "summary.png", dpi=110)
    print(table(found))


def of_seed(folder: Path, setting: str, seed: int, words: str) -> dict[str, dict[str, float]]:
    """The numbers of the baseline, the control and the runs with the regularizer."""
    control = folder / f"{CONTROL}-seed={seed}"
    runs = {name: folder / f"{name}-seed={seed}" for name in (CONTROL, *TREATED)}
    runs["baseline"] = (control / read_json(control / "run.json")["baseline"]).resolve()
    return {name: probed(run, setting, words) for name, run in runs.items()}


def probed(run: Path, setting: str, words: str) -> dict[str, float]:
    """The numbers of one run."""
    file = run / "results" / "reverse_probing.json"
    if not file.is_file():
        said = [f"captions:{words}", *COLOURS] if setting.startswith("emoji") else []
        options = [f"evaluation.reverse_probing.{option}" for option in ("ablate=false", "num_pairs=0")]
        command = ["evaluate.py", f"run={run}", "evaluation=reverse_probing", *options]
        command.append(f"concepts=[{','.join(['labels', *said, *EXPERTS])}]")
        print(*command, flush=True)
        subprocess.run([sys.executable, *command], check=True, stderr=subprocess.DEVNULL)
    metrics = read_json(file)["metrics"]
    return {name: metrics[name] for name in (*METRICS, *KEPT)}


def differences(found: Found, setting: str, name: str, metric: str, reference: str = CONTROL) -> list[float]:
    """Of each seed, to the run of the same seed that it is compared with."""
    return [found[setting, name, seed][metric] - found[setting, reference, seed][metric] for seed in SEEDS]


def table(found: Found) -> str:
    """Markdown: the control's mean, then mean paired differences to it with their 95 % interval over seeds."""
    lines = ["| setting | run | " + " | ".join(METRICS.values()) + " |", "|---" * (2 + len(METRICS)) + "|"]
    for setting in SETTINGS:
        means = [np.mean([found[setting, CONTROL, seed][metric] for seed in SEEDS]) for metric in METRICS]
        lines.append(f"| {setting} | control | " + " | ".join(f"{mean:.3g}" for mean in means) + " |")
        for name in ("baseline", *TREATED):
            cells = [cell(differences(found, setting, name, metric)) for metric in METRICS]
            lines.append(f"| {setting} | {name.replace('-lambda=', ', λ = ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def cell(each: list[float]) -> str:
    """One difference; bold where its interval excludes 0."""
    low, high = t_interval(each)
    text = f"{np.mean(each):+.2g} [{low:+.2g}, {high:+.2g}]"
    return f"**{text}**" if low > 0 or high < 0 else text


def picture(found: Found) -> Figure:
    """Paired differences to the control: a row a setting, a column a metric."""
    shown = list(METRICS)[:4]
    figure = Figure(figsize=(13, 9), layout="constrained")
    for row, setting in zip(figure.subplots(len(SETTINGS), len(shown), sharex="col"), SETTINGS, strict=True):
        for axis, metric in zip(row, shown, strict=True):
            for place, name in enumerate(("baseline", *TREATED)):
                each = differences(found, setting, name, metric)
                low, high = t_interval(each)
                axis.plot([low, high], [place, place], color="#0072B2")
                axis.plot(each, [place] * len(each), ".", color="#0072B2", alpha=0.5)
                axis.plot(np.mean(each), place, "o", color="#0072B2")
            axis.axvline(0, color="#999999", linewidth=0.8)
            named = [name.replace("-lambda=", ", λ = ") for name in ("baseline", *TREATED)]
            axis.set_yticks(range(len(named)), named if axis is row[0] else [""] * len(named))
            axis.invert_yaxis()
            axis.set_title(METRICS[metric] if setting == SETTINGS[0] else "")
        row[0].set_ylabel(setting)
    figure.supxlabel("difference to the control of the same seed")
    return figure


if __name__ == "__main__":
    main(*sys.argv[1:])
