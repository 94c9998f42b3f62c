"""`new WHAT --out STUDY`: makes a study."""

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from qscore.errors import UserError, UserFileNotFoundError
from qscore.study import material
from qscore.study.finding import find_maps, find_questions
from qscore.study.folder import Study
from qscore.study.making import TITLE, make_study
from qscore.study.naming import commands as naming
from qscore.study.naming.rules import read_naming_policies
from qscore.study.out import check_free
from qscore.study.rules import read_policies

_WHAT = """a run or a result of evaluation=forced_choice, the folder of questions that it wrote, a file of trials
(.jsonl), or groups of images (.csv of id,cluster or .npz of ids, clusters)"""
_GROUPS = {  # argument of `read_group_files`: help
    "labels": "FILE.csv of id,label: groups are drawn from ranges of purity",
    "features": "FILE.npz of ids, features: adds negatives of the nearest other group",
    "captions": "FILE.csv of id,caption: adds automatic descriptions",
    "descriptions": "FILE.csv of group,description: adds those of people",
}
_MAPS = "let people name activation maps: a run or a result of evaluation=naming, or the folder of maps that it wrote"
_ANSWERS = "of different people to each question (default: 3), or to each group of maps (default: everyone's)"
_NUMBERS = {
    "trials": "questions of each group and kind of negative (default: 20)",
    "references": "images of the group in a question (default: 10)",
    "per-range": "groups of each range of purity (default: 10; needs --labels)",
    "catch": "questions that only show who does not look (default: as many as one person can meet)",
}
_LEAST = {"seed": 0, "trials": 1, "references": 1, "per-range": 1, "catch": 0, "answers": 1, "catch-every": 0}


def add(commands: Any) -> None:
    """Adds the command and its options."""
    parser = commands.add_parser("new", help="make a study")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("what", type=Path, nargs="?", metavar="WHAT", help=_WHAT)
    what.add_argument("--naming", type=Path, metavar="RUN", help=_MAPS)
    parser.add_argument("--out", type=Path, required=True, metavar="STUDY", help="folder for the study")
    parser.add_argument("--images", type=Path, metavar="DIR", help="of trials or groups: their ids are files below it")
    parser.add_argument("--title", help=f"on the first page (default: {TITLE} or, of maps, {naming.TITLE})")
    parser.add_argument("--ratings", action="store_true", help="also ask how well each description fits, 1 to 5")
    parser.add_argument("--seed", type=int, default=0)
    rules = parser.add_argument_group("rules, fixed before any answer")
    rules.add_argument("--policies", type=Path, metavar="FILE.json", help="policies as in study.json")
    rules.add_argument("--answers", type=int, metavar="N", help=_ANSWERS)
    rules.add_argument(
        "--catch-every", type=int, metavar="N", help="ordinary questions between those that catch (default: 15)"
    )
    of_groups = parser.add_argument_group("questions about groups of images")
    for name, text in _GROUPS.items():
        of_groups.add_argument(f"--{name}", type=Path, metavar="FILE", help=text)
    for name, text in _NUMBERS.items():
        of_groups.add_argument(f"--{name}", type=int, metavar="N", help=text)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    _check_numbers(options)
    check_free(options.out)
    if options.naming is not None:
        _new_naming(options)
    else:
        _new_questions(options)
    print(f"Next: python -m qscore.study serve {options.out}")


def _new_naming(options: argparse.Namespace) -> None:
    only = ["images", "ratings", "catch_every", *_GROUPS, *(name.replace("-", "_") for name in _NUMBERS)]
    if given := [name for name in only if getattr(options, name) not in (None, False)]:
        raise UserError(f"--{given[0].replace('_', '-')} is for questions; activation maps are named. Leave it out.")
    policies = read_naming_policies(options.policies, {"annotators_per_group": options.answers})
    maps = find_maps(options.naming)
    print(naming.new(maps, options.out, title=options.title, policies=policies, seed=options.seed))


def _new_questions(options: argparse.Namespace) -> None:
    own = {"answers_per_trial": options.answers, "catch_every": options.catch_every}
    made_of = _material(options, read_policies(options.policies, {}, own).catch_every)
    policies = read_policies(options.policies, {"answers_per_trial": made_of.num_answers}, own)
    title = options.title or TITLE
    study = make_study(made_of, options.out, policies=policies, title=title, ratings=options.ratings, seed=options.seed)
    for group, reason in made_of.left_out.items():
        print(f"Not asked about: group {group} ({reason})")
    print(f"{_counted(study)}, {_answers(policies.answers_per_trial)} each, in {options.out}")


def _answers(num: int) -> str:
    return f"{num} answer{'' if num == 1 else 's'}"


def _material(options: argparse.Namespace, catch_every: int) -> material.Material:
    what, suffix = options.what, options.what.suffix
    if not what.exists():
        raise UserFileNotFoundError(f"Expected {' '.join(_WHAT.split())}; there is nothing at {what}.")
    of_groups = what.is_file() and suffix in (".csv", ".npz")
    if what.is_file() and not of_groups and suffix not in (".json", ".jsonl"):
        raise UserError(f"Expected {' '.join(_WHAT.split())}; {what} is another file.")
    _check_options(options, of_groups, has_images=what.is_dir() or suffix == ".json")
    if of_groups:
        return _of_groups(options, catch_every)
    if suffix == ".jsonl":
        return material.of_trials(what, options.images)
    return material.of_questions(find_questions(what))


def _check_options(options: argparse.Namespace, of_groups: bool, *, has_images: bool) -> None:
    given = [name for name in (*_GROUPS, *_NUMBERS) if getattr(options, name.replace("-", "_")) is not None]
    if given and not of_groups:
        raise UserError(
            f"--{given[0]} is for questions that are made of groups (.csv, .npz); those of {options.what} are drawn."
        )
    if has_images and options.images is not None:
        raise UserError(f"--images is for files of trials or groups; {options.what} has its images. Leave it out.")
    if not has_images and options.images is None:
        raise UserError(f"Expected --images DIR, the folder below which the ids of {options.what} are files.")


def _check_numbers(options: argparse.Namespace) -> None:
    for name, least in _LEAST.items():
        value = getattr(options, name.replace("-", "_"))
        if value is not None and value < least:
            raise UserError(f"Expected a whole number of at least {least} in --{name}, got {value}.")


def _of_groups(options: argparse.Namespace, catch_every: int) -> material.Material:
    files = {"grouping": options.what} | {name: getattr(options, name) for name in _GROUPS}
    design = {"num_trials": options.trials, "num_references": options.references, "num_answers": options.answers}
    asked = {"per_range": options.per_range, "seed": options.seed}

    def num_catch(num_pairs: int) -> int:
        if options.catch is not None:
            return int(options.catch)
        return -(-num_pairs // catch_every) if catch_every else 0

    if options.per_range is not None and options.labels is None:
        raise UserError("--per-range needs --labels: purity is measured by them.")
    return material.of_groups(
        _given(files), options.images, design=_given(design), options=_given(asked), num_catch=num_catch
    )


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _counted(study: Study) -> str:
    kinds = Counter("catch" if trial.is_catch else trial.condition for trial in study.trials.values())
    words = {"images": "with images", "description": "with words", "likert": "to rate words", "catch": "that catch"}
    parts = ", ".join(f"{kinds[kind]} {text}" for kind, text in words.items() if kinds[kind])
    num_groups = len({trial.group for trial in study.trials.values()})
    return f"{len(study.trials)} questions about {num_groups} groups ({parts})"
