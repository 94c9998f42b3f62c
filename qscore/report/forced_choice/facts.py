"""The numbers that are known of a group, as a card says them."""

from collections.abc import Mapping

import numpy as np

SAID = {
    "purity": ("Purity", "{:.2f}"),
    "size": ("Samples", "{:.0f}"),
    "mean_q": ("Mean Q", "{:.3f}"),
    "information": ("Information", "{:.2f}\u00a0nats"),
}
SHARES = {"proxy": "Proxy, binary", "binary": "Proxy, binary", "top1": "Proxy, top-1"}


def numbered_facts(arrays: Mapping[str, np.ndarray], place: int) -> tuple[tuple[str, str], ...]:
    r"""Returns name and number of everything that is known of the group at a place.

    >>> numbered_facts({"purity": np.array([0.5]), "mean_q": np.array([np.nan]), "top1": np.array([0.25])}, 0)
    (('Purity', '0.50'), ('Proxy, top-1', '25\xa0%'))
    """
    known = {name: float(arrays[name][place]) for name in (*SAID, *SHARES) if name in arrays}
    finite = {name: value for name, value in known.items() if np.isfinite(value)}
    found = [(title, text.format(finite[name])) for name, (title, text) in SAID.items() if name in finite]
    return (*found, *((title, f"{100 * finite[name]:.0f}\u00a0%") for name, title in SHARES.items() if name in finite))
