"""The commands of a naming study, as a user runs them, and a server that is killed in between."""

import csv
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from qscore.study.__main__ import main
from qscore.study.naming.export import PAUSE_S, actions, as_table, namings, places
from qscore.study.naming.folder import NamingStudy, load_naming_study
from qscore.study.naming.store import NamingStore
from qscore.study.tokens import Tokens
from tests.study.conftest import Clock
from tests.study.naming.conftest import SECRET_GROUP, write_maps
from tests.study.server import Server


def test_namings_are_played_and_come_out_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    maps, study, truth, out = (tmp_path / name for name in ("maps", "study", "truth.jsonl", "out.jsonl"))
    write_maps(maps, (9, 6))
    assert main(["new", "--naming", str(maps), "--out", str(study)]) == 0
    assert "15 maps in 2 groups" in capsys.readouterr().out
    records = [
        {
            "annotator": annotator,
            "group": f"{SECRET_GROUP}-{group}",
            "concepts": [{"name": "wing", "members": [f"secret-activation-{group}-{i}" for i in range(annotator)]}],
            "discarded": [f"secret-activation-{group}-5"],
            "unlabelled": [f"secret-activation-{group}-{i}" for i in range(annotator, 9 - 3 * group) if i != 5],
            "done": True,
        }
        for annotator in (1, 2)
        for group in (0, 1)
    ]
    truth.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert main(["simulate", str(study), "--naming", str(truth)]) == 0
    assert "12 actions of 2 simulated annotators" in capsys.readouterr().out
    assert main(["export", str(study), "--out", str(out)]) == 0
    exported = [json.loads(line) for line in out.read_text().splitlines()]
    counted = [{key: value for key, value in one.items() if key not in ("num_actions", "seconds")} for one in exported]
    assert counted == records
    assert [one["num_actions"] for one in exported] == [3] * 4
    table = tmp_path / "out.csv"
    assert main(["export", str(study), "--out", str(table)]) == 0
    with table.open() as file:
        rows = list(csv.DictReader(file))
    named = [(int(row["annotator"]), row["activation_id"]) for row in rows if row["concept"] == "wing"]
    assert named == [(one["annotator"], name) for one in records for name in one["concepts"][0]["members"]]
    assert len(rows) == 2 * 15
    assert Counter(row["place"] for row in rows) == {"concept": 6, "discarded": 4, "unlabelled": 20}
    assert "4 namings in" in capsys.readouterr().out
    for what, name in (("--actions", "actions.csv"), ("--names", "names.csv")):
        assert main(["export", str(study), what, "--out", str(tmp_path / name)]) == 0
    capsys.readouterr()
    assert main(["export", str(study), "--actions"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 12
    assert main(["simulate", str(study), "--naming", str(truth)]) == 2
    assert "--again" in capsys.readouterr().err
    assert main(["simulate", str(study), "--naming", str(out), "--again"]) == 0


@pytest.mark.parametrize(
    ("concept", "message"),
    [
        ({"name": "wing", "members": ["unknown"]}, "no activation 'unknown'"),
        ({"name": "wing"}, "line 2 lacks"),
        ({"name": " ", "members": []}, "needs a name"),
    ],
)
def test_a_wrong_record_leaves_nothing_behind(
    make_naming: Callable[..., NamingStudy], concept: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_naming(3, 3).frame.folder
    truth = folder.parent / "truth.jsonl"
    concepts = [{"name": "wing", "members": [f"secret-activation-{group}-0"]} for group in (0, 1)]
    simulate = ["simulate", str(folder), "--naming", str(truth)]
    for second, status in ((concept, 2), (concepts[1], 0)):
        said = [
            {"group": f"{SECRET_GROUP}-{group}", "concepts": [one]} for group, one in ((0, concepts[0]), (1, second))
        ]
        truth.write_text("".join(json.dumps(record) + "\n" for record in said))
        assert main(simulate) == status, "the corrected command is not refused"
    printed = capsys.readouterr()
    assert message in printed.err
    assert "4 actions of 1 simulated annotators" in printed.out


def test_no_typed_name_is_a_formula_of_a_spreadsheet() -> None:
    said = {"annotator": 1, "group": "a", "concepts": [{"name": "=1+1", "members": ["7"]}], "done": True}
    (row,) = csv.DictReader(as_table(places([said | {"discarded": [], "unlabelled": []}])).splitlines())
    assert row["concept"] == "'=1+1"
    (row,) = csv.DictReader(as_table([{"name_a": "+1 wing", "relation": "exact"}]).splitlines())
    assert row["name_a"] == "'+1 wing"


def test_secrets_of_the_study_stand_in_the_export_and_pauses_are_left_out(
    make_naming: Callable[..., NamingStudy], clock: Clock
) -> None:
    store = NamingStore(make_naming(9), clock)
    who = store.annotators.add("")
    group = store.groups(who)[0]
    store.open(who, group.key)
    key = sorted(group.keys)[0]
    for number, pause in enumerate((20, 30, PAUSE_S + 1, 5), 1):
        clock.now += pause
        place = ("discarded", "unlabelled")[number % 2]
        store.append(who, group.key, number, f"client-id-{number}", {"do": "move", "members": [key], "to": place})
    assert namings(store)[0]["seconds"] == 55
    assert actions(store)[3]["action"]["members"] == [group.by_key[key].activation_id]
    assert actions(store)[3]["group"].startswith(SECRET_GROUP)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda maps: (maps / "groups.json").unlink(), "no groups.json"),
        (lambda maps: (maps / "maps.jsonl").write_text(""), "no line"),
        (lambda maps: (maps / "maps.jsonl").write_text('{"group": "a"}\n'), "lacks activation_id"),
        (lambda maps: (maps / "maps.jsonl").write_text("[]\n"), "lacks"),
        (lambda maps: (maps / "maps" / "0-0.png").write_text("x"), "no image"),
    ],
)
def test_maps_that_are_not_as_expected_are_one_clear_message(
    tmp_path: Path, change: Callable[[Path], Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    maps = write_maps(tmp_path / "maps", (3,))
    change(maps)
    assert main(["new", "--naming", str(maps), "--out", str(tmp_path / "study")]) == 2
    assert message in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["maps"], "nothing is half made"


def test_rules_are_chosen_and_what_is_for_questions_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maps, study, rules = (tmp_path / name for name in ("maps", "study", "rules.json"))
    write_maps(maps, (3,))
    rules.write_text('{"confirmed_by": "annotators", "annotators_per_group": 9}')
    arguments = ["new", "--naming", str(maps), "--out", str(study)]
    assert main([*arguments, "--ratings"]) == 2
    assert "--ratings is for questions" in capsys.readouterr().err
    assert main([*arguments, "--policies", str(tmp_path)]) == 2
    assert main([*arguments, "--policies", str(rules), "--answers", "2"]) == 0
    assert "2 people name each" in capsys.readouterr().out
    policies = load_naming_study(study).policies
    assert (policies.confirmed_by, policies.annotators_per_group) == ("annotators", 2)
    assert main(["simulate", str(study), "--accuracy", "0.8"]) == 2
    assert main(["simulate", str(study), "--annotators", "splits"]) == 2
    assert "Did you mean 'split'" in capsys.readouterr().err


def test_habits_change_a_naming_as_they_should(make_naming: Callable[..., NamingStudy]) -> None:
    study = make_naming(60, 30)
    habits = ["same", "split", "merge", "noise", "random"]
    arguments = ["simulate", str(study.frame.folder), "--noise", "0.5", "--annotators", *habits]
    assert main(arguments) == 0
    store = NamingStore(study)
    assert [one.name for one in store.annotators.all()] == [f"simulated {name} {i}" for i, name in enumerate(habits, 1)]
    for group in study.groups.values():
        said = [one for one in namings(store) if one["group"] == group.name]
        same, split, merge, noise, random = [{tuple(c["members"]) for c in one["concepts"]} for one in said]
        for concept in same:
            features = {one.feature for one in group.activations if one.activation_id in concept}
            assert len(features) == 1
            assert sum(set(half) <= set(concept) for half in split) == 2
            assert sum(set(concept) <= set(whole) for whole in merge) == 1
        everything = set().union(*same)
        assert len(split) == 2 * len(same) > 2 * len(merge)
        assert everything == set().union(*split) == set().union(*merge) == set().union(*random) > set().union(*noise)
        assert random != same
        assert sorted(map(len, random)) == sorted(map(len, same))


def test_a_file_outside_of_the_folder_of_maps_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    maps = write_maps(tmp_path / "maps", (3,))
    file = maps / "maps.jsonl"
    file.write_text(file.read_text().replace("maps/0-1.png", "../secret.png"))
    assert main(["new", "--naming", str(maps), "--out", str(tmp_path / "study")]) == 2
    assert "outside" in capsys.readouterr().err


def act_until_done(address: str, form: str, keys: list[str], confirmed: list[int], stopped: threading.Event) -> None:
    """Sends 60 actions like a browser whose requests fail now and then, and who sends them again."""
    while len(confirmed) < 60 and not stopped.is_set():
        number = len(confirmed) + 1
        place = ("discarded", "unlabelled")[number % 2]
        action = {"do": "move", "members": [keys[number % len(keys)]], "to": place}
        sent = {"form": form, "number": number, "client_id": f"client-id-{number}", "action": action}
        try:
            if httpx2.post(f"{address}/act", json=sent, timeout=10).status_code == 200:
                confirmed.append(number)
        except httpx2.TransportError:
            time.sleep(0.05)


@pytest.mark.slow
def test_a_killed_server_loses_no_action_and_keeps_none_twice(make_naming: Callable[..., NamingStudy]) -> None:
    study = make_naming(9)
    store, server = NamingStore(study), Server(study.frame.folder)
    who = store.annotators.add("")
    store.annotators.consent(who)
    group = store.groups(who)[0]
    store.open(who, group.key)
    form = Tokens(study.frame.folder).form(f"annotator:{who}", f"group:{group.key}")
    confirmed: list[int] = []
    stopped = threading.Event()
    server.start()
    arguments = (f"{server.link(who)}/group/{group.key}", form, sorted(group.keys), confirmed, stopped)
    thread = threading.Thread(target=act_until_done, args=arguments)
    thread.start()
    try:
        for kill in range(1, 4):
            while len(confirmed) < 15 * kill and thread.is_alive():
                time.sleep(0.002)
            server.kill()
            server.start()
        thread.join(timeout=60)
    finally:
        stopped.set()
        server.kill()
    kept = NamingStore(load_naming_study(study.frame.folder)).log(who, group.key)
    assert [entry["number"] for entry in kept] == confirmed == list(range(1, 61))
    assert store.database.rows("PRAGMA integrity_check")[0][0] == "ok"
