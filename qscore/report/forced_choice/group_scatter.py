"""Every group by its purity and by what its caption finds, and a card of those that people may be asked about."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from qscore.report.collect import EvaluatedEncoder
from qscore.report.forced_choice.card import Card, sheet
from qscore.report.forced_choice.facts import numbered_facts
from qscore.report.forced_choice.proxy_table import EVALUATION
from qscore.report.panels import BLUE, VERMILION, Encoders, label, panels
from qscore.report.reverse_probing.measures import Table, full

MOST_CARDS = 60
NUMBERS = ("size", "purity", "mean_q", "information", "binary", "top1", "chosen", "chosen_low")
TEXTS = ("common_label", "caption", "caption_without_negatives", "caption_rouge", "description", "hard_negative")
WORDS = {
    "description": "people",
    "caption": "automatic",
    "caption_without_negatives": "automatic, without negatives",
    "caption_rouge": "automatic, by ROUGE-L",
}


def has_groups(encoder: EvaluatedEncoder) -> bool:
    """Returns whether anything is known of single groups."""
    found = encoder.array(EVALUATION, "group")
    return found is not None and len(found) > 0


def group_scatter(encoders: Encoders) -> Figure:
    """Binary accuracy of each group's caption over its purity; without labels over its size. Red: chosen for trials."""

    def draw(axis: Axes, encoder: EvaluatedEncoder) -> None:
        binary, purity = (_numbers(encoder, name) for name in ("binary", "purity"))
        by_purity = bool(np.isfinite(purity).any())
        x = purity if by_purity else _numbers(encoder, "size")
        chosen = _chosen(encoder)
        for color, kind, text in ((BLUE, ~chosen, "other groups"), (VERMILION, chosen, "chosen for trials")):
            if kind.any():
                axis.scatter(x[kind], binary[kind], s=16, color=color, alpha=0.6, linewidths=0, label=text)
        axis.axhline(0.5, color="black", linestyle="--", linewidth=1, label="chance")
        axis.set_xlabel("purity" if by_purity else "samples of the group")
        if by_purity:
            axis.set_xlim(min(0.9, axis.get_xlim()[0]), 1.02)
        axis.set_ylim(-0.02, 1.02)
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
        axis.grid(axis="y", color="#DDDDDD")
        axis.legend(frameon=False, fontsize=8, loc="lower right")

    drawn = [e for e in encoders if has_groups(e)]
    return panels(drawn, EVALUATION, draw, ylabel="binary accuracy of its caption", height=3.6)


def group_csv(encoders: Encoders) -> Table:
    """Returns every group with all that is known of it."""
    rows = []
    for encoder in (e for e in encoders if has_groups(e)):
        numbers, texts = [_numbers(encoder, name) for name in NUMBERS], [_texts(encoder, name) for name in TEXTS]
        for place, group in enumerate(encoder.array(EVALUATION, "group").tolist()):
            about = [*full(each[place] for each in numbers), *(each[place] for each in texts)]
            rows.append([label(encoder), str(group), *about])
    return ["encoder", "group", *NUMBERS, *TEXTS], rows


def group_cards(encoders: Encoders) -> list[Card]:
    """Returns a card of each group chosen for trials, the purest first; of many encoders a few of each."""
    drawn = [e for e in encoders if has_groups(e)]
    cards = []
    for encoder in drawn:
        chosen = np.flatnonzero(_chosen(encoder))
        purity = np.nan_to_num(_numbers(encoder, "purity")[chosen], nan=-1.0)
        order = chosen[np.argsort(-purity, kind="stable")]
        kept = np.unique(np.linspace(0, len(order) - 1, max(1, MOST_CARDS // len(drawn))).round().astype(int))
        cards += [_card(encoder, int(order[at])) for at in kept if len(order)]
    return cards


def _card(encoder: EvaluatedEncoder, place: int) -> Card:
    groups = encoder.array(EVALUATION, "group").tolist()
    words = [(whose, _texts(encoder, name)[place]) for name, whose in WORDS.items()]
    common, nearest = _texts(encoder, "common_label")[place], _texts(encoder, "hard_negative")[place]
    kind = str(encoder.results[EVALUATION].settings.get("grouping", ""))
    arrays = {name: _numbers(encoder, name) for name in NUMBERS}
    return Card(
        title=f"Group {groups[place]}",
        about=" · ".join(part for part in (label(encoder), kind, f"mostly {common}" if common else "") if part),
        picture=_picture(encoder, str(groups[place])),
        descriptions=tuple((whose, text) for whose, text in words if text),
        facts=numbered_facts(arrays, place),
        nearest="" if nearest in ("", "-1") else f"Nearest group: {nearest}",
        nearest_picture=_picture(encoder, nearest),
    )


def _picture(encoder: EvaluatedEncoder, group: str) -> str:
    images, groups = (encoder.array(EVALUATION, name) for name in ("examples", "examples_group"))
    if images is None or groups is None or group not in groups.astype(str).tolist():
        return ""
    own = images[groups.astype(str).tolist().index(group)]
    places = encoder.array(EVALUATION, "group").astype(str).tolist()
    size = encoder.array(EVALUATION, "size")
    num = int(size[places.index(group)]) if size is not None and group in places else len(own)
    return sheet(own[: max(1, num)])


def _chosen(encoder: EvaluatedEncoder) -> np.ndarray:
    """Which groups are; older results know only those that were chosen from a range of purity."""
    found = encoder.array(EVALUATION, "chosen")
    return np.isfinite(_numbers(encoder, "chosen_low")) if found is None else np.asarray(found, bool)


def _numbers(encoder: EvaluatedEncoder, name: str) -> np.ndarray:
    found = encoder.array(EVALUATION, name)
    unknown = np.full(len(encoder.array(EVALUATION, "group")), np.nan)
    return unknown if found is None else np.asarray(found, float)


def _texts(encoder: EvaluatedEncoder, name: str) -> list[str]:
    found = encoder.array(EVALUATION, name)
    return [""] * len(encoder.array(EVALUATION, "group")) if found is None else [str(text) for text in found.tolist()]
