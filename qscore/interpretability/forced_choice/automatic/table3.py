"""Table 3 of the paper: what images and descriptions of each kind find, and whether that is of their group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from qscore.evaluation import EvaluationInputs
from qscore.interpretability.forced_choice.automatic.belonging import chance
from qscore.interpretability.forced_choice.automatic.pixels import pixel_vectors
from qscore.interpretability.forced_choice.automatic.retrieval import NUM_RETRIEVED, fair_order, query_images, retrieve
from qscore.interpretability.forced_choice.captions import class_captions
from qscore.interpretability.forced_choice.proxy import Proxy, ProxyByGroup, proxy_by_group
from qscore.interpretability.forced_choice.studied import Studied
from qscore.interpretability.forced_choice.words.described import Described
from qscore.interpretability.forced_choice.words.rouge import class_captions_by_rouge
from qscore.interpretability.forced_choice.words.sentences import Embeddings, SentenceEncoder, embed_captions

RANDOM_IMAGE, NEAREST_IMAGE = "random_image", "nearest_image"
ROUGE, WITHOUT, CAPTIONS, DESCRIPTIONS = "rouge", "captions_without_negatives", "captions", "descriptions"
ROWS = (RANDOM_IMAGE, NEAREST_IMAGE, ROUGE, WITHOUT, CAPTIONS, DESCRIPTIONS)
COLUMNS = ("top1", "top5", "binary", "binary_sd", "recall1", "recall5")


@dataclass(frozen=True)
class Sentences:
    """Captions and descriptions in one space.

    Attributes:
        train: Of the grouped images, (sample, feature).
        pool: Of the held-out images; None where they have no captions.
        people: Of what people wrote, in the order of `groups`.
        groups: That people described.
        order: In which equally near images of the pool are taken.
    """

    train: Float[np.ndarray, "train feature"] | csr_array
    pool: Float[np.ndarray, "pool feature"] | csr_array | None
    people: Float[np.ndarray, "people feature"] | csr_array
    groups: Sequence[int]
    order: Int[np.ndarray, " pool"] = field(repr=False)

    def find(self, queries: Embeddings) -> Int[np.ndarray, "query num"]:
        """Returns the images of the pool that are nearest to each query."""
        return retrieve(queries, self.pool, num=NUM_RETRIEVED, order=self.order)


def embedded(
    inputs: EvaluationInputs, described: Described, people: Mapping[int, str], encoder: SentenceEncoder
) -> Sentences:
    """Returns all sentences as vectors: together, since TF-IDF knows only the words that it was made of."""
    pool, written = described.test or (), list(people.values())
    vectors = embed_captions([*described.train, *pool, *written], encoder)
    ends = len(described.train), len(described.train) + len(pool)
    order = fair_order(inputs.test.ids, seed=inputs.seed)
    of_pool = vectors[ends[0] : ends[1]] if pool else None
    return Sentences(vectors[: ends[0]], of_pool, vectors[ends[1] :], list(people), order)


def chosen_captions(
    studied: Studied, described: Described, sentences: Sentences, seed: int
) -> dict[str, Int[np.ndarray, " group"]]:
    """Returns the position of the caption that stands for each group, of each kind."""
    return {
        ROUGE: class_captions_by_rouge(described.train, studied.grouping, seed=seed),
        WITHOUT: class_captions(sentences.train, studied.grouping, negatives=False),
        CAPTIONS: class_captions(sentences.train, studied.grouping),
    }


def table_three(
    inputs: EvaluationInputs,
    studied: Studied,
    sentences: Sentences,
    captions: Mapping[str, Int[np.ndarray, " group"]],
    *,
    search_images: bool = True,
) -> dict[str, ProxyByGroup]:
    """Returns the rows that can be had, of every group; that of descriptions is of those that people described.

    Args:
        inputs: Representations, and the images that images are searched among.
        studied: The groups, and how much each held-out image is of each.
        sentences: What describes, and the pool.
        captions: As by `chosen_captions`.
        search_images: Whether to search by images too, which reads the pool.
    """
    found: dict[str, ProxyByGroup] = {}

    def judged(retrieved: np.ndarray, described: Sequence[int] | None = None) -> ProxyByGroup:
        return proxy_by_group(retrieved, studied.scores, described=described, seed=inputs.seed)

    if search_images and inputs.pictures is not None:
        pool = pixel_vectors(inputs.pictures, "test", inputs.test.ids)
        mean = pool.mean(0)
        for name, rows in zip((RANDOM_IMAGE, NEAREST_IMAGE), _queries(inputs, studied), strict=True):
            queries = pixel_vectors(inputs.pictures, "train", [inputs.train.ids[row] for row in rows])
            found[name] = judged(retrieve(queries - mean, pool - mean, order=sentences.order))
    if sentences.pool is None:
        return found
    found |= {name: judged(sentences.find(sentences.train[rows])) for name, rows in captions.items()}
    if len(sentences.groups) > 1:
        places = [studied.numbers.index(group) for group in sentences.groups]
        found[DESCRIPTIONS] = judged(sentences.find(sentences.people), places)
    return found


def as_metrics(rows: Mapping[str, ProxyByGroup], studied: Studied, groups: Sequence[int]) -> dict[str, float | None]:
    """Returns the numbers of the table; None for what could not be had.

    Of descriptions by people the last two columns are over the chosen groups that have one, and the others None unless
    all groups have, as in the paper. Those of `chance` are of images drawn at random.

    Args:
        rows: As by `table_three`.
        studied: The groups.
        groups: That people described.
    """
    found: dict[str, float | None] = {f"{row}/{column}": None for row in ROWS for column in COLUMNS}
    for k in (1, 5):
        by_chance, chosen = chance(studied.scores, k), studied.selected
        found[f"chance/top{k}"] = float(by_chance.mean())
        found[f"chance/recall{k}"] = float(by_chance[chosen].mean()) if chosen else None
    for name, by_group in rows.items():
        numbers = groups if name == DESCRIPTIONS else studied.numbers
        whole = by_group.over([place for place, group in enumerate(numbers) if group in studied.chosen])
        is_whole = len(numbers) == len(studied.numbers)
        found |= {f"{name}/{column}": _value(whole, column, is_whole) for column in COLUMNS}
    return found


def _value(row: Proxy, column: str, is_whole: bool) -> Any:
    return getattr(row, column) if is_whole or column.startswith("recall") else None


def _queries(inputs: EvaluationInputs, studied: Studied) -> tuple[np.ndarray, np.ndarray]:
    return query_images(inputs.train.h.numpy(), studied.grouping, seed=inputs.seed)
