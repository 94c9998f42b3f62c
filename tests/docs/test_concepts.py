"""docs/how-to/concepts.md runs as it stands, and its messages are those of the code."""

import logging
import re
from pathlib import Path
from typing import Any

import pytest

from qscore.errors import UserError
from qscore.interpretability.reverse_probing.concepts import labels_of, of_samples
from qscore.interpretability.reverse_probing.experts import KNOWN, expert_by_name
from qscore.interpretability.reverse_probing.experts.image_text import PHOTOGRAPHIC_STYLE
from qscore.interpretability.reverse_probing.tables import EXTENSIONS, load_concepts
from tests.conftest import REPOSITORY
from tests.docs.blocks import PYTHON
from tests.docs.conftest import play

FILE = REPOSITORY / "docs" / "how-to" / "concepts.md"
PAGE = FILE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the blocks define, run in order in one namespace."""
    return play(FILE, tmp_path_factory.mktemp("concepts"), PYTHON).names


def test_every_block_brings_its_concepts(names: dict[str, Any]) -> None:
    together = names["together"]
    assert together.ids == ("0", "1", "2", "3")
    labels = labels_of(together)
    assert {"[labels] indoors", "[scenes] beach", "[time] night", "[objects] dog", "[people] child"} <= set(labels)
    assert {"[colour] red", "[size] large", "[places] background", "[captions] dog", "[tom] long ears"} <= set(labels)
    assert {f"[photographic style] {sentence}" for sentence in PHOTOGRAPHIC_STYLE} <= set(labels)
    assert together.present[:, [labels.index("[objects] dog")]].toarray().ravel().tolist() == [1, 1, 0, 0]
    assert together.present[:, [labels.index("[size] large")]].toarray().all()  # 32 x 48 pixels


def test_the_lists_are_whole() -> None:
    assert all(f"`{name}`" in PAGE for name in KNOWN)
    assert all(extension in PAGE for extension in EXTENSIONS)


def test_messages_of_the_table_are_those_of_the_code(
    names: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def complaint(text: str) -> str:
        (tmp_path / "t.csv").write_text(text)
        with pytest.raises(UserError) as caught:
            load_concepts(tmp_path / "t.csv")
        return str(caught.value)

    said = [complaint("id;beach\n2;1\n"), complaint("id,beach\n2,maybe\n")]
    (tmp_path / "t.csv").write_text("id,red,never\n0,1,0\n1,1,0\n2,0,0\n")
    with caplog.at_level(logging.WARNING):
        few = load_concepts(tmp_path / "t.csv")
    said.append(caplog.text)
    for ask in (lambda: of_samples(few, names["ids"]), lambda: expert_by_name("color")):
        with pytest.raises(UserError) as caught:
            ask()
        said.append(str(caught.value))
    told = re.findall(r"^\| ((?:Expected|concepts apply|Unknown).*?) \| ", PAGE, flags=re.M)
    assert len(told) == len(said)
    assert [message in heard for message, heard in zip(told, said, strict=True)] == [True] * len(told), said
