"""A naming study's folder, read and checked once: `study.json`, `naming.jsonl`, `images/`."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import fingerprint, parse_json
from qscore.study.folder import Study
from qscore.study.naming.rules import NamingPolicies
from qscore.study.rules import Policies

KIND = "naming"


@dataclass(frozen=True)
class Activation:
    """One significant activation map. Only `key` may leave the server; the rest is secret.

    Attributes:
        key: opaque, on the page and in addresses.
        activation_id: of the evaluation, in the export.
        group: the key of its group.
        sample: of the image; activations of one sample show the same image.
        image, map: files in `images/`.
        feature, score: where it comes from, and how much it contributes.
    """

    key: str
    activation_id: str
    group: str
    sample: str
    image: str
    map: str
    feature: str
    score: float


@dataclass(frozen=True)
class Group:
    """What is named together. `key` and `title` are for annotators, `name` is secret."""

    key: str
    title: str
    name: str
    activations: tuple[Activation, ...]

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of its activations."""
        return frozenset(activation.key for activation in self.activations)

    @cached_property
    def by_key(self) -> dict[str, Activation]:
        """Its activations by their keys."""
        return {activation.key: activation for activation in self.activations}

    @cached_property
    def image_keys(self) -> dict[str, str]:
        """For each activation the key under which its image is served: the same for the same image."""
        first: dict[str, str] = {}
        for key in sorted(self.keys):
            first.setdefault(self.by_key[key].sample, key)
        return {key: first[activation.sample] for key, activation in self.by_key.items()}

    def shuffled(self, seed: int, annotator: int) -> list[str]:
        """Returns the keys in the order of an annotator's page, which tells nothing of features."""
        keys = sorted(self.keys)
        Random(f"{seed} {annotator} {self.key}").shuffle(keys)
        return keys


@dataclass(frozen=True)
class NamingStudy:
    """A naming study. `frame` holds what it shares with every other study: texts, links, the folder."""

    frame: Study
    policies: NamingPolicies
    groups: dict[str, Group] = field(repr=False)


def study_kind(folder: Path) -> str:
    """Returns the kind that a `study.json` names; nothing where there is none, as in a study of trials."""
    try:
        settings = parse_json((folder / "study.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(settings.get("kind", "")) if isinstance(settings, dict) else ""


def load_naming_study(folder: Path) -> NamingStudy:
    """Reads the naming study in `folder`.

    Raises:
        UserError: a file is missing or says something else than a naming study.
    """
    files = [folder / "study.json", folder / "naming.jsonl"]
    for file in files:
        if not file.is_file():
            raise UserFileNotFoundError(f"Expected a naming study in {folder}: there is no {file.name}. Make one.")
    try:
        text, lines = (file.read_text(encoding="utf-8") for file in files)
        settings: dict[str, Any] = parse_json(text)
        policies = NamingPolicies.read(settings.get("policies", {}))
        activations = [_activation(parse_json(line)) for line in lines.splitlines()]
        frame = Study(
            folder=folder,
            title=str(settings["title"]),
            consent=str(settings.get("consent", "")),
            instructions={str(key): str(value) for key, value in settings.get("instructions", {}).items()},
            seed=int(settings.get("seed", 0)),
            policies=Policies(link_days=policies.link_days),
            trials={},
            fingerprint=fingerprint(text, lines),
        )
        groups = _groups(settings["groups"], activations)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise UserError(f"{folder} is not a naming study as expected: {error}. Make it again with `new`.") from error
    missing = sorted({file for one in activations for file in (one.image, one.map) if not frame.image(file).is_file()})
    if missing:
        raise UserFileNotFoundError(f"{folder}/images lacks {len(missing)} images, such as {missing[0]}.")
    return NamingStudy(frame, policies, groups)


def _activation(record: dict[str, Any]) -> Activation:
    for name, value in record.items():
        if not isinstance(value, int | float if name == "score" else str):
            raise UserError(f"expected {name} as a {'number' if name == 'score' else 'text'}; it is {value!r:.80}")
    if wrong := [key for key in (record["image"], record["map"]) if set(key) & set("/\\\0")]:
        raise UserError(f"expected the name of a file in images/; it is {wrong[0]!r:.80}")
    return Activation(**{**record, "score": float(record["score"])})


def _groups(settings: dict[str, dict[str, str]], activations: Iterable[Activation]) -> dict[str, Group]:
    members: dict[str, list[Activation]] = {key: [] for key in settings}
    for activation in activations:
        members[activation.group].append(activation)
    groups = {
        key: Group(key, str(settings[key]["title"]), str(settings[key]["group"]), tuple(inside))
        for key, inside in members.items()
    }
    for group in groups.values():
        if len(group.keys) < len(group.activations) or not group.activations:
            raise UserError(f"the group {group.name!r} has no activation, or one key twice")
    return groups
