"""A disk that is full, or that may not be written to: one message, nothing half, and on once it is mended."""

import shutil
from pathlib import Path

import pytest

from tests.faults.checks import broken_files, differences, num_unfinished, outcome
from tests.faults.kills import Campaign
from tests.faults.small_disk import can_mount, run_on
from tests.faults.stages import STAGES, Stage, images

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not can_mount(), reason="no process may mount a disk here")]
MISTAKE = 2


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return Campaign(tmp_path_factory.mktemp("disk"), 0)


def begun(campaign: Campaign, stage: Stage) -> Path:
    """The folder of the campaign as the stage finds it."""
    home = campaign.home
    shutil.rmtree(home)
    if stage.needs is None:
        images(home)
    else:
        shutil.copytree(campaign.templates / stage.needs, home)
    return home


@pytest.mark.parametrize(
    ("name", "size"),
    [("pretraining", "700k"), ("pretraining", "40k"), ("extraction", "64k"), ("report", "150k")],
)
def test_a_full_disk_is_told_and_the_work_goes_on_when_there_is_room(campaign: Campaign, name: str, size: str) -> None:
    stage = STAGES[name]
    expected = campaign.know(stage)[2]
    home = begun(campaign, stage)
    logs = campaign.folder / f"{name}-{size}"
    again = ["train", f"resume={home}/run"] if stage.is_training and size != "40k" else stage.command(home)
    first, second = run_on(home, size, [stage.command(home), again], logs)
    said, then = ((logs / f"{number}.txt").read_text() for number in (0, 1))
    assert first == MISTAKE, said[-2000:]
    assert "Traceback" not in said
    assert said.count("Expected room on the disk of") == 1
    assert str(home) in said.split("Expected room on the disk of")[1]
    assert second == 0, then[-2000:]
    assert broken_files(home) == []
    assert differences(expected, outcome(home)) == []


@pytest.mark.parametrize("name", ["pretraining", "extraction", "report"])
def test_a_folder_that_may_not_be_written_to_is_told(campaign: Campaign, name: str) -> None:
    stage = STAGES[name]
    campaign.know(stage)
    home = begun(campaign, stage)
    logs = campaign.folder / f"{name}-read-only"
    first, second = run_on(home, "0k", [stage.command(home)] * 2, logs, read_only=True)
    said = (logs / "0.txt").read_text()
    assert first == MISTAKE, said[-2000:]
    assert "Traceback" not in said
    assert "Read-only file system" in said
    assert second == 0, (logs / "1.txt").read_text()[-2000:]
    assert num_unfinished(home) == 0
