"""The rules hold whatever the order of events: at once, late, twice, over midnight."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qscore.errors import UserError
from qscore.study.folder import Study, load_study
from qscore.study.store import Store
from tests.study.conftest import Clock, forced_choice

IMAGES = [f"image-{i:04d}.png" for i in range(12)]


def take_all(store: Store, annotator: int) -> list[str]:
    """Answers until nothing is left; returns the ids of the trials in their order."""
    taken = []
    while current := store.next(annotator):
        assert store.submit(current[0].id, annotator, "left") == "taken"
        taken.append(current[0].trial.id)
    return taken


def answers_per_trial(store: Store) -> list[int]:
    query = """SELECT count(a.answered) FROM trials t LEFT JOIN assignments a ON a.trial = t.id
        WHERE NOT is_catch GROUP BY t.id"""
    return [row[0] for row in store.database.rows(query)]


def test_every_trial_gets_the_asked_number_of_answers_of_different_annotators(make_study: Callable[..., Study]) -> None:
    store = Store(make_study(answers_per_trial=2))
    people = [store.annotators.add(f"person {i}") for i in range(3)]
    orders = [take_all(store, person) for person in people]
    assert [len(order) for order in orders] == [8, 8, 0]
    assert answers_per_trial(store) == [2] * 8
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


def test_only_the_first_answer_to_a_trial_counts(make_study: Callable[..., Study]) -> None:
    store = Store(make_study())
    person = store.annotators.add("")
    shown = store.next(person)[0].id
    assert [store.submit(shown, person, side) for side in ("left", "right", "left")] == [
        "taken",
        "repeated",
        "repeated",
    ]
    assert [tuple(row) for row in store.database.rows("SELECT choice FROM assignments WHERE answered")] == [("left",)]


def test_nobody_answers_for_another(make_study: Callable[..., Study]) -> None:
    store = Store(make_study())
    first, second = store.annotators.add(""), store.annotators.add("")
    shown = store.next(first)[0]
    assert store.submit(shown.id, second, "left") == "gone"
    assert store.assigned(shown.id, second) is None
    assert store.assigned(shown.id, first) == shown.trial


def test_the_next_trial_stays_the_same_until_the_answer_and_was_announced(make_study: Callable[..., Study]) -> None:
    store = Store(make_study())
    person = store.annotators.add("")
    current, following = store.next(person)
    assert store.next(person) == [current, following]
    store.submit(current.id, person, "left")
    assert store.next(person)[0] == following


def test_a_place_that_was_left_is_given_to_another_and_the_late_answer_refused(
    make_study: Callable[..., Study], clock: Clock
) -> None:
    trials = [forced_choice(0, "images", IMAGES)]
    store = Store(make_study(trials, answers_per_trial=1, reservation_minutes=10), clock)
    slow, quick = store.annotators.add("slow"), store.annotators.add("quick")
    late = store.next(slow)[0]
    assert store.next(quick) == []
    clock.now += 601
    taken = store.next(quick)[0]
    assert store.submit(late.id, slow, "left") == "gone"
    assert store.submit(taken.id, quick, "left") == "taken"
    assert store.next(slow) == []


def test_a_clock_that_is_set_back_gives_no_place_twice(make_study: Callable[..., Study], clock: Clock) -> None:
    trials = [forced_choice(0, "images", IMAGES)]
    store = Store(make_study(trials, answers_per_trial=1, reservation_minutes=10), clock)
    slow, quick = store.annotators.add("slow"), store.annotators.add("quick")
    late = store.next(slow)[0]
    clock.now += 601
    taken = store.next(quick)[0]
    clock.now -= 300
    assert {store.submit(late.id, slow, "left"), store.submit(taken.id, quick, "left")} == {"gone", "taken"}
    assert answers_per_trial(store) == [1]


def test_a_clock_that_is_set_back_over_midnight_keeps_the_limit_of_the_day(
    make_study: Callable[..., Study], clock: Clock
) -> None:
    trials = [forced_choice(4 * i, "description", IMAGES) for i in range(3)]  # one group
    limit = {"condition": "description", "max": 1, "per": "day", "scope": "group"}
    store = Store(make_study(trials, limits=[limit]), clock)
    person = store.annotators.add("")
    clock.now += 43_201
    assert len(take_all(store, person)) == 1
    clock.now -= 2
    assert store.next(person) == []
    assert store.has_more_later(person)


def test_a_late_answer_counts_where_its_place_is_still_free(make_study: Callable[..., Study], clock: Clock) -> None:
    store = Store(make_study(), clock)
    person = store.annotators.add("")
    late = store.next(person)[0]
    clock.now += 7 * 86_400
    assert store.submit(late.id, person, "right") == "taken"


def test_one_description_an_annotator_group_and_utc_day(make_study: Callable[..., Study], clock: Clock) -> None:
    trials = [forced_choice(i, "description", IMAGES) for i in range(8)]
    limit = {"condition": "description", "max": 1, "per": "day", "scope": "group"}
    store = Store(make_study(trials, limits=[limit]), clock)
    person = store.annotators.add("")
    clock.now += 43_199  # one second before midnight
    assert len(take_all(store, person)) == 4
    assert store.next(person) == []
    clock.now += 1
    assert len(take_all(store, person)) == 4
    query = "SELECT max(n) FROM (SELECT count(*) n FROM assignments a JOIN trials t ON t.id = trial GROUP BY day, grp)"
    assert store.database.rows(query)[0][0] == 1


def test_a_trial_shown_before_midnight_and_answered_after_counts_for_the_new_day(
    make_study: Callable[..., Study], clock: Clock
) -> None:
    trials = [forced_choice(4 * i, "description", IMAGES) for i in range(3)]  # one group
    limit = {"condition": "description", "max": 1, "per": "day", "scope": "group"}
    store = Store(make_study(trials, limits=[limit]), clock)
    person = store.annotators.add("")
    clock.now += 43_199
    shown = store.next(person)
    assert len(shown) == 1
    clock.now += 2
    assert store.next(person) == shown
    assert store.submit(shown[0].id, person, "left") == "taken"
    assert store.next(person) == []


@pytest.mark.parametrize(("scope", "expected"), [("group", 4 * 1), ("condition", 1)])
def test_a_limit_per_study_stays_the_next_day(
    make_study: Callable[..., Study], clock: Clock, scope: str, expected: int
) -> None:
    store = Store(make_study(limits=[{"condition": "images", "max": 1, "per": "study", "scope": scope}]), clock)
    person = store.annotators.add("")
    taken = len(take_all(store, person))
    clock.now += 86_400
    assert taken + len(take_all(store, person)) == expected


def test_an_annotator_meets_a_pair_of_queries_once(make_study: Callable[..., Study]) -> None:
    trials = [forced_choice(i, condition, IMAGES) for i in range(4) for condition in ("images", "description")]
    store = Store(make_study(trials, answers_per_trial=1))
    first, second = store.annotators.add(""), store.annotators.add("")
    assert {trial.split("-")[0] for trial in take_all(store, first)} == {"images"}
    assert {trial.split("-")[0] for trial in take_all(store, second)} == {"description"}


def test_catch_trials_are_spread_and_everyone_meets_them(make_study: Callable[..., Study]) -> None:
    ordinary = [forced_choice(i, "images", IMAGES) for i in range(12)]
    catch = [forced_choice(100 + i, "images", IMAGES, is_catch=True) for i in range(6)]
    store = Store(make_study(ordinary + catch, catch_every=4))
    for _ in range(3):
        taken = [int(trial.split("-")[1]) >= 100 for trial in take_all(store, store.annotators.add(""))]
        assert sum(taken) in (2, 3)  # one in four of twelve; the phase moves one over the end
        assert max(len(run) for run in "".join("c" if caught else "o" for caught in taken).split("c")) <= 4
        assert not taken[-1]


def test_without_ordinary_trials_left_no_catch_trial_is_asked(make_study: Callable[..., Study]) -> None:
    trials = [forced_choice(0, "images", IMAGES), forced_choice(1, "images", IMAGES, is_catch=True)]
    store = Store(make_study(trials, answers_per_trial=1, catch_every=1))
    take_all(store, store.annotators.add(""))
    assert take_all(store, store.annotators.add("")) == []


def test_many_browsers_at_once_never_exceed_the_asked_number(make_study: Callable[..., Study]) -> None:
    study = make_study(answers_per_trial=2)
    stores = [Store(study) for _ in range(4)]  # a connection each, as so many servers
    people = [stores[0].annotators.add("") for _ in range(6)]
    failures = []

    def take(number: int) -> None:
        try:
            take_all(stores[number % 4], people[number // 2])  # two browsers a person
        except AssertionError:
            failures.append(number)  # the other browser of the same person was first: allowed

    threads = [threading.Thread(target=take, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for person in people:
        take_all(stores[0], person)
    assert answers_per_trial(stores[0]) == [2] * 8
    pairs = Counter(
        map(tuple, stores[0].database.rows("SELECT trial, annotator FROM assignments WHERE answered IS NOT NULL"))
    )
    assert set(pairs.values()) == {1}


def test_the_database_itself_refuses_an_answer_too_many(make_study: Callable[..., Study]) -> None:
    store = Store(make_study(answers_per_trial=1))
    take_all(store, store.annotators.add(""))
    with pytest.raises(sqlite3.IntegrityError), store.database.writing() as db:
        db.execute("UPDATE trials SET answered = answered + 1 WHERE id = 0")


def test_answers_to_other_trials_are_refused(make_study: Callable[..., Study]) -> None:
    study = make_study()
    Store(study).database.close()
    lines = (study.folder / "trials.jsonl").read_text().splitlines()
    (study.folder / "trials.jsonl").write_text("\n".join(lines[1:]))
    with pytest.raises(UserError, match=r"another study\.json or trials.jsonl"):
        Store(load_study(study.folder))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_order_of_events_breaks_a_limit(
    make_study: Callable[..., Study], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    trials = [forced_choice(i, ("images", "description")[i % 3 == 0], IMAGES) for i in range(10)]
    limits = [{"condition": "description", "max": 1}, {"condition": "images", "max": 3, "scope": "condition"}]
    clock, name = Clock(), tmp_path_factory.mktemp("events").name
    store = Store(make_study(trials, name, answers_per_trial=2, limits=limits, reservation_minutes=60), clock)
    people = [store.annotators.add("") for _ in range(4)]
    shown: list[tuple[int, str]] = []
    events = st.tuples(st.sampled_from(people), st.sampled_from(["look", "answer", "answer", "wait", "night"]))
    for person, event in data.draw(st.lists(events, max_size=60)):
        clock.now += {"wait": 1900.0, "night": 30_000.0}.get(event, 1.0)
        if event == "look":
            shown += [(person, one.id) for one in store.next(person)]
        elif event == "answer" and shown:
            owner, assignment = shown[data.draw(st.integers(0, len(shown) - 1))]
            store.submit(assignment, owner, "left")
    answers = store.database.rows(
        """SELECT annotator, key, a.answered FROM assignments a JOIN trials t ON t.id = trial
        WHERE a.answered IS NOT NULL"""
    )
    days = [datetime.fromtimestamp(when, timezone.utc).date() for _, _, when in answers]
    asked = [store.study.trials[key] for _, key, _ in answers]
    assert max(Counter(trial.id for trial in asked).values(), default=0) <= 2
    rows = list(zip([row[0] for row in answers], asked, days, strict=True))
    described = Counter((who, trial.group, day) for who, trial, day in rows if trial.condition == "description")
    assert max(described.values(), default=0) <= 1
    looked = Counter((who, day) for who, trial, day in rows if trial.condition == "images")
    assert max(looked.values(), default=0) <= 3
    queries = Counter((who, trial.query_id) for who, trial, _ in rows)
    assert max(queries.values(), default=0) <= 1
