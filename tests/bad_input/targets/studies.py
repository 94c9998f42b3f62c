"""Files of human studies: trials, groups, policies, folders, maps, namings and answers that were exported."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from qscore.interpretability.forced_choice.questions.drawing import make_trials
from qscore.interpretability.forced_choice.questions.group_facts import read_groups
from qscore.interpretability.forced_choice.questions.trial_files import load_trials, save_trials
from qscore.interpretability.forced_choice.trials import TrialDesign
from qscore.interpretability.naming.activations import Activations, find_activations, load_activations, save_activations
from qscore.interpretability.naming.maps import load_maps, save_maps
from qscore.interpretability.naming.namings import Concept, Naming, checked, load_naming, save_naming
from qscore.interpretability.naming.records import read_named
from qscore.study.folder import load_study
from qscore.study.material import of_questions
from qscore.study.naming.folder import load_naming_study, study_kind
from qscore.study.naming.making import make_naming_study
from qscore.study.naming.rules import read_naming_policies
from qscore.study.naming.simulate import read_namings
from qscore.study.rules import read_policies
from tests.bad_input.archives import NPZ
from tests.bad_input.spoiling import BYTES, JSON
from tests.bad_input.targets.arrays import hostile as of_arrays
from tests.bad_input.trying import Target
from tests.interpretability.forced_choice.planted import three_groups
from tests.interpretability.naming.exported import facts, record
from tests.study.conftest import mixed_trials, write_study

LINES = {".jsonl": JSON, ".json": JSON}
DEEP: dict[str, Any] = {
    "brackets": b"[" * 10**6,
    "objects": b'{"a":' * 10**6,
    "digits": b"9" * 10**6,
    "NUL": b"\0" * 10**6,
}


def deep(*names: str) -> dict[str, Any]:
    return {f"{name}: {what}": lambda n=name, d=data: {n: d} for name in names for what, data in DEEP.items()}


def trials(folder: Path) -> None:
    clusters, ids, features = three_groups()
    design = TrialDesign(num_trials=2, negatives=("random", "hard"))
    save_trials(make_trials(clusters, ids, features=features, design=design), folder / "trials.jsonl")


def same_trials(folder: Path, found: Any) -> None:
    lines = [line for line in (folder / "trials.jsonl").read_text(encoding="utf-8").split("\n") if line.strip()]
    rows = [json.loads(line, object_pairs_hook=once) for line in lines]
    for row, trial in zip(rows[1:], found.trials, strict=True):
        assert {**vars(trial), "references": list(trial.references)} == row
    assert (found.seed, found.design.num_trials) == (rows[0]["seed"], rows[0]["design"]["num_trials"])


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), "a key twice"
    return dict(pairs)


def groups(folder: Path) -> None:
    about = {
        "kind": "k-means",
        "purity_range": [0.1, 0.5],
        "purity": 0.3,
        "size": 12,
        "mean_q": 0.5,
        "hard_negative": 1,
    }
    (folder / "groups.json").write_text(json.dumps({"title": "t", "source": "s", "groups": {"0": about, "1": about}}))


def study(folder: Path) -> None:
    write_study(folder / "study", mixed_trials([f"opaque{i:04d}{'ab' * 6}.png" for i in range(12)]), catch_every=2)


def policies(folder: Path) -> None:
    limits = [{"condition": "images", "max": 3, "per": "study", "scope": "condition"}]
    (folder / "policies.json").write_text(json.dumps({"answers_per_trial": 2, "limits": limits, "link_days": 3}))


def naming_policies(folder: Path) -> None:
    (folder / "policies.json").write_text(json.dumps({"annotators_per_group": 3, "link_days": 30}))


def questions(folder: Path) -> None:
    trials(folder)
    shown = load_trials(folder / "trials.jsonl")
    samples = {s for trial in shown.trials for s in (*trial.references, trial.positive, trial.negative)}
    names = {sample: f"{i}.png" for i, sample in enumerate(sorted(samples))}
    (folder / "images").mkdir()
    for name in names.values():
        (folder / "images" / name).write_bytes(b"")
    (folder / "images.json").write_text(json.dumps(names))
    groups(folder)


def maps(folder: Path) -> None:
    """Two activations of two groups each."""
    rows: list[dict[str, Any]] = []
    for name in ("images", "maps"):
        (folder / "maps" / name).mkdir(parents=True)
    for i in range(4):
        files = {"image_file": f"images/{i}.png", "map_file": f"maps/{i}.png"}
        Image.new("RGB", (8, 8), (40 * i, 9, 9)).save(folder / "maps" / files["image_file"])
        Image.new("L", (8, 8), 50 * i).save(folder / "maps" / files["map_file"])
        rows.append(
            {"activation_id": f"a{i}", "group": f"g{i % 2}", "image": f"i{i}", "feature": "3", "score": 0.5, **files}
        )
    (folder / "maps" / "maps.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    about = {"title": "Group 1", "num_images": 2, "num_without_evidence": 0}
    known = {"title": "t", "groups": {"g0": about, "g1": about}, "source": {"encoder": "e", "notes": []}}
    (folder / "maps" / "groups.json").write_text(json.dumps(known))


def made_of_maps(folder: Path) -> object:
    return make_naming_study(folder / "maps", folder / "made", title="t")


def naming_study(folder: Path) -> None:
    maps(folder)
    make_naming_study(folder / "maps", folder / "study", title="t")


def read_naming_study(folder: Path) -> object:
    study_kind(folder / "study")
    return load_naming_study(folder / "study")


def found_activations() -> Activations:
    values = np.array([[3.0, 1, 0], [0, 2, 1], [1, 1, 1], [4, 0, 0]])
    return find_activations(values, list("abcd"), ["cat", "cat", "dog", "dog"], source="probe", fingerprint="f")


def activations(folder: Path) -> None:
    save_activations(found_activations(), folder / "activations.jsonl")


def naming(folder: Path) -> None:
    of_cats = tuple(one.activation_id for one in found_activations().activations if one.group == "cat")
    save_naming(Naming("ada", "f", (Concept("c1", "cat", "ear", of_cats[:2]),), of_cats[2:]), folder / "naming.jsonl")


def read_naming(folder: Path) -> object:
    return checked(load_naming(folder / "naming.jsonl"), found_activations())


def save_all_maps(folder: Path) -> None:
    import torch

    found = found_activations()
    save_maps(torch.rand(len(found.activations), 2, 2), found, folder / "maps.npz")


def same_maps(folder: Path, found: Any) -> None:
    assert found.shape[0] == len(found_activations().activations)
    assert found.ndim == 3
    assert found.dtype == np.float32


def namings(folder: Path) -> None:
    records = [record(1, [0, 0, 1, -1, -2], ["wing", "eye"]), record(2, [0, 1, 1, 0, -1], ["a", "b"])]
    (folder / "namings.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))


def read_exported_namings(folder: Path) -> object:
    return read_named(read_namings(folder / "namings.jsonl"), facts([0, 1, 2, 0, 1], [1, 2, 3, 1, 2]))


def answers(folder: Path) -> None:
    shown = mixed_trials([f"image{i}.png" for i in range(12)])
    rows = []
    for annotator in (1, 2, 3):
        for trial in shown:
            choice = trial.get("correct") or "4"
            given = {
                "annotator": annotator,
                "trial_id": trial["id"],
                "choice": choice,
                "response_ms": 900,
                "suits": "yes",
            }
            rows.append(
                {"is_correct": True, "correct": "", "left": "", "right": "", "is_catch": False, **trial, **given}
            )
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


TARGETS = [
    Target(
        "trials",
        trials,
        lambda folder: load_trials(folder / "trials.jsonl"),
        LINES,
        deep("trials.jsonl"),
        same_trials,
    ),
    Target("facts of groups", groups, lambda folder: read_groups(folder / "groups.json"), LINES, deep("groups.json")),
    Target(
        "study",
        study,
        lambda folder: load_study(folder / "study"),
        LINES,
        deep("study/study.json", "study/trials.jsonl"),
    ),
    Target(
        "policies",
        policies,
        lambda folder: read_policies(folder / "policies.json", {}, {}),
        LINES,
        deep("policies.json"),
    ),
    Target(
        "naming policies",
        naming_policies,
        lambda folder: read_naming_policies(folder / "policies.json", {}),
        LINES,
        deep("policies.json"),
    ),
    Target("questions", questions, of_questions, LINES, deep("images.json", "groups.json")),
    Target(
        "activation maps",
        maps,
        made_of_maps,
        {".jsonl": JSON, ".json": JSON, ".png": BYTES},
        deep("maps/maps.jsonl", "maps/groups.json"),
    ),
    Target(
        "naming study",
        naming_study,
        read_naming_study,
        {"study/study.json": JSON, "naming.jsonl": JSON},
        deep("study/study.json", "study/naming.jsonl"),
    ),
    Target(
        "activations",
        activations,
        lambda folder: load_activations(folder / "activations.jsonl"),
        LINES,
        deep("activations.jsonl"),
    ),
    Target("naming", naming, read_naming, LINES, deep("naming.jsonl")),
    Target(
        "maps of activations",
        save_all_maps,
        lambda folder: load_maps(found_activations(), folder / "maps.npz"),
        {".npz": NPZ},
        of_arrays("maps.npz", {"ids": np.array(["a"]), "maps": np.zeros((1, 2, 2), np.float32)}, "maps"),
        same_maps,
    ),
    Target("namings that were exported", namings, read_exported_namings, LINES, deep("namings.jsonl")),
]
