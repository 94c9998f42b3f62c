"""What the processes of one run, on several devices or nodes, must agree on before they meet."""

import datetime
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qscore.errors import UserError

STARTED = "QSCORE_STARTED"  # conf/train.yaml names the run directory after it
RANKS = ("RANK", "SLURM_PROCID", "NODE_RANK", "LOCAL_RANK")
PATIENCE_S = 1800.0
# The first process alone writes the configuration and the log into the run directory.
OF_OTHERS = ("hydra.output_subdir=null", "hydra/job_logging=stdout", "hydra.job_logging.root.level=WARNING")


def is_first_process() -> bool:
    """Whether this is the process that writes: the only one, or the first of a run on several devices.

    That is the one that is first by every count: in an interactive SLURM job each of Lightning's processes is the task
    0 of SLURM, and on a second node its first process has the local rank 0.
    """
    return all(int(os.environ.get(name) or 0) == 0 for name in RANKS)


@contextmanager
def agreed_start() -> Iterator[None]:
    """Names the start of a run, in the same words in every process of it, for as long as the block lasts."""
    before = os.environ.get(STARTED)
    os.environ[STARTED] = _start(before)
    try:
        yield
    finally:
        del os.environ[STARTED]
        if before is not None:
            os.environ[STARTED] = before


def wait_for_first_process(is_done: Callable[[], bool], what: str, *, patience_s: float = PATIENCE_S) -> None:
    """Waits, in any other process, until the first one has left something on disk.

    Raises:
        UserError: If it does not come.
    """
    deadline = time.monotonic() + patience_s
    while not (is_first_process() or is_done()):
        if time.monotonic() > deadline:
            raise UserError(
                f"Expected {what} from the first process within {patience_s:g} s, found none; look at its messages, "
                "and whether all nodes see the same folders."
            )
        time.sleep(0.2)


def _start(inherited: str | None) -> str:
    """A time; of a SLURM job its number, so that one that is requeued goes on in the same directory."""
    environment = os.environ
    if "TORCHELASTIC_RUN_ID" in environment:
        return _told_by_first(_now())
    if int(environment.get("SLURM_NTASKS") or 1) > 1:
        return f"job{environment['SLURM_JOB_ID']}.{environment.get('SLURM_STEP_ID', '0')}"
    is_child = inherited is not None and not is_first_process()  # started by Lightning in the first process
    return inherited if is_child and inherited else _now()


def _told_by_first(own: str) -> str:
    """The first process's value, by way of the store through which torchrun's processes meet."""
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    store = TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False)
    if is_first_process():
        store.set(STARTED, own)
    return store.get(STARTED).decode()


def _now() -> str:
    return datetime.datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
