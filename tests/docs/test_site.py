"""The site is built without a warning, needs no network, and lacks no page; links work in the repository as well."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.utils import yaml_load

import qscore
from tests.conftest import REPOSITORY
from tests.docs.blocks import pages

FETCHED = re.compile(r'<(?:script|link|img|iframe|source|video)\b[^>]*?\b(?:src|href)="?(?:https?:)?//[^" >]+[^>]*>')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    out = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)  # paths of the reference and of snippets
        patch.setenv("NO_MKDOCS_2_WARNING", "1")
        build(load_config(str(REPOSITORY / "mkdocs.yml"), site_dir=str(out), strict=True))
    return out


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the site's generator, not of ours
def test_nothing_on_the_site_is_fetched_from_elsewhere(site: Path) -> None:
    found = [(file.name, tag) for file in site.rglob("*.html") for tag in FETCHED.findall(file.read_text("utf-8"))]
    assert not [one for one in found if 'rel="canonical"' not in one[1]]
    styles = [
        file.name for file in site.rglob("*.css") if re.search(r"url\(\s*[\"']?(?:https?:)?//", file.read_text("utf-8"))
    ]
    assert not styles


@pytest.mark.slow
def test_public_names_are_in_the_reference(site: Path) -> None:
    reference = "".join(file.read_text("utf-8") for file in (site / "reference").rglob("*.html"))
    assert [name for name in qscore.__all__ if not re.search(rf'id="qscore\.[\w.]*\.?{name}"', reference)] == []


def test_every_choice_of_settings_is_in_the_reference() -> None:
    page = (REPOSITORY / "docs" / "reference" / "configuration.md").read_text("utf-8")
    for group in sorted(path for path in (REPOSITORY / "conf").iterdir() if path.is_dir()):
        (row,) = re.findall(rf"^\| `{group.name}` \| (.*?) \|", page, flags=re.M)
        missing = {path.stem for path in group.glob("*.yaml")} - set(re.findall(r"`([\w/.]+)`", row))
        assert not missing, group.name


def test_links_work_in_the_repository() -> None:
    for page in pages():
        text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S)
        for link in re.findall(r"\]\((?!https?:|mailto:|#)([^)\s]+)", text):
            assert (page.parent / link.partition("#")[0]).exists(), f"{page.name}: {link}"


def test_lists_and_tables_begin_after_an_empty_line() -> None:
    """GitHub does not mind; the site would show one long paragraph."""
    for page in pages():
        text = re.sub(r"^( *)```.*?^\1```", "", page.read_text("utf-8"), flags=re.S | re.M)
        lines = ["", *text.splitlines()]
        for before, line in itertools.pairwise(lines):
            starts = re.match(r"(?:[-*]|\d+\.) |\|", line)
            within = re.match(r"\s*(?:[-*]|\d+\.) |\s+\S|\||$|<!--", before)
            assert not starts or within, f"{page.relative_to(REPOSITORY)}: {line}"


def test_the_menu_names_every_page_once() -> None:
    settings = yaml_load((REPOSITORY / "mkdocs.yml").read_text("utf-8"))
    listed = re.findall(r"'([\w/-]+\.md)'", str(settings["nav"]))
    assert len(listed) == len(set(listed))
