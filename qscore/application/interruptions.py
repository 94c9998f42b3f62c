"""What ends a command from outside, told in one message: a signal, a full disk, a dead process that loaded images."""

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf

from qscore.application.launch import is_first_process
from qscore.application.run_directory import FACTS
from qscore.errors import FULL, UserError, cannot_write
from qscore.installation import command

SHELL = 128  # and the number of a signal: the exit status as a shell calls it
DEFAULTS = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
NEVER_OF_READING = (*FULL, errno.EROFS, errno.EIO)


class Terminated(SystemExit):
    """SIGTERM came."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C came. Lightning ends its other processes when it sees one, and turns it into another exit."""


ENDS: dict[int, tuple[type[BaseException], str]] = {
    signal.SIGTERM: (Terminated, "SIGTERM"),
    signal.SIGINT: (Interrupted, "Ctrl-C"),
}
_held: list[list[int]] = []  # for each `held_back` that is entered, the signals that came since


@contextmanager
def terminable() -> Iterator[None]:
    """Has SIGTERM, which a scheduler sends before it takes a machine away, end the block with exit status 143.

    Ctrl-C, which is SIGINT, does likewise, with 130. What was being written is removed, and metrics are kept; what was
    finished lies on the disk already. Whoever listens to a signal already, such as submitit, goes on to do so.
    """
    before = {number: signal.getsignal(number) for number, default in DEFAULTS.items()}
    ours = [number for number, handler in before.items() if handler == DEFAULTS[number]]
    if threading.current_thread() is not threading.main_thread() or not ours:
        yield
        return
    owner, advice = os.getpid(), dict[int, str]()

    def stop(signum: int, frame: FrameType | None) -> None:
        if os.getpid() == owner:
            if _held:
                _held[-1].append(signum)
                return
            advice.setdefault(signum, go_on())  # now: behind the block, Hydra has forgotten where it was
            raise ENDS[signum][0](SHELL + signum)
        if signum != signal.SIGINT:  # which a terminal sends to all; the owner ends who was forked from here
            os._exit(SHELL + signum)

    for number in ours:
        signal.signal(number, stop)
    try:
        yield
    except BaseException as error:
        signum = _came_with(error)
        if signum is None:
            raise
        if is_first_process():
            said = f"ended by {ENDS[signum][1]}. Go on with: {advice[signum]}"
            print(f"{Path(sys.argv[0]).name}: {said}", file=sys.stderr)
        raise SystemExit(SHELL + signum) from None
    finally:
        for number in ours:
            signal.signal(number, before[number])


def _came_with(error: BaseException | None) -> int | None:
    """The signal that an error comes from, itself or through another that was raised on its way out; None if none."""
    while error is not None:
        for signum, (kind, _) in ENDS.items():
            if isinstance(error, kind):
                return signum
        error = error.__cause__ or error.__context__
    return None


@contextmanager
def held_back() -> Iterator[None]:
    """Has the signals of `terminable` wait for the end of the block: what belongs together is done together."""
    _held.append([])
    try:
        yield
    finally:
        for signum in _held.pop():
            signal.raise_signal(signum)


@contextmanager
def faults_told() -> Iterator[None]:
    """Has faults of the machine, for the block, raised as what a user can mend.

    Raises:
        UserError: If a disk is full, or a process that loads images was killed.
    """
    try:
        yield
    except UserError:
        raise
    except OSError as error:
        file = Path(error.filename) if isinstance(error.filename, str) else _output_dir() / "the files of the run"
        told = cannot_write(error, file) if error.errno in NEVER_OF_READING else None
        if told is None:
            raise
        raise told from error
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise UserError(
            f"A process that loads images was ended from outside ({str(error).split(chr(10))[0].strip()}), most often "
            "because the machine has no memory left (dmesg says so). Set a smaller num_workers in another run, or go "
            f"on with: {go_on()}"
        ) from error


def go_on() -> str:
    """Returns the command that goes on where the running one ends."""
    if not HydraConfig.initialized() or OmegaConf.is_missing(HydraConfig.get().runtime, "output_dir"):
        return "the same command"
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        return f"the same command with sweep_dir={HydraConfig.get().sweep.dir}"
    is_training = HydraConfig.get().job.name == "train" and (_output_dir() / FACTS).is_file()
    return f"{command('train')} resume={_output_dir()}" if is_training else "the same command"


def _output_dir() -> Path:
    return Path(HydraConfig.get().runtime.output_dir)
