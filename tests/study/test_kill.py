"""A server that is killed at any moment has every answer that it confirmed, and goes on."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable

import httpx2
import pytest

from qscore.study.folder import Study
from qscore.study.store import Store
from tests.study.conftest import forced_choice
from tests.study.server import Server

pytest.importorskip("uvicorn")


def answer_until_done(link: str, confirmed: list[str], stopped: threading.Event) -> None:
    """Answers like a browser whose requests fail now and then, and who sends them again."""
    while not stopped.is_set():
        try:
            page = httpx2.get(f"{link}/next", timeout=10)
            fields = dict(re.findall(r'name="(form|assignment)" value="([^"]+)"', page.text))
            if not fields:
                return
            sent = httpx2.post(f"{link}/answer", data={**fields, "choice": "left"}, timeout=10)
            if sent.status_code == 303:
                confirmed.append(fields["assignment"])
        except httpx2.TransportError:
            time.sleep(0.1)


@pytest.mark.slow
def test_a_killed_server_loses_no_answer_and_exceeds_no_limit(make_study: Callable[..., Study]) -> None:
    images = [f"opaque{i:04d}.png" for i in range(12)]
    study = make_study([forced_choice(i, "images", images) for i in range(60)], answers_per_trial=2)
    store, server = Store(study), Server(study.folder)
    people = [store.annotators.add("") for _ in range(3)]
    for person in people:
        store.annotators.consent(person)
    confirmed: list[str] = []
    stopped = threading.Event()
    server.start()
    threads = [
        threading.Thread(target=answer_until_done, args=(server.link(person), confirmed, stopped)) for person in people
    ]
    for thread in threads:
        thread.start()
    try:
        for kill in range(1, 4):  # in the middle: after a quarter, a half and three quarters
            while len(confirmed) < 30 * kill and any(thread.is_alive() for thread in threads):
                time.sleep(0.002)
            server.kill()
            server.start()
        for thread in threads:
            thread.join(timeout=60)
    finally:
        stopped.set()
        server.kill()
    answered = {row["id"] for row in store.database.rows("SELECT id FROM assignments WHERE answered IS NOT NULL")}
    assert set(confirmed) <= answered
    assert store.database.rows("PRAGMA integrity_check")[0][0] == "ok"
    counts = Counter(row[0] for row in store.database.rows("SELECT trial FROM assignments WHERE answered IS NOT NULL"))
    assert sorted(counts.values()) == [2] * 60
