"""Kills of the server of a study while people answer."""

import random
import re
import shutil
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from qscore.study.folder import Study
from qscore.study.store import Store
from qscore.study.tokens import Tokens
from tests.faults.checks import broken_files
from tests.faults.kills import CHAIN, Kill
from tests.processes import Child
from tests.study.conftest import forced_choice, write_study

STUDY = "study"
NUM_TRIALS, NUM_PEOPLE, ANSWERS = 24, 3, 2
PATIENCE_S = 120.0


class People:
    """Annotators that answer like browsers whose requests fail now and then, and who send them again."""

    def __init__(self, url: str, links: list[str]) -> None:
        self.url, self.confirmed, self.given_up = url, list[str](), False
        self.threads = [threading.Thread(target=self._answer, args=(link,)) for link in links]
        for thread in self.threads:
            thread.start()

    @property
    def are_done(self) -> bool:
        return not any(thread.is_alive() for thread in self.threads)

    def _answer(self, link: str) -> None:
        while not self.given_up:
            try:
                page = httpx2.get(f"{self.url}{link}/next", timeout=10)
                fields = dict(re.findall(r'name="(form|assignment)" value="([^"]+)"', page.text))
                if page.status_code == 200 and not fields:
                    return
                sent = httpx2.post(f"{self.url}{link}/answer", data={**fields, "choice": "left"}, timeout=10)
                if sent.status_code == 303:
                    self.confirmed.append(fields["assignment"])
            except httpx2.TransportError:
                time.sleep(0.02)


def kill_study(folder: Path, seed: int, number: int) -> list[Kill]:
    """Kills a server several times while people answer, lets them finish, and counts what was kept."""
    draw = random.Random(f"{seed} {STUDY} {number}")
    home = folder / STUDY
    shutil.rmtree(home, ignore_errors=True)
    images = [f"opaque{i:04d}.png" for i in range(12)]
    trials = [forced_choice(i, "images", images) for i in range(NUM_TRIALS)]
    study = write_study(home, trials, answers_per_trial=ANSWERS)
    store, tokens = Store(study), Tokens(home)
    known = [store.annotators.add("") for _ in range(NUM_PEOPLE)]
    for person in known:
        store.annotators.consent(person)
    port, kills = _free_port(), list[Kill]()
    people = People(f"http://127.0.0.1:{port}", [f"/s/{tokens.annotator(person)}" for person in known])
    for i in range(CHAIN):
        signum = draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM])
        after = draw.randint(NUM_TRIALS * ANSWERS * i // CHAIN, NUM_TRIALS * ANSWERS * (i + 1) // CHAIN - 3)
        started = time.monotonic()
        with served(study, port) as server:
            while len(people.confirmed) < after and not people.are_done:
                time.sleep(0.001)
            time.sleep(draw.uniform(0, 0.05))
            if people.are_done:
                break
            server.strike(signum)
            server.wait()
        seconds = round(time.monotonic() - started, 3)
        kills.append(Kill(STUDY, number, i, signum.name, 0, seconds, server.process.exitcode))
        kills[-1].faults += [f"broken after the kill: {text}" for text in broken_files(home)]
    with served(study, port):
        deadline = time.monotonic() + PATIENCE_S
        while not people.are_done and time.monotonic() < deadline:
            time.sleep(0.01)
        people.given_up = True
    kills[-1].faults += _lost(store, people)
    return kills


def _lost(store: Store, people: People) -> list[str]:
    answered = store.database.rows("SELECT id, trial FROM assignments WHERE answered IS NOT NULL")
    lost = set(people.confirmed) - {row["id"] for row in answered}
    counts = Counter(row["trial"] for row in answered)
    faults = [f"confirmed and lost: {sorted(lost)[:5]}"] if lost else []
    complete = sorted(counts.values()) == [ANSWERS] * NUM_TRIALS
    return faults if complete else [*faults, f"answers a trial: {sorted(counts.values())}"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(study: Study, port: int) -> Iterator[Child]:
    """Serves a study from another process, which has ended after the block."""
    command = ["-m", "qscore.study", "serve", str(study.folder), "--port", str(port), "--rate", "10000"]
    deadline = time.monotonic() + PATIENCE_S
    with Child(command, study.folder.parent / "server.log").start() as server:
        while True:
            try:
                httpx2.get(f"http://127.0.0.1:{port}/static/study.css", timeout=5)
                break
            except httpx2.TransportError:
                if time.monotonic() > deadline or server.process.exitcode is not None:
                    raise TimeoutError(f"the server did not start: {server.said[-1000:]}") from None
                time.sleep(0.02)
        yield server
