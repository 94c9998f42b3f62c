"""What was noticed: kept, written down, said once with its likely causes, and where it must be, the end of a run."""

import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NoReturn

from qscore.errors import UserError
from qscore.files import write_json
from qscore.watch.causes import described
from qscore.watch.judge import EMPTY, NOT_FINITE, Notice
from qscore.watch.settings import is_said_by_mining, last_state, settings_of

log = logging.getLogger(__name__)

NOTICED_FILE = "noticed.json"


class Notes:
    """What was noticed in a training.

    Attributes:
        notices: In the order of time.
        largest_share: See `settings_of`.
    """

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.largest_share = 0.0

    @property
    def facts(self) -> list[dict[str, Any]]:
        """The content of `noticed.json`, and of the entry `noticed` in `run.json`."""
        return [asdict(notice) for notice in self.notices]

    def tell(self, trainer: Any, module: Any, notice: Notice) -> None:
        """Warns, and writes `noticed.json`; what the mining pass has warned of is only written."""
        level = logging.INFO if notice.kind == EMPTY and is_said_by_mining(trainer) else logging.WARNING
        told = self._note(trainer, module, notice)
        if trainer.is_global_zero:
            log.log(level, "%s", told.message)

    def stop(self, trainer: Any, module: Any, what: str, step: int) -> NoReturn:
        """Ends a training in which something is not finite.

        Raises:
            UserError: Always.
        """
        told = self._note(trainer, module, Notice(NOT_FINITE, step, what, None, None))
        raise UserError(f"{told.message} {last_state(trainer)}")

    def _note(self, trainer: Any, module: Any, notice: Notice) -> Notice:
        told = replace(notice, message=described(notice, settings_of(trainer, module, self.largest_share)))
        self.notices.append(told)
        if trainer.is_global_zero:
            write_json(Path(trainer.default_root_dir) / NOTICED_FILE, self.facts)
        return told
