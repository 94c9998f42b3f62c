"""One SimCLR training step in several hands: ours on data that lies ready, and lightly's published example."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import numpy as np
import torch
from lightly.loss import NTXentLoss
from lightly.models.modules import SimCLRProjectionHead
from lightly.transforms import SimCLRTransform
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from qscore.data.augment import make_views, read_views
from qscore.data.augment.batches import PlannedViews
from qscore.data.sources import ArrayImages
from qscore.encoders import Encoder
from qscore.methods import Optimization, SimCLR
from qscore.records import ViewBatch


@dataclass(frozen=True)
class Setting:
    """What is trained on.

    Attributes:
        size: Height and width of the views, in pixels.
        architecture: Of the encoder; with a 3 x 3 stem at 32 px.
        batch_size: Images a step, two views each.
        num_images: Of noise; their content does not matter for speed.
    """

    size: int
    architecture: str
    batch_size: int
    num_images: int

    @property
    def stem(self) -> str:
        """Of the encoder."""
        return "cifar" if self.size <= 32 else "imagenet"

    def images(self) -> np.ndarray:
        """Returns uint8 noise, (image, height, width, 3)."""
        return np.random.default_rng(0).integers(0, 256, (self.num_images, self.size, self.size, 3), dtype=np.uint8)

    def transform(self) -> SimCLRTransform:
        """Returns the views of the recipe for images of this size."""
        small = self.size <= 32
        return SimCLRTransform(
            self.size, cj_strength=0.5 if small else 1.0, gaussian_blur=0.0 if small else 0.5, normalize=None
        )


class Noise(Dataset[tuple[list[Tensor], int]]):
    """Images read one by one as Pillow images, as a torchvision set gives them."""

    def __init__(self, setting: Setting) -> None:
        self.images, self.transform = setting.images(), setting.transform()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[list[Tensor], int]:
        return self.transform(Image.fromarray(self.images[index])), 0


def ceiling(s: Setting, device: torch.device, *, bf16: bool, compiled: bool) -> Callable[[int], None]:
    """Returns our step on one batch of views that lies on the device: what no data can make slower."""
    torch.manual_seed(0)
    method = SimCLR(Encoder(s.architecture, stem=s.stem), Optimization(torch.optim.SGD, 0.1), temperature=0.5)
    method = method.to(device=device, memory_format=torch.channels_last).train()
    if compiled:
        method.encoder.network.compile()
    optimizer = torch.optim.SGD(method.parameters(), lr=0.06, momentum=0.9, fused=device.type == "cuda")
    views = [torch.rand(s.batch_size, 3, s.size, s.size, device=device) for _ in range(2)]
    batch = ViewBatch(views, [], torch.arange(s.batch_size, device=device))

    def steps(num: int) -> None:
        for _ in range(num):
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                loss = method.step(batch).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return steps


def lightly_example(s: Setting, device: torch.device, *, helped: bool, workers: int) -> Callable[[int], None]:
    """Returns the loop of lightly's SimCLR example, its transform and loader, around the same network.

    Args:
        s: What is trained on.
        device: Where.
        helped: bf16, pinned memory and workers that stay, which the example does without.
        workers: Processes of the loader.
    """
    torch.manual_seed(0)
    encoder = Encoder(s.architecture, stem=s.stem)
    model = nn.Sequential(encoder, SimCLRProjectionHead(encoder.feature_dim, encoder.feature_dim, 128)).to(device)
    criterion, optimizer = NTXentLoss(), torch.optim.SGD(model.parameters(), lr=0.06)
    loader = DataLoader(
        Noise(s),
        batch_size=s.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        pin_memory=helped and device.type == "cuda",
        persistent_workers=workers > 0,
    )

    def batches() -> Iterator[list[Tensor]]:
        for _ in cycle([None]):
            for views, _ in loader:
                yield views

    endless = batches()

    def steps(num: int) -> None:
        for first, second in islice(endless, num):
            with torch.autocast(device.type, torch.bfloat16, enabled=helped):
                projections = [model(view.to(device, non_blocking=helped)) for view in (first, second)]
                loss = criterion(*projections)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    return steps


def stable_pretraining_example(s: Setting, device: torch.device, *, bf16: bool, workers: int) -> Callable[[int], None]:
    """Returns the steps of stable-pretraining's SimCLR forward with its transforms, around the same network."""
    import stable_pretraining as spt
    from stable_pretraining.data import transforms as T  # noqa: N812

    torch.manual_seed(0)
    strength = 0.4 if s.size <= 32 else 0.8
    view = T.Compose(
        T.RGB(),
        T.RandomResizedCrop((s.size, s.size), scale=(0.08, 1.0)),
        T.RandomHorizontalFlip(p=0.5),
        T.ColorJitter(strength, strength, strength, strength / 4, p=0.8),
        T.RandomGrayscale(p=0.2),
        *([] if s.size <= 32 else [T.GaussianBlur(kernel_size=13, p=0.5)]),
        T.ToImage(mean=[0.0] * 3, std=[1.0] * 3),
    )
    views, images = T.MultiViewTransform([view, view]), s.images()
    encoder = Encoder(s.architecture, stem=s.stem).to(device)
    projector = SimCLRProjectionHead(encoder.feature_dim, encoder.feature_dim, 128).to(device)
    criterion, parameters = spt.losses.NTXEntLoss(temperature=0.5), [*encoder.parameters(), *projector.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.06)

    class Samples(Dataset[Any]):
        def __len__(self) -> int:
            return len(images)

        def __getitem__(self, index: int) -> Any:
            return views({"image": Image.fromarray(images[index]), "label": 0})["views"]

    loader = DataLoader(
        Samples(), s.batch_size, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=workers > 0
    )
    endless = (batch for _ in cycle([None]) for batch in loader)

    def steps(num: int) -> None:
        for batch in islice(endless, num):
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                loss = criterion(*(projector(encoder(each["image"].to(device))) for each in batch))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    return steps


def views_alone(s: Setting, device: torch.device, *, yiq: bool = False) -> Callable[[], object]:
    """Returns the making of the views of one batch, plan included, from images on the device."""
    images = s.images()
    source = ArrayImages(images, None, (), tuple(map(str, range(len(images)))))
    planned = PlannedViews(source, read_views(s.transform(), yiq=yiq), seed=0, in_parts=device.type == "cpu")
    items = list(range(min(s.batch_size, s.num_images)))
    return lambda: make_views(planned.__getitems__(items).to(device), planned.views)


def seconds(run: Callable[[], object], device: torch.device) -> float:
    """Returns CPU seconds on a CPU, which a busy machine cannot stretch; on a GPU seconds until it is done."""
    clock = time.process_time
    if device.type == "cuda":
        torch.cuda.synchronize()
        clock = time.perf_counter
    start = clock()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - start
