"""Reverse probing from the command line: what is asked for is done, and a mistake is said before hours of work."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from qscore.application.command_line import expand_shortcuts
from qscore.encoders import Encoder, save_encoder
from qscore.results import load_result
from tests.application.conftest import tiny

Command = Callable[..., tuple[int, str]]
OPTIONS = "evaluation.reverse_probing"
QUICK = [f"{OPTIONS}.num_clusters=4", f"{OPTIONS}.num_clusterings=2"]


@pytest.fixture
def asked(tmp_path: Path, encoder: Encoder) -> list[str]:
    """Options of evaluate.py: an encoder that knows nothing, on squares of three shades."""
    generator = np.random.default_rng(0)
    labels, shades = np.arange(160) % 3, generator.permutation(np.arange(160) % 3)  # nobody can tell the class
    images = generator.integers(0, 40, (160, 20, 20)) + 80 * shades[:, None, None]
    np.savez(tmp_path / "squares.npz", images=images.astype(np.uint8), labels=labels)
    save_encoder(encoder, tmp_path)
    data = [f"data={tmp_path}/squares.npz", "data.image_size=28", f"out={tmp_path}/out", "trainer.accelerator=cpu"]
    return [f"encoder={tmp_path}/encoder.safetensors", *data]


def words(path: Path, num: int) -> str:
    """A table of one word for the images of even number; returns its path."""
    rows = "".join(f"{i},{int(i % 2 == 0)}\n" for i in range(num))
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"id,[made up] even\n{rows}")
    return str(path)


def test_words_become_absolute_paths() -> None:
    expanded = expand_shortcuts(["concepts=[labels,'a b/t=1.csv',captions:c/d.csv]"], "evaluate")
    here = Path.cwd()
    assert expanded == [f"{OPTIONS}.concepts=['labels','{here}/a b/t=1.csv','captions:{here}/c/d.csv']"]
    assert expand_shortcuts(["concepts=colour"], "train") == [f"{OPTIONS}.concepts=['colour']"]
    at_nine = expand_shortcuts(["concepts=/runs/09:00:00/t.csv"], "train")
    assert at_nine == [f"{OPTIONS}.concepts=['/runs/09:00:00/t.csv']"]
    swept = expand_shortcuts(["concepts=[labels,colour],[edges]"], "train")
    assert swept == [f"{OPTIONS}.concepts=['labels','colour'],['edges']"]
    both = expand_shortcuts(["evaluation=[reverse_probing,reverse_transfer]", "concepts=[edges]"], "evaluate")
    assert both[1:] == [f"evaluation.{name}.concepts=['edges']" for name in ("reverse_probing", "reverse_transfer")]


def test_a_table_labels_and_experts_probe_any_encoder(tmp_path: Path, asked: list[str], command: Command) -> None:
    table = words(tmp_path / "my words" / "even=0.csv", 160)
    status, said = command(
        "evaluate", *asked, "evaluation=reverse_probing", f"concepts=[labels,'{table}',brightness]", *QUICK
    )
    assert status == 0, said
    result = load_result(tmp_path / "out" / "results" / "reverse_probing.json")
    assert result.settings["groups"] == ["labels", "made up", "brightness"]
    assert result.settings["num_clusters"] == 4
    assert result.arrays["clusterings"].shape[0] == 2
    assert result.metrics["bridge/auroc_surprise"] is not None
    elsewhere = [f"evaluation.reverse_transfer.datasets=[{tmp_path}/squares.npz]", "concepts=[brightness]"]
    status, said = command("evaluate", *asked, "evaluation=reverse_transfer", *elsewhere)
    assert status == 0, said
    transferred = load_result(tmp_path / "out" / "results" / "reverse_transfer.json")
    assert transferred.arrays["datasets"].tolist() == ["squares"]
    assert transferred.settings["concepts"] == ["brightness"]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("{few}", "Expected concepts of every sample, got none of"),
        ("nowhere.csv", "Expected a table of concepts, found no file at"),
        ("colours", "Did you mean 'colour'"),
        ("[]", "Expected concepts to probe with, got none"),
        ("null", "Expected concepts to probe with, got none"),
    ],
)
def test_a_mistake_in_concepts_is_said(
    word: str, message: str, tmp_path: Path, asked: list[str], command: Command
) -> None:
    word = word.format(few=words(tmp_path / "few.csv", 20))
    status, said = command("evaluate", *asked, "evaluation=reverse_probing", f"concepts={word}", *QUICK)
    assert status == 2
    assert message in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("num_clusters=2.5", "Expected whole numbers from 2 in num_clusters, got 2.5"),
        ("num_clusters=0", "Expected whole numbers from 2 in num_clusters, got 0"),
        ("ks=10", r"write ks=[50,100]"),
        ("grouping=null", "Unknown grouping 'None'"),
        ("grouping=k-mean", "Did you mean 'k-means'"),
        ("solver=adam", "solver 'adam'"),
    ],
)
def test_an_option_without_a_meaning_is_said(option: str, message: str, asked: list[str], command: Command) -> None:
    status, said = command("evaluate", *asked, "evaluation=reverse_probing", "concepts=labels", f"{OPTIONS}.{option}")
    assert status == 2
    assert message in said
    assert "Traceback" not in said


def test_a_missing_table_is_said_before_training(tmp_path: Path, command: Command) -> None:
    concepts = ["evaluation=[linear_probe,reverse_probing]", "concepts=[labels,nowhere.csv]"]
    status, said = command("train", *tiny(tmp_path, "lambda=1", *concepts))
    assert status == 2
    assert "nowhere.csv" in said
    assert not (tmp_path / "pretrained").exists()


def test_concepts_without_the_evaluation_are_said(asked: list[str], command: Command) -> None:
    status, said = command("evaluate", *asked, "evaluation=knn", "concepts=labels")
    assert status == 2
    assert "evaluation=reverse_probing" in said
