"""CITATION.cff cites this package, and the papers by the numbers that the code cites them by."""

import re

import yaml

from tests.conftest import REPOSITORY

CITATION = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_citation_has_what_its_format_requires() -> None:
    assert {"cff-version", "message", "title", "authors"} <= CITATION.keys()
    assert CITATION["license"] == "MIT"
    assert "version" not in CITATION, "it stands in qscore/__init__.py alone"


def test_every_paper_is_one_that_the_code_cites() -> None:
    code = " ".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "qscore").rglob("*.py"))
    for paper in CITATION["references"]:
        (identifier,) = paper["identifiers"]
        number = identifier["value"].removeprefix("arXiv:")
        assert re.search(rf"arXiv {number}", code), paper["title"]
        assert paper["url"] == f"https://arxiv.org/abs/{number}"
    assert len(CITATION["references"]) == 4
