"""Many changes with one wait for the disk: all that come in while one transaction is written go into the next."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from qscore.study.database import Database

T = TypeVar("T")


class GroupCommit:
    """Runs the changes of one server, one after the other; each is done or undone alone, and kept before it is told.

    Only the wait for the disk has a thread: in it, the statements would wait for the interpreter longer than they take.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Callable[[], Any], bool, asyncio.Future[Any]]] = []
        self._task: asyncio.Task[None] | None = None

    async def run(self, change: Callable[[], T], *, durable: bool = True) -> T:
        """Returns what `change` returns, or raises what it raises, when it is on the disk.

        Args:
            change: writes to the database.
            durable: see `Database.writing`.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, durable, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            changes, durable = [one[0] for one in batch], any(one[1] for one in batch)
            written = asyncio.create_task(self._write(changes, durable))
            await asyncio.wait([written])
            failure = written.exception()
            outcomes = written.result() if failure is None else [(None, failure)] * len(batch)
            for (_, _, future), (value, error) in zip(batch, outcomes, strict=True):
                if not future.cancelled():
                    future.set_result(value) if error is None else future.set_exception(error)

    async def _write(self, changes: list[Callable[[], Any]], durable: bool) -> list[tuple[Any, BaseException | None]]:
        try:
            self._database.begin(durable=durable, patience_s=0)
        except sqlite3.OperationalError:  # another server is writing just now
            await run_in_threadpool(self._database.begin, durable=durable)
        try:
            with self._database.shared():
                outcomes = [_outcome(change) for change in changes]
        except BaseException:
            self._database.undo()
            raise
        await run_in_threadpool(self._database.commit)
        return outcomes


def _outcome(change: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return change(), None
    except sqlite3.Error as error:  # undone alone, told to who asked for it alone; the others go on
        return None, error
