"""The table of docs/supply-chain.md and the oldest versions are those of pyproject.toml; nothing is under the GPL."""

import re

from tests.supply_chain import (
    OLDEST,
    PAGE,
    constraints,
    licence,
    needed_at_run_time,
    reasons,
    required,
    sections,
    table,
)

# A licence that binds a program that only imports the package; the LGPL and the MPL do not.
COPYLEFT = re.compile(r"(?<![L])A?GPL|(?<!Lesser )General Public License|Affero", re.IGNORECASE)


def cells(text: str) -> dict[str, tuple[str, str]]:
    """Name to bound and reason. Licences are compared apart: packages word theirs anew between versions."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines()[2:]]
    return {row[0]: (row[1], row[3]) for row in rows}


def test_the_oldest_versions_are_the_bounds() -> None:
    assert OLDEST.read_text(encoding="utf-8") == constraints(), "run: python -m tests.supply_chain"


def test_the_table_is_that_of_the_bounds_and_reasons() -> None:
    _, written, _ = sections(PAGE.read_text(encoding="utf-8"))
    assert cells(written) == cells(table()), "run: python -m tests.supply_chain"
    assert all(requirement.name in reasons() for requirement in required())


def test_the_table_names_the_licences_that_are_installed() -> None:
    _, written, _ = sections(PAGE.read_text(encoding="utf-8"))
    assert written == table(), "a licence changed: look at it, then run: python -m tests.supply_chain"


def test_the_pattern_tells_copyleft_from_what_is_not() -> None:
    for name in (
        "GPL-3.0-only",
        "AGPL-3.0",
        "GNU General Public License v3 (GPLv3)",
        "GNU Affero General Public License",
    ):
        assert COPYLEFT.search(name), name
    for name in ("LGPL-2.1", "GNU Lesser General Public License v3", "MPL-2.0", "BSD-3-Clause"):
        assert not COPYLEFT.search(name), name


def test_nothing_that_a_plain_installation_brings_is_under_the_gpl() -> None:
    found = {name: licence(name) for name in needed_at_run_time()}
    assert {"torch", "omegaconf", "pyyaml", "sympy"} <= found.keys(), "the second and third order too"
    assert {name: text for name, text in found.items() if COPYLEFT.search(text)} == {}
    assert [name for name, text in found.items() if re.search("LGPL|Lesser", text)] == []
