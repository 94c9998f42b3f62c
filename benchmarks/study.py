"""Load on the server of the human studies: simulated annotators at once on loopback, the server killed in between.

    python -m benchmarks.study [--annotators 200] [--answers 10000] [--kills 20] [--think 2]

Every annotator loads the page, the twelve images of the next question, thinks and answers. Counted at the end: answers
confirmed and lost, trials over their limit, and the times of pages and images (seconds, from the side of the browser).
"""

import argparse
import asyncio
import json
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx2

from benchmarks.drawn_study import ANSWERS_PER_TRIAL, MAX_PER_GROUP, make
from benchmarks.harness import RESULTS
from qscore.files import write_json
from qscore.study.folder import Study
from qscore.study.store import Store
from qscore.study.tokens import Tokens


class Load:
    """Annotators, what they waited for, and what the server confirmed."""

    def __init__(self, think_s: float) -> None:
        self.think_s = think_s
        self.pages: list[float] = []
        self.images: list[float] = []
        self.confirmed: list[str] = []

    async def annotate(self, client: httpx2.AsyncClient, link: str) -> None:
        """Answers until nothing is left; what fails while the server is down is tried again."""
        await asyncio.sleep(random.uniform(0, 2 * self.think_s))
        page = ""
        while True:
            try:
                page = page or await self._timed(client, "GET", f"{link}/next")
                fields = dict(re.findall(r'name="(form|assignment)" value="([^"]+)"', page))
                if not fields:
                    return
                for image in re.findall(r'data-preload="([^"]*)"', page)[0].split():
                    start = time.perf_counter()
                    (await client.get(image)).raise_for_status()
                    self.images.append(time.perf_counter() - start)
                await asyncio.sleep(random.uniform(0.5, 1.5) * self.think_s)
                page = await self._timed(client, "POST", f"{link}/answer", fields | {"choice": "left"})
                self.confirmed.append(fields["assignment"])
            except httpx2.TransportError:
                page = ""
                await asyncio.sleep(0.5)

    async def _timed(
        self, client: httpx2.AsyncClient, method: str, path: str, data: dict[str, str] | None = None
    ) -> str:
        start = time.perf_counter()
        response = await client.request(method, path, data=data, follow_redirects=True)
        self.pages.append(time.perf_counter() - start)
        response.raise_for_status()
        return response.text


async def run(study: Study, store: Store, options: argparse.Namespace) -> Load:
    """Lets everyone answer, and kills the server at even steps of the answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "qscore.study", "serve", str(study.folder), "--port", str(port), "--rate", "1000"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    load, tokens = Load(options.think), Tokens(study.folder)
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, limits=limits) as client:
        people = [store.annotators.add("") for _ in range(options.annotators)]
        for person in people:
            store.annotators.consent(person)
        tasks = [asyncio.create_task(load.annotate(client, f"/s/{tokens.annotator(person)}")) for person in people]
        for kill in range(1, options.kills + 1):
            while len(load.confirmed) < options.answers * kill / (options.kills + 1) and not all(
                t.done() for t in tasks
            ):
                await asyncio.sleep(0.01)
            server.send_signal(signal.SIGKILL)
            server.wait()
            server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        await asyncio.gather(*tasks)
    server.kill()
    return load


def summary(values: list[float]) -> dict[str, float]:
    """Returns median and 95th percentile, in seconds."""
    ordered = sorted(values)
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
        result |= {"page_s": summary(load.pages), "image_s": summary(load.images)}
    write_json(RESULTS / "study.json", result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
