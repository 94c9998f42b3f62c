"""What processes of one run agree on before they meet, told by the environment alone."""

import os
from pathlib import Path

import pytest
from torch.distributed import TCPStore

from qscore.application.launch import STARTED, agreed_start, is_first_process, wait_for_first_process
from qscore.errors import UserError

LAUNCHERS = ("RANK", "SLURM_PROCID", "NODE_RANK", "LOCAL_RANK", "TORCHELASTIC_RUN_ID", "SLURM_NTASKS", STARTED)


@pytest.fixture(autouse=True)
def _started_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LAUNCHERS:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, True),
        ({"LOCAL_RANK": "0", "NODE_RANK": "0"}, True),  # started by hand
        ({"LOCAL_RANK": "1"}, False),  # Lightning's child
        ({"LOCAL_RANK": "0", "NODE_RANK": "1"}, False),  # Lightning on the second node
        ({"RANK": "2", "LOCAL_RANK": "0"}, False),  # torchrun on the second node
        ({"SLURM_PROCID": "0"}, True),
        ({"SLURM_PROCID": "3"}, False),
        ({"SLURM_PROCID": "0", "LOCAL_RANK": "1"}, False),  # Lightning's child in an interactive SLURM job
    ],
)
def test_one_process_is_the_first(environment: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_first_process() is expected


def start(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    with monkeypatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with agreed_start():
            found = os.environ[STARTED]
        assert os.environ.get(STARTED) == environment.get(STARTED)
    return found


def test_children_of_lightning_inherit_the_start_and_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    assert start(monkeypatch, LOCAL_RANK="1", QSCORE_STARTED="then") == "then"
    assert start(monkeypatch, QSCORE_STARTED="then") != "then"


def test_torchrun_processes_hear_the_start_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    store = TCPStore("localhost", 0, is_master=True, wait_for_workers=False)
    meeting = {"TORCHELASTIC_RUN_ID": "none", "MASTER_ADDR": "localhost", "MASTER_PORT": str(store.port)}
    first = start(monkeypatch, RANK="0", **meeting)
    monkeypatch.setattr("qscore.application.launch._now", lambda: "later")
    assert start(monkeypatch, RANK="1", **meeting) == first


def test_a_requeued_slurm_job_goes_on_in_its_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    job = {"SLURM_NTASKS": "2", "SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0"}
    names = {start(monkeypatch, SLURM_PROCID=rank, **job) for rank in ("0", "1")}
    assert names == {"job7.0"}
    assert start(monkeypatch, **{**job, "SLURM_NTASKS": "1"}) not in names


def test_others_wait_for_the_first_and_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "encoder.json"
    wait_for_first_process(file.is_file, "the encoder", patience_s=0)
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(UserError, match="the encoder from the first process"):
        wait_for_first_process(file.is_file, "the encoder", patience_s=0)
    file.touch()
    wait_for_first_process(file.is_file, "the encoder", patience_s=0)
