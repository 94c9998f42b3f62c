"""Encoder and images in, representations out; computed once and kept on disk under their fingerprint."""

import json
import logging
from collections.abc import Iterable, Sized
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from qscore.errors import UserError
from qscore.files import written_whole
from qscore.records import ImageBatch, Representations

log = logging.getLogger(__name__)


@torch.no_grad()
def extract(
    encoder: nn.Module,
    loader: Iterable[ImageBatch],
    *,
    labels: Tensor | None = None,
    ids: tuple[str, ...] | None = None,
    class_names: tuple[str, ...] = (),
    fingerprint: str = "",
) -> Representations:
    """Returns the representations of every readable image, in the order of the data set.

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
    modes = [(module, module.training) for module in encoder.modules()]
    encoder.eval()
    try:
        h, index = _run(encoder, loader)
    finally:
        for module, training in modes:
            module.training = training
    positions = index.tolist()
    return Representations(
        h=h,
        labels=None if labels is None else labels[index],
        ids=tuple(str(i) if ids is None else ids[i] for i in positions),
        class_names=class_names,
        fingerprint=fingerprint,
    )


def save_representations(representations: Representations, path: Path) -> None:
    """Writes the representations as safetensors, whole or not at all."""
    tensors = {"h": representations.h.contiguous()}
    if representations.labels is not None:
        tensors["labels"] = representations.labels.contiguous()
    metadata = {
        "ids": json.dumps(representations.ids),
        "class_names": json.dumps(representations.class_names),
        "fingerprint": representations.fingerprint,
    }
    with written_whole(path) as temporary:
        save_file(tensors, temporary, metadata=metadata)


def load_representations(path: Path) -> Representations:
    """Returns the representations in a file; their values stay in the file until they are used."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        return Representations(
            h=file.get_tensor("h"),
            labels=file.get_tensor("labels") if "labels" in file.keys() else None,  # noqa: SIM118
            ids=tuple(json.loads(metadata["ids"])),
            class_names=tuple(json.loads(metadata["class_names"])),
            fingerprint=metadata["fingerprint"],
        )


def _run(encoder: nn.Module, loader: Iterable[ImageBatch]) -> tuple[Tensor, Tensor]:
    device = next(encoder.parameters()).device
    rows, indices, num_unreadable = [], [], 0
    total = len(loader) if isinstance(loader, Sized) else None
    for batch in tqdm(loader, desc="Extracting representations", total=total, unit="batch", leave=False):
        h = encoder(batch.images.to(device, non_blocking=True)).flatten(1).float().cpu()
        rows.append(h[batch.readable])
        indices.append(batch.positions[batch.readable])
        num_unreadable += int((~batch.readable).sum())
    if not rows or not sum(len(row) for row in rows):
        raise UserError("Expected images to extract representations from, got none that could be read.")
    if num_unreadable:
        log.warning("%d unreadable images have no representation.", num_unreadable)
    index = torch.cat(indices)
    order = index.argsort()
    return torch.cat(rows)[order], index[order]
