"""Any published SSL checkpoint into an Encoder: what was taken, what was not, and why."""

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from qscore.encoders.architectures import Hints
from qscore.encoders.encoder import IMAGENET_MEAN, IMAGENET_STD, Encoder
from qscore.encoders.layouts import IMAGENET, PIXELS, STUDENT, TEACHER, UNUSED
from qscore.encoders.networks import TIMM
from qscore.encoders.reading import flatten, read_content
from qscore.encoders.recognition import Recognised, Trunk, recognise
from qscore.encoders.refused import check_names, check_stem, own_keys, refusal
from qscore.encoders.siblings import LIBRARY_FILES, Siblings, read_siblings
from qscore.errors import UserError

log = logging.getLogger(__name__)

NORMALIZATIONS: dict[str, tuple[Sequence[float], Sequence[float]]] = {
    IMAGENET: (IMAGENET_MEAN, IMAGENET_STD),
    PIXELS: ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
POOLINGS: dict[str, dict[str, Any]] = {
    "token": {"global_pool": "token"},
    "mean": {"global_pool": "avg", "fc_norm": False},
}


@dataclass(frozen=True)
class LoadOptions:
    """What a file does not say, or what the user wants otherwise.

    Attributes:
        layout: Name of the layout, see `qscore.encoders.layouts`; "auto" looks.
        role: "student", "teacher", or "auto" for the one the source itself evaluates.
        architecture: Name of the network, where names and shapes do not tell ("timm/convnext_tiny").
        stem: Stem where the first convolution is 3x3; shapes do not tell whether pooling follows.
        pooling: "token" or "mean" of a ViT's patches.
        num_heads: Attention heads of a ViT, where they are not 64 channels each; no shape tells them.
        normalization: "imagenet", "pixels" (values in [0, 1] as they are), a mean and a standard deviation for the
            three channels, or "auto" for what the source trains with.
        allow_partial: Take what fits, name what does not, and leave the rest untrained.
        trust: Let the file run code while it is opened.
    """

    layout: str = "auto"
    role: str = "auto"
    architecture: str | None = None
    stem: str | None = None
    pooling: str | None = None
    num_heads: int | None = None
    normalization: str | Sequence[Sequence[float]] = "auto"
    allow_partial: bool = False
    trust: bool = False

    @property
    def asked(self) -> tuple[str, ...]:
        """What was said of the kind of file, as options."""
        said = {"layout": self.layout, "role": self.role, "architecture": self.architecture}
        return tuple(f"checkpoint.{name}={value}" for name, value in said.items() if value not in ("auto", None))


@dataclass(frozen=True)
class Checkpoint:
    """A recognised file of weights.

    Attributes:
        path: The file.
        reading: Layout, trunks and parts.
        options: How it was asked for.
        siblings: What the files beside it say.
        hyperparameters: Settings found inside.
        keys: Names of all tensors, those that fit nothing first.
    """

    path: Path
    reading: Recognised
    options: LoadOptions = field(default_factory=LoadOptions)
    siblings: Siblings = field(default_factory=Siblings)
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    keys: Sequence[str] = ()

    @cached_property
    def role(self) -> str:
        """The role of the encoder that is taken."""
        return self.reading.role(self.options.role)

    @property
    def trunk(self) -> Trunk:
        """The tensors of that role."""
        return self.reading.trunks[self.role]

    @property
    def is_taken(self) -> bool:
        """Whether an encoder comes of them: a whole one, or part of one where that is allowed."""
        return self.trunk.is_whole or (self.options.allow_partial and bool(self.trunk.matched))

    @property
    def teacher(self) -> Trunk | None:
        """The teacher's tensors, where they are all there."""
        trunk = self.reading.trunks.get(TEACHER)
        return trunk if trunk is not None and trunk.is_whole else None

    @property
    def parts(self) -> Mapping[str, Mapping[str, Tensor]]:
        """Heads, prototypes, queue and centre, under their names behind the layout's prefix."""
        return {part: tensors for part, tensors in self.reading.parts.items() if part != UNUSED}

    @property
    def normalization(self) -> tuple[Sequence[float], Sequence[float]]:
        """Mean and standard deviation that the source feeds the encoder with.

        Raises:
            UserError: If the one asked for is unknown.
        """
        asked = self.options.normalization
        if not isinstance(asked, str):
            if [len(list(values)) for values in asked] != [3, 3]:
                raise UserError(f"Expected a mean and a standard deviation of three channels each, got {asked}.")
            mean, std = asked
            return mean, std
        if asked == "auto":
            return self.siblings.normalization or NORMALIZATIONS[self.reading.layout.normalization]
        if asked == "data":
            raise UserError(
                "Expected a normalization without images, got data, which takes the statistics of data= in train.py "
                f"and evaluate.py. Here it is {', '.join(NORMALIZATIONS)} or auto."
            )
        if asked not in NORMALIZATIONS:
            raise UserError(f"Expected a normalization of {', '.join(NORMALIZATIONS)} or auto, got {asked}.")
        return NORMALIZATIONS[asked]

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of the encoder."""
        mean, std = self.normalization
        return {**self.trunk.settings, "mean": list(mean), "std": list(std)}

    @property
    def summary(self) -> str:
        """What was recognised and what will be taken, in one line."""
        settings, layout = self.trunk.settings, self.reading.layout
        return (
            f"layout {layout.name} ({'; '.join(self.reading.sources) or layout.source}), the {self.role}'s "
            f"{settings['architecture']} with {len(self.trunk.matched)} tensors matched"
        )

    @property
    def notes(self) -> list[str]:
        """What the file could not say, and was assumed."""
        settings, notes = self.settings, []
        if settings["stem"] != "imagenet" and self.options.stem is None:
            notes.append(
                f"The stem is 3x3 and shapes do not tell more of it: taken as {settings['stem']}. Small images are "
                "often normalised by their own statistics: look at checkpoint.stem and checkpoint.normalization."
            )
        if self.reading.layout.normalization == PIXELS and self.options.normalization == "auto":
            notes.append(
                f"{self.reading.layout.name} feeds values in [0, 1] as they are. If this file is somebody else's "
                "with the same keys, say checkpoint.normalization=imagenet."
            )
        if settings["architecture"].startswith(f"{TIMM}vit") and "num_heads" not in settings["options"]:
            notes.append("The number of attention heads is not in the file: taken as the architecture's own.")
        return notes

    def encoder(self) -> Encoder:
        """Returns the encoder, in eval mode.

        Raises:
            UserError: If its trunk is not whole and `allow_partial` is not set.
        """
        if not self.is_taken:
            raise UserError(refusal(self.path, self.trunk, self.reading.layout, self.keys, self.options.asked))
        unusable = [name for name in self.trunk.matched if not _is_usable(self.trunk.tensors[name])]
        if unusable:
            raise UserError(
                f"Expected finite real numbers in {self.path}, got something else in {len(unusable)} tensors, first "
                f"{unusable[0]}; the training that left it may have diverged."
            )
        encoder = Encoder(**self.settings)
        state = encoder.network.state_dict()
        taken = {name: self.trunk.tensors[name] for name in (*self.trunk.matched, *_counters(self.trunk, state))}
        encoder.network.load_state_dict({**state, **taken})
        if self.trunk.differing:
            log.warning(
                "%s: %d tensors were taken, %d were not: %s.",
                self.path,
                len(self.trunk.matched),
                len(self.trunk.differing),
                "; ".join(self.trunk.differing),
            )
        return encoder.eval()


def open_checkpoint(source: str | Path, options: LoadOptions | None = None) -> Checkpoint:
    """Returns a file of weights with its layout recognised; nothing is judged before `Checkpoint.encoder`.

    Args:
        source: The file, or a folder as transformers and timm write it.
        options: What the file does not say.

    Raises:
        UserFileNotFoundError: If there is no such file.
        UserError: If it cannot be opened safely, or could be two things.
    """
    options = options or LoadOptions()
    if options.pooling not in (None, *POOLINGS):
        raise UserError(f"Expected a pooling of {', '.join(POOLINGS)}, got {options.pooling}.")
    if options.role not in ("auto", STUDENT, TEACHER):
        raise UserError(f"Expected checkpoint.role to be student, teacher or auto, got {options.role}.")
    check_names(options.architecture, options.stem)
    path = _weights_file(Path(source))
    content = read_content(path, trust=options.trust)
    siblings = read_siblings(path)
    hints = Hints(
        options.architecture or siblings.architecture,
        options.stem,
        siblings.num_heads,
        {
            **siblings.options,
            **POOLINGS.get(options.pooling or "", {}),
            **({} if options.num_heads is None else {"num_heads": options.num_heads}),
        },
    )
    tensors = flatten(content)
    reading = recognise(tensors, content, file_name=path.name, layout=options.layout, role=options.role, hints=hints)
    checkpoint = Checkpoint(path, reading, options, siblings, _hyperparameters(content), own_keys(tensors, reading))
    check_stem(options.stem, checkpoint.trunk, path)
    return checkpoint


def _is_usable(tensor: Tensor) -> bool:
    is_real = tensor.is_floating_point() and not tensor.is_meta and tensor.layout == torch.strided
    return is_real and bool(tensor.isfinite().all())


def _weights_file(source: Path) -> Path:
    return next((source / name for name in LIBRARY_FILES if (source / name).is_file()), source)


def _counters(trunk: Trunk, state: Mapping[str, Tensor]) -> list[str]:
    """BatchNorm's counters, which old files lack and no forward pass reads."""
    return [name for name in trunk.tensors if name.endswith("num_batches_tracked") and name in state]


def _hyperparameters(content: Mapping[str, Any]) -> dict[str, Any]:
    """Settings and counters of the training that left the file, one level deep."""
    found: dict[str, Any] = {}
    for key, value in content.items():
        inner = vars(value) if isinstance(value, argparse.Namespace) else value
        if isinstance(inner, DictConfig):  # unresolved: a file is not to read this machine's environment
            inner = OmegaConf.to_container(inner, resolve=False)
        if isinstance(inner, (bool, int, float, str)):
            found[key] = inner
        elif isinstance(inner, Mapping) and key in ("args", "config", "hyper_parameters", "meta"):
            found |= {str(name): item for name, item in inner.items() if isinstance(item, (bool, int, float, str))}
    return found
