"""Kills every stage at random and at aimed moments, goes on each time, and counts what was lost.

    python -m tests.faults [--kills 200] [--seed 0] [--stages mining,report] [--folder DIR] [--only fine-tuning:3]

The stage with the fewest kills is next. A line is printed for each chain of up to five kills, which are kept in
DIR/kills-SEED.jsonl: the same command goes on where it was interrupted. The table is written to
benchmarks/results/faults.json. A chain is repeated by --only, with its seed.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import harness
from tests.conftest import REPOSITORY
from tests.faults.kills import Campaign, Kill
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
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--only", help="STAGE:NUMBER, one kill again")
    options = parser.parse_args()
    names = options.stages.split(",")
    campaign = Campaign(options.folder, options.seed)
    if options.only:
        name, number = options.only.split(":")
        print(json.dumps([asdict(kill) for kill in _chain(campaign, name, int(number))], indent=2))
        return 0
    kept = options.folder / f"kills-{options.seed}.jsonl"
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept.is_file() else []
    begun = {name: max((row["number"] for row in rows if row["stage"] == name), default=-1) for name in names}
    while len(rows) < options.kills:
        name = min(names, key=lambda each: sum(row["stage"] == each for row in rows))
        begun[name] += 1
        started = time.monotonic()
        own = [asdict(kill) for kill in _chain(campaign, name, begun[name])]
        rows += own
        with kept.open("a") as file:
            file.write("".join(json.dumps(row) + "\n" for row in own))
        _print(own, f"{len(rows)}/{options.kills} seed {options.seed} in {time.monotonic() - started:.0f} s")
        harness.save(options.table.stem, table(rows, options.seed), options.table.parent)
    print(json.dumps(table(rows, options.seed), indent=2))
    return 1 if any(row["faults"] for row in rows) else 0


def _print(rows: list[dict[str, Any]], progress: str) -> None:
    blows = ", ".join(f"{r['signal']} at {r['change'] or r['seconds']}{'' if r['change'] else ' s'}" for r in rows)
    faults = "; ".join(fault for row in rows for fault in row["faults"]) or "nothing lost"
    name = f"{rows[0]['stage']}:{rows[0]['number']}" if rows else "ended before its kill"
    print(f"{progress}: {name}: {blows}: {faults}", flush=True)


def _chain(campaign: Campaign, name: str, number: int) -> list[Kill]:
    return kill_study(campaign.folder, campaign.seed, number) if name == STUDY else campaign.chain(name, number)


def table(rows: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Returns, for each stage, how many kills of which kind there were, and how many left anything wrong."""
    stages = {}
    for name in NAMES:
        own = [row for row in rows if row["stage"] == name]
        stages[name] = {
            "kills": len(own),
            "sigkill": sum(row["signal"] == "SIGKILL" for row in own),
            "sigterm": sum(row["signal"] == "SIGTERM" for row in own),
            "aimed_at_a_file": sum(row["change"] != 0 for row in own),
            "unfinished_files_left": sum(row["unfinished"] for row in own),
            "with_faults": sum(bool(row["faults"]) for row in own),
        }
    return {"kills": len(rows), "with_faults": sum(bool(row["faults"]) for row in rows), "seed": seed, "stages": stages}


if __name__ == "__main__":
    sys.exit(main())
