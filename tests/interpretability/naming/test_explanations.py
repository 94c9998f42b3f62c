"""Explanations and their summaries as the paper printed them."""

import pytest

from qscore.interpretability.naming.explanations import explanations, summary, summary_line

from .printed import EXPLANATIONS, NUM_IMAGES


@pytest.mark.parametrize("category", EXPLANATIONS)
def test_summaries_are_those_of_table_4(category: str) -> None:
    """From activations: some concepts stand twice in an image, and unnamed activations beside them."""
    names: list[str | None] = []
    images: list[str] = []
    for row, (said, count, _) in enumerate(EXPLANATIONS[category]):
        for i in range(count):
            activations = [*said, *said[: i % 2], *([None] if i % 3 == 0 or not said else [])]
            names += activations
            images += [f"{row}-{i}"] * len(activations)
    found = explanations(names, images)
    assert len(found) == NUM_IMAGES[category]
    counts = dict(summary(found))
    assert counts == {tuple(sorted(said)): count for said, count, _ in EXPLANATIONS[category]}
    assert list(counts.values())[:-1] == sorted((n for names, n in counts.items() if names), reverse=True)
    line = summary_line(found)
    for said, _, percentage in EXPLANATIONS[category]:
        quoted = ", ".join(f"'{name}'" for name in sorted(said) or ["unlabeled"])
        assert f"({quoted}) {percentage}" in line


def test_unnamed_activations_can_be_called_other() -> None:
    said = explanations(["eye", None, None, "eye"], ["x", "x", "y", "z"], other="other")
    assert said == {"x": ("eye", "other"), "y": (), "z": ("eye",)}
