"""Images as a search engine by images sees them that knows neither the encoder nor any word."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from torch.nn import functional as F  # noqa: N812
from tqdm import tqdm

from qscore.data.datamodule import Split
from qscore.evaluation import Pictures

SIDE_PX = 16


def pixel_vectors(
    pictures: Pictures, split: Split, ids: Sequence[str], *, side_px: int = SIDE_PX
) -> Float[np.ndarray, "sample feature"]:
    """Returns the plain images of some samples at 16 x 16 pixels, one vector each.

    Args:
        pictures: The images.
        split: Which.
        ids: Of the samples.
        side_px: Of the small images.
    """
    loader = pictures.data.plain_loader(split, pictures.positions(ids, split=split))
    batches = tqdm(loader, desc=f"Pixels of {len(ids)} images", unit="batch", leave=False)
    small = [F.adaptive_avg_pool2d(batch.images, side_px).flatten(1).numpy() for batch in batches]
    return np.concatenate(small).astype(np.float64)
