"""Groups of which it is known who is in them, and captions of which it is known what they are worth."""

import numpy as np


def three_groups() -> tuple[np.ndarray, list[str], np.ndarray]:
    """40 samples each around 0, 1 and 5, of which group 2 is nearest to 1; 5 more in group 7, 30 in none."""
    clusters = np.repeat([0, 1, 2, 7, -1], [40, 40, 40, 5, 30])
    centres = np.array([0.0, 1.0, 5.0, 0, 0, 0, 0, 100.0, 50.0])
    clusters = clusters[np.random.default_rng(3).permutation(len(clusters))]
    noise = np.random.default_rng(4).normal(size=(len(clusters), 2)) / 100
    return clusters, [f"sample {i}" for i in range(len(clusters))], centres[clusters][:, None] + noise


def generic_captions() -> tuple[list[str], np.ndarray]:
    """Twelve classes of their own words, and in each a caption that is nearest to all and says nothing."""
    things = ["dog", "cat", "bird", "fish", "horse", "sheep", "house", "boat", "train", "flower", "apple", "guitar"]
    looks = ["red big", "green old", "small wet", "large new"]
    captions = [
        caption
        for thing in things
        for caption in [f"an organism {thing} {look}" for look in looks] + 4 * ["an organism"] + [thing]
    ]
    return captions, np.repeat(np.arange(12), 9)


def bag_of_words(captions: list[str]) -> np.ndarray:
    vocabulary = sorted({word for caption in captions for word in caption.split()})
    return np.array([[caption.split().count(word) for word in vocabulary] for caption in captions], float)
