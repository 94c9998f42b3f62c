"""Networks, encoders of sentences, captions, people and dotted paths as experts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from qscore.errors import UserError
from qscore.interpretability.reverse_probing.concepts import labels_of
from qscore.interpretability.reverse_probing.experts.captions import concepts_of_captions, load_captions, read_captions
from qscore.interpretability.reverse_probing.experts.classifier import Classifier
from qscore.interpretability.reverse_probing.experts.colour import Colour
from qscore.interpretability.reverse_probing.experts.expert import Expert
from qscore.interpretability.reverse_probing.experts.image_text import PHOTOGRAPHIC_STYLE, ImageText
from qscore.interpretability.reverse_probing.experts.known import KNOWN, expert_by_name
from qscore.interpretability.reverse_probing.experts.namings import concepts_of_namings, load_namings, read_namings

CHANNELS = ("red", "green", "blue")
SHAPES = [(4, 9), (30, 2), (7, 7)]
SOLID = [Image.new("RGB", size, colour) for size, colour in zip(SHAPES, ("red", "lime", "blue"), strict=True)]
GREY = Image.new("RGB", (5, 5), (100, 100, 100))


def means(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(image, dtype=np.float32)).mean((0, 1)) / 255


class Scale(nn.Module):
    """Logits are the mean channels, times a weight; half of them in training mode."""

    def __init__(self, weight: float = 5.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.batches: list[int] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(x))
        return self.weight * x * (0.5 if self.training else 1.0)


def test_a_classifier_names_one_class() -> None:
    network = Scale()
    expert = Classifier("channels", network, CHANNELS, means, batch_size=2)
    assert isinstance(expert, Expert)
    assert (expert(SOLID) == np.eye(3, dtype=bool)).all()
    assert network.batches == [2, 1]
    assert network.training
    assert expert([]).shape == (0, 3)


def test_the_score_decides_on_the_background() -> None:
    """The best class of the solids has the softmax e^5 / (e^5 + 2) = 0.987, that of grey 1/3."""
    expert = Classifier("channels", Scale(), CHANNELS, means, min_score=0.5)
    assert expert.concept_names == (*CHANNELS, "background")
    assert (expert([*SOLID, GREY]) == np.eye(4, dtype=bool)).all()
    assert np.allclose(expert.scores(SOLID[:1])[0, 0], np.exp(5) / (np.exp(5) + 2))
    strict = Classifier("channels", Scale(), CHANNELS, means, min_score=0.99)
    assert (strict(SOLID) == [False, False, False, True]).all()


def test_several_classes_by_a_threshold() -> None:
    """A mean channel x has the score 1 / (1 + e^(-5x)): 0.5 for 0, 0.92 for half, 0.993 for 1."""
    expert = Classifier("channels", Scale(), CHANNELS, means, threshold=0.9)
    magenta = Image.new("RGB", (3, 3), (255, 0, 128))
    assert expert([magenta]).tolist() == [[True, False, True]]
    with pytest.raises(UserError, match="both"):
        Classifier("channels", Scale(), CHANNELS, means, threshold=0.9, min_score=0.5)


def test_everything_that_changes_an_answer_changes_the_fingerprint_of_a_classifier() -> None:
    def shrunk(image: Image.Image) -> torch.Tensor:
        return means(image.resize((2, 2)))

    def make(**changed: object) -> Classifier:
        return Classifier(**{"name": "c", "network": Scale(), "class_names": CHANNELS, "transform": means, **changed})

    changes: list[dict[str, object]] = [{"network": Scale(5.1)}, {"transform": shrunk}, {"min_score": 0.4}]
    changes += [{"threshold": 0.5}, {"class_names": ("r", "g", "b")}]
    found = [make(**changed).fingerprint() for changed in changes]
    assert len({make().fingerprint(), *found}) == 1 + len(changes)
    assert make().fingerprint() == make(batch_size=1, device="cpu").fingerprint()


@pytest.mark.parametrize(
    ("network", "said"), [(nn.Linear(3, 4), r"\(3, 3\), got \(3, 4\)"), (Scale(float("nan")), "finite")]
)
def test_a_network_that_does_not_fit_its_classes(network: nn.Module, said: str) -> None:
    with pytest.raises(UserError, match=said):
        Classifier("channels", network, CHANNELS, means)(SOLID)


def encode_images(images: Sequence[Image.Image]) -> torch.Tensor:
    return torch.stack([3 * means(image) for image in images])


def encode_texts(sentences: Sequence[str]) -> np.ndarray:
    return 7 * np.eye(3)[[CHANNELS.index(sentence.split()[-1]) for sentence in sentences]]


SENTENCES = ("something blue", "something red")


def test_sentences_by_cosines() -> None:
    expert = ImageText("s", SENTENCES, encode_images, encode_texts)
    assert isinstance(expert, Expert)
    assert expert.concept_names == (*SENTENCES, "background")
    assert expert([SOLID[0], SOLID[2]])[:, :2].tolist() == [[False, True], [True, False]]
    assert expert([]).shape == (0, 3)


def test_scores_are_a_softmax_of_cosines_at_the_scale() -> None:
    """Cosines of (0.6, 0, 0.8) with the axes are its numbers."""
    image = Image.new("RGB", (2, 2), (153, 0, 204))
    scores = ImageText("s", SENTENCES, encode_images, encode_texts, scale=10.0).scores([image])
    assert np.allclose(scores[0], np.exp([8, 6]) / np.exp([8, 6]).sum(), atol=1e-6)
    flat = ImageText("s", (*SENTENCES, "green"), encode_images, encode_texts, scale=1.0)
    assert flat([GREY]).tolist() == [[False, False, False, True]]  # 1/3 each: the background


def test_everything_that_changes_an_answer_changes_the_fingerprint_of_sentences() -> None:
    def make(**changed: object) -> ImageText:
        own = {"name": "s", "sentences": SENTENCES, "encode_images": encode_images, "encode_texts": encode_texts}
        return ImageText(**{**own, **changed})

    changes: list[dict[str, object]] = [
        {"sentences": SENTENCES[::-1]},
        {"encode_images": lambda images: encode_images(images) + 0.01},
        {"encode_texts": lambda sentences: encode_texts(sentences) + 0.01},
        {"scale": 50.0},
        {"min_score": 0.6},
    ]
    assert len({make().fingerprint(), *(make(**changed).fingerprint() for changed in changes)}) == 1 + len(changes)
    assert make().fingerprint() == make().fingerprint()


@pytest.mark.parametrize(
    ("encode", "said"),
    [
        (lambda images: np.ones(3), "one vector for each"),
        (lambda images: np.ones((2, 3)), r"got \(2, 3\)"),
        (lambda images: np.zeros((3, 3)), "not zero"),
        (lambda images: np.full((3, 3), np.nan), "finite"),
        (lambda images: np.ones((3, 5)), "5 and 3"),
    ],
)
def test_vectors_that_do_not_fit(encode: object, said: str) -> None:
    with pytest.raises(UserError, match=said):
        ImageText("s", SENTENCES, encode, encode_texts)(SOLID)


def test_the_styles_are_those_of_the_paper() -> None:
    assert len(set(PHOTOGRAPHIC_STYLE)) == 8


def test_words_of_captions(tmp_path: Path) -> None:
    path = tmp_path / "captions.csv"
    path.write_text(
        'id,caption\n1,"A red, RED bus!"\n2,Buses and a bus\n1,on the road\n3,the fire in 2024\n5,\n', "utf-8"
    )
    captions = read_captions(path)
    assert captions["1"] == ["A red, RED bus!", "on the road"]
    concepts = concepts_of_captions(captions, min_count=1, ids=["4", "1"])
    assert concepts.names == ("bus", "buses", "fire", "red", "road")
    assert concepts.ids == ("1", "2", "3", "5", "4")
    assert concepts.present.toarray().astype(int).tolist() == [
        [1, 0, 0, 1, 1],
        [1, 1, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]
    assert concepts_of_captions(captions, min_count=2).names == ("bus",)
    with pytest.raises(UserError, match="min_count"):
        load_captions(path)
    path.write_text("id,caption\n,red\n", "utf-8")
    with pytest.raises(UserError, match="no id in row 1"):
        load_captions(path)


def test_namings_of_people(tmp_path: Path) -> None:
    path = tmp_path / "namings.csv"
    path.write_text("annotator,id,concept\nEva,1,Long beak\nTom,2,long  beak\nEva,1,long beak\nEva,2,Eye\n", "utf-8")
    concepts = concepts_of_namings(read_namings(path), ids=["3"])
    assert labels_of(concepts) == ("[Eva] eye", "[Eva] long beak", "[Tom] long beak")
    assert concepts.present.toarray().astype(int).tolist() == [[0, 1, 0], [1, 0, 1], [0, 0, 0]]
    with pytest.raises(UserError, match="none"):
        concepts_of_namings([])
    for text, said in (
        ("id,concept\n1,eye\n", "no annotator"),
        ("id,annotator,concept\n1,,eye\n", "annotator in row 1"),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(UserError, match=said):
            load_namings(path)


def make_own() -> Colour:
    return Colour(min_share=0.3)


own = make_own()


def test_experts_by_name() -> None:
    assert all(isinstance(expert_by_name(name), Expert) for name in KNOWN)
    here = __name__
    for name in ("own", "make_own"):
        assert expert_by_name(f"{here}.{name}") == own
    assert expert_by_name(f"{Colour.__module__}.Colour") == Colour()


def test_unknown_experts_are_told_from_the_known() -> None:
    with pytest.raises(UserError, match=r"'colour'\? Known: .*brightness.*sharpness"):
        expert_by_name("color")
    with pytest.raises(UserError, match="Known"):
        expert_by_name("../concepts.csv")
    for path in (f"{__name__}.nobody", "no_such_package.expert", f"{__name__}.CHANNELS"):
        with pytest.raises(UserError, match=path):
            expert_by_name(path)
