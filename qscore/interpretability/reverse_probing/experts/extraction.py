"""Concepts of a data set by experts: an image is read once for all of them, and what they said is kept."""

import logging
import re
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from filelock import FileLock
from jaxtyping import Bool
from PIL import Image
from scipy.sparse import vstack
from tqdm import tqdm

from qscore.data.sources import ImageSource
from qscore.errors import UserError
from qscore.files import fingerprint
from qscore.interpretability.reverse_probing.concepts import make_concepts, side_by_side
from qscore.interpretability.reverse_probing.experts.expert import Expert
from qscore.interpretability.reverse_probing.tables.archive import read_npz, write_npz
from qscore.records import Concepts

log = logging.getLogger(__name__)

BLOCK, BATCH = 1024, 32  # images between two writes; images that are held at once


def name_images(experts: Sequence[Expert], source: ImageSource, folder: Path) -> Concepts:
    """Returns what some experts find in the images of a source, group beside group.

    Each expert has a file in `folder`, named after its fingerprint and that of the images, so that neither changed
    experts nor changed images meet old answers. A run that was killed goes on after the last full block of images.

    Args:
        experts: With different names.
        source: Of images; one that cannot be read has no concept, and is reported.
        folder: Where answers are kept, as npz tables.

    Raises:
        UserError: If there is no expert, two name the same concept, an answer has another shape than the expert's
            concepts, or more than 1 % of the images cannot be read.
    """
    if not experts or not len(source):
        raise UserError(f"Expected experts and images to look at, got {len(experts)} and {len(source)}.")
    files = [kept_answers(expert, source, folder) for expert in experts]
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):  # of two runs that want the same, the second finds it there
        missing = [(expert, file) for expert, file in zip(experts, files, strict=True) if not _is_whole(file)]
        if missing:
            _ask(missing, source)
    return side_by_side([read_npz(file) for file in files])


def kept_answers(expert: Expert, source: ImageSource, folder: Path) -> Path:
    """Returns the file of the answers of an expert about the images of a source."""
    about = (expert.name, expert.group, *expert.concept_names, "", source.fingerprint, *source.ids)
    key = fingerprint(expert.fingerprint(), *about)
    return folder / f"{re.sub(r'[^A-Za-z0-9_-]+', '_', expert.name)}-{key}.npz"


def _ask(asked: Sequence[tuple[Expert, Path]], source: ImageSource) -> None:
    bar = tqdm(total=len(source), desc=f"Naming by {len(asked)} experts", unit="image", leave=False)
    with bar, ThreadPoolExecutor() as readers:
        for start in range(0, len(source), BLOCK):
            positions = range(start, min(start + BLOCK, len(source)))
            open_parts = [(expert, part) for expert, file in asked if not _is_whole(part := _part(file, positions))]
            rows: list[list[np.ndarray]] = [[] for _ in open_parts]
            for batch in (positions[first : first + BATCH] for first in range(0, len(positions), BATCH)):
                images = list(readers.map(source.image, batch)) if open_parts else []
                for (expert, _), found in zip(open_parts, rows, strict=True):
                    found.append(_about(expert, images))
                bar.update(len(batch))
            source.check_readable()
            for (expert, part), found in zip(open_parts, rows, strict=True):
                ids = [source.ids[i] for i in positions]
                write_npz(make_concepts(np.concatenate(found), expert.concept_names, expert.group, ids), part)
    for expert, file in asked:
        _join(expert, file, source)


def _join(expert: Expert, file: Path, source: ImageSource) -> None:
    parts = [read_npz(_part(file, range(start, start + BLOCK))) for start in range(0, len(source), BLOCK)]
    present = vstack([part.present for part in parts], format="csr")
    write_npz(make_concepts(present, expert.concept_names, expert.group, source.ids), file)
    shutil.rmtree(_parts(file))


def _parts(file: Path) -> Path:
    return file.with_suffix(".partial")


def _part(file: Path, positions: range) -> Path:
    return _parts(file) / f"from-{positions.start}-by-{BLOCK}.npz"


def _is_whole(file: Path) -> bool:
    if not file.is_file():
        return False
    try:
        read_npz(file)
    except UserError as error:
        log.warning("%s is broken and is made again: %s", file, error)
        return False
    return True


def _about(expert: Expert, images: Sequence[Image.Image | None]) -> Bool[np.ndarray, "sample concept"]:
    is_readable = np.array([image is not None for image in images])
    readable = [image for image in images if image is not None]
    found = np.zeros((len(is_readable), len(expert.concept_names)), dtype=bool)
    if not readable:
        return found
    answer = np.asarray(expert(readable))
    expected = (len(readable), len(expert.concept_names))
    if answer.shape != expected or answer.dtype != bool:
        raise UserError(
            f"Expected the expert '{expert.name}' to answer with truth values of shape {expected}, one row an image, "
            f"got {answer.dtype} of shape {answer.shape}."
        )
    found[is_readable] = answer
    return found
