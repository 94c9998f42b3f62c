"""A model card beside an exported encoder: what it is, where it comes from, what was measured and what was not."""

import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, Template

from qscore import __version__
from qscore.encoders.card_facts import data_of, measured, method_of, origin_of
from qscore.encoders.encoder import Encoder
from qscore.files import write_text
from qscore.installation import command

TEMPLATE = "model_card.md.jinja"
CARD, NEW_CARD = "README.md", "README.new.md"
LIBRARIES = {"torchvision": "torchvision", "timm": "timm", "huggingface": "transformers", "onnx": "onnx"}
SEAL = re.compile(r"<!-- As qscore wrote it: ([0-9a-f]{64}) -->\n$")  # of the text above it
ONE_SEED = "One training seed: these numbers show one training, and no effect of the regularizer."


def write_card(encoder: Encoder, source: Path, folder: Path, *, target: str, how: str, size_px: int) -> Path:
    """Writes `README.md` in the form of Hugging Face's model cards; the licence is left to the user.

    A card that the user changed stays as it is: the new one is then `README.new.md` beside it.

    Args:
        encoder: What was exported.
        source: The run directory or the file of weights that it comes from.
        folder: Where it was exported to.
        target: For which library, a key of `LIBRARIES`.
        how: Code that loads it there.
        size_px: Of the images, in pixels.

    Returns:
        The file.
    """
    columns, rows, missing = measured(source)
    method = method_of(source)
    tags = ["self-supervised-learning", "q-score", *([method] if method else [])]
    text = _template().render(
        version=__version__,
        target=target,
        library=LIBRARIES[target],
        tags=tags,
        title=f"{Path(encoder.settings['architecture']).name}, {source.absolute().name}",
        feature_dim=encoder.feature_dim,
        origin=[(name, _cell(value)) for name, value in origin_of(source)],
        data=data_of(source),
        method=method,
        columns=columns,
        rows=rows,
        missing=missing,
        has_baseline="baseline" in columns,
        seeds=ONE_SEED if rows else "Nothing about its quality is known.",
        evaluate=f"{command('evaluate')} {'run=RUN_DIR' if source.is_dir() else 'encoder=FILE data=FOLDER'}",
        how=how.replace(str(folder), folder.name),
        size_px=size_px,
        mean=encoder.settings["mean"],
        std=encoder.settings["std"],
    )
    card = folder / (NEW_CARD if was_changed(folder / CARD) else CARD)
    write_text(card, sealed(text))
    return card


def sealed(text: str) -> str:
    """Returns a text with a last line that tells later whether it was changed."""
    return f"{text}<!-- As qscore wrote it: {hashlib.sha256(text.encode()).hexdigest()} -->\n"


def was_changed(card: Path) -> bool:
    """Whether there is a card that is not, to the last character, what was written here."""
    if not card.is_file():
        return False
    text = card.read_text(encoding="utf-8")
    seal = SEAL.search(text)
    return seal is None or hashlib.sha256(text[: seal.start()].encode()).hexdigest() != seal[1]


def _cell(value: str) -> str:
    """A text that cannot break the table it stands in."""
    return re.sub(r"\s+", " ", value).replace("|", "\\|").replace("<", "&lt;")


def _template() -> Template:
    environment = Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False)
    environment.filters["json"] = json.dumps  # a JSON text is a YAML text
    return environment.from_string(files("qscore.encoders").joinpath(TEMPLATE).read_text(encoding="utf-8"))
