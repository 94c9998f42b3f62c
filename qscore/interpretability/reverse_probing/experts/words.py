"""What was said of samples, as a table."""

from collections.abc import Iterable, Mapping, Set

import numpy as np
from scipy.sparse import csr_array

from qscore.interpretability.reverse_probing.concepts import make_concepts
from qscore.records import Concepts


def table_of(said: Mapping[str, Set[tuple[str, str]]], ids: Iterable[str] = ()) -> Concepts:
    """Returns a table with a column for each group and name, in alphabetical order.

    Args:
        said: Groups and names of the concepts of each sample.
        ids: Of further samples, of which nothing was said.

    >>> table_of({"x": {("eva", "dog")}, "y": {("eva", "cat")}}, ids=["y", "z"]).present.toarray().astype(int)
    array([[0, 1],
           [1, 0],
           [0, 0]])
    """
    columns = {concept: place for place, concept in enumerate(sorted(set().union(*said.values())))}
    rows = list(dict.fromkeys([*said, *ids]))
    cells = [(row, columns[concept]) for row, row_id in enumerate(rows) for concept in said.get(row_id, ())]
    where = np.array(cells, dtype=np.int64).reshape(-1, 2).T
    present = csr_array((np.ones(where.shape[1], dtype=bool), (where[0], where[1])), shape=(len(rows), len(columns)))
    return make_concepts(present, [name for _, name in columns], [group for group, _ in columns], rows)
