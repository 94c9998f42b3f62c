"""The fenced blocks of the documentation, and what each says of itself.

A comment right above a block declares how it is checked, where it does not simply run:

- `<!-- not run: REASON -->`: it is parsed, composed or compiled; the reason is a GPU, a cluster, data, hours;
- `<!-- run with: OPTION... -->`: small settings for each command, or `NAME = VALUE; ...` for lines of Python;
- `<!-- run in: tests/FILE.py -->`: another test runs it.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import REPOSITORY

FENCE = re.compile(
    r"^(?:<!-- (?P<how>not run|run with|run in): (?P<what>.+?) -->\n+)?"
    r"^(?P<indent> *)```(?P<language>[^\s`]*)(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```\s*$",
    flags=re.M | re.S,
)
PYTHON, SHELL, SETTINGS, OUTPUT = {"python", "py"}, {"sh", "bash"}, {"yaml", "toml", "json"}, {"text"}


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        page: File that it stands in.
        line: Of its fence.
        how: "run", "not run", "run with" or "run in".
        what: The reason, the small settings, or the other test.
        file: Name of the file that it is the content of, from `title="..."`.
    """

    page: Path
    line: int
    language: str
    how: str
    what: str
    file: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(REPOSITORY)}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """Of a shell block; where some lines begin with "$ ", the others are what was printed."""
        joined = re.sub(r"\\\n\s*", " ", self.text)
        lines = [line.strip() for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        prompts = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        return prompts or lines


def pages() -> list[Path]:
    """Every page whose blocks are checked."""
    found = sorted((REPOSITORY / "docs").rglob("*.md"))
    return [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *found]


def blocks_of(page: Path) -> list[Block]:
    """Every block of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        title = re.search(r'title="([^"]+)"', match["info"])
        body = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.M)
        line = text.count("\n", 0, match.start("language")) + 1
        how, what = match["how"] or "run", match["what"] or ""
        found.append(Block(page, line, match["language"], how, what, title[1] if title else "", body))
    return found


def fences(page: Path) -> int:
    """How many fences a page has, opened and closed."""
    return len(re.findall(r"^ *(?:```|~~~)", page.read_text(encoding="utf-8"), flags=re.M))
