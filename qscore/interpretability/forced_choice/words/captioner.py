"""Captions of images by a captioning model of anybody: images in, sentences out."""

import inspect
import logging
import re
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from filelock import FileLock
from PIL import Image
from tqdm import tqdm

from qscore.data.sources import ImageSource
from qscore.errors import UserError
from qscore.files import fingerprint, read_json, write_json
from qscore.interpretability.forced_choice.words.named import callable_named
from qscore.interpretability.reverse_probing.experts.expert import probe_images

log = logging.getLogger(__name__)

CAPTIONER = "a captioning model"
BLOCK, BATCH = 1024, 32  # images between two writes; images that are held at once


@runtime_checkable
class Captioner(Protocol):
    """Says a sentence about each image: g in section 4."""

    @property
    def name(self) -> str:
        """What it is called, and its files of captions."""

    def fingerprint(self) -> str:
        """Changes with everything that may change a caption."""

    def __call__(self, images: Sequence[Image.Image]) -> Any:
        """Returns a list of a sentence for each image: the user's own, RGB and of any size."""


@dataclass(frozen=True)
class CaptionsBy:
    """Makes a captioner of anything that gives a sentence for each of some images.

    Its fingerprint is of its name, its version, its source code where there is any, and of what it says of two made
    images: weights that changed nearly always say something else of these, and a `version` always does.

    Attributes:
        function: RGB images to as many sentences.
        name: Of the model.
        version: Anything that changes with its weights.
    """

    function: Callable[[Sequence[Image.Image]], Any] = field(repr=False)
    name: str = "captioner"
    version: str = ""

    def fingerprint(self) -> str:
        return fingerprint(self.name, self.version, _code(self.function), *captions_of(self, probe_images()))

    def __call__(self, images: Sequence[Image.Image]) -> Any:
        return self.function(images)


def captioner_of(given: object) -> Captioner:
    """Returns a captioner, of what is one already, of any function of images, or of what `module:attribute` names.

    Raises:
        UserError: If it is none of these, or cannot be imported.
    """
    found: object = callable_named(given, CAPTIONER) if isinstance(given, str) else given
    if isinstance(found, Captioner):
        return found
    if not callable(found):
        raise UserError(f"Expected a captioning model, which takes images and gives sentences, got {found!r}.")
    return CaptionsBy(found, given if isinstance(given, str) else getattr(found, "__name__", type(found).__name__))


def captions_of(captioner: Captioner, images: Sequence[Image.Image]) -> list[str]:
    """Returns the caption of each image, without line breaks.

    Raises:
        UserError: If the model does not give a sentence for each.
    """
    said = captioner(images) if images else []
    if isinstance(said, str) or not isinstance(said, Sequence) or not all(isinstance(text, str) for text in said):
        raise UserError(
            f"Expected a list of sentences from the captioner '{captioner.name}', got {type(said).__name__}."
        )
    if len(said) != len(images):
        raise UserError(f"Expected {len(images)} sentences from the captioner '{captioner.name}', got {len(said)}.")
    return [" ".join(text.split()) for text in said]


def caption_images(captioner: Captioner, source: ImageSource, folder: Path) -> dict[str, str]:
    """Returns the caption of each image of a source by its id; an unreadable image has an empty one.

    They are kept in `folder` under the fingerprint of the captioner and of the images, so that no model is asked twice.
    A run that was killed goes on after the last full block of images.

    Raises:
        UserError: As `captions_of`, or if more than 1 % of the images cannot be read.
    """
    key = fingerprint(captioner.fingerprint(), source.fingerprint, *source.ids)
    file = folder / f"{re.sub(r'[^A-Za-z0-9_-]+', '_', captioner.name)}-{key}.json"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):  # of two runs that want the same, the second finds it there
        if not file.is_file():
            _ask(captioner, source, file)
    found: dict[str, str] = read_json(file)
    return found


def _ask(captioner: Captioner, source: ImageSource, file: Path) -> None:
    parts = file.with_suffix(".partial")
    bar = tqdm(total=len(source), desc=f"Captions by {captioner.name}", unit="image", leave=False)
    captions: list[str] = []
    with bar, ThreadPoolExecutor() as readers:
        for start in range(0, len(source), BLOCK):
            part, positions = parts / f"from-{start}-by-{BLOCK}.json", range(start, min(start + BLOCK, len(source)))
            if not part.is_file():
                write_json(part, _of_block(captioner, source, positions, readers, bar))
            captions += read_json(part)
            bar.update(len(captions) - bar.n)
    write_json(file, dict(zip(source.ids, captions, strict=True)))
    shutil.rmtree(parts)


def _of_block(
    captioner: Captioner, source: ImageSource, positions: range, readers: ThreadPoolExecutor, bar: "tqdm[object]"
) -> list[str]:
    found: list[str] = []
    for batch in (positions[first : first + BATCH] for first in range(0, len(positions), BATCH)):
        images = list(readers.map(source.image, batch))
        said = iter(captions_of(captioner, [image for image in images if image is not None]))
        found += ["" if image is None else next(said) for image in images]
        bar.update(len(batch))
    source.check_readable()
    return found


def _code(function: object) -> str:
    kind = function if inspect.isroutine(function) else type(function)
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):  # written in a notebook, or in C
        return str(getattr(kind, "__qualname__", ""))
