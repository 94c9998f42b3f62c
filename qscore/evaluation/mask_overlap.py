"""How much of what the discriminative features look at lies on the object, and how much beside it."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from qscore.data.reading import UNREADABLE, opened
from qscore.data.views import plain_transform
from qscore.errors import UserError, UserFileNotFoundError
from qscore.evaluation.attribution import feature_heatmaps
from qscore.evaluation.inputs import EvaluationInputs
from qscore.evaluation.pictures import Pictures
from qscore.results import Result
from qscore.score import dominant_features

NAME = "mask_overlap"
REGIONS = ("core", "spurious")
CHUNK = 64


def mask_overlap(inputs: EvaluationInputs, *, masks: str | None = None, kind: str = "grad_cam") -> Result:
    """Returns the mean overlap of the heat map of each sample's L ∩ D with its core and its spurious region.

    The interpretability metric of Kalibhat et al. (AAAI 2024, 10.1609/aaai.v38i12.29201; there on Salient ImageNet,
    Singla and Feizi, arXiv 2110.04301). The maps of the features of L ∩ D are added up, cut off at 0 and divided by
    their largest value. Samples without a dominant discriminative feature, or without a mask of the region, are left
    out and counted.

    Args:
        inputs: The cached representations, with their pictures; labels are used where there are any.
        masks: Folder with `core/` and `spurious/`, in each a grey image per held-out sample, its path as in the data
            set with the suffix .png; white is the region.
        kind: Of the heat map, see `feature_heatmaps`.

    Raises:
        UserError: If the images or the folder of masks are not at hand, or no sample has a mask.
    """
    if inputs.pictures is None or masks is None:
        raise UserError(
            "Expected a folder of masks, with core/ and spurious/ inside: evaluation.mask_overlap.masks=FOLDER."
        )
    active = dominant_features(inputs.test.h, inputs.epsilon) & inputs.discriminative
    files = {region: _files(Path(masks) / region, inputs.test.ids) for region in REGIONS}
    masked = [any(files[region][i] for region in REGIONS) for i in range(len(inputs.test.ids))]
    rows = [i for i in range(len(masked)) if masked[i] and active[i].any()]
    if not any(masked):
        raise UserFileNotFoundError(
            f"Expected masks of the held-out images in {masks}, such as core/"
            f"{Path(inputs.test.ids[0]).with_suffix('.png')}; found none."
        )
    overlaps = _overlaps(inputs.pictures, inputs.test.ids, rows, active, files, kind)
    correct = None if inputs.test.labels is None else inputs.probe.correct[rows]
    return Result(
        evaluation=NAME,
        metrics={
            **_means(overlaps, correct),
            "num_samples": float(len(rows)),
            "num_without": float(sum(masked) - len(rows)),
        },
        settings={**inputs.settings(), "kind": kind, "masks": str(masks)},
        arrays={"rows": np.array(rows), **overlaps, **({} if correct is None else {"correct": correct})},
    )


def soft_overlap(heat: Float[Tensor, "height width"], region: Float[Tensor, "height width"]) -> Float[Tensor, ""]:
    """Returns Σ min(A, R) / Σ max(A, R), both in [0, 1]; 0 where both are empty.

    The paper sums the pixels of the heat map over intersection and union without saying what a pixel of the union is
    worth that has no heat. For a region of 0 and 1 this is the heat inside, over the area of the region plus the heat
    outside: 1 only where the two are the same.

    >>> soft_overlap(torch.tensor([[1.0, 0.5]]), torch.tensor([[1.0, 0.0]]))
    tensor(0.6667)
    """
    union = torch.maximum(heat, region).sum()
    return torch.minimum(heat, region).sum() / union.clamp_min(torch.finfo(heat.dtype).tiny)


def _overlaps(
    pictures: Pictures,
    ids: tuple[str, ...],
    rows: list[int],
    active: Tensor,
    files: dict[str, list[Path | None]],
    kind: str,
) -> dict[str, np.ndarray]:
    position = {sample: i for i, sample in enumerate(pictures.data.source("test").ids)}
    found: dict[str, list[float]] = {region: [] for region in REGIONS}
    for row in rows:
        features = active[row].nonzero().flatten()
        image = pictures.plain([position[ids[row]]])
        parts = [
            feature_heatmaps(pictures.encoder, image.expand(len(some), -1, -1, -1), some, kind=kind).sum(0)
            for some in torch.split(features, CHUNK)
        ]
        heat = torch.stack(parts).sum(0).clamp_min(0)
        heat = heat / heat.max().clamp_min(torch.finfo(heat.dtype).tiny)
        for region in REGIONS:
            file = files[region][row]
            found[region].append(float(soft_overlap(heat, _mask(file, pictures))) if file else float("nan"))
    return {region: np.array(values) for region, values in found.items()}


def _means(overlaps: dict[str, np.ndarray], correct: np.ndarray | None) -> dict[str, float | None]:
    means: dict[str, float | None] = {}
    for region, values in overlaps.items():
        parts = {"all": np.ones(len(values), bool)}
        parts |= {} if correct is None else {"right": correct, "wrong": ~correct}
        for name, part in parts.items():
            known = values[part][~np.isnan(values[part])]
            means[f"{region}/{name}"] = float(known.mean()) if len(known) else None
    return means


def _files(folder: Path, ids: tuple[str, ...]) -> list[Path | None]:
    if not folder.is_dir():
        raise UserFileNotFoundError(f"Expected masks in {folder}, found no such folder; it holds a grey PNG an image.")
    candidates = [folder / Path(sample).with_suffix(".png") for sample in ids]
    return [file if file.is_file() else None for file in candidates]


def _mask(file: Path, pictures: Pictures) -> Tensor:
    """The region in [0, 1], cropped as its image was unless it has the size of the result already."""
    size = pictures.data.image_size
    try:
        with opened(file) as mask:
            image = mask.convert("L").convert("RGB")
    except UNREADABLE as error:
        raise UserError(f"Expected a mask in {file}, which cannot be read as an image: {error}.") from error
    fraction = 1.0 if image.size == (size, size) else pictures.data.crop_fraction
    transformed: Tensor = plain_transform(size, crop_fraction=fraction)(image)
    return transformed[0]
