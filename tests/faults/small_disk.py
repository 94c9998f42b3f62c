"""A disk of a few megabytes that can be made larger: a tmpfs in a namespace of its own, which needs no rights."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.faults.blows import blow
from tests.processes import PATIENCE_S, context
from tests.processes.inside import run

ROOMY = "512m"


def can_mount() -> bool:
    """Returns whether this machine lets a process mount a disk of its own."""
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return shutil.which("unshare") is not None and subprocess.run(command, capture_output=True).returncode == 0


def run_on(disk: Path, size: str, commands: list[list[str]], logs: Path, *, read_only: bool = False) -> list[int]:
    """Fills a small disk with the content of a folder, in its place, and runs commands on it.

    After the first command there is room, and writing is allowed. What lies on the disk at the end is left in the
    folder.

    Args:
        disk: The folder, with what is to lie on the disk at first.
        size: How much more than that has room, as of `mount`.
        commands: See `Child`.
        logs: Folder for what they say, `0.txt` and so on.
        read_only: Whether the first command finds a disk that may not be written to.

    Returns:
        The exit status of each command.
    """
    logs.mkdir(exist_ok=True)
    arguments = (disk, size, commands, logs, read_only)
    process = context.Process(target=_in_namespace, args=arguments)
    process.start()
    process.join(PATIENCE_S)
    if process.is_alive():
        os.killpg(process.pid, signal.SIGKILL)
        raise TimeoutError(f"the commands on a small disk did not end: {commands}")
    return [int(text) for text in (logs / "statuses").read_text().split()]


def _in_namespace(disk: Path, size: str, commands: list[list[str]], logs: Path, read_only: bool) -> None:
    os.setsid()
    user, group = os.getuid(), os.getgid()
    _call("unshare", 0x10000000 | 0x00020000)  # CLONE_NEWUSER, CLONE_NEWNS
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    kept = logs / "kept"
    shutil.copytree(disk, kept)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOMY}", "tmpfs", disk], check=True)
    shutil.copytree(kept, disk, dirs_exist_ok=True)
    used = sum(file.stat().st_blocks * 512 for file in disk.rglob("*")) // 1024
    first = "ro" if read_only else f"size={used + int(size.removesuffix('k'))}k"
    statuses = []
    for number, command in enumerate(commands):
        options = f"rw,size={ROOMY}" if number else first
        subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)
        statuses.append(_forked(lambda c=command, n=number: _run(c, disk, logs / f"{n}.txt")))
    shutil.rmtree(kept)
    shutil.copytree(disk, kept)
    subprocess.run(["umount", disk], check=True)
    shutil.copytree(kept, disk, dirs_exist_ok=True)
    (logs / "statuses").write_text(" ".join(map(str, statuses)))


def _run(command: list[str], disk: Path, log: Path) -> None:
    around = partial(blow, disk, 0, 0, log.with_suffix(".changes"))
    run(command, log, log, dict(os.environ), Path.cwd(), around)


def _forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        work()
        status = 0
    except SystemExit as stop:
        status = int(stop.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(status)


def _call(name: str, *arguments: int) -> None:
    import ctypes

    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
