"""Links of a page to files outside docs/ work in the repository; here those files join the site."""

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

HOME = "repository"
LINK = re.compile(r"(?<=\]\()((?:\.\./)+[^)#\s]+)")


def _outside(link: str, page: str, config: MkDocsConfig) -> str | None:
    """The path below the repository of what a link names, or None where that is in docs/ or not there."""
    root = Path(config.docs_dir).parent
    target = (Path(config.docs_dir) / page).parent.joinpath(link).resolve()
    is_ours = target.is_relative_to(root) and not target.is_relative_to(config.docs_dir)
    return target.relative_to(root).as_posix() if is_ours and target.is_file() else None


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds every file outside docs/ that a page links to."""
    pages = [(file.src_uri, file.content_string) for file in files.documentation_pages()]
    links = {_outside(link, page, config) for page, text in pages for link in LINK.findall(text)}
    for path in sorted(link for link in links if link is not None):
        files.append(File.generated(config, f"{HOME}/{path}", abs_src_path=str(Path(config.docs_dir).parent / path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Points these links at where the files are on the site."""
    here = page.file.src_uri

    def moved(match: re.Match[str]) -> str:
        path = _outside(match[0], here, config)
        return match[0] if path is None else os.path.relpath(f"{HOME}/{path}", os.path.dirname(here))

    return LINK.sub(moved, markdown)
