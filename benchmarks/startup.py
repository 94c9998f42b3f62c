"""How long the commands take before they do anything (C12).

python -m benchmarks.startup      to benchmarks/results/startup.json
"""

import argparse
import os
import resource
import subprocess
import sys
from pathlib import Path

from benchmarks.harness import RESULTS, medians, ratio, save

NAME = "startup"
ROOT = Path(__file__).parent.parent
STACK = "import hydra, wandb, pytorch_lightning, lightly.loss, lightly.transforms"
COMMANDS = {
    "python": ["-c", ""],
    "import qscore": ["-c", "import qscore"],
    "train.py --help": ["train.py", "--help"],
    "evaluate.py --help": ["evaluate.py", "--help"],
    "from qscore import QScoreRegularizer": ["-c", "from qscore import QScoreRegularizer"],
    "import what a training needs": ["-c", STACK],
}
HELP, EVERYTHING = "train.py --help", "import what a training needs"
MAX_HELP_S = 0.4


def main() -> None:
    """Starts every command in turn, some rounds over, and writes the CPU seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(asked.rounds):
        for name, arguments in COMMANDS.items():
            times[name].append(_cpu_seconds(arguments))
    found = medians(times)
    print(
        save(
            NAME,
            {
                "rounds": asked.rounds,
                "cpu_s": found,
                "ratios": {"everything / help": ratio(times, EVERYTHING, HELP)},
                "held": {f"help in {MAX_HELP_S} s": found[HELP] <= MAX_HELP_S},
            },
            asked.out,
        )
    )


def _cpu_seconds(arguments: list[str]) -> float:
    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True, env=environment)
    return used() - before


if __name__ == "__main__":
    main()
