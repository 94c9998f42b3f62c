"""A card of a group: its images, words, numbers and what people made of them (figs. 6 to 8 and 10)."""

import base64
import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

COLUMNS, GAP_PX = 5, 2
QUALITY = 88


@dataclass(frozen=True)
class CardScore:
    """A share of right answers as text and as a bar, on which chance lies in the middle.

    Attributes:
        name: Under which condition.
        said: The share, with the counts.
        ends: Its interval; "" without one.
        left: Where the interval begins, in percent.
        width: Of the interval.
        at: The share.
    """

    name: str
    said: str
    ends: str
    left: float
    width: float
    at: float


@dataclass(frozen=True)
class Card:
    """What is known of a group.

    Attributes:
        title: Its name.
        about: What made it, and its most common label.
        picture: Images of it, as a data URL; "" where none were kept.
        descriptions: Whose words, and the words.
        scores: Right answers.
        facts: Numbers by name.
        nearest: What is said of the group that hard negatives are from.
        nearest_picture: Images of that.
    """

    title: str
    about: str = ""
    picture: str = ""
    descriptions: tuple[tuple[str, str], ...] = ()
    scores: tuple[CardScore, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    nearest: str = ""
    nearest_picture: str = ""


def card_score(name: str, correct: int, answers: int, low: float, high: float) -> CardScore:
    """Returns a share of right answers with its interval.

    >>> card_score("images", 47, 60, 0.658, 0.879).said   # fig. 10
    '78.3 % (47/60)'
    """
    share = 100 * correct / answers
    said = f"{share:.1f} % ({correct}/{answers})"
    ends = f"95 % CI [{100 * low:.1f}, {100 * high:.1f}]"
    return CardScore(name, said, ends, round(100 * low, 2), round(100 * (high - low), 2), round(share, 2))


def sheet(images: np.ndarray) -> str:
    """Returns images (image, y, x, 3) as one picture in rows of five, a data URL; "" for none."""
    if not len(images):
        return ""
    num_rows, size = math.ceil(len(images) / COLUMNS), images.shape[1]
    step = size + GAP_PX
    canvas = np.full((num_rows * step - GAP_PX, COLUMNS * step - GAP_PX, 3), 255, np.uint8)
    for place, image in enumerate(images):
        y, x = (step * number for number in divmod(place, COLUMNS))
        canvas[y : y + size, x : x + size] = image
    buffer = io.BytesIO()
    Image.fromarray(canvas).save(buffer, format="JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
