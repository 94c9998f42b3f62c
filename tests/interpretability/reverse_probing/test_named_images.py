"""Names of held-out images explain the clusters of these images, and of no others."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.interpretability.reverse_probing.evaluation import reverse_probing
from qscore.interpretability.reverse_probing.named_images import of_named
from qscore.records import Representations

NUM_NAMED = 80


def representations(num: int, ids: list[str]) -> Representations:
    """Two far clusters, by turns."""
    side = torch.arange(num) % 2
    h = torch.randn(num, 4, generator=torch.Generator().manual_seed(0)) + 20 * side[:, None]
    return Representations(h, torch.zeros(num, dtype=torch.long), tuple(ids), ("only",), "0123456789abcdef")


def inputs_of(prefix: str) -> EvaluationInputs:
    """Training and held-out images that are numbered alike for the prefix ""."""
    train, test = [f"{prefix}{i}" for i in range(300)], [str(i) for i in range(200)]
    return EvaluationInputs(representations(300, train), representations(200, test), epsilon=1.0)


def named(path: Path, prefix: str = "test/", more: Sequence[str] = (), num: int = NUM_NAMED) -> str:
    """Annotators who see which cluster the first images are of; a word of tom's says nothing."""
    rows = [(sample, "eva", "left") for sample in more]
    rows += [(f"{prefix}{i}", "eva", ("left", "right")[i % 2]) for i in range(num)]
    rows += [(f"{prefix}{i}", "tom", "grey" if i % 4 < 2 else "") for i in range(num)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "annotator", "concept"), *rows])
    return f"namings:{path}"


@pytest.mark.parametrize("prefix", ["", "photos/"])
def test_names_of_held_out_images_explain_their_clusters(prefix: str, tmp_path: Path) -> None:
    words = [named(tmp_path / "people.csv")]
    found = of_named(words, inputs_of(prefix))
    assert found.inputs.train.ids == tuple(f"test/{i}" for i in range(NUM_NAMED))
    assert torch.equal(found.inputs.train.h, inputs_of(prefix).test.h[:NUM_NAMED])
    result = reverse_probing(inputs_of(prefix), concepts=words, num_clusters=2, num_clusterings=1, num_pairs=0)
    assert result.metrics["num_samples"] == NUM_NAMED
    assert result.metrics["information_bits"] == pytest.approx(1, abs=0.1)
    assert any("People named 80 of 200 held-out images" in note for note in result.notes)


def test_names_of_training_images_and_other_words_change_nothing(tmp_path: Path) -> None:
    inputs = inputs_of("")
    of_training = named(tmp_path / "train.csv", prefix="train/")
    for words in ([of_training], ["labels"], [named(tmp_path / "plain.csv", prefix="")]):
        assert of_named(words, inputs).inputs is inputs
        assert not of_named(words, inputs).notes


def test_experts_that_look_at_training_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="got colour as well; probe with it apart"):
        of_named(["labels", named(tmp_path / "people.csv"), "colour"], inputs_of(""))


def test_d_is_that_of_the_training_images(tmp_path: Path) -> None:
    inputs = inputs_of("")
    inputs.train.h[:, 2] = 0  # is in no D, though the named images would put it there
    found = of_named([named(tmp_path / "people.csv")], inputs).inputs
    assert torch.equal(found.discriminative, inputs.discriminative)
    alone = EvaluationInputs(found.train, found.test, epsilon=1.0)
    assert not torch.equal(found.discriminative, alone.discriminative)


def test_what_is_not_held_out_is_counted_or_refused(tmp_path: Path) -> None:
    found = of_named([named(tmp_path / "more.csv", more=["test/999", "test/gone"])], inputs_of(""))
    assert len(found.inputs.train.ids) == NUM_NAMED
    assert found.notes[1].startswith("2 named images, such as test/999, are not held out")
    for more, num, message in (
        (["3"], NUM_NAMED, "got both, such as test/0 and 3"),
        (["test/999"], 39, "Expected 40 named images .* got 39 among 40 ids"),
        (["test/999"], 0, "got 0 among 1 ids, such as test/999"),
    ):
        with pytest.raises(UserError, match=message):
            of_named([named(tmp_path / "few.csv", more=more, num=num)], inputs_of(""))
