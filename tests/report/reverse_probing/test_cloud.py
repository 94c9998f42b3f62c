"""Words of a cloud lie inside the box, apart from each other, and are larger the heavier they are."""

from hypothesis import given, settings
from hypothesis import strategies as st

from qscore.report.reverse_probing.cloud import LARGEST_PT, SMALLEST_PT, lay_out

WORDS = st.lists(st.tuples(st.text("abc XY[]-é", max_size=30), st.floats(-5, 5)), max_size=25)


@settings(max_examples=40, deadline=None)
@given(WORDS, st.floats(40, 300), st.floats(20, 200))
def test_words_are_apart_inside_and_ordered(words: list[tuple[str, float]], width: float, height: float) -> None:
    names, weights = [name for name, _ in words], [weight for _, weight in words]
    placed = lay_out(names, weights, width, height)
    for word in placed:
        assert word.x >= 0
        assert word.x + word.width <= width + 1e-6
        assert word.y >= 0
        assert word.y + word.size <= height + 1e-6
        assert SMALLEST_PT - 1e-6 <= word.size <= LARGEST_PT + 1e-6
    for i, one in enumerate(placed):
        for other in placed[:i]:
            same_row = one.y == other.y
            apart = one.x >= other.x + other.width or other.x >= one.x + one.width
            assert apart if same_row else abs(one.y - other.y) >= 0.9 * min(one.size, other.size)
    by_weight = sorted(placed, key=lambda word: abs(weights[word.index]))
    assert [word.size for word in by_weight] == sorted(word.size for word in placed)


def test_everything_that_has_room_is_shown() -> None:
    names = [f"concept {i}" for i in range(12)]
    placed = lay_out(names, [1 / (i + 1) for i in range(12)], 190, 160)
    assert {word.index for word in placed} == set(range(12))
    assert placed[0].index == 0
    assert lay_out([], [], 100, 100) == []
