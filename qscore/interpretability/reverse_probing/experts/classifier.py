"""Any torch classifier as an expert."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from PIL import Image
from torch import Tensor, nn

from qscore.errors import UserError
from qscore.files import fingerprint
from qscore.interpretability.reverse_probing.concepts import listed
from qscore.interpretability.reverse_probing.experts.expert import checked_scores, one_hot, probe_images
from qscore.score.extract import evaluating

BACKGROUND = "background"


@dataclass(frozen=True, eq=False)
class Classifier:
    """Says which class an image is of, or which classes, by a network with one logit a class.

    Attributes:
        name: Of the expert, such as "places365".
        network: Images to logits, (sample, class).
        class_names: In the order of the logits.
        transform: An RGB image of any size to what the network takes, (channel, height, width).
        min_score: Least probability, by softmax, of the best class; below it, an image is of the class "background",
            which is there only where this is above 0.
        threshold: For classes that do not exclude one another: all whose probability, by sigmoid, is at least this.
            None for one class an image.
        device: Where to compute; the network is moved there.
        batch_size: Images at once.
        group: Of the concepts; the name of the expert by default.
    """

    name: str
    network: nn.Module
    class_names: Sequence[str]
    transform: Callable[[Image.Image], Tensor]
    min_score: float = 0.0
    threshold: float | None = None
    device: torch.device | str = "cpu"
    batch_size: int = 64
    group: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "group", self.group or self.name)
        if self.threshold is not None and self.min_score:
            raise UserError("Expected min_score (one class an image) or threshold (any number of classes), got both.")

    @property
    def concept_names(self) -> tuple[str, ...]:
        return (*self.class_names, *([BACKGROUND] if self.min_score else []))

    def fingerprint(self) -> str:
        """Of the weights and settings, and of the scores of two images, which change with the transform."""
        state = self.network.state_dict()
        weights = [part for key in sorted(state) for part in (key, _bytes(state[key]))]
        settings = (self.min_score, self.threshold, tuple(self.class_names))
        return fingerprint(str(settings), repr(self.network), *weights, self.scores(probe_images()).tobytes())

    def __call__(self, images: Sequence[Image.Image]) -> Bool[np.ndarray, "sample concept"]:
        scores = self.scores(images)
        if self.threshold is None:
            return one_hot(scores, self.min_score, has_background=self.min_score > 0)
        is_present: np.ndarray = scores >= self.threshold
        return is_present

    @torch.no_grad()
    def scores(self, images: Sequence[Image.Image]) -> Float[np.ndarray, "sample class"]:
        """Returns the probability of each class.

        Raises:
            UserError: If the network does not give one finite logit a class.
        """
        self.network.to(self.device)
        found = [np.zeros((0, len(self.class_names)), dtype=np.float32)]
        with evaluating(self.network):
            for start in range(0, len(images), self.batch_size):
                batch = torch.stack([self.transform(image) for image in images[start : start + self.batch_size]])
                logits = self.network(batch.to(self.device)).float()
                values = logits.softmax(-1) if self.threshold is None else logits.sigmoid()
                about = f"scores of '{self.name}' for the classes {listed(self.class_names)}"
                found.append(checked_scores(values.cpu().numpy(), len(batch), len(self.class_names), about))
        return np.concatenate(found)


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
