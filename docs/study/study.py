"""Everything the study trains, in order; run it again after an interruption, and what is finished is left alone.

python docs/study/study.py DATA_DIR [RUNS_DIR]

DATA_DIR holds fashion.npz and emoji.npz of docs/study/data.py. RUNS_DIR is runs/study by default. The numbers and
pictures go to
docs/study/results.
"""

import subprocess
import sys
from pathlib import Path

STUDY = Path(__file__).parent
SETS, METHODS = ("fashion", "emoji"), ("simclr", "byol")
FORMULAS, WEIGHTS, SEEDS = ("ratio", "centered", "soft"), (0.1, 10, 1000), (0, 1, 2)


def main(data: str, runs: str = "runs/study") -> None:
    """Trains controls and runs with the regularizer, compares them, and draws the summary."""
    for images in SETS:
        for method in METHODS:
            common = [
                f"experiment=study/{images}",
                f"data.source.path={Path(data) / images}.npz",
                f"method={method}",
                f"seed={','.join(map(str, SEEDS))}",
                f"pretrained_dir={runs}/pretrained",
                f"hydra.sweep.dir={runs}/{images}-{method}",
            ]
            train(*common, "lambda=0")
            for formula in FORMULAS:
                train(*common, f"formula={formula}", f"lambda={','.join(map(str, WEIGHTS))}")
            folder = f"{runs}/{images}-{method}"
            out = str(STUDY / "results" / f"{images}-{method}")
            call("-m", "qscore.report", "compare", folder, "--out", out)
    call(str(STUDY / "summary.py"))


def train(*overrides: str) -> None:
    """One sweep of train.py."""
    call("train.py", "-m", *overrides)


def call(*arguments: str) -> None:
    """Runs Python, and stops the study where it fails."""
    print("python", *arguments, flush=True)
    subprocess.run([sys.executable, *arguments], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
