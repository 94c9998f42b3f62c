"""Load on the server of the human studies: simulated annotators at once on loopback, the server killed in between.

    python -m benchmarks.study [--annotators 200] [--answers 10000] [--kills 20] [--think 2]

Every annotator loads the page, the twelve images of the next question, thinks and answers; who gets no page tries again
after another think. Counted at the end: answers confirmed and lost, limits exceeded; and, in seconds as a browser sees
them, pages (from the click until the next question stands there: two requests) and images, the killed ones left out.
`page_s` is of clicks with a server that stands, `page_after_kill_s` of those within three seconds of a kill, in which
it starts and everybody comes back at once.
`generator_lag_s` is how late the generator itself came to what was due: so much of these times is not the server's.
"""

import argparse
import asyncio
import math
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.drawn_study import ANSWERS_PER_TRIAL, MAX_PER_GROUP, make
from benchmarks.load import Load
from qscore.study.folder import Study
from qscore.study.store import Store
from qscore.study.tokens import Tokens


async def run(study: Study, store: Store, options: argparse.Namespace) -> Load:
    """Lets everyone answer, and kills the server at even steps of the answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "qscore.study", "serve", str(study.folder), "--port", str(port), "--rate", "1000"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    load, tokens = Load(port, options.think), Tokens(study.folder)
    watching = asyncio.create_task(load.watch())
    people = [store.annotators.add("") for _ in range(options.annotators)]
    for person in people:
        store.annotators.consent(person)
    tasks = [asyncio.create_task(load.annotate(f"/s/{tokens.annotator(person)}")) for person in people]
    for kill in range(1, options.kills + 1):
        while len(load.confirmed) < options.answers * kill / (options.kills + 1) and not all(t.done() for t in tasks):
            await asyncio.sleep(0.01)
        server.send_signal(signal.SIGKILL)
        server.wait()
        load.killed = time.perf_counter()
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    await asyncio.gather(*tasks)
    watching.cancel()
    server.kill()
    server.wait()
    return load


def summary(values: list[float]) -> dict[str, float]:
    """Returns median and 95th percentile, in seconds."""
    ordered = sorted(values) or [math.nan]
    return {"median": round(ordered[len(ordered) // 2], 4), "p95": round(ordered[int(0.95 * len(ordered))], 4)}


def checked(store: Store, load: Load) -> dict[str, object]:
    """Returns what was kept, and what should be zero."""
    kept = {row["id"] for row in store.database.rows("SELECT id FROM assignments WHERE answered IS NOT NULL")}
    groups = """SELECT count(*) FROM (SELECT 1 FROM assignments a JOIN trials t ON t.id = a.trial
        WHERE a.answered IS NOT NULL GROUP BY {} HAVING count(*) > ?)"""
    return {
        "answers_kept": len(kept),
        "confirmed_and_lost": len(set(load.confirmed) - kept),
        "trials_over_the_limit": store.database.rows(groups.format("a.trial"), (ANSWERS_PER_TRIAL,))[0][0],
        "annotators_over_the_limit": store.database.rows(groups.format("annotator, grp"), (MAX_PER_GROUP,))[0][0],
    }


def children() -> float:
    """Returns the processor time of all servers until now, their starts included."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measures, prints and keeps the result."""
    parser = argparse.ArgumentParser()
    for name, default in (("annotators", 200), ("answers", 10_000), ("kills", 20), ("think", 2.0)):
        parser.add_argument(f"--{name}", type=type(default), default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        study = make(Path(folder), options.answers)
        store = Store(study)
        start = time.perf_counter()
        load = asyncio.run(run(study, store, options))
        seconds = time.perf_counter() - start
        result = vars(options) | {"seconds": round(seconds, 1)} | checked(store, load)
        result |= {"server_cpu_s": round(children(), 1), "generator_cpu_s": round(time.process_time(), 1)}
        result |= {"page_s": summary(load.pages), "page_after_kill_s": summary(load.pages_after_kills)}
        result |= {"page_all_s": summary(load.pages + load.pages_after_kills), "image_s": summary(load.images)}
        result |= {"generator_lag_s": summary(load.lags)}
    from benchmarks.harness import save  # imports torch, which is not to count as the generator's time

    print(save("study", result).read_text())


if __name__ == "__main__":
    main()
