"""Result files: what an evaluation found, as a JSON file of numbers beside an `.npz` of the arrays for figures."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from qscore.arrays import read_arrays
from qscore.errors import UserError
from qscore.files import read_object, write_json, written_whole
from qscore.versions import versions


@dataclass(frozen=True)
class Result:
    """One evaluation of one encoder.

    Attributes:
        evaluation: Its name, which is also the name of its files.
        metrics: Flat name to number; None where a number is not defined (the reason is in `notes`).
        settings: What was chosen.
        arrays: What the figures need.
        notes: Sentences a reader of the numbers must see.
        source: Fingerprint of the representations it was computed from.
        seconds: How long it took.
    """

    evaluation: str
    metrics: dict[str, float | None]
    settings: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    source: str = ""
    seconds: float = 0.0

    def save(self, directory: Path) -> Path:
        """Writes `{evaluation}.npz`, then `{evaluation}.json`: a JSON file that exists has its arrays."""
        with written_whole(directory / f"{self.evaluation}.npz") as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **self.arrays)  # type: ignore[arg-type]
        path = directory / f"{self.evaluation}.json"
        content = {
            "evaluation": self.evaluation,
            "metrics": self.metrics,
            "settings": self.settings,
            "notes": list(self.notes),
            "source": self.source,
            "versions": versions(),
            "seconds": round(self.seconds, 3),
        }
        write_json(path, content)
        return path


def load_result(path: Path) -> Result:
    """Returns the result whose JSON file is `path`.

    Raises:
        UserError: If one of its two files is missing, broken, or says something else than a result.
    """
    content = read_object(path)
    arrays = read_arrays(path.with_suffix(".npz"))
    values: list[Any] = [
        content.get(name) for name in ("metrics", "settings", "notes", "evaluation", "source", "seconds")
    ]
    metrics, settings, notes, *texts, seconds = values
    is_result = isinstance(metrics, dict) and isinstance(settings, dict) and isinstance(notes, list)
    is_result &= all(isinstance(text, str) for text in texts) and _is_number(seconds)
    if not is_result or not all(value is None or _is_number(value) for value in metrics.values()):
        raise UserError(f"Expected a result with numbers as metrics in {path}, got something else; evaluate again.")
    return Result(
        evaluation=texts[0],
        metrics=metrics,
        settings=settings,
        arrays=arrays,
        notes=tuple(str(note) for note in notes),
        source=texts[1],
        seconds=seconds,
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
