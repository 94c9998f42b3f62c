"""The benchmarks run; what they measure is not judged here."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks import evaluation, figures, growth, harness, page, training
from benchmarks.parts import parts
from benchmarks.views import views


def finite(found: object) -> bool:
    if isinstance(found, dict):
        return all(map(finite, found.values()))
    if isinstance(found, list):
        return all(map(finite, found))
    return not isinstance(found, float) or found == found


@pytest.mark.slow
def test_the_comparisons_of_the_evaluations_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--small", "--rounds", "1", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["evaluation", *options, "--only", "gates"])
    evaluation.main()
    monkeypatch.setattr(growth, "_in_a_process", growth.measure)  # a process takes seconds to start
    monkeypatch.setattr("sys.argv", ["evaluation", *options, "--only", "growth"])
    evaluation.main()
    found = json.loads((tmp_path / "evaluation.json").read_text())
    assert set(found["gates"]) == set(evaluation.GATES)
    for gate in found["gates"].values():
        assert gate["cpu_s"]
        assert set(gate["held"]) == set(gate["ratios"])
    assert set(found["growth"]) == set(evaluation.TASKS)
    for task in found["growth"].values():
        assert [row["rows"] for row in task["measured"]] == [300, 600]
    assert found["machine"]["processor"]
    assert finite(found)


def test_every_variant_runs_in_every_round_and_in_no_fixed_order() -> None:
    ran: list[str] = []
    variants = {name: (lambda name=name: ran.append(name)) for name in "abc"}  # type: ignore[misc]
    times = harness.interleaved(variants, 20, warm=False)
    assert {name: len(values) for name, values in times.items()} == {"a": 20, "b": 20, "c": 20}
    rounds = [tuple(ran[start : start + 3]) for start in range(0, 60, 3)]
    assert all(sorted(order) == ["a", "b", "c"] for order in rounds)
    assert len(set(rounds)) > 1


def test_a_result_names_the_machine_but_not_the_host(tmp_path: Path) -> None:
    found = json.loads(harness.save("any", {"x": 1}, tmp_path / "new").read_text())
    assert found["x"] == 1
    assert found["machine"]["versions"]["torch"]
    assert harness.platform.node() not in json.dumps(found)


CPU = torch.device("cpu")


@pytest.mark.slow
def test_the_parts_of_a_training_are_whole() -> None:
    for size in views(CPU, 1, small=True).values():
        assert {"ours", "ours, yiq", "lightly"} <= set(size["cpu_s"])  # type: ignore[call-overload]
    found = parts(CPU, 1, small=True)
    assert finite(found)
    assert set(found["loop_ms_per_step"]) == {"by hand", "without regularizer", "with regularizer"}  # type: ignore[call-overload]


@pytest.mark.slow
def test_every_variant_of_a_training_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = training.SMALL["32px"]
    here = lambda name, s: training.measured_here(name, s, CPU, steps=2)  # noqa: E731
    monkeypatch.setattr(training, "in_a_process", here)
    through_train, ran = training._train, []

    def once(*arguments: object, **options: object) -> tuple[float, dict[str, float]]:
        ran.append(ran[0] if ran else through_train(*arguments, **options))  # type: ignore[arg-type]
        return len(ran) + 1.0, {**ran[0][1], "num_steps": len(ran)}

    monkeypatch.setattr(training, "_train", once)
    found = training.end_to_end(setting, 1, CPU)
    assert ran[0][0] > 0
    assert ran[0][1]["images_per_second"] > 0
    assert set(found["images_per_second"]) == {"train.py", *training.variants(CPU)}  # type: ignore[call-overload]
    assert finite(found)


def test_the_page_says_what_the_results_say(tmp_path: Path) -> None:
    results = page.read()
    text = page.PAGE.read_text()
    assert page.filled(text, results) == text, "run python -m benchmarks.page"
    for path in figures.draw(results, tmp_path):
        assert (page.PICTURES / path.name).is_file()
        assert f"images/{path.name}" in text
