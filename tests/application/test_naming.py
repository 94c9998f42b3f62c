"""Naming from the command line: maps of any encoder become a study, and a mistake is said before hours of work."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from qscore.encoders import Encoder, save_encoder
from qscore.results import load_result
from qscore.study.__main__ import main
from qscore.study.naming.folder import load_naming_study

Command = Callable[..., tuple[int, str]]
OPTIONS = "evaluation.naming"


@pytest.fixture
def asked(tmp_path: Path, encoder: Encoder) -> list[str]:
    """Options of evaluate.py: an encoder that knows nothing, on squares of three shades."""
    labels = np.arange(160) % 3
    images = np.random.default_rng(0).integers(0, 40, (160, 20, 20)) + 80 * labels[:, None, None]
    np.savez(tmp_path / "squares.npz", images=images.astype(np.uint8), labels=labels)
    save_encoder(encoder, tmp_path)
    data = [f"data={tmp_path}/squares.npz", "data.image_size=28", f"out={tmp_path}/out", "trainer.accelerator=cpu"]
    return [f"encoder={tmp_path}/encoder.safetensors", *data, "scoring.epsilon=1", "evaluation=naming"]


def test_maps_of_an_encoder_become_a_study(
    tmp_path: Path, asked: list[str], command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    status, message = command("evaluate", *asked, f"{OPTIONS}.num_images=4", f"{OPTIONS}.num_groups=2")
    assert status == 0, message
    result = load_result(tmp_path / "out" / "results" / "naming.json")
    assert (
        main(["new", "--naming", str(tmp_path / "out" / "results" / "naming.json"), "--out", str(tmp_path / "s")]) == 0
    )
    groups = load_naming_study(tmp_path / "s").groups.values()
    shown = {one.activation_id for group in groups for one in group.activations}
    assert shown == set(result.arrays["activation"].tolist())
    assert len(groups) == 2
    assert "everyone names each" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (f"{OPTIONS}.source=discriminatve", "Did you mean 'discriminative'"),
        (f"{OPTIONS}.group_by=labels", "Did you mean 'label'"),
        (f"{OPTIONS}.method=gradcam", "Unknown method of maps 'gradcam'"),
        (f"{OPTIONS}.share=90", "write 0.9 for 90 %"),
        (f"{OPTIONS}.num_images=0", "Expected a whole number from 1 in num_images, got 0"),
        (f"{OPTIONS}.num_clusters=1", "Expected a whole number from 2 in num_clusters"),
        (f"{OPTIONS}.maps=3", "Expected true or false in maps, got 3"),
        (f"{OPTIONS}.split=val", "Unknown split of naming 'val'"),
        (f"{OPTIONS}.layer=3", "Expected the name of a layer"),
        (f"{OPTIONS}.layer=layer9", "layer9"),
        (f"+{OPTIONS}.num_image=3", "Did you mean 'num_images'"),
    ],
)
def test_an_option_without_a_meaning_is_said(option: str, message: str, asked: list[str], command: Command) -> None:
    status, said = command("evaluate", *asked, option)
    assert status == 2
    assert message in said
    assert "Traceback" not in said


def test_what_fits_no_class_score_is_refused(asked: list[str], command: Command) -> None:
    status, said = command("evaluate", *asked, f"{OPTIONS}.source=probe", f"{OPTIONS}.group_by=feature")
    assert status == 2
    assert "Expected group_by=label with source=probe" in said
