"""One try: spoilt files, a reader, and what must not happen to it."""

import contextlib
import os
import resource
import shutil
import signal
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from qscore.errors import UserError
from tests.bad_input.spoiling import Spoil

Files = Mapping[str, bytes]
MEMORY_BYTES = 1 << 30  # over what the process had before: address space, which no page in use is outside of
SECONDS = 60  # of which a busy machine gives half
LONGEST_MESSAGE = 20_000
_OWN = str(Path(tempfile.gettempdir()) / f"bad-input-canary-{os.getpid()}")
CANARY = Path(os.environ.setdefault("QSCORE_CANARY", _OWN))  # hostile files try to make it; of child processes too


@dataclass(frozen=True)
class Target:
    """A kind of input.

    Attributes:
        name: For people.
        files: Makes the valid files, by their paths below a folder.
        read: Reads the folder, as a command would.
        spoils: By the end of a file's name, how it may be spoilt; files of other names stay as they are.
        hostile: Made by hand: each replaces some files.
        holds: Whether what was read, from files that were accepted, is what a strict reader finds; raises if not.
        refusals: Raised beside `UserError` by readers whose callers expect it.
    """

    name: str
    files: Callable[[Path], None]
    read: Callable[[Path], object]
    spoils: Mapping[str, tuple[Spoil, ...]]
    hostile: Mapping[str, Callable[[], Files]] = field(default_factory=dict)
    holds: Callable[[Path, object], None] | None = None
    refusals: tuple[type[Exception], ...] = ()

    def made(self) -> Files:
        """The valid files."""
        with tempfile.TemporaryDirectory() as folder:
            self.files(Path(folder))
            found = [file for file in sorted(Path(folder).rglob("*")) if file.is_file()]
            return {str(file.relative_to(folder)): file.read_bytes() for file in found}

    def spoilt(self, files: Files, chance: Random) -> Files:
        """The files, one or two of them spoilt once or more."""
        ends = {name: end for name in files for end in self.spoils if name.endswith(end)}
        changed = dict(files)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            name = chance.choice(sorted(ends))
            changed[name] = chance.choice(self.spoils[ends[name]])(changed[name], chance)
        return changed


@dataclass(frozen=True)
class Outcome:
    """What came of a try: "read", "refused", or a fault with its traceback."""

    kind: str
    said: str = ""

    @property
    def is_fault(self) -> bool:
        return self.kind not in ("read", "refused")

    @property
    def place(self) -> str:
        """Type of the error and the innermost line of ours: finds of one place are one find."""
        lines = self.said.strip().splitlines()
        ours = [line.strip() for line in lines if "/qscore/" in line and line.strip().startswith("File")]
        error = next((line for line in reversed(lines) if line[:1].strip()), "").partition(":")[0]
        return f"{self.kind}: {error[:60]} {ours[-1].rpartition('/qscore/')[2] if ours else ''}"


class Hang(BaseException):
    """It took too long."""


def attempt(target: Target, files: Files) -> Outcome:
    """Reads files in a folder of their own, with bounded memory and time."""
    folder = Path(tempfile.mkdtemp(prefix="bad-input-"))
    try:
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        outcome = _outcome(target, folder)
        return Outcome("code was run") if CANARY.exists() else outcome
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        CANARY.unlink(missing_ok=True)


def _outcome(target: Target, folder: Path) -> Outcome:
    try:
        with bounded(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = target.read(folder)
    except UserError as error:
        return Outcome("refused" if 0 < len(str(error)) <= LONGEST_MESSAGE else "message too long", str(error)[:500])
    except Hang:
        return Outcome("hang", traceback.format_exc())
    except target.refusals as error:
        return Outcome("refused", str(error)[:500])
    except Exception:
        return Outcome("traceback", traceback.format_exc())
    try:
        if target.holds is not None:
            target.holds(folder, found)
    except Exception:
        return Outcome("read wrongly", traceback.format_exc())
    return Outcome("read")


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Ends the block by `Hang` after some seconds, and by `MemoryError` where it asks for too much."""

    def stop(*_: object) -> None:
        raise Hang

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = signal.signal(signal.SIGALRM, stop)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY_BYTES, hard))
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGALRM, before)
