"""Looks for bad input that is not refused as it should be: `python -m tests.bad_input --minutes 10 --seed 0`.

Every target has its share of the time; each try's chance is that of seed, target and number, so that a find comes again
with `--only TARGET --first NUMBER --tries 1`. Spoilt files of finds are saved under `--out`. Exit status 1 on a find.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

from tests.bad_input.targets import TARGETS
from tests.bad_input.trying import Files, Outcome, Target, attempt


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bad_input", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/bad-input"))
    parser.add_argument("--only", nargs="+", choices=[target.name for target in TARGETS])
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--tries", type=int, default=None)
    options = parser.parse_args(arguments)
    chosen = [target for target in TARGETS if not options.only or target.name in options.only]
    num_finds = 0
    for target in chosen:
        counts, finds = look(target, options, 60 * options.minutes / len(chosen))
        said = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
        print(f"{target.name:28} {sum(counts.values()):>7} tries: {said}", flush=True)
        for place, (number, outcome) in finds.items():
            print(f"  {number}: {place}", flush=True)
            print("".join(f"      {line}\n" for line in outcome.said.splitlines()[-3:]), end="", flush=True)
        num_finds += len(finds)
    return 1 if num_finds else 0


def look(
    target: Target, options: argparse.Namespace, seconds: float
) -> tuple[Counter[str], dict[str, tuple[str, Outcome]]]:
    """Tries a target for some time; returns what came of it, and the first try at each place that failed."""
    counts: Counter[str] = Counter()
    finds: dict[str, tuple[str, Outcome]] = {}
    files = target.made()

    def keep(number: str, tried: Files) -> None:
        outcome = attempt(target, tried)
        counts[outcome.kind] += 1
        if outcome.is_fault and outcome.place not in finds:
            finds[outcome.place] = number, outcome
            save(options.out / target.name / number, tried, outcome)

    keep("valid", files)
    for name, make in target.hostile.items():
        keep(name, {**files, **make()})
    number, until = options.first, time.monotonic() + seconds
    last = None if options.tries is None else options.first + options.tries
    while any(target.spoils.values()) and time.monotonic() < until and number != last:
        keep(str(number), target.spoilt(files, Random(f"{options.seed} {target.name} {number}")))
        number += 1
    return counts, finds


def save(folder: Path, files: Files, outcome: Outcome) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "outcome.txt").write_text(f"{outcome.kind}\n{outcome.said}\n", encoding="utf-8", errors="replace")


if __name__ == "__main__":
    sys.exit(main())
