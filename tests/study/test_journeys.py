"""People who come, answer, go back, send twice and return, on two servers that restart, under a clock that jumps.

QSCORE_FUZZ_EXAMPLES=2000 looks for longer.
"""

import os
import re
import shutil
import tempfile
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import urlencode

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.study.asgi import FORM, Reply, Request, World, check
from tests.study.conftest import Clock, forced_choice, write_study

EXAMPLES = int(os.environ.get("QSCORE_FUZZ_EXAMPLES", "25"))
IMAGES = [f"opaque{i:04d}{'ab' * 6}.png" for i in range(12)]
RESERVED_S, LINK_S, IMAGES_A_DAY = 600, 3 * 86_400, 4
RULES = {
    "reservation_minutes": RESERVED_S / 60,
    "link_days": LINK_S / 86_400,
    "catch_every": 3,
    "limits": [
        {"condition": "description", "max": 1},
        {"condition": "images", "max": IMAGES_A_DAY, "scope": "condition"},
    ],
}
ANSWERS = "SELECT a.id, a.annotator, a.choice, a.answered, t.key FROM assignments a JOIN trials t ON t.id = a.trial"
FIELDS = re.compile(rb'name="(form|assignment)" value="([^"]+)"')


def trials(num_images: int) -> list[dict[str, object]]:
    rating = {"id": "rating", "query_id": "", "condition": "likert", "group": "rated", "text": "stripes"}
    return [
        *(forced_choice(i, "images", IMAGES) for i in range(num_images)),
        *(forced_choice(i, "description", IMAGES) for i in (0, 4, 8)),  # one group, in part the same queries
        *(forced_choice(50 + i, "images", IMAGES, is_catch=True) for i in range(3)),
        {**rating, "references": IMAGES[2:]},
    ]


class Journeys(RuleBasedStateMachine):
    """`kept`: what was confirmed. `pages`: questions that are still open in somebody's browser."""

    @initialize(wanted=st.integers(1, 2), num_images=st.sampled_from([0, 1, 2, 6]))
    def begin(self, wanted: int, num_images: int) -> None:
        self.wanted, self.folder = wanted, Path(tempfile.mkdtemp())
        self.clock = Clock()
        study = write_study(self.folder / "study", trials(num_images), answers_per_trial=wanted, **RULES)
        self.servers = [World(study, self.clock), World(study, self.clock)]
        self.store, self.turn = self.servers[0].store, 0
        self.kept: dict[str, str] = {}
        self.pages: list[tuple[int, dict[str, str]]] = []
        self.touched: dict[str, float] = {}
        self.created: dict[int, float] = {}
        self.closed: set[int] = set()
        self.was_late: set[str] = set()
        self.clock_went_back = False

    def teardown(self) -> None:
        for server in getattr(self, "servers", []):
            server.close()
        shutil.rmtree(getattr(self, "folder", "/nonexistent"), ignore_errors=True)

    def ask(self, person: int, page: str, fields: dict[str, str] | None = None) -> Reply:
        self.turn += 1
        server = self.servers[self.turn % 2]
        target = f"/s/{server.tokens.annotator(person)}{page}".encode()
        body = (urlencode(fields).encode(),) if fields else ()
        request = Request("POST" if fields else "GET", target, ((b"content-type", FORM),), body)
        reply = server.ask(request)
        server.people = {"themselves": person}
        check(server, request, reply)
        return reply

    def ends(self, person: int) -> bool:
        return person in self.closed or self.clock.now > self.created[person] + LINK_S

    @rule()
    @precondition(lambda self: len(self.created) < 5)
    def come(self) -> None:
        self.created[self.store.annotators.add("")] = self.clock.now

    @rule(data=st.data())
    @precondition(lambda self: self.created)
    def look(self, data: st.DataObject) -> None:
        self.see(data.draw(st.sampled_from(sorted(self.created))))

    def see(self, person: int) -> dict[str, str] | None:
        """The question that a person sees when they open their link."""
        reply = self.ask(person, "/next")
        if self.ends(person):
            assert reply.status == 410
            return None
        if reply.status == 303:
            form = dict(FIELDS.findall(self.ask(person, "").body))[b"form"].decode()
            assert self.ask(person, "/consent", {"form": form}).status == 303
            reply = self.ask(person, "/next")
        assert reply.status == 200
        fields = {name.decode(): value.decode() for name, value in FIELDS.findall(reply.body)}
        if not fields:
            assert b"Thank you" in reply.body
            return None
        assert fields["assignment"] not in self.kept
        fields["choice"] = "4" if b"at least one" in reply.body else "left"
        self.touched[fields["assignment"]] = self.clock.now
        self.pages.append((person, fields))
        return fields

    @rule()
    def everybody_looks(self) -> None:
        for person in self.created:
            self.see(person)

    @rule(data=st.data(), times=st.sampled_from([1, 1, 1, 2]), other=st.booleans())
    @precondition(lambda self: self.pages)
    def send(self, data: st.DataObject, times: int, other: bool) -> None:
        person, fields = self.pages[data.draw(st.integers(0, len(self.pages) - 1))]
        other = other and fields["choice"] == "left"
        for _ in range(times):
            self.submit(person, {**fields, "suits": "yes", "choice": "right" if other else fields["choice"]})

    def submit(self, person: int, fields: dict[str, str]) -> None:
        reply, assignment = self.ask(person, "/answer", fields), fields["assignment"]
        if self.ends(person):
            assert reply.status == 410
        elif reply.status == 303:
            self.kept.setdefault(assignment, fields["choice"])
        else:
            assert reply.status == 409
            assert assignment not in self.kept
            assert self.late(assignment), "its place was kept"

    def late(self, assignment: str) -> bool:
        if self.clock.now >= self.touched[assignment] + RESERVED_S or self.clock_went_back:
            self.was_late.add(assignment)
        return assignment in self.was_late

    @rule(seconds=st.sampled_from([1, 60, RESERVED_S + 1, 5 * 3600, 86_400]))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule(around=st.sampled_from([-1, 0, 1]))
    def midnight(self, around: int) -> None:
        self.clock.now += 86_400 - self.clock.now % 86_400 + around

    @rule(seconds=st.sampled_from([2, RESERVED_S * 2]))
    def set_back(self, seconds: int) -> None:
        self.clock.now -= seconds
        self.clock_went_back = True

    @rule()
    def restart(self) -> None:
        self.servers[self.turn % 2].restart()

    @rule(data=st.data())
    @precondition(lambda self: self.created)
    def close(self, data: st.DataObject) -> None:
        person = data.draw(st.sampled_from(sorted(self.created)))
        self.store.annotators.revoke(person)
        self.closed.add(person)

    @rule()
    @precondition(lambda self: len(self.created) < 20)
    def enough_people_finish_the_study(self) -> None:
        for _ in range(20):
            if set(self.counts().values()) == {self.wanted}:
                return
            self.clock.now += 86_400
            person = self.store.annotators.add("")
            self.created[person] = self.clock.now
            while fields := self.see(person):
                self.submit(person, {**fields, "suits": "yes"})
        raise AssertionError(f"places are lost: {self.counts()}")

    def counts(self) -> dict[str, int]:
        counts = "SELECT key, answered FROM trials WHERE NOT is_catch"
        return {row[0]: row[1] for row in self.store.database.rows(counts)}

    @invariant()
    def what_was_confirmed_is_kept_and_nothing_else(self) -> None:
        rows = self.store.database.rows(f"{ANSWERS} WHERE a.answered IS NOT NULL")
        assert {row["id"]: row["choice"] for row in rows} == self.kept
        assert Counter(row["key"] for row in rows) == Counter(self.counts()) + Counter(
            row["key"] for row in rows if self.store.study.trials[row["key"]].is_catch
        )

    @invariant()
    def no_limit_is_exceeded(self) -> None:
        rows = self.store.database.rows(f"{ANSWERS} WHERE a.answered IS NOT NULL")
        asked = [(row["annotator"], self.store.study.trials[row["key"]], day(row["answered"])) for row in rows]
        asked = [one for one in asked if not one[1].is_catch]
        assert all(count <= self.wanted for count in Counter(trial.id for _, trial, _ in asked).values())
        assert all(count == 1 for count in Counter((who, trial.id) for who, trial, _ in asked).values())
        queries = Counter((who, trial.query_id) for who, trial, _ in asked if trial.query_id)
        assert all(count == 1 for count in queries.values())
        described = Counter((who, trial.group, when) for who, trial, when in asked if trial.condition == "description")
        assert all(count == 1 for count in described.values())
        looked = Counter((who, when) for who, trial, when in asked if trial.condition == "images")
        assert all(count <= IMAGES_A_DAY for count in looked.values())


def day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d")


Journeys.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
test_no_journey_loses_an_answer_or_exceeds_a_limit = Journeys.TestCase
