"""A model card says what was measured, and what was not."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from qscore.encoders import Encoder
from qscore.encoders.card_facts import MEASURED
from qscore.encoders.export import save_encoder
from qscore.encoders.model_card import CARD, NEW_CARD, write_card
from qscore.files import read_json, write_json
from qscore.results import Result

HOW = "model = timm.create_model('local-dir:export', pretrained=True)"
NUMBERS = {"top1": 0.8125, "rank_me": 12.3456789, "auroc": 0.75, "auroc_low": 0.7, "auroc_high": 0.8}


@pytest.fixture
def run(tmp_path: Path, encoder: Encoder) -> Path:
    """A run fine-tuned from a stranger's checkpoint, with two of its evaluations, and one of its baseline."""
    run, baseline = tmp_path / "a|run", tmp_path / "imported"
    save_encoder(encoder, run, image_size=28)
    config = {"method": {"name": "simclr"}, "data": {"name": "cifar10"}, "lambda": 0.1, "epsilon": 4.0, "seed": 3}
    origins = {"baseline": "../imported/results"}
    facts = {"stage": "fine_tune", "config": config, "baseline": "../imported", "origins": origins, "num_steps": 7}
    write_json(run / "run.json", facts)
    given = {"path": "/home/somebody/moco.pth", "sha256": "ab" * 32, "layout": "moco", "role": "query"}
    write_json(baseline / "run.json", {"stage": "imported", "config": {"checkpoint": given}})
    for name, metrics in (("linear_probe", ["top1"]), ("misclassification", ["auroc", "auroc_low", "auroc_high"])):
        Result(name, {key: NUMBERS[key] for key in metrics}, settings={"images": "x"}).save(run / "results")
    Result("linear_probe", {"top1": 0.5}, settings={"images": "x"}).save(baseline / "results")
    return run


@pytest.fixture
def card(run: Path, encoder: Encoder) -> Callable[[], Path]:
    return lambda: write_card(encoder, run, run / "export", target="timm", how=HOW, size_px=28)


def table(text: str) -> dict[str, list[str]]:
    """The first cell of each row of every table, and the others."""
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("| ")]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}


def test_the_front_matter_is_yaml_that_leaves_the_licence_to_the_user(card: Callable[[], Path]) -> None:
    matter = yaml.safe_load(card().read_text(encoding="utf-8").split("---\n")[1])
    assert matter["library_name"] == "timm"
    assert {"simclr", "q-score"} <= set(matter["tags"])
    assert "license" not in matter


def test_numbers_are_those_of_the_result_files(run: Path, card: Callable[[], Path]) -> None:
    rows = table(card().read_text(encoding="utf-8"))
    names = {(evaluation, metric): name for evaluation, metric, name in MEASURED}
    own = read_json(run / "results" / "linear_probe.json")["metrics"]["top1"]
    assert [float(cell) for cell in rows[names["linear_probe", "top1"]]] == [own, 0.5]
    assert rows[names["misclassification", "auroc"]] == ["0.75 (0.7 to 0.8)", "not measured"]
    assert (rows["lambda"], rows["seed"], rows["training steps"]) == (["0.1"], ["3"], ["7"])
    weights = hashlib.sha256((run / "encoder.safetensors").read_bytes()).hexdigest()
    assert rows["SHA-256 of the run's weights"] == [weights]


def test_the_checkpoint_is_named_without_the_folders_of_the_machine(card: Callable[[], Path]) -> None:
    text = card().read_text(encoding="utf-8")
    assert table(text)["checkpoint"] == ["moco.pth"]
    assert table(text)["its SHA-256"] == ["ab" * 32]
    assert "somebody" not in text


def test_what_was_not_measured_is_said(card: Callable[[], Path]) -> None:
    missing = re.search(r"Not measured: (.*)\.\n", card().read_text(encoding="utf-8"))
    assert missing
    measured = {("linear_probe", "top1"), ("misclassification", "auroc")}
    assert missing[1].split("; ") == [name for *key, name in MEASURED if tuple(key) not in measured]


def test_a_baseline_of_other_images_does_not_stand_beside(run: Path, card: Callable[[], Path]) -> None:
    Result("linear_probe", {"top1": 0.5}, settings={"images": "y"}).save(run / "../imported/results")
    assert table(card().read_text(encoding="utf-8"))["Linear probe, top-1"] == ["0.8125"]


def test_a_file_without_results_says_so(run: Path, encoder: Encoder) -> None:
    file = run / "encoder.safetensors"
    text = write_card(encoder, file, run / "out", target="onnx", how="", size_px=28).read_text(encoding="utf-8")
    assert "there are no results beside this encoder" in text
    assert all(name in text.split("Not measured: ")[1] for *_, name in MEASURED)


def test_a_card_that_the_user_changed_is_never_overwritten(run: Path, card: Callable[[], Path]) -> None:
    first = card()
    assert (first.name, card().name) == (CARD, CARD)
    changed = first.read_text(encoding="utf-8").replace("# license:", "license: mit  #")
    first.write_text(changed, encoding="utf-8")
    assert card().name == NEW_CARD
    assert first.read_text(encoding="utf-8") == changed
