"""Captions of the groups of a run, what they find, and how they differ: tables 3 and 5."""

from collections.abc import Mapping

import numpy as np

from qscore.evaluation import EvaluationInputs
from qscore.interpretability.forced_choice.automatic.table3 import (
    CAPTIONS,
    NEAREST_IMAGE,
    ROUGE,
    WITHOUT,
    Sentences,
    as_metrics,
    chosen_captions,
    table_three,
)
from qscore.interpretability.forced_choice.studied import Studied
from qscore.interpretability.forced_choice.words.described import Described
from qscore.interpretability.forced_choice.words.statistics import caption_statistics
from qscore.interpretability.reverse_probing.parts import Part

NUM_FREQUENT = 10
FEW_CAPTIONS = 0.5  # of the groups, below which a reader should know
IMAGE_SEARCH = "The rows of images search by pixels, which know neither the encoder nor words; the paper by the web."


def without_people(
    inputs: EvaluationInputs,
    studied: Studied,
    described: Described,
    people: Mapping[int, str],
    sentences: Sentences,
    *,
    search_images: bool,
) -> Part:
    """Returns captions of the groups, and what they find in the pool.

    Args:
        inputs: Representations.
        studied: The groups.
        described: Captions of the images.
        people: Descriptions of groups by people, where there are any.
        sentences: All of them as vectors.
        search_images: Whether to search by images too.
    """
    chosen = chosen_captions(studied, described, sentences, inputs.seed)
    said = {kind: [described.train[row] for row in rows] for kind, rows in chosen.items()}
    rows = table_three(inputs, studied, sentences, chosen, search_images=search_images)
    unknown = np.full(len(studied.members), np.nan)
    statistics = caption_statistics(said[CAPTIONS], top=NUM_FREQUENT)
    frequent = [*statistics.most_common, *([("", 0)] * NUM_FREQUENT)][:NUM_FREQUENT]
    arrays = {
        "caption": np.array(said[CAPTIONS], dtype=str),
        "caption_without_negatives": np.array(said[WITHOUT], dtype=str),
        "caption_rouge": np.array(said[ROUGE], dtype=str),
        "description": np.array([people.get(group, "") for group in studied.members], dtype=str),
        "binary": rows[CAPTIONS].binary.mean(0) if CAPTIONS in rows else unknown,
        "top1": rows[CAPTIONS].top1 if CAPTIONS in rows else unknown,
        "frequent_captions": np.array([caption for caption, _ in frequent], dtype=str),
        "frequent_counts": np.array([times for _, times in frequent], dtype=np.int64),
    }
    counts: dict[str, float | None] = {
        "num_captions": float(statistics.num_unique),
        "num_captions_without_stopwords": float(statistics.num_unique_content),
    }
    notes = [IMAGE_SEARCH] if NEAREST_IMAGE in rows else []
    if statistics.num_unique < FEW_CAPTIONS * len(studied.members):
        notes.append(
            f"{len(studied.members)} groups share {statistics.num_unique} captions: those of one caption find the same "
            "images, and the binary test between them is a coin."
        )
    return Part(as_metrics(rows, studied, list(people)) | counts, arrays, tuple(notes))
