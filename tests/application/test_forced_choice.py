"""Forced choice from the command line: what is asked for is done, and a mistake is said before hours of work."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from qscore.application.command_line import expand_shortcuts
from qscore.encoders import Encoder, save_encoder
from qscore.results import load_result
from tests.application.conftest import tiny

Command = Callable[..., tuple[int, str]]
OPTIONS = "evaluation.forced_choice"
QUICK = [f"{OPTIONS}.num_clusters=3", f"{OPTIONS}.num_trials=2", f"{OPTIONS}.num_references=4"]


@pytest.fixture
def asked(tmp_path: Path, encoder: Encoder) -> list[str]:
    """Options of evaluate.py: an encoder that knows nothing, on squares of three shades."""
    labels = np.arange(160) % 3
    images = np.random.default_rng(0).integers(0, 40, (160, 20, 20)) + 80 * labels[:, None, None]
    np.savez(tmp_path / "squares.npz", images=images.astype(np.uint8), labels=labels)
    save_encoder(encoder, tmp_path)
    data = [f"data={tmp_path}/squares.npz", "data.image_size=28", f"out={tmp_path}/out", "trainer.accelerator=cpu"]
    return [f"encoder={tmp_path}/encoder.safetensors", *data, "evaluation=forced_choice"]


def test_words_and_files_become_overrides(tmp_path: Path) -> None:
    here = Path.cwd()
    (tmp_path / "a=b.csv").touch()
    for written, expected in (
        ("captions=labels", "captions='labels'"),
        ("captions=[colour,shape]", "captions=['colour','shape']"),
        ("captions=my_models.blip:caption", "captions='my_models.blip:caption'"),
        ("captions='c/d e.csv'", f"captions='{here}/c/d e.csv'"),
        (f"descriptions={tmp_path}/a=b.csv", f"descriptions='{tmp_path}/a=b.csv'"),
        ("descriptions=null", "descriptions=null"),
    ):
        assert expand_shortcuts([written], "evaluate") == [f"{OPTIONS}.{expected}"]


def test_captions_of_a_file_describe_any_encoder(tmp_path: Path, asked: list[str], command: Command) -> None:
    said = tmp_path / "my captions=1.csv"
    said.write_text("id,caption\n" + "".join(f"{i},{('dark', 'grey', 'light')[i % 3]} squares\n" for i in range(160)))
    status, message = command("evaluate", *asked, f"captions={said}", *QUICK)
    assert status == 0, message
    result = load_result(tmp_path / "out" / "results" / "forced_choice.json")
    assert set(result.arrays["caption"]) <= {"dark squares", "grey squares", "light squares"}
    questions = tmp_path / "representations" / result.settings["questions"]
    assert {path.name for path in questions.iterdir()} == {"trials.jsonl", "images", "images.json", "groups.json"}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("captions=nowhere.csv", "found no file at"),
        ("captions=[]", "Expected words for captions, got none"),
        ("captions=[colours]", "Did you mean 'colour'"),
        ("captions=lables", "Unknown captions 'lables'"),
        ("captions=null", "Expected captions as auto"),
        ("captions=nowhere:caption", "it cannot be imported"),
        ("descriptions=nowhere.csv", "Expected a CSV with the columns group, description"),
        (f"{OPTIONS}.sentence_encoder=bert", "Expected a sentence encoder as auto, tfidf or module:name"),
        (f"{OPTIONS}.num_trials=0", "Expected whole numbers from 1 in num_trials, got 0"),
        (f"{OPTIONS}.ask_features=true", "Expected whole numbers from 0 in ask_features, got True"),
        (f"{OPTIONS}.questions=3", "Expected true or false in questions, got 3"),
        (f"{OPTIONS}.num_clusters=1", "Expected whole numbers from 2 in num_clusters"),
        (f"{OPTIONS}.grouping=label", "Did you mean 'labels'"),
        (f"+{OPTIONS}.num_trails=3", "Did you mean 'num_trials'"),
    ],
)
def test_an_option_without_a_meaning_is_said(option: str, message: str, asked: list[str], command: Command) -> None:
    status, said = command("evaluate", *asked, option)
    assert status == 2
    assert message in said
    assert "Traceback" not in said


def test_missing_captions_are_said_before_training(tmp_path: Path, command: Command) -> None:
    wanted = ["evaluation=[linear_probe,forced_choice]", "captions=nowhere.csv"]
    status, said = command("train", *tiny(tmp_path, "lambda=1", *wanted))
    assert status == 2
    assert "nowhere.csv" in said
    assert not (tmp_path / "pretrained").exists()
