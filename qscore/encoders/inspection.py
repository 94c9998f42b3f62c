"""What a checkpoint is, in words."""

from collections.abc import Iterable
from pathlib import Path

from qscore.encoders.checkpoints import Checkpoint, LoadOptions, open_checkpoint
from qscore.encoders.layouts import UNUSED
from qscore.encoders.loading import load_encoder, own_weights
from qscore.encoders.reading import unsafe_objects
from qscore.encoders.recognition import LIKELY, Trunk
from qscore.encoders.refused import closest, counts, is_cut, named


def inspect_checkpoint(file: Path, options: LoadOptions) -> tuple[str, bool]:
    """Returns a description of a file of weights, and whether its encoder is whole.

    Layout, counts by part, architecture, normalisation, hyperparameters, and what would run code when created.

    Raises:
        UserError: If it cannot be opened safely, or could be two things.
    """
    own = own_weights(file)
    if own is not None:
        settings = load_encoder(own).settings
        return _aligned([("file", str(own)), ("layout", "qscore's own"), *settings.items()]), True
    checkpoint = open_checkpoint(file, options)
    reading, trunk = checkpoint.reading, checkpoint.trunk
    layout = reading.layout
    known = "; ".join(reading.sources) if trunk.is_whole else closest(trunk, layout, options.asked)
    lines = [
        ("file", str(checkpoint.path)),
        ("layout", f"{layout.name}: {known}" if trunk.is_whole else known),
        *(() if trunk.is_whole else (("keys of the file", named(checkpoint.keys)),)),
        *((f"{role} encoder", _counts(found)) for role, found in reading.trunks.items()),
        *(
            ("not used" if part == UNUSED else part, f"{len(tensors)} tensors")
            for part, tensors in reading.parts.items()
        ),
        *((("not used", f"{reading.num_implied} tensors of a classifier"),) if reading.num_implied else ()),
        ("unexpected keys", named(reading.unclaimed)),
        ("taken", _taken(checkpoint)),
        ("normalisation", "mean {}, standard deviation {}".format(*map(list, checkpoint.normalization))),
        ("of methods", ", ".join(layout.methods) or "none of qscore's"),
        ("hyperparameters", ", ".join(f"{k}={v}" for k, v in checkpoint.hyperparameters.items()) or "none"),
        ("unsafe inside", ", ".join(unsafe_objects(checkpoint.path)) or "nothing"),
        *(("note", note) for note in checkpoint.notes),
    ]
    if not trunk.is_whole:
        lines.append(("differing", named(trunk.differing)))
    return _aligned(lines), trunk.is_whole


def _aligned(lines: Iterable[tuple[str, object]]) -> str:
    return "\n".join(f"{name:<20}{text}" for name, text in lines)


def _counts(trunk: Trunk) -> str:
    missing, unexpected, resized = counts(trunk)
    return f"{len(trunk.matched)} matched, {missing} missing, {unexpected} unexpected, {resized} of another shape"


def _taken(checkpoint: Checkpoint) -> str:
    trunk, encoder = checkpoint.trunk, f"the {checkpoint.role}'s {_architecture(checkpoint)}"
    if trunk.is_whole:
        return encoder
    if checkpoint.is_taken:
        return f"what fits of {encoder}"
    is_near = trunk.share >= LIKELY or is_cut(trunk)
    return f"nothing, unless allow_partial: what fits of {encoder}" if is_near else "nothing"


def _architecture(checkpoint: Checkpoint) -> str:
    settings = checkpoint.settings
    options = ", ".join(f"{name}={value}" for name, value in settings["options"].items())
    shape = f", width {settings['width']:g}, stem {settings['stem']}" if not options or "padding" in options else ""
    return f"{settings['architecture']}{shape}{f' ({options})' if options else ''}"
