"""docs/how-to/your-own-module.md runs as it stands, and its errors are those of the code."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from qscore import QScoreRegularizer
from qscore.errors import UserError
from tests.conftest import REPOSITORY
from tests.docs.blocks import PYTHON
from tests.docs.conftest import play

FILE = REPOSITORY / "docs" / "how-to" / "your-own-module.md"
PAGE = FILE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the blocks define, run in order in one namespace."""
    played = play(FILE, tmp_path_factory.mktemp("how-to"), PYTHON)
    return {**played.names, "folder": played.folder}


def test_every_block_trains_with_the_term(names: dict[str, Any]) -> None:
    for name in ("regularizer", "by_hand", "pooled", "of_compiled"):
        callback = names[name]
        assert callback.mined.num_samples == 64
        assert len(callback.mined.discriminative) == 64
        assert [sum(entry["counts"]) for entry in callback.histograms.closed] == [128, 128], name


def test_what_the_page_says_is_logged_is_logged(names: dict[str, Any]) -> None:
    assert set(re.findall(r"`(q_score/\w+)`", PAGE)) == {
        name for name in names["trainer"].callback_metrics if name.startswith("q_score/")
    }
    for file in re.findall(r"`(\w+\.json)`", PAGE):
        assert (names["folder"] / file).is_file(), file


def message(names: dict[str, Any], module: Any, **options: Any) -> str:
    settings = {"encoder": "backbone", "epsilon": 1.0, "images": names["plain_loader"], **options}
    trainer = names["pl"].Trainer(callbacks=[QScoreRegularizer(**settings)], **names["settings"])
    with pytest.raises(UserError) as caught:
        trainer.fit(module, names["view_loader"])
    return str(caught.value)


def test_errors_of_the_table_are_those_of_the_code(
    names: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frozen, manual = names["SimSiam"](), names["ManualSimSiam"]()
    frozen.backbone.requires_grad_(False)
    manual.training_step = lambda batch, batch_idx: manual.loss(batch).backward()
    collapsed = names["SimSiam"]()
    for parameter in collapsed.backbone.parameters():
        parameter.data.zero_()
    raised = [
        message(names, names["SimSiam"](), encoder="encoder"),
        message(names, frozen),
        message(names, manual),
        message(names, names["MapSimSiam"]()),
        message(names, names["SimSiam"](), images=[torch.zeros(3)]),
        message(names, collapsed, epsilon="auto"),
    ]
    table = re.findall(r"^\| ([A-Z].*?|epsilon.*?) \|", PAGE, flags=re.M)
    assert len(table) == len(raised)
    for told, said in zip(table, raised, strict=True):
        assert told.removesuffix(", ...") in said
