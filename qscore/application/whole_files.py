"""What Lightning writes during a training, whole or not at all: `checkpoints/last.ckpt` and `metrics.csv`."""

import csv
import io
import os
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.loggers.csv_logs import ExperimentWriter

from qscore.application.interruptions import held_back
from qscore.files import write_text, writing_told, written_whole


class WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints written beside their place and renamed.

    Lightning's own come from the folder of temporary files: over the border of two disks that is a copy, which a killed
    process leaves half done under the final name.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        content = io.BytesIO()
        torch.save(checkpoint, content)
        with written_whole(Path(path)) as temporary:
            temporary.write_bytes(content.getbuffer())


class LastMetrics(pl.Callback):
    """The last value of everything that was logged, kept in the checkpoint.

    A run that was killed between its last checkpoint and its end has no step left in which to log anything.
    """

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.values = {**self.values, **{name: float(value) for name, value in trainer.callback_metrics.items()}}

    def state_dict(self) -> dict[str, Any]:
        return self.values

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.values = state_dict


class WholeMetrics(ExperimentWriter):
    """`metrics.csv`, of which a killed process, or a full disk, loses no row that was in it."""

    def save(self) -> None:
        if not self.metrics:
            return
        file, header = Path(self.metrics_file_path), list(self.metrics_keys)
        with held_back():  # or the save at the end of an interrupted training would not know how far this one came
            try:
                if self._record_new_keys() or not file.is_file():
                    self._write_anew(file)
                else:
                    self._append(file)
            except BaseException:
                self.metrics_keys = header  # that of the file
                raise
            self.metrics = []

    def _write_anew(self, file: Path) -> None:
        """With the header of now; Lightning empties the file first."""
        earlier = list(csv.DictReader(file.read_text().splitlines())) if file.is_file() else []
        header = ",".join(self.metrics_keys) + "\n"
        write_text(file, header + self._as_text([*earlier, *self.metrics]))

    def _append(self, file: Path) -> None:
        size = file.stat().st_size
        try:
            with writing_told(file), file.open("a", newline="") as content:
                content.write(self._as_text(self.metrics))
        except OSError:
            os.truncate(file, size)  # no part of a row
            raise

    def _as_text(self, rows: list[dict[str, Any]]) -> str:
        content = io.StringIO()
        csv.DictWriter(content, fieldnames=self.metrics_keys, lineterminator="\n").writerows(rows)
        return content.getvalue()


class WholeCSVLogger(CSVLogger):
    """Lightning's CSV logger with every row on disk as soon as it is logged; Lightning's holds back up to a hundred."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, name="", version="", flush_logs_every_n_steps=1)
        self._experiment = WholeMetrics(log_dir=self.log_dir)
