"""What the names of an image's activations say together (Hamidi-Haines et al., sections 3.3 and 4.3, table 4)."""

from collections import Counter
from collections.abc import Mapping, Sequence

UNLABELED = "unlabeled"


def explanations(
    names: Sequence[str | None], images: Sequence[str], *, other: str | None = None
) -> dict[str, tuple[str, ...]]:
    """Returns the explanation of each image: the set of names of its significant activations.

    Args:
        names: Of the concept of each activation; None where it is unnamed.
        images: The image that each is in.
        other: A word that stands for unnamed activations beside named ones (section 3.3); left out by default, as
            table 4 does.

    Returns:
        Names in the order of the alphabet; none for an image of which nothing is named.

    >>> explanations(["wing", "eye", None, None], ["x", "x", "x", "y"])
    {'x': ('eye', 'wing'), 'y': ()}
    """
    found: dict[str, set[str]] = {}
    unnamed: set[str] = set()
    for name, image in zip(names, images, strict=True):
        said = found.setdefault(image, set())
        if name is None:
            unnamed.add(image)
        else:
            said.add(name)
    return {
        image: (*sorted(said), *([other] if other is not None and said and image in unnamed else []))
        for image, said in found.items()
    }


def summary(said: Mapping[str, tuple[str, ...]]) -> tuple[tuple[tuple[str, ...], int], ...]:
    """Returns each explanation with the number of its images (table 4): frequent ones first, no name last.

    >>> summary({"x": ("eye",), "y": (), "z": ("eye",)})
    ((('eye',), 2), ((), 1))
    """
    counts = Counter(said.values())
    return tuple(sorted(counts.items(), key=lambda item: (not item[0], -item[1], item[0])))


def summary_line(said: Mapping[str, tuple[str, ...]]) -> str:
    """Returns a cell of table 4.

    >>> summary_line({"x": ("eye", "wing"), "y": (), "z": ("eye", "wing")})
    "('eye', 'wing') 66.6667% , ('unlabeled') 33.3333%"
    """
    cells = []
    for names, count in summary(said):
        quoted = ", ".join(f"'{name}'" for name in names or (UNLABELED,))
        cells.append(f"({quoted}) {round(100 * count / len(said), 4):g}%")
    return " , ".join(cells)
