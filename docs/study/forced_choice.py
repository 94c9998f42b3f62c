"""Are discriminative features easier to describe than others, and does fine-tuning change that? Without people.

python docs/study/forced_choice.py RUNS_DIR EMOJI_WORDS.csv   # the latter by docs/study/data.py emoji_words

What was evaluated is left alone; the tables and the picture go to docs/study/results/forced_choice.
"""

import sys
from pathlib import Path

from paired import RESULTS, Numbers, evaluated, of_all_runs, write

METRICS = {
    "features/discriminative": "discriminative features",
    "features/outside": "others",
    "features/difference": "difference",
    "features/difference_adjusted": "difference at equal size",
    "captions/binary": "clusters",
    "purity": "purity of clusters",
}
KEPT = (
    "features/outside_rarer",
    "features/outside_commoner",
    "features/difference_low",
    "features/difference_high",
    "features/difference_adjusted_low",
    "features/difference_adjusted_high",
    "features/num_discriminative",
    "features/num_outside",
    "captions/binary_sd",
    "num_groups",
)
FASTER = ("search_images=false", "information=false", "questions=false")


def main(runs: str, words: str) -> None:
    """Evaluates every run and its baseline, and writes what differs."""
    found = of_all_runs(Path(runs), lambda run, setting: described(run, setting, words))
    write(found, METRICS, list(METRICS)[:5], RESULTS / "forced_choice")


def described(run: Path, setting: str, words: str) -> Numbers:
    """The numbers of one run: emoji by their names and tags, garments by the name of their class."""
    captions = words if setting.startswith("emoji") else "labels"
    options = [f"evaluation.forced_choice.{option}" for option in (f"captions={captions}", *FASTER)]
    metrics = evaluated(run, "forced_choice", *options)
    return {name: metrics[name] for name in (*METRICS, *KEPT)}


if __name__ == "__main__":
    main(*sys.argv[1:])
