"""From names that simulated annotators gave to the page, and to concepts for reverse probing, as a user runs it."""

import json
from pathlib import Path

import pytest

from qscore.interpretability.reverse_probing.experts.namings import load_namings
from qscore.results import load_result
from qscore.study.__main__ import main
from tests.study.naming.conftest import write_maps


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study of two groups of 30 maps; two annotators name them by what they show, the second but one group."""
    maps = write_maps(tmp_path / "maps", (30, 30))
    rows = [json.loads(line) for line in (maps / "maps.jsonl").read_text().splitlines()]
    records = []
    for annotator, groups in ((1, (0, 1)), (2, (0,))):
        for group in groups:
            own = [row for row in rows if row["group"].endswith(str(group))]
            parts: dict[str, list[str]] = {}
            for row in own:
                parts.setdefault(row["feature"].removeprefix("secret-feature-"), []).append(row["activation_id"])
            concepts = [{"name": name, "members": members} for name, members in parts.items() if name != "noise"]
            said = {"annotator": annotator, "group": own[0]["group"], "concepts": concepts, "unlabelled": []}
            records.append({**said, "discarded": parts.get("noise", [])})
    (tmp_path / "namings.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    folder = tmp_path / "study"
    assert main(["new", "--naming", str(maps), "--out", str(folder)]) == 0
    return folder


def test_names_that_follow_features_are_pure_and_agree(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(study)]) == 2
    assert "got none; ask people" in capsys.readouterr().err
    assert main(["simulate", str(study), "--naming", str(study.parent / "namings.jsonl")]) == 0
    assert main(["report", str(study)]) == 0
    result = load_result(study / "results" / "namings.json")
    assert [result.metrics[name] for name in ("cx_purity", "xc_purity", "agreement/one_to_one")] == [1, 1, 1]
    assert any("2 annotators are simulated" in note for note in result.notes)
    page = (study / "report" / "index.html").read_text()
    assert "Two vocabularies side by side" in page
    assert "<h1>What simulated annotators named</h1>" in page
    assert main(["report", str(study), str(study), "--out", str(study.parent / "both")]) == 2
    assert "got 2 studies; report each on its own" in capsys.readouterr().err


def test_names_are_concepts_of_samples(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(study), "--naming", str(study.parent / "namings.jsonl")]) == 0
    path = study.parent / "people.csv"
    assert main(["export", str(study), "--concepts", str(path)]) == 0
    assert f"10 concepts of people in {path}" in capsys.readouterr().out
    found = load_namings(path)
    assert set(found.groups) == {"1", "2"}
    assert set(found.names) == {"head", "beak", "wing", "tail", "feet"}
    assert len(found.ids) == 20
    assert all(name.startswith("test/") for name in found.ids)
    assert {name.removeprefix("test/").split("-")[2] for name in found.ids} == {"0", "1"}
    (study / "groups.json").write_text(json.dumps({"groups": {}, "source": {"split": "train"}}))
    assert main(["export", str(study), "--concepts", str(path)]) == 0
    assert not any(name.startswith("test/") for name in load_namings(path).ids)
