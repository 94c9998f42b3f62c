"""Does Q-Score fine-tuning make a representation more sayable? Reverse probes of the runs of study.py, paired by seed.

python docs/study/reverse_probing.py RUNS_DIR EMOJI_WORDS.csv   # the latter by docs/study/data.py emoji_words

What was probed is left alone; the tables and the picture go to docs/study/results/reverse_probing.
"""

import sys
from pathlib import Path

from paired import RESULTS, Numbers, evaluated, of_all_runs, write

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


def main(runs: str, words: str) -> None:
    """Probes every run and its baseline, and writes what differs."""
    found = of_all_runs(Path(runs), lambda run, setting: probed(run, setting, words))
    write(found, METRICS, list(METRICS)[:4], RESULTS / "reverse_probing")


def probed(run: Path, setting: str, words: str) -> Numbers:
    """The numbers of one run."""
    said = [f"captions:{words}", *COLOURS] if setting.startswith("emoji") else []
    options = [f"evaluation.reverse_probing.{option}" for option in ("ablate=false", "num_pairs=0")]
    concepts = f"concepts=[{','.join(['labels', *said, *EXPERTS])}]"
    metrics = evaluated(run, "reverse_probing", *options, concepts)
    return {name: metrics[name] for name in (*METRICS, *KEPT)}


if __name__ == "__main__":
    main(*sys.argv[1:])
