"""docs/reverse-probing.md runs as it stands, and its numbers are those of the code."""

from pathlib import Path

from qscore.interpretability.reverse_probing.split import TEST, VALIDATION
from tests.conftest import REPOSITORY
from tests.docs.blocks import PYTHON
from tests.docs.conftest import play

FILE = REPOSITORY / "docs" / "reverse-probing.md"
PAGE = FILE.read_text(encoding="utf-8")


def test_the_block_says_what_the_page_says(tmp_path: Path) -> None:
    names = play(FILE, tmp_path, PYTHON).names
    assert 1.9 < names["probe"].information_bits < 2.02
    assert names["probe"].top1 > 0.99


def test_shares_of_the_split() -> None:
    train, validation = (1 - TEST) * (1 - VALIDATION), (1 - TEST) * VALIDATION
    assert (
        f"on {train:.0%} of every cluster, chosen on {validation:.0%}, measured on {TEST:.0%}".replace("%", " %")
        in PAGE
    )
