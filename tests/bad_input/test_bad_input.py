"""Bad input is refused with one message, or read as a strict reader reads it; never with code, a hang or much memory.

QSCORE_FUZZ_EXAMPLES=500 looks for longer, `python -m tests.bad_input` for as long as it is told.
"""

import os
from collections.abc import Iterator
from functools import cache
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bad_input.elsewhere import Elsewhere
from tests.bad_input.targets import TARGETS
from tests.bad_input.trying import Files, Outcome, Target

EXAMPLES = int(os.environ.get("QSCORE_FUZZ_EXAMPLES", "6"))
REFUSED_AS_THEY_ARE = ("image, float.tif",)
QUIETLY = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
by_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


@cache
def made(name: str) -> Files:
    return next(target for target in TARGETS if target.name == name).made()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    process = Elsewhere()
    yield process
    process.close()


def assert_harmless(outcome: Outcome) -> None:
    assert not outcome.is_fault, f"{outcome.kind}\n{outcome.said}"


@by_target
def test_valid_files_are_read(target: Target, elsewhere: Elsewhere) -> None:
    outcome = elsewhere.attempt(target.name, made(target.name))
    assert outcome.kind == ("refused" if target.name in REFUSED_AS_THEY_ARE else "read"), outcome.said


@pytest.mark.parametrize(
    ("target", "hostile"),
    [(target, hostile) for target in TARGETS for hostile in target.hostile],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_hostile_files_do_no_harm(target: Target, hostile: str, elsewhere: Elsewhere) -> None:
    assert_harmless(elsewhere.attempt(target.name, {**made(target.name), **target.hostile[hostile]()}))


@by_target
@QUIETLY
@given(chance=st.randoms(use_true_random=False))
def test_spoilt_files_do_no_harm(target: Target, elsewhere: Elsewhere, chance: Random) -> None:
    if any(target.spoils.values()):
        assert_harmless(elsewhere.attempt(target.name, target.spoilt(made(target.name), chance)))
