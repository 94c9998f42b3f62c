"""Cards of the groups of a study: images, purity, Q, words, and what people made of them."""

import numpy as np

from qscore.report.forced_choice.card import Card, CardScore, card_score, sheet
from qscore.report.forced_choice.facts import numbered_facts
from qscore.report.forced_choice.study import Study

MOST = 100


def study_cards(study: Study) -> list[Card]:
    """Returns the cards of a study, the purest groups first, those without purity by name; at most a hundred."""
    purity = np.nan_to_num(study["purity"], nan=-1.0)
    order = np.argsort(-purity, kind="stable")[:MOST]
    return [_card(study, int(place)) for place in order]


def _card(study: Study, place: int) -> Card:
    group, kind, band, label = (str(study[name][place]) for name in ("group", "kind", "band", "common_label"))
    nearest = str(study["hard_negative"][place])
    picture, nearest_picture = (_picture(study, group, name) for name in ("examples", "hard_examples"))
    return Card(
        title=f"Group {group}",
        about=" · ".join(part for part in (kind, band, f"mostly {label}" if label else "") if part),
        picture=picture,
        descriptions=_descriptions(study, place),
        scores=tuple(_scores(study, place)),
        facts=numbered_facts(study.result.arrays, place),
        nearest=f"Nearest group: {nearest}" if nearest else "Nearest group" if nearest_picture else "",
        nearest_picture=nearest_picture,
    )


def _scores(study: Study, place: int) -> list[CardScore]:
    found = []
    for column in study.columns:
        for number, *score in study.scores(column):
            if number == place:
                correct, answers, low, high = score
                found.append(card_score(column.title, int(correct), int(answers), low, high))
    return found


def _descriptions(study: Study, place: int) -> tuple[tuple[str, str], ...]:
    shown = zip(study["describer"].tolist(), study["descriptions"][place].tolist(), strict=True)
    found = [(whose or "description", text) for whose, text in shown if text]
    caption = str(study["caption"][place])
    unseen = caption and caption not in [text for _, text in found]
    return (*found, *([("automatic, not shown", caption)] if unseen else []))


def _picture(study: Study, group: str, name: str) -> str:
    arrays = study.result.arrays
    if "examples_group" not in arrays or group not in arrays["examples_group"].tolist():
        return ""
    row = arrays["examples_group"].tolist().index(group)
    return sheet(arrays[name][row, : arrays[f"num_{name}"][row]])
