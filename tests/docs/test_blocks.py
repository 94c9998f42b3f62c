"""Every block of the documentation runs, or says why it cannot and is understood."""

import ast
import json
import shutil
from pathlib import Path

import pytest
import tomllib
from omegaconf import OmegaConf

from tests.conftest import REPOSITORY
from tests.docs.blocks import OUTPUT, PYTHON, SETTINGS, SHELL, blocks_of, fences, pages
from tests.docs.conftest import play

READERS = {"yaml": OmegaConf.create, "toml": tomllib.loads, "json": json.loads}
WITH_BLOCKS = [page for page in pages() if fences(page)]


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_no_block_is_missed_or_of_a_kind_that_nobody_checks(page: Path) -> None:
    blocks = blocks_of(page)
    assert 2 * len(blocks) == fences(page), "a fence that is no ``` block"
    for block in blocks:
        assert block.language in PYTHON | SHELL | SETTINGS | OUTPUT, f"{block.place}: a block of '{block.language}'"
        assert block.how != "run with" or block.language in PYTHON | SHELL, block.place
        if block.language in SETTINGS and "--8<--" not in block.text:
            READERS[block.language](block.text)
        if block.how == "run in":
            assert page.name in (REPOSITORY / block.what).read_text(encoding="utf-8"), block.place
        if block.how == "not run" and block.language in PYTHON:
            ast.parse(block.text)


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_every_block_runs(page: Path, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "here")
    play(page, tmp_path / "here", PYTHON | SHELL)
