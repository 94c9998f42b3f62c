"""What the package stands on: bounds and reasons from pyproject.toml, licences from the installed packages.

python -m tests.supply_chain      writes constraints/oldest.txt and the table of docs/supply-chain.md anew
"""

import importlib.metadata
import re
from collections.abc import Iterator
from pathlib import Path

import tomllib
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parent.parent
PAGE = REPOSITORY / "docs" / "supply-chain.md"
OLDEST = REPOSITORY / "constraints" / "oldest.txt"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->"
TESTED_EXTRAS = ("study", "tensorboard", "parquet")
LINE = re.compile(r'^ *(?:\w+ = \[)?"([\w-]+)>=([\w.]+)",?\]? *# *(.+)$')
VAGUE = "License :: OSI Approved"


def required(*extras: str) -> list[Requirement]:
    """The direct dependencies that pyproject.toml names, with those of some extras."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    chosen = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    return [Requirement(text) for texts in chosen for text in texts]


def bounds(*extras: str) -> dict[str, str]:
    """The lowest version of every direct dependency, and of those of some extras, by name."""
    found = {}
    for requirement in required(*extras):
        (found[requirement.name],) = (s.version for s in requirement.specifier if s.operator == ">=")
    return found


def reasons() -> dict[str, str]:
    """The comment behind each dependency."""
    lines = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    found: dict[str, str] = {}
    for match in filter(None, map(LINE.match, lines)):
        found.setdefault(match[1], match[3])
    return found


def constraints() -> str:
    """The file that pins each of them to its lowest version."""
    pinned = sorted(f"{name}=={version}" for name, version in bounds(*TESTED_EXTRAS).items())
    return "\n".join(["# Written by `python -m tests.supply_chain` from the bounds of pyproject.toml.", *pinned, ""])


def table() -> str:
    """A row for each direct dependency of the plain installation."""
    why = reasons()
    rows = [f"| {name} | {low} | {licence(name)} | {why[name]} |" for name, low in sorted(bounds().items())]
    return "\n".join(["| package | from | licence | why |", "|---|---|---|---|", *rows, ""])


def licence(name: str) -> str:
    """What a package says of itself: the expression, else the classifiers, else the first line of the text."""
    metadata = importlib.metadata.metadata(name)
    if expression := metadata.get("License-Expression"):
        return expression
    said = [c for c in metadata.get_all("Classifier") or [] if c.startswith("License ::") and c != VAGUE]
    text = (metadata.get("License") or "unknown").strip().splitlines()[0]
    return "; ".join(classifier.split(" :: ")[-1] for classifier in said) or text


def needed_at_run_time() -> set[str]:
    """Every installed package that a plain installation brings, however far behind."""
    found: set[tuple[str, str]] = set()
    waiting = required()
    while waiting:
        requirement = waiting.pop()
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        new = {(name, extra) for extra in ("", *requirement.extras)} - found
        found |= new
        if _is_installed(name):
            behind = [Requirement(text) for text in importlib.metadata.requires(name) or []]
            for _, extra in new:
                waiting += [r for r in behind if r.marker is None or r.marker.evaluate({"extra": extra})]
    return {name for name, _ in found if _is_installed(name)}


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def sections(page: str) -> Iterator[str]:
    """The page before its table, the table, and the rest."""
    before, rest = page.split(BEGIN)
    inside, after = rest.split(END)
    yield from (before, inside, after)


if __name__ == "__main__":
    OLDEST.parent.mkdir(exist_ok=True)
    OLDEST.write_text(constraints(), encoding="utf-8")
    before, _, after = sections(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(f"{before}{BEGIN}{table()}{END}{after}", encoding="utf-8")
