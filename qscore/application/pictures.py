"""The report of a single run, written beside it and shown in W&B."""

from pytorch_lightning.loggers import Logger

from qscore.application.loggers import log_pictures
from qscore.application.run_directory import RunDirectory
from qscore.files import whole_files
from qscore.report.collect import collect
from qscore.report.page import write_report


def log_report(run: RunDirectory, loggers: list[Logger]) -> None:
    """Writes `report/` in the run directory, and logs its pictures and the final numbers."""
    encoders = collect([run.path])
    page = write_report(encoders, run.path / "report")
    pictures = {file.stem: file for file in whole_files(page.parent, "*.png")}
    evaluated = encoders[-1]
    metrics = {
        f"{name}/{metric}": value
        for name, result in evaluated.results.items()
        for metric, value in result.metrics.items()
        if value is not None
    }
    run.update(metrics=metrics)
    log_pictures(loggers, pictures, metrics)
