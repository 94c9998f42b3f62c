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
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.browser import Browser, Response
from benchmarks.drawn_study import ANSWERS_PER_TRIAL, MAX_PER_GROUP, make
from benchmarks.harness import RESULTS
from qscore.files import write_json
from qscore.study.folder import Study
from qscore.study.store import Store
from qscore.study.tokens import Tokens

_FIELDS = re.compile(rb'name="(form|assignment)" value="([^"]+)"')
_PRELOAD = re.compile(rb'data-preload="([^"]*)"')


class Load:
    """Annotators, what they waited for, and what the server confirmed."""

    def __init__(self, port: int, think_s: float) -> None:
        self.port, self.think_s = port, think_s
        self.pages: list[float] = []
        self.images: list[float] = []
        self.confirmed: list[str] = []

    async def annotate(self, link: str) -> None:
        """Answers until nothing is left; what fails while the server is down is tried again."""
        browser = Browser(self.port)
        await asyncio.sleep(random.uniform(0, 2 * self.think_s))
        page = b""
        while True:
            try:
                page = page or await self._page(browser, f"{link}/next")
                fields = {name.decode(): value.decode() for name, value in _FIELDS.findall(page)}
                if not fields:
                    return browser.close()
                for image in _PRELOAD.findall(page)[0].decode().split():
                    start = time.perf_counter()
                    _checked(await browser.get(image), 200)
                    self.images.append(time.perf_counter() - start)
                await asyncio.sleep(random.uniform(0.5, 1.5) * self.think_s)
                page = await self._page(browser, f"{link}/answer", fields | {"choice": "left"})
                self.confirmed.append(fields["assignment"])
            except OSError:
                page = b""
                await asyncio.sleep(0.5)

    async def _page(self, browser: Browser, path: str, fields: dict[str, str] | None = None) -> bytes:
        """From the click until the next question stands there: of an answer, these are two requests."""
        start = time.perf_counter()
        if fields:
            _, headers, _ = _checked(await browser.post(path, fields), 303)
            path = headers[b"location"].decode()
        page = _checked(await browser.get(path), 200)[2]
        self.pages.append(time.perf_counter() - start)
        return page


def _checked(response: Response, status: int) -> Response:
    if response[0] != status:
        raise RuntimeError(f"expected {status}, got {response[0]}: {response[2][:500]!r}")
    return response


async def run(study: Study, store: Store, options: argparse.Namespace) -> Load:
    """Lets everyone answer, and kills the server at even steps of the answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "qscore.study", "serve", str(study.folder), "--port", str(port), "--rate", "1000"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    load, tokens = Load(port, options.think), Tokens(study.folder)
    people = [store.annotators.add("") for _ in range(options.annotators)]
    for person in people:
        store.annotators.consent(person)
    tasks = [asyncio.create_task(load.annotate(f"/s/{tokens.annotator(person)}")) for person in people]
    for kill in range(1, options.kills + 1):
        while len(load.confirmed) < options.answers * kill / (options.kills + 1) and not all(t.done() for t in tasks):
            await asyncio.sleep(0.01)
        server.send_signal(signal.SIGKILL)
        server.wait()
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    await asyncio.gather(*tasks)
    server.kill()
    server.wait()
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
        result |= {"page_s": summary(load.pages), "image_s": summary(load.images)}
    write_json(RESULTS / "study.json", result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
