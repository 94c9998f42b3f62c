"""How much a linear layer can read from some of the features only (figs. 4 and A.2)."""

from collections.abc import Iterable, Iterator

import numpy as np

from qscore.data.split import held_out_split
from qscore.errors import UserError
from qscore.evaluation.inputs import EvaluationInputs
from qscore.evaluation.probe import fit_linear
from qscore.results import Result

NAME = "feature_selection"
PERCENTAGES = (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
MIDDLE, LOWER, UPPER, RANDOM = "middle", "lower_tail", "upper_tail", "random"
CLOSE = 0.01


def feature_selection(
    inputs: EvaluationInputs, *, percentages: Iterable[int] = PERCENTAGES, num_random: int = 4, max_train: int = 50_000
) -> Result:
    """Returns the accuracy of linear probes on parts of the features, chosen by how often they are dominant.

    Features stand in ascending order of the number of training samples they are dominant for (fig. 3 of Kalibhat et
    al., 2022, arXiv 2203.01881v2); see `subsets` for the parts. The paper draws them (figs. 4 and A.2) and gives
    neither the sizes nor the rule. The strength of the penalty is the one that the probe on all features was given:
    choosing it anew would multiply the cost by ten, and favours the small parts, which need less of it, if any.
    `smallest_middle_within_1_point_pct` is the size from which on every larger middle comes within a point of all
    features; it is read off the held-out samples and describes them.

    Args:
        inputs: The cached representations.
        percentages: Sizes of the parts, in percent of the features; 100 is the probe on all of them.
        max_train: Training samples to fit on; more are drawn from, since some 70 probes are fitted. `all_features` is
            then fitted on these as well.
        num_random: Random orders of the features to draw parts from; the figure shows their mean and their span.

    Raises:
        UserError: If the data has no labels, or one class only, or a size is not in (0, 100].
    """
    chosen = sorted({int(percentage) for percentage in percentages})
    if not chosen or chosen[0] < 1 or chosen[-1] > 100 or num_random < 1:
        raise UserError(
            f"Expected percentages from 1 to 100 and at least 1 random order, got {chosen} and {num_random}; set "
            "evaluation.feature_selection.percentages=[10,50,100]."
        )
    num_features = inputs.train.h.shape[1]
    sizes = [max(1, round(num_features * percentage / 100)) for percentage in chosen]
    rows = _drawn(inputs, max_train)
    curves: dict[str, list[list[float]]] = {}
    for name, parts in subsets(inputs, sizes, num_random):
        curves.setdefault(name, []).append([_accuracy(inputs, features, rows) for features in parts])
    accuracy = {name: np.array(draws) for name, draws in curves.items()}
    full = _accuracy(inputs, np.arange(num_features), rows)
    close = [bool((accuracy[MIDDLE][0][i:] >= full - CLOSE).all()) for i in range(len(chosen))]
    return Result(
        evaluation=NAME,
        metrics={
            "all_features": full,
            "smallest_middle_within_1_point_pct": float(chosen[close.index(True)]) if True in close else None,
            "num_never_dominant": float((inputs.mined.counts == 0).sum()),
            **{
                f"{name}/{percentage}pct": float(draws[:, i].mean())
                for name, draws in accuracy.items()
                for i, percentage in enumerate(chosen)
            },
        },
        settings={
            **inputs.settings(),
            "protocol": "as linear_probe, at the C that the probe on all features chose",
            "C": inputs.probe.regularization,
            "num_random": num_random,
            "num_train": len(rows),
        },
        arrays={
            "percentages": np.array(chosen),
            "sizes": np.array(sizes),
            **{name: draws if name == RANDOM else draws[0] for name, draws in accuracy.items()},
        },
        notes=() if inputs.discriminative.any() else ("D is empty: the middle is taken to be that of all features.",),
    )


def subsets(inputs: EvaluationInputs, sizes: Iterable[int], num_random: int) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yields the name of a way to choose features, and the features that it chooses for each size.

    - middle: a window of the order. D is what the paper calls the middle portion, so at its own size the window is D.
      A larger one leaves out of both tails in the proportion in which D does, so that it is no tail itself before it
      holds every feature; a smaller one lies in the middle of D.
    - lower_tail: the left end, where the features are that are never dominant.
    - upper_tail: the right end.
    - random: the beginning of a random order, once for each of `num_random`.

    Features that are dominant equally often, the silent ones among them, stand in the order of their numbers, which
    means nothing in an encoder. Each way chooses, for a larger size, all that it chose for a smaller one.

    Args:
        inputs: The cached representations.
        sizes: Numbers of features, at most all of them.
        num_random: Number of random orders, from the seed of the inputs.
    """
    sizes = list(sizes)
    order = np.argsort(inputs.mined.counts.numpy(), kind="stable")
    num_features = len(order)
    places = np.flatnonzero(inputs.discriminative.numpy()[order])
    first, size_of_d = (int(places[0]), len(places)) if len(places) else (num_features // 2, 0)
    starts = [_start(size, first, size_of_d, num_features) for size in sizes]
    yield MIDDLE, [order[start : start + size] for start, size in zip(starts, sizes, strict=True)]
    yield LOWER, [order[:size] for size in sizes]
    yield UPPER, [order[num_features - size :] for size in sizes]
    for draw in range(num_random):
        shuffled = np.random.default_rng([inputs.seed, draw]).permutation(num_features)
        yield RANDOM, [shuffled[:size] for size in sizes]


def _start(size: int, first: int, size_of_d: int, num_features: int) -> int:
    """Place where a window of some size begins, for a D of `size_of_d` features that begins at `first`."""
    if size <= size_of_d:
        return first + (size_of_d - size) // 2
    return round((num_features - size) * first / (num_features - size_of_d))


def _drawn(inputs: EvaluationInputs, max_train: int) -> np.ndarray:
    """Positions of the training samples to fit on: all, or as many as asked for, the same share of every class."""
    labels = inputs.labels[0].numpy()
    if len(labels) <= max_train:
        return np.arange(len(labels))
    _, drawn = held_out_split(len(labels), labels=labels, test_fraction=max_train / len(labels), seed=inputs.seed)
    return drawn


def _accuracy(inputs: EvaluationInputs, features: np.ndarray, rows: np.ndarray) -> float:
    train_labels, test_labels = (labels.numpy() for labels in inputs.labels)
    if len(features) == inputs.train.h.shape[1] and len(rows) == len(train_labels):
        return float(inputs.probe.correct.mean())
    train_labels = train_labels[rows]
    train_h, test_h = inputs.train.h.numpy()[np.ix_(rows, features)], inputs.test.h.numpy()[:, features]
    model = fit_linear(train_h, train_labels, inputs.probe.regularization, device=inputs.device or "cpu")
    return float((model.predict(test_h) == test_labels).mean())
