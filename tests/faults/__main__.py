"""Kills every stage at random and at aimed moments, goes on each time, and counts what was lost.

    python -m tests.faults [--kills 200] [--seed 0] [--stages mining,report] [--folder DIR] [--only fine-tuning:17]

A line is printed for each kill, and kept in DIR/kills.jsonl: the same command goes on where it was interrupted. The
table is written to benchmarks/results/faults.json. A kill is repeated by --only, with the seed it was drawn with.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from qscore.files import write_json
from tests.conftest import REPOSITORY
from tests.faults.kills import Campaign, as_row
from tests.faults.stages import STAGES
from tests.faults.study_kills import STUDY, kill_study

TABLE = REPOSITORY / "benchmarks" / "results" / "faults.json"
NAMES = (*STAGES, STUDY)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stages", default=",".join(NAMES))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "qscore-faults")
    parser.add_argument("--only", help="STAGE:NUMBER, one kill again")
    options = parser.parse_args()
    names = options.stages.split(",")
    campaign = Campaign(options.folder, options.seed)
    if options.only:
        name, number = options.only.split(":")
        print(json.dumps(_kill(campaign, name, int(number)), indent=2))
        return 0
    kept = options.folder / f"kills-{options.seed}.jsonl"
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept.is_file() else []
    done = {(row["stage"], row["number"]) for row in rows}
    planned = [(names[i % len(names)], i // len(names)) for i in range(options.kills)]
    started = time.monotonic()
    for name, number in planned:
        if (name, number) in done:
            continue
        row = _kill(campaign, name, number)
        rows.append(row)
        with kept.open("a") as file:
            file.write(json.dumps(row) + "\n")
        told = "; ".join(row["faults"]) or "nothing lost"
        print(
            f"{len(rows)}/{len(planned)} {time.monotonic() - started:.0f} s seed {options.seed} {name}:{number}",
            end=" ",
        )
        print(
            f"{row['signal']} change {row['change']} after {row['seconds']} s, status {row['status']}: {told}",
            flush=True,
        )
        write_json(TABLE, table(rows, options.seed))
    print(json.dumps(table(rows, options.seed), indent=2))
    return 1 if any(row["faults"] for row in rows) else 0


def _kill(campaign: Campaign, name: str, number: int) -> dict[str, object]:
    return kill_study(campaign.folder, campaign.seed, number) if name == STUDY else as_row(campaign.kill(name, number))


def table(rows: list[dict[str, object]], seed: int) -> dict[str, object]:
    """Returns, for each stage, how many kills of which kind there were, and how many left anything wrong."""
    stages = {}
    for name in NAMES:
        own = [row for row in rows if row["stage"] == name]
        stages[name] = {
            "kills": len(own),
            "sigkill": sum(row["signal"] == "SIGKILL" for row in own),
            "sigterm": sum(row["signal"] == "SIGTERM" for row in own),
            "aimed_at_a_file": sum(row["change"] != 0 for row in own),
            "had_ended_before": sum(not row["struck"] for row in own),
            "unfinished_files_left": sum(int(str(row["unfinished"])) for row in own),
            "with_faults": sum(bool(row["faults"]) for row in own),
        }
    return {"kills": len(rows), "with_faults": sum(bool(row["faults"]) for row in rows), "seed": seed, "stages": stages}


if __name__ == "__main__":
    sys.exit(main())
