"""Which layout a file has, and which of its tensors are what."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from qscore.encoders.architectures import Hints, counted, expected_names, expected_state, in_order, infer, mismatches
from qscore.encoders.layouts import LAYOUTS, STUDENT, TEACHER, Layout
from qscore.encoders.names import NAMES
from qscore.encoders.networks import TIMM
from qscore.errors import UserError, unknown_name

CLASSIFIERS = ("fc.", "head.", "classifier.")  # behind a trunk, where a layout says nothing else of them
TRUNK_MARKS = ("layer1.0.conv1.weight", "patch_embed.proj.weight")
TEACHER_WORDS = ("teacher", "momentum", "ema", "target", "key", "encoder_k")
LIKELY = 0.5  # share of a trunk's names from which on a file is taken to be meant so


@dataclass(frozen=True)
class Trunk:
    """An encoder's tensors as a file has them, beside what the network needs.

    Attributes:
        tensors: Under torchvision's or timm's names.
        settings: Architecture, stem, width and options that fit best.
        matched: Names that the file and the network have in the same shape.
        differing: A phrase for every other name; empty where the trunk is whole.
    """

    tensors: Mapping[str, Tensor]
    settings: Mapping[str, Any]
    matched: tuple[str, ...]
    differing: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every tensor of the network is there, and none besides."""
        return bool(self.matched) and not self.differing

    @property
    def share(self) -> float:
        """Share of all names, the file's and the network's, that match."""
        return len(self.matched) / max(1, len(self.matched) + len(self.differing))


@dataclass(frozen=True)
class Recognised:
    """A file read as a layout.

    Attributes:
        layout: The layout.
        container: Dictionaries around it.
        trunks: Role to trunk.
        parts: Part to its tensors, under the file's names behind the prefix, in the file's order.
        unclaimed: Keys that the layout says nothing of.
        num_implied: Keys of a classifier that the layout does not mention.
        sources: Everybody whose files look just like this one.
    """

    layout: Layout
    container: str
    trunks: Mapping[str, Trunk]
    parts: Mapping[str, Mapping[str, Tensor]]
    unclaimed: tuple[str, ...]
    num_implied: int
    sources: tuple[str, ...] = field(default=())

    def role(self, asked: str = "auto") -> str:
        """Returns the role to take: the one asked for, else the source's own, else the only one.

        Raises:
            UserError: If the file has no such role.
        """
        if asked not in ("auto", *self.trunks):
            raise UserError(
                f"Expected a role that the file has ({', '.join(self.trunks)}), got {asked}; choose checkpoint.role."
            )
        if asked != "auto":
            return asked
        return self.layout.default_role if self.layout.default_role in self.trunks else next(iter(self.trunks))

    def trunk(self, asked: str = "auto") -> Trunk:
        """Returns the trunk of a role."""
        return self.trunks[self.role(asked)]

    def likely_trunk(self, asked: str) -> Trunk | None:
        """Returns the trunk of a role if most of it is there."""
        if asked not in ("auto", *self.trunks):
            return None
        trunk = self.trunk(asked)
        return trunk if trunk.share >= LIKELY else None


def recognise(
    tensors: Mapping[str, Tensor],
    entries: Iterable[str],
    *,
    file_name: str = "",
    layout: str = "auto",
    role: str = "auto",
    hints: Hints | None = None,
) -> Recognised:
    """Returns the reading of a file that fits best; whether its trunk is whole is the caller's question.

    Args:
        tensors: Of the file, under dotted keys.
        entries: Keys of its outermost dictionary.
        file_name: Settles a tie between layouts that have the same keys.
        layout: Name of the only layout to try, or "auto".
        role: Role whose trunk counts, or "auto".
        hints: What is known of the network beforehand.

    Raises:
        UserError: If two readings fit equally well and give different encoders, or the layout is unknown.
    """
    known = {candidate.name: candidate for candidate in LAYOUTS}
    if layout not in ("auto", *known):
        raise unknown_name("checkpoint layout", layout, known)
    tried = LAYOUTS if layout == "auto" else [known[layout]]
    hints = hints or Hints()
    readings = [reading for candidate in tried for reading in _readings(candidate, tensors, set(entries), hints)]
    likely = [reading for reading in readings if reading.likely_trunk(role) is not None]
    if not likely:
        plain = _behind_any_prefix(tensors, role, hints) if layout == "auto" else None
        return plain or max(readings, key=lambda reading: reading.trunk().share, default=_nothing(tried[-1]))
    fewest = min(_rank(reading)[:2] for reading in likely)
    # The reading that leaves fewest keys unexplained, be its trunk damaged: another one may only have found a teacher.
    explained = [reading for reading in likely if _rank(reading)[:2] == fewest]
    whole = [reading for reading in explained if reading.trunk(role).is_whole]
    if not whole:
        return max(explained, key=lambda reading: reading.trunk(role).share)
    best = min(_rank(reading) for reading in whole)
    return _untied([reading for reading in whole if _rank(reading) == best], file_name, role)


def _readings(layout: Layout, tensors: Mapping[str, Tensor], entries: set[str], hints: Hints) -> list[Recognised]:
    found = (
        _read(layout, container, tensors, hints)
        for container in layout.containers
        if _has_marks(layout, container, tensors, entries)
    )
    return [reading for reading in found if reading is not None]


def _has_marks(layout: Layout, container: str, tensors: Mapping[str, Tensor], entries: set[str]) -> bool:
    def present(mark: str) -> bool:
        return mark in entries or any(key.startswith(container + mark) for key in tensors)

    return all(present(mark) for mark in layout.marks) and not any(present(mark) for mark in layout.lacks)


def _read(layout: Layout, container: str, tensors: Mapping[str, Tensor], hints: Hints) -> Recognised | None:
    """Gives each key to the longest prefix it begins with."""
    trunks: dict[str, dict[str, Tensor]] = {}
    parts: dict[str, dict[str, Tensor]] = {}
    unclaimed = [key for key, tensor in tensors.items() if not key.startswith(container) and tensor.ndim > 1]
    prefixes = sorted([*layout.trunk, *layout.parts], key=len, reverse=True)
    inside = {key.removeprefix(container): tensor for key, tensor in tensors.items() if key.startswith(container)}
    for key, tensor in inside.items():
        prefix = next((p for p in prefixes if _belongs(key, p)), None)
        if prefix is None:
            unclaimed.append(key)
        elif prefix in layout.parts:
            parts.setdefault(layout.parts[prefix], {})[key.removeprefix(prefix)] = tensor
        else:
            trunks.setdefault(prefix, {})[key.removeprefix(prefix)] = tensor
    roles: dict[str, Trunk] = {}
    num_implied = 0
    own = expected_names(hints.architecture)  # some of timm's networks have a `head.norm` that is no classifier's
    for prefix, named in trunks.items():
        kept = {name: tensor for name, tensor in named.items() if name in own or not name.startswith(CLASSIFIERS)}
        num_implied += len(named) - len(kept)
        trunk = _trunk(layout, kept, hints)
        role = layout.trunk[prefix]
        if role not in roles or trunk.share > roles[role].share:
            roles[role] = trunk
    if not any(trunk.matched for trunk in roles.values()):
        return None
    return Recognised(layout, container, roles, parts, tuple(unclaimed), num_implied)


def _belongs(key: str, prefix: str) -> bool:
    return key == prefix or (prefix[-1:] in ("", ".") and key.startswith(prefix))


def _trunk(layout: Layout, named: Mapping[str, Tensor], hints: Hints) -> Trunk:
    tensors = in_order(named) if layout.names == "in_order" else NAMES[layout.names](dict(named))
    own = replace(hints, stem=hints.stem or layout.stem, num_heads={**layout.num_heads, **hints.num_heads})
    settings = infer(tensors, own)
    return compare(tensors, {**settings, "options": _with_padding(settings, layout)})


def compare(tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> Trunk:
    """Returns a trunk beside the network of some settings."""
    expected = expected_state(settings)
    theirs = {name: tensors[name] for name in counted(tensors)}
    matched = [name for name, tensor in theirs.items() if name in expected and tensor.shape == expected[name].shape]
    differing = mismatches({name: expected[name] for name in counted(expected)}, theirs)
    return Trunk(tensors, settings, tuple(sorted(matched)), tuple(differing))


def _with_padding(settings: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    options = dict(settings["options"])
    is_resnet = not settings["architecture"].startswith(TIMM)
    return {"padding": "same", **options} if layout.padding == "same" and is_resnet else options


def _rank(reading: Recognised) -> tuple[int, int, int, bool]:
    """Smaller is better: fewer keys that nobody claims, fewer that are only implied, more that had to be there.

    Of averaged weights and plain ones the averaged, as timm does.
    """
    plain = "ema" not in reading.container
    return len(reading.unclaimed), reading.num_implied, -len(reading.layout.marks), plain


def _untied(readings: list[Recognised], file_name: str, role: str) -> Recognised:
    hinted = [r for r in readings if r.layout.file_hint and re.search(r.layout.file_hint, file_name, re.IGNORECASE)]
    kept = hinted if len(hinted) == 1 else readings
    first = kept[0]
    places = {reading.container: reading.trunk(role) for reading in kept}
    if len({_content(trunk) for trunk in places.values()}) > 1:
        raise UserError(
            f"Expected one encoder, got different ones in {' and '.join(places)}; save the one to use alone."
        )
    outcomes = {_outcome(reading, role) for reading in kept}
    if len(outcomes) > 1:
        names = " or ".join(reading.layout.name for reading in kept)
        raise UserError(
            f"Expected one layout, got keys that fit several: {names} ("
            + "; ".join(f"{reading.layout.name}: {reading.layout.source}" for reading in kept)
            + "), which feed or pad images differently. Name the one with checkpoint.layout=NAME."
        )
    return replace(first, sources=tuple(reading.layout.source for reading in kept))


def _content(trunk: Trunk) -> bytes:
    """Enough of a trunk to tell it from another one."""
    return trunk.tensors[trunk.matched[0]].detach().float().numpy().tobytes()


def _outcome(reading: Recognised, role: str) -> str:
    """What decides the encoder that comes out."""
    settings = sorted(reading.trunk(role).settings.items())
    return f"{settings} {reading.layout.normalization} {reading.role(role)}"


def _behind_any_prefix(tensors: Mapping[str, Tensor], role: str, hints: Hints) -> Recognised | None:
    """Whatever wrapped it: a whole trunk behind some prefix, or most of one where none is whole.

    Raises:
        UserError: If there are two of the same role.
    """
    marks = TRUNK_MARKS if hints.architecture is None else expected_names(hints.architecture)[:1]
    prefixes = {key[: -len(mark)] for key in tensors for mark in marks if key.endswith("." + mark) or key == mark}
    found: dict[str, list[tuple[str, Recognised]]] = {STUDENT: [], TEACHER: []}
    damaged: list[Recognised] = []
    for prefix in sorted(prefixes):
        is_teacher = any(word in prefix.lower() for word in TEACHER_WORDS)
        own_role = TEACHER if is_teacher else STUDENT
        layout = Layout("prefix", f"a backbone behind '{prefix}'", {prefix: own_role})
        reading = _read(layout, "", tensors, hints)
        if reading is not None and reading.trunks[own_role].is_whole:
            found[own_role].append((prefix, reading))
        elif reading is not None and reading.likely_trunk(role) is not None:
            damaged.append(reading)
    if role == "auto" and found[STUDENT] and found[TEACHER]:
        names = " and ".join(candidates[0][0] for candidates in found.values())
        raise UserError(
            f"Expected one encoder, got two, behind {names}; choose with checkpoint.role=student or teacher."
        )
    wanted = [role] if role != "auto" else [STUDENT, TEACHER]
    candidates = next((found[name] for name in wanted if found[name]), [])
    if len(candidates) > 1 and len({id(r.trunk().tensors[r.trunk().matched[0]]) for _, r in candidates}) > 1:
        raise UserError(
            f"Expected one encoder, got {len(candidates)}, behind {' and '.join(p for p, _ in candidates)}; "
            "save one alone."
        )
    if not candidates:
        return max(damaged, key=lambda reading: reading.trunk(role).share, default=None)
    return replace(candidates[0][1], sources=(candidates[0][1].layout.source,))


def _nothing(layout: Layout) -> Recognised:
    settings = {"architecture": "resnet50", "stem": "imagenet", "width": 1.0, "options": {}}
    return Recognised(layout, "", {STUDENT: compare({}, settings)}, {}, (), 0)
