"""What an expert is: something that says which of its concepts are in an image."""

import inspect
import marshal
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool
from PIL import Image

from qscore.errors import UserError
from qscore.files import fingerprint


@runtime_checkable
class Expert(Protocol):
    """Names concepts in images: a network, a rule, a person."""

    @property
    def name(self) -> str:
        """What the expert is called, and its file of extracted concepts."""

    @property
    def group(self) -> str:
        """Group of its concepts in tables and ablations."""

    @property
    def concept_names(self) -> tuple[str, ...]:
        """Of each concept."""

    def fingerprint(self) -> str:
        """Changes with everything that may change an answer: settings, weights, the way images are prepared."""

    def __call__(self, images: Sequence[Image.Image]) -> Bool[np.ndarray, "sample concept"]:
        """Returns which concepts are present.

        Args:
            images: The user's own, RGB and of any size: not what an encoder sees.
        """


def image_by_image(
    images: Sequence[Image.Image], answers: Callable[[Image.Image], Sequence[bool]], num_concepts: int
) -> Bool[np.ndarray, "sample concept"]:
    """Returns the answers to each image, one below the other; there may be no image."""
    return np.array([answers(image) for image in images], dtype=bool).reshape(len(images), num_concepts)


def fingerprint_of(expert: object, *parts: bytes | str) -> str:
    """Returns the fingerprint of an expert whose settings are all in its `repr`, as a dataclass has them.

    Args:
        expert: The code of its module counts too, so that a rule that was rewritten is asked again.
        parts: What else may change an answer, such as the code of functions from elsewhere.
    """
    return fingerprint(repr(expert), _code(type(expert)), *parts)


def _code(kind: type) -> bytes:
    module = inspect.getmodule(kind)
    try:
        if module is not None:
            return inspect.getsource(module).encode()
    except (OSError, TypeError):  # written in a notebook: there is no file
        pass
    return b"".join(marshal.dumps(part.__code__) for part in vars(kind).values() if isinstance(part, FunctionType))


def probe_images() -> list[Image.Image]:
    """Returns images that show whether two ways of looking differ: noise, and a slope of colours, of unlike shapes."""
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    slope = np.stack(np.broadcast_arrays(np.arange(200)[:, None], np.arange(150), 255), axis=-1).astype(np.uint8)
    return [Image.fromarray(noise), Image.fromarray(slope)]


def one_hot(scores: np.ndarray, min_score: float, *, has_background: bool) -> Bool[np.ndarray, "sample concept"]:
    """Returns the best concept of each sample, or the background, in the last column, where none scores enough.

    >>> one_hot(np.array([[0.7, 0.3], [0.4, 0.45]]), 0.5, has_background=True).astype(int)
    array([[1, 0, 0],
           [0, 0, 1]])
    """
    found = np.zeros((len(scores), scores.shape[1] + has_background), dtype=bool)
    best = scores.argmax(1)
    is_sure = scores.max(1, initial=0) >= min_score
    rows = np.arange(len(scores)) if not has_background else np.flatnonzero(is_sure)
    found[rows, best[rows]] = True
    if has_background:
        found[~is_sure, -1] = True
    return found


def checked_scores(scores: np.ndarray, num_samples: int, num_concepts: int, kind: str) -> np.ndarray:
    """Returns the scores, once they are a finite matrix of the right shape.

    Raises:
        UserError: If they are not.
    """
    if scores.shape != (num_samples, num_concepts):
        raise UserError(f"Expected {kind} of shape {(num_samples, num_concepts)}, got {scores.shape}.")
    if not np.isfinite(scores).all():
        raise UserError(
            f"Expected finite {kind}, got NaN or infinity: look at the weights and at how images are prepared."
        )
    return scores
