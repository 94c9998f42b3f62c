"""Sentences as concepts, by any encoder of images and texts into one space, such as CLIP (Radford et al., 2021)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from PIL import Image

from qscore.errors import UserError
from qscore.files import fingerprint
from qscore.interpretability.reverse_probing.experts.classifier import BACKGROUND
from qscore.interpretability.reverse_probing.experts.expert import checked_scores, one_hot, probe_images

# Laina et al., ICLR 2022, appendix A, word by word.
PHOTOGRAPHIC_STYLE = (
    "a high quality photo",
    "a noisy, grainy image",
    "a blurry image of low quality",
    "macro photography",
    "a photo with out of focus background, bokeh effect",
    "an animated picture, a vector illustration",
    "a painting",
    "a portrait",
)


@dataclass(frozen=True, eq=False)
class ImageText:
    """Says which of some sentences an image is nearest to.

    Vectors are brought to unit norm; a softmax of their products over the sentences gives the scores. The paper takes
    the best sentence "if the score is at least 0.5": raw cosines of CLIP are about 0.2 to 0.3, so that must mean a
    softmax. Its scale is not stated; 100 is CLIP's own.

    Attributes:
        name: Of the expert, such as "photographic style".
        sentences: What an image may be.
        encode_images: RGB images of any size to vectors, (sample, feature), as an array or a tensor.
        encode_texts: Sentences to vectors of the same length.
        scale: Of the products before the softmax.
        min_score: Below it, an image is of none of them but "background".
        group: Of the concepts; the name of the expert by default.
    """

    name: str
    sentences: Sequence[str]
    encode_images: Callable[[Sequence[Image.Image]], Any]
    encode_texts: Callable[[Sequence[str]], Any]
    scale: float = 100.0
    min_score: float = 0.5
    group: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "group", self.group or self.name)

    @property
    def concept_names(self) -> tuple[str, ...]:
        return (*self.sentences, BACKGROUND)

    @cached_property
    def directions(self) -> Float[np.ndarray, "sentence feature"]:
        """The vectors of the sentences."""
        return _unit(self.encode_texts(list(self.sentences)), len(self.sentences), "texts")

    def fingerprint(self) -> str:
        """Of the settings, the vectors of the sentences, and those of two images, which change with the encoder."""
        settings = (tuple(self.sentences), self.scale, self.min_score)
        seen = _unit(self.encode_images(probe_images()), len(probe_images()), "images")
        return fingerprint(str(settings), self.directions.tobytes(), seen.tobytes())

    def __call__(self, images: Sequence[Image.Image]) -> Bool[np.ndarray, "sample concept"]:
        return one_hot(self.scores(images), self.min_score, has_background=True)

    def scores(self, images: Sequence[Image.Image]) -> Float[np.ndarray, "sample sentence"]:
        """Returns the softmax over the sentences.

        Raises:
            UserError: If the encoders do not give finite vectors of one length, one for each image or sentence.
        """
        if not images:
            return np.zeros((0, len(self.sentences)))
        seen = _unit(self.encode_images(images), len(images), "images")
        if seen.shape[1] != self.directions.shape[1]:
            raise UserError(
                f"Expected vectors of images and texts of one length, got {seen.shape[1]} and "
                f"{self.directions.shape[1]}; take both from the same encoder."
            )
        logits = self.scale * seen @ self.directions.T
        exponentials = np.exp(logits - logits.max(1, keepdims=True))
        scores: np.ndarray = exponentials / exponentials.sum(1, keepdims=True)
        return scores


def _unit(vectors: Any, num_vectors: int, kind: str) -> Float[np.ndarray, "vector feature"]:
    values = vectors.detach().cpu().float().numpy() if isinstance(vectors, torch.Tensor) else np.asarray(vectors)
    if values.ndim != 2:
        raise UserError(f"Expected one vector for each of {num_vectors} {kind}, got an array of shape {values.shape}.")
    checked = checked_scores(values.astype(np.float64), num_vectors, values.shape[1], f"vectors of {kind}")
    norms = np.linalg.norm(checked, axis=1, keepdims=True)
    if not norms.all():
        raise UserError(f"Expected vectors of {kind} that are not zero, got {int((norms == 0).sum())} that are.")
    unit: np.ndarray = checked / norms
    return unit
