"""The parts of a run: the step by number format, the loop around it, the regularizer, mining (C4, C6, C11, C13)."""

import tempfile
from collections.abc import Callable

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import CSVLogger
from torch import Tensor
from torch.utils.data import DataLoader

from benchmarks.harness import interleaved, medians, ratio
from benchmarks.made import Gate, features, gate
from benchmarks.steps import Setting, ceiling, seconds, views_alone
from qscore.application.speed import has_bf16_units
from qscore.data import ImageDataModule
from qscore.data.sources import ArrayImages, Splits
from qscore.encoders import Encoder
from qscore.methods import Optimization, SimCLR
from qscore.records import ImageBatch, ViewBatch
from qscore.regularizer import QScorePenalty, QScoreRegularizer
from qscore.score import DiscriminativeFeatures, extract

EPSILON = 2.0
LOOP_STEPS = 100


def parts(device: torch.device, rounds: int, *, small: bool = False) -> dict[str, object]:
    """Returns what each part takes, and as a share of the step or the pass that it belongs to."""
    s = Setting(32, "resnet10", 4, 8) if small else Setting(32, "resnet18", 128 if device.type == "cpu" else 512, 1024)
    step = _step(s, device, rounds)
    per_step = step["cpu_s"]["default"]  # type: ignore[index]
    loop = _loop(device, max(3, rounds), steps=3 if small else LOOP_STEPS)
    term = _term(2 * s.batch_size, device, rounds)
    added = max(term, loop["with regularizer"] - loop["without regularizer"])
    return {
        "setting": vars(s),
        "step": step,
        "where": _where(s, device, rounds),
        "loop_ms_per_step": {name: 1000 * value for name, value in loop.items()},
        "regularizer": {
            "term_ms": 1000 * term,
            "with_hooks_and_log_ms": 1000 * added,
            "share_of_step": added / per_step,
        },
        "mining": _mining(s, device, rounds),
    }


def _timed(variants: dict[str, Callable[[], object]], rounds: int, device: torch.device) -> dict[str, list[float]]:
    if device.type == "cpu":
        return interleaved(variants, rounds)
    for run in variants.values():
        run()
    return {name: [seconds(run, device) for _ in range(rounds)] for name, run in variants.items()}


def _step(s: Setting, device: torch.device, rounds: int) -> Gate:
    """The step on views that lie ready: as it is run by default here, and in fp32."""
    bf16 = has_bf16_units(device)
    default, single = (ceiling(s, device, bf16=each, compiled=False) for each in (bf16, False))
    num = 1 if device.type == "cpu" else 20
    times = _timed({"default": lambda: default(num), "fp32": lambda: single(num)}, rounds, device)
    times = {name: [each / num for each in values] for name, values in times.items()}
    return gate(times, {"fp32 / default": (ratio(times, "fp32", "default"), 2 if bf16 else None, None)})


def _where(s: Setting, device: torch.device, rounds: int) -> dict[str, float]:
    """Median seconds of each stage of a step, waiting for the device after each."""
    torch.manual_seed(0)
    method = SimCLR(Encoder(s.architecture, stem=s.stem), Optimization(torch.optim.SGD, 0.1), temperature=0.5)
    method = method.to(device=device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(method.parameters(), lr=0.06, momentum=0.9, fused=device.type == "cuda")
    make, bf16, kept = views_alone(s, device), has_bf16_units(device), {}
    times: dict[str, list[float]] = {"views": [], "forward and loss": [], "backward": [], "optimizer": []}

    def forward() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            kept["loss"] = method.step(kept["batch"]).loss

    for _ in range(rounds + 1):
        optimizer.zero_grad()
        times["views"].append(seconds(lambda: kept.update(batch=make()), device))
        times["forward and loss"].append(seconds(forward, device))
        times["backward"].append(seconds(lambda: kept["loss"].backward(), device))
        times["optimizer"].append(seconds(optimizer.step, device))
    return medians({name: values[1:] for name, values in times.items()})


def _loop(device: torch.device, rounds: int, *, steps: int) -> dict[str, float]:
    """Seconds a step around a network of no size, with 512 features: what is left is loop, hooks and log."""
    views = [torch.rand(32, 3, 4, 4, device=device) for _ in range(2)]
    batch, plain = ViewBatch(views, [], torch.arange(32)), ImageBatch(views[0], torch.arange(32), torch.ones(32).bool())

    def method() -> SimCLR:
        torch.manual_seed(0)
        return SimCLR(_NoNetwork(), Optimization(torch.optim.SGD, 0.01), projection_dim=8).to(device)

    def by_hand() -> None:
        model = method()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        for _ in range(steps):
            optimizer.zero_grad()
            model.step(batch).loss.backward()
            optimizer.step()

    def fit(*callbacks: pl.Callback) -> None:
        with tempfile.TemporaryDirectory() as folder:
            trainer = pl.Trainer(
                accelerator=device.type,
                devices=1,
                max_epochs=1,
                callbacks=list(callbacks),
                logger=CSVLogger(folder),
                log_every_n_steps=10,
                enable_progress_bar=False,
                enable_model_summary=False,
                enable_checkpointing=False,
                default_root_dir=folder,
            )
            trainer.fit(method(), DataLoader([batch] * steps, batch_size=None))  # type: ignore[arg-type]

    variants = {
        "by hand": by_hand,
        "without regularizer": lambda: fit(),
        "with regularizer": lambda: fit(QScoreRegularizer(epsilon=EPSILON, formula="soft", images=[plain])),
    }
    return {name: value / steps for name, value in medians(_timed(variants, rounds, device)).items()}


class _NoNetwork(Encoder):
    """An encoder that costs nothing."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        self.feature_dim = 512
        self.scale = torch.nn.Parameter(torch.rand(512) ** 8)

    def forward(self, images: Tensor) -> Tensor:
        return self.scale * images.mean((1, 2, 3))[:, None]


def _term(num_views: int, device: torch.device, rounds: int) -> float:
    """Seconds of the term of 512 features, forward and backward."""
    kept = torch.arange(512) % 2 == 0
    penalty = QScorePenalty(kept, weight=0.1, epsilon=EPSILON, threshold=1.0).to(device)
    h = features(num_views, 512).to(device).requires_grad_()
    times = _timed({"term": lambda: penalty(h).backward()}, 10 * rounds, device)
    return medians(times)["term"]


def _mining(s: Setting, device: torch.device, rounds: int) -> Gate:
    """Encoding images, and counting over what came of it."""
    encoder = Encoder(s.architecture, stem=s.stem).to(device).eval()
    source = ArrayImages(s.images()[:256], None, (), tuple(map(str, range(min(256, s.num_images)))))
    loader = ImageDataModule(Splits(source, source, source), image_size=s.size, num_workers=0).plain_loader("train")
    h = extract(encoder, loader).h

    def count() -> None:
        found = DiscriminativeFeatures(h.shape[1], EPSILON)
        found.update(h)
        found.compute()

    times = _timed({"encode": lambda: extract(encoder, loader), "count": count}, rounds, device)
    return gate(times, {"count / encode": (ratio(times, "count", "encode"), None, 0.01)})
