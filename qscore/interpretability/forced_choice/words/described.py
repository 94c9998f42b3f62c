"""Where the captions of a data set come from: its labels, a file, a captioning model, words joined to a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qscore.data.datamodule import Split
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.installation import command
from qscore.interpretability.forced_choice.words.captioner import CAPTIONER, Captioner, caption_images, captioner_of
from qscore.interpretability.forced_choice.words.joined import MAX_SHARE, joined, telling_columns
from qscore.interpretability.forced_choice.words.named import check_named, is_named
from qscore.interpretability.reverse_probing.concepts import listed
from qscore.interpretability.reverse_probing.experts.captions import read_captions
from qscore.interpretability.reverse_probing.experts.known import KNOWN
from qscore.interpretability.reverse_probing.sources import check_words, gather, written_ids

AUTO, LABELS, EXPERTS, CLASS_NAMES = "auto", "labels", "experts", "names of classes"
KNOWN_FORMS = f"{AUTO}, {LABELS}, {EXPERTS}, a list [colour,shape], a .csv file of id,caption, or module:name"
ONLY_EXPERTS = "The captions are words of rules that look at colour, light and shape: they know no things."
ONLY_LABELS = "The captions are the names of the classes: eq. 4 chooses among these."


@dataclass(frozen=True)
class Described:
    """A caption of each image, S in eq. 4, and of each image of the pool that descriptions retrieve from.

    Attributes:
        train: Of the grouped images.
        test: Of the held-out ones; None where they are not known.
        source: Where they come from, for people.
        notes: What a reader must know.
    """

    train: tuple[str, ...]
    test: tuple[str, ...] | None
    source: str
    notes: tuple[str, ...] = ()

    @property
    def of_labels(self) -> bool:
        """Whether they are the names of the classes."""
        return self.source == CLASS_NAMES


def check_captions(captions: object) -> None:
    """Looks whether the captions can be had, before any image is seen; the option may be anything a user can write.

    Raises:
        UserError: If a file is not there or has no captions, a word is not known, or a model cannot be imported.
    """
    if isinstance(captions, Sequence) and not isinstance(captions, str):
        if not captions:
            raise UserError("Expected words for captions, got none; write captions=[colour,shape], or auto.")
        check_words([str(word) for word in captions])
    elif captions in (AUTO, LABELS, EXPERTS) or (callable(captions) and not isinstance(captions, str)):
        return
    elif not isinstance(captions, str):
        raise UserError(f"Expected captions as {KNOWN_FORMS}, got {captions!r}.")
    elif _is_file(captions):
        if not read_captions(captions):
            raise UserError(f"Expected rows of id,caption in {captions}, got none.")
    elif is_named(captions):
        check_named(captions, CAPTIONER)
    else:
        raise UserError(f"Unknown captions '{captions}'. Expected {KNOWN_FORMS}.")


def describe(captions: object, inputs: EvaluationInputs) -> Described:
    """Returns the captions of training and held-out images.

    Args:
        captions: "auto": "labels" where there are any, else "experts". "labels": the name of the class. "experts", or a
            list of words as `gather` takes them, joined to a sentence. A file of id,caption; of several captions of an
            image the first. A captioning model, or `module:attribute`, see `captioner_of`.
        inputs: Representations, and the images that experts and models look at.

    Raises:
        UserError: If the captions cannot be had, or a training image has none.
    """
    check_captions(captions)
    if captions == AUTO:
        captions = EXPERTS if inputs.train.labels is None else LABELS
    if captions == LABELS:
        return _of_labels(inputs)
    if captions == EXPERTS:
        return _of_words(sorted(KNOWN), inputs)
    if isinstance(captions, str) and _is_file(captions):
        return _of_file(Path(captions), inputs)
    if isinstance(captions, str) or not isinstance(captions, Sequence):
        return _of_model(captioner_of(captions), inputs)
    return _of_words([str(word) for word in captions], inputs)


def _is_file(word: str) -> bool:
    return word.lower().endswith(".csv")


def _of_labels(inputs: EvaluationInputs) -> Described:
    if inputs.train.labels is None or inputs.test.labels is None:
        raise UserError("Expected labelled images for captions=labels, got none; name a file or captions=experts.")
    train, test = (
        tuple(inputs.train.class_names[label] for label in part.labels.tolist())
        for part in (inputs.train, inputs.test)
        if part.labels is not None
    )
    return Described(train, test, CLASS_NAMES, (ONLY_LABELS,))


def _of_words(words: Sequence[str], inputs: EvaluationInputs) -> Described:
    found = gather(words, inputs)
    telling = telling_columns(found.train)
    notes = [*found.notes, *((ONLY_EXPERTS,) if set(words) <= set(KNOWN) else ())]
    if rest := sorted(set(found.train.names) - {found.train.names[column] for column in telling}):
        notes.append(f"Words of more than {MAX_SHARE:.0%} of the images are left out of captions: {listed(rest)}.")
    test = None if found.test is None else joined(found.test, telling)
    return Described(joined(found.train, telling), test, f"words: {', '.join(words)}", tuple(notes))


def _of_file(path: Path, inputs: EvaluationInputs) -> Described:
    said = read_captions(path)
    train, test = written_ids(inputs, "", set(said))
    if missing := [name for name in train if name not in said]:
        raise UserError(
            f"Expected a caption of every image, got none of {len(missing)} out of {len(train)}: {listed(missing)}; "
            f"{path.name} knows {listed(list(said))}. Ids are the paths of images below their folder, or their numbers."
        )
    of_test = test if test is not None and said.keys() >= set(test) else None
    notes = [] if of_test else [f"{path.name} does not know the held-out images: there is no pool to retrieve from."]
    if several := sum(len(captions) > 1 for captions in said.values()):
        notes.append(f"{several} images have several captions in {path.name}: the first of each is taken.")
    first = {name: next((text for text in captions if text), "") for name, captions in said.items()}
    return Described(
        tuple(first[name] for name in train),
        None if of_test is None else tuple(first[name] for name in of_test),
        path.name,
        tuple(notes),
    )


def _of_model(captioner: Captioner, inputs: EvaluationInputs) -> Described:
    if inputs.pictures is None:
        raise UserError(
            f"Expected the images behind the representations for '{captioner.name}'; use {command('evaluate')}."
        )
    pictures = inputs.pictures

    def said(split: Split, ids: tuple[str, ...]) -> tuple[str, ...]:
        found = caption_images(captioner, pictures.data.source(split), pictures.cache / "captions")
        return tuple(found[name] for name in ids)

    return Described(said("train", inputs.train.ids), said("test", inputs.test.ids), captioner.name)
