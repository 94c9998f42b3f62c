"""Encoder and images in, representations out: the step that all passes over images share, and a pass in memory."""

import logging
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from tqdm import tqdm

from qscore.errors import UserError
from qscore.processes import own_rank
from qscore.records import ImageBatch, Representations

log = logging.getLogger(__name__)

DESCRIPTION = "Extracting representations"


def extract(
    encoder: nn.Module,
    loader: Iterable[ImageBatch],
    *,
    labels: Tensor | None = None,
    ids: tuple[str, ...] | None = None,
    class_names: tuple[str, ...] = (),
    fingerprint: str = "",
) -> Representations:
    """Returns the representations of every readable image, in the order of the data set, in memory.

    The encoder runs in eval mode on the device where its parameters are, and is given back in the mode it came
    in; neither weights nor BatchNorm statistics move.

    Args:
        encoder: Image to representation; its output is flattened to (sample, feature).
        loader: Batches of plain images with their positions.
        labels: Class of every image of the data set, by position.
        ids: Path or number of every image, by position; the positions themselves by default.
        class_names: Name of each class.
        fingerprint: Of encoder, data and transform together.

    Raises:
        UserError: If no image could be read.
    """
    h, index = extract_rows(encoder, loader)
    if not len(h):
        raise UserError("Expected images to extract representations from, got none that could be read.")
    positions = index.tolist()
    return Representations(
        h=h,
        labels=None if labels is None else labels[index],
        ids=tuple(str(i) if ids is None else ids[i] for i in positions),
        class_names=class_names,
        fingerprint=fingerprint,
    )


def extract_rows(
    encoder: nn.Module, loader: Iterable[ImageBatch]
) -> tuple[Float[Tensor, "sample feature"], Int[Tensor, " sample"]]:
    """Returns the representations of the readable images and their positions, sorted by these; perhaps none."""
    rows, indices, num_unreadable = [torch.zeros(0, 0)], [torch.zeros(0, dtype=torch.long)], 0
    with evaluating(encoder):
        for batch in with_progress(loader):
            rows.append(encode(encoder, batch.images)[batch.readable])
            indices.append(batch.positions[batch.readable])
            num_unreadable += int((~batch.readable).sum())
    if num_unreadable:
        log.warning("%d unreadable images have no representation.", num_unreadable)
    index = torch.cat(indices)
    order = index.argsort()
    return torch.cat(rows[1:] or rows)[order], index[order]


@torch.no_grad()
def encode(encoder: nn.Module, images: Float[Tensor, "sample 3 _ _"]) -> Float[Tensor, "sample feature"]:
    """Returns the representations of a batch, float32 and on the CPU.

    On a GPU the encoder runs in bfloat16 where the device computes in it, and convolutions in the layout that is
    fastest there.
    """
    device = next(encoder.parameters()).device
    if device.type != "cuda":
        return _flat(encoder(images.to(device)))
    images = images.to(device, non_blocking=True, memory_format=torch.channels_last)
    with torch.autocast("cuda", torch.bfloat16, enabled=number_format(device) == "bfloat16"):
        return _flat(encoder(images))


def number_format(device: torch.device) -> str:
    """Returns what `encode` computes in on a device; between the two representations differ by about a percent."""
    in_bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bfloat16" if in_bf16 else "float32"


@contextmanager
def evaluating(encoder: nn.Module) -> Iterator[None]:
    """Puts every part of an encoder into eval mode for the block, and back into its own mode."""
    modes = [(module, module.training) for module in encoder.modules()]
    encoder.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def with_progress(loader: Iterable[ImageBatch]) -> Iterator[ImageBatch]:
    """Yields the batches of a loader, with a progress bar in the first process."""
    total = len(loader) if isinstance(loader, Sized) else None
    is_other = own_rank() > 0
    yield from tqdm(loader, desc=DESCRIPTION, total=total, unit="batch", leave=False, disable=is_other)


def _flat(h: Tensor) -> Tensor:
    return h.flatten(1).float().cpu()
