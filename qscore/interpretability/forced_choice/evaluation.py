"""The evaluation of the groups of a run without people, and the questions for people."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.interpretability.forced_choice.automatic.feature_bridge import describe_features, feature_groups
from qscore.interpretability.forced_choice.automatic.retrieval import NUM_RETRIEVED
from qscore.interpretability.forced_choice.automatic.rows import without_people
from qscore.interpretability.forced_choice.automatic.table3 import embedded
from qscore.interpretability.forced_choice.cards import of_cards
from qscore.interpretability.forced_choice.options import check_options
from qscore.interpretability.forced_choice.questions.folder import ask
from qscore.interpretability.forced_choice.studied import studied
from qscore.interpretability.forced_choice.trials import HARD, RANDOM, TrialDesign
from qscore.interpretability.forced_choice.words.described import describe
from qscore.interpretability.forced_choice.words.sentences import encoder_of
from qscore.interpretability.forced_choice.words.written import check_described, read_descriptions
from qscore.interpretability.reverse_probing.clustered import KMEANS, clustered
from qscore.interpretability.reverse_probing.parts import Part
from qscore.results import Result

NAME = "forced_choice"


def forced_choice(
    inputs: EvaluationInputs,
    *,
    captions: object = "auto",
    grouping: str = KMEANS,
    num_clusters: int | None = None,
    descriptions: str | None = None,
    sentence_encoder: object = "auto",
    information: bool = True,
    search_images: bool = True,
    per_range: int = 10,
    num_references: int = 10,
    num_trials: int = 20,
    num_answers: int = 3,
    num_catch: int = 20,
    num_features: int = 100,
    ask_features: int = 0,
    questions: bool = True,
) -> Result:
    """Returns how well the groups of the training images are described, without people; and writes questions for these.

    Laina, Fong and Vedaldi (NeurIPS 2020, arXiv 2010.14551): captions of groups (eq. 4), tables 3, 4 and 5, and what
    tables 1 and 2 are asked with. Descriptions retrieve from the held-out images. Ours: discriminative features beside
    others, each as the group of images that it is dominant in.

    Args:
        inputs: The cached representations, with the images where captions, searches or questions need them.
        captions: Where captions of the images come from, see `describe`.
        grouping: What is described, see `clustered`.
        num_clusters: Of k-means; by default 1000, or what leaves 20 samples a cluster.
        descriptions: A CSV of group,description by people.
        sentence_encoder: "auto", "tfidf", `module:attribute` or a function, see `encoder_of`.
        information: Whether to measure what words say about each group, by a reverse probe.
        search_images: Whether to add the rows of table 3 that search by images.
        per_range: Groups of each range of purity to ask about.
        num_references: Images of a group that are shown with a question.
        num_trials: Questions about a group with each kind of negative.
        num_answers: To each question.
        num_catch: Questions that catch the careless.
        num_features: To compare of D and of what is outside, at most; 0 for none.
        ask_features: Of these, how many of each side to ask people about.
        questions: Whether to write the folder of questions.

    Raises:
        UserError: If an option has no meaning, captions or grouping cannot be had, or the held-out images are fewer
            than a search finds.
    """
    check_options(
        captions,
        grouping,
        num_clusters,
        sentence_encoder,
        descriptions,
        information=information,
        search_images=search_images,
        per_range=per_range,
        num_references=num_references,
        num_trials=num_trials,
        num_answers=num_answers,
        num_catch=num_catch,
        num_features=num_features,
        ask_features=ask_features,
        questions=questions,
    )
    if len(inputs.test.h) < NUM_RETRIEVED:
        raise UserError(
            f"Expected {NUM_RETRIEVED} held-out images to search among, got {len(inputs.test.h)}; add some."
        )
    design = TrialDesign(num_references, num_trials, num_answers, (RANDOM, HARD))
    found = clustered(inputs, grouping, num_clusters, 1)
    groups = studied(inputs, found, grouping, least=num_references + 1, per_range=per_range)
    people = read_descriptions(Path(descriptions)) if descriptions else {}
    check_described(people, groups.numbers)
    described = describe(captions, inputs)
    encoder, name = encoder_of(sentence_encoder)
    sentences = embedded(inputs, described, people, encoder)
    whole = Part(
        groups.as_metrics(inputs),
        {"clusters": groups.grouping.clusters.astype(np.int32)},
        (*described.notes, *groups.notes),
    )
    whole += without_people(inputs, groups, described, people, sentences, search_images=search_images)
    whole += of_cards(inputs, groups, described, grouping, information=information)
    features = feature_groups(inputs, least=num_references + 1, num_features=num_features)
    whole += describe_features(inputs, features, described, sentences)
    settings: dict[str, Any] = {
        **inputs.settings(),
        **found.facts,
        **dataclasses.asdict(design),
        "grouping": grouping,
        "captions": described.source,
        "sentence_encoder": name,
        "questions": "",
        "per_range": per_range,
    }
    if questions:
        how: dict[str, Any] = {"design": design, "kind": grouping, "num_catch": num_catch, "ask_features": ask_features}
        settings["questions"], notes = ask(inputs, groups, features, whole.arrays, **how)
        whole += Part(notes=notes)
    return Result(NAME, whole.metrics, settings, whole.arrays, whole.notes)
