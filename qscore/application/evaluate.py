"""Evaluations of an encoder: representations once, then everything from them."""

import dataclasses
import logging
import time
from pathlib import Path

import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf

from qscore.application.build import inference_device, plain
from qscore.application.forced_choice import check_forced_choice
from qscore.application.naming import check_naming
from qscore.application.run_directory import CACHE, UNTRAINED, RunDirectory, alone_in
from qscore.application.transfer import Evaluation, build_evaluations, check_reverse_probing, check_transfer
from qscore.data import ImageDataModule
from qscore.encoders import Encoder, load_encoder
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs, Pictures
from qscore.files import fingerprint, read_object
from qscore.regularizer.callback import MINED_FILE
from qscore.results import Result
from qscore.score import PredictLoop, cached_representations, epsilon_number

log = logging.getLogger(__name__)

PROBE_BUDGET_GB = 4.0  # of runs from before there was an option

NEED_LABELS = ("linear_probe", "knn", "misclassification", "classes", "feature_selection", "heatmaps")


def evaluate_run(cfg: DictConfig, run: RunDirectory, data: ImageDataModule) -> None:
    """Evaluates a fine-tuned encoder, and its origins at the same epsilon: the baseline, and that network untrained.

    The runs of a sweep share their origins and so the results of these, which lie in the baseline's directory in a
    folder for each way of scoring; `run.json` says in which. Concurrent runs wait for the first to look at them.
    """
    epsilon = mined_epsilon(run)
    evaluate_encoder(load_encoder(run.path), data, cfg, epsilon=epsilon, cache=run.path / CACHE, results=run.results)
    if run.baseline is None:
        return
    images = data.fingerprint("train") + data.fingerprint("test")
    asked = fingerprint(str(plain(cfg.evaluation)), str(plain(cfg.scoring)), str(epsilon), images)
    found = {}
    for role, origin in {"baseline": run.baseline.path, "untrained": run.baseline.path / UNTRAINED}.items():
        if not origin.is_dir():
            continue
        results = origin / "results" / f"scoring-{asked[:8]}"
        with alone_in(run.baseline.path):
            if not all((results / f"{name}.json").is_file() for name in cfg.evaluation):
                cache = origin / CACHE
                evaluate_encoder(load_encoder(origin), data, cfg, epsilon=epsilon, cache=cache, results=results)
        found[role] = run.relative(results)
    run.update(origins=found)


def evaluate_encoder(
    encoder: Encoder,
    data: ImageDataModule,
    cfg: DictConfig,
    *,
    epsilon: float | str | None,
    cache: Path,
    results: Path,
    trainer: pl.Trainer | None = None,
) -> dict[str, Result]:
    """Runs the evaluations of `cfg.evaluation`, and writes each result as soon as it is there.

    On several devices all of them extract the representations of training and held-out images; the first process
    alone goes on, and the others come back with nothing.

    Args:
        encoder: What to evaluate.
        data: Training images to fit and mine on, held-out images to measure on.
        cfg: Configuration with `evaluation`, `scoring` (how Q is computed), `seed` and `trainer.accelerator`.
        epsilon: To score with; "auto" for the largest that leaves at most 5 % of the training samples empty; None for
            `cfg.scoring.epsilon`.
        cache: Folder of representations.
        results: Folder of results.
        trainer: Of `extraction_trainer`, to extract on; by default the device that `cfg.trainer` asks for.

    Raises:
        UserError: If the data has no labels, or one class, and an evaluation needs more.
    """
    if trainer is None:
        encoder = encoder.to(inference_device(cfg))
    loop = PredictLoop(trainer)
    train = cached_representations(encoder, data, "train", cache, loop=loop)
    test = cached_representations(encoder, data, "test", cache, loop=loop)
    if loop.rank > 0:
        return {}
    encoder = encoder.to(inference_device(cfg))
    inputs = EvaluationInputs(
        train,
        test,
        epsilon=epsilon_number(
            cfg.scoring.epsilon if epsilon is None else epsilon,
            train.h,
            lower=cfg.scoring.lower,
            upper=cfg.scoring.upper,
        ),
        formula=cfg.scoring.formula,
        lower=cfg.scoring.lower,
        upper=cfg.scoring.upper,
        seed=cfg.scoring.seed,
        pictures=Pictures(encoder, data, cache),
        probe_bytes=int(cfg.get("probe_budget_gb", PROBE_BUDGET_GB) * 10**9),
    )
    images = data.fingerprint("test")
    return {
        name: _run(evaluation, inputs, images, results / f"{name}.json")
        for name, evaluation in build_evaluations(cfg.evaluation, data).items()
    }


def answerable(evaluations: DictConfig, data: ImageDataModule) -> DictConfig:
    """Returns the evaluations that the data has labels for; says which are left out.

    Raises:
        UserError: If the images have labels, but of one class only; or a data set to transfer to, a concept or captions
            are not there.
    """
    check_transfer(evaluations)
    check_reverse_probing(evaluations)
    check_forced_choice(evaluations)
    check_naming(evaluations)
    labels = data.source("train").labels
    wanted = [name for name in evaluations if name in NEED_LABELS]
    if labels is not None and wanted and int(labels.min()) == int(labels.max()):
        raise UserError(
            f"Expected at least 2 classes to tell apart for {', '.join(wanted)}, got one; add a folder for another "
            "class, or choose evaluation=sparsity."
        )
    if labels is None and wanted:
        log.warning("The images have no labels: leaving out %s.", ", ".join(wanted))
        kept = {name: value for name, value in evaluations.items() if name not in NEED_LABELS}
        return OmegaConf.create(kept)
    return evaluations


def mined_epsilon(run: RunDirectory) -> float | None:
    """Returns the epsilon that a run mined its features with; None for a run that mined none."""
    file = run.path / MINED_FILE
    epsilon = read_object(file).get("epsilon") if file.is_file() else None
    if not isinstance(epsilon, int | float | None) or (epsilon is not None and not 0 <= epsilon < 1e300):
        raise UserError(f"Expected a number of at least 0 as epsilon in {file}, got {epsilon!r:.80}; mine again.")
    return None if epsilon is None else float(epsilon)


def _run(evaluation: Evaluation, inputs: EvaluationInputs, images: str, file: Path) -> Result:
    log.info("Evaluating: %s.", file)
    started = time.monotonic()
    found = evaluation(inputs)
    source = fingerprint(inputs.train.fingerprint, inputs.test.fingerprint)
    settings = {**found.settings, "images": images}
    result = dataclasses.replace(found, settings=settings, source=source, seconds=time.monotonic() - started)
    result.save(file.parent)
    return result
