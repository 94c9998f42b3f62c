"""Table 1: what there was to name; and who named it."""

import numpy as np

from qscore.report.naming.study import NONE, Namings, Table, exact

ROWS = ("Number of images", "Total significant activations", "Average of significant activations")
FACTS = {"num_without_evidence": "Images without evidence", "xnn_accuracy": "xNN accuracy", "xnn_rmse": "xNN RMSE"}


def table1(namings: Namings) -> Table:
    """Returns the table as the paper prints it, a column a group."""
    images, activations = namings["group_images"], namings["group_activations"]
    means = [f"{mean:.2f}" for mean in activations / np.maximum(images, 1)]
    rows = [[str(n) for n in images.tolist()], [str(n) for n in activations.tolist()], means]
    facts = [
        [f"{value:.4g}" if np.isfinite(value) else NONE for value in column] for column in namings["group_facts"].T
    ]
    titles = [*ROWS, *(FACTS.get(name, name.replace("_", " ")) for name in namings["fact"].tolist())]
    return ["Group", *namings.groups], [[title, *row] for title, row in zip(titles, [*rows, *facts], strict=True)]


def table1_csv(namings: Namings) -> Table:
    """Returns the same, a row a group."""
    facts = [str(name) for name in namings["fact"].tolist()]
    header = ["group", "images", "activations", "mean_activations", *facts]
    images, activations = namings["group_images"].tolist(), namings["group_activations"].tolist()
    return header, [
        [name, str(n), str(k), exact(k / n if n else float("nan")), *(exact(value) for value in known)]
        for name, n, k, known in zip(namings.groups, images, activations, namings["group_facts"].tolist(), strict=True)
    ]


def people_table(namings: Namings) -> Table:
    """Returns what each annotator did."""
    header = ["Annotator", "Groups", "finished", "Concepts", "too small", "Named maps", "Discarded", "Left alone"]
    owner, small = namings["concept_annotator"], namings["concept_is_small"]
    rows = []
    for place, title in enumerate(namings.annotators):
        asked = namings["has_named"][place]
        seen = asked[namings["activation_group"]]
        named = int((namings["activation_concept"][place] >= 0).sum())
        discarded = int((namings["activation_discarded"][place] & seen).sum())
        own = owner == place
        counts = [int(asked.sum()), int(namings["is_done"][place].sum()), int((own & ~small).sum())]
        counts += [int((own & small).sum()), named, discarded, int(seen.sum()) - named - discarded]
        rows.append([title, *map(str, counts)])
    return header, rows


def concepts_csv(namings: Namings) -> Table:
    """Returns every concept."""
    header = ["group", "annotator", "concept", "activations", "images", "counts"]
    columns = ("group", "annotator", "num_activations", "num_images")
    rows = zip(*(namings[f"concept_{name}"].tolist() for name in columns), strict=True)
    told = zip(rows, namings["concept"].tolist(), namings["concept_is_small"].tolist(), strict=True)
    return header, [
        [namings.groups[group], namings["annotator"].tolist()[who], str(name), str(maps), str(images), str(not small)]
        for (group, who, maps, images), name, small in told
    ]
