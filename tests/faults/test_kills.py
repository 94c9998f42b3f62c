"""A few kills of the stages; `make faults` does two hundred."""

from pathlib import Path

import pytest

from tests.faults.kills import Campaign
from tests.faults.stages import STAGES
from tests.faults.study_kills import kill_study

SEED = 1  # other kills than those of `make faults`


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return Campaign(tmp_path_factory.mktemp("kills"), SEED)


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_a_stage_that_is_killed_again_and_again_ends_as_if_nothing_had_happened(campaign: Campaign, name: str) -> None:
    kills = campaign.chain(name, 0, length=2)
    assert [kill for kill in kills if kill.faults] == [], f"python -m tests.faults --seed {SEED} --only {name}:0"


@pytest.mark.slow
def test_the_server_of_a_study_that_is_killed_again_and_again_loses_no_answer(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    kills = kill_study(tmp_path, SEED, 0)
    assert kills
    assert [kill for kill in kills if kill.faults] == []
