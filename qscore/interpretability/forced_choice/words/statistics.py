"""How many captions of classes differ, and which come most often (appendix B.4, table 5)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from qscore.interpretability.reverse_probing.experts.captions import STOP_WORDS, WORD


@dataclass(frozen=True)
class CaptionStatistics:
    """Of the captions of all classes.

    Attributes:
        num_captions: One a class.
        num_unique: How many differ, but for capitals and blanks at their ends.
        num_unique_content: How many differ when stop words are left out.
        most_common: Captions and how often each comes, the most frequent first, then by alphabet.
    """

    num_captions: int
    num_unique: int
    num_unique_content: int
    most_common: tuple[tuple[str, int], ...]


def caption_statistics(
    captions: Sequence[str], *, top: int = 10, stop_words: frozenset[str] = STOP_WORDS
) -> CaptionStatistics:
    """Returns how many captions differ and which are the most frequent.

    Few unique captions say that the captioner does not see what tells the classes apart.

    Args:
        captions: One a class.
        top: How many of the most frequent.
        stop_words: In lower case. The paper does not say which; by default English function words.

    >>> caption_statistics(["a dog", "the dog", "a dog"]).most_common
    (('a dog', 2), ('the dog', 1))
    >>> caption_statistics(["a dog", "the dog", "a dog"]).num_unique_content
    1
    """
    plain = [caption.strip().lower() for caption in captions]
    content = {tuple(word for word in WORD.findall(caption) if word not in stop_words) for caption in plain}
    times = Counter(plain)
    common = sorted(times.items(), key=lambda item: (-item[1], item[0]))[:top]
    return CaptionStatistics(len(plain), len(times), len(content), tuple(common))
