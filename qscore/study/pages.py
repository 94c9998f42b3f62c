"""The pages: templates of `pages/`, and the files that they load."""

from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_STATIC = {
    "study.css": "text/css",
    "study.js": "text/javascript",
    "naming.css": "text/css",
    "naming.js": "text/javascript",
    "naming-asking.js": "text/javascript",
    "naming-board.js": "text/javascript",
    "naming-groups.js": "text/javascript",
    "naming-hands.js": "text/javascript",
    "naming-replay.js": "text/javascript",
    "naming-state.js": "text/javascript",
    "naming-saving.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


@cache
def _environment() -> Environment:
    loader = PackageLoader("qscore.study", "pages")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def page(name: str, status: int = 200, headers: dict[str, str] | None = None, **values: Any) -> HTMLResponse:
    """Returns a page of `pages/`."""
    text = _environment().get_template(f"{name}.html.jinja").render(**values)
    return HTMLResponse(text, status_code=status, headers=headers)


@cache
def _static(name: str) -> bytes:
    return resources.files("qscore.study").joinpath("pages", name).read_bytes()


async def static(request: Request) -> Response:
    """Serves the style, the script and the icon; no other name leads to a file."""
    name = request.path_params["name"]
    if name not in _STATIC:
        raise HTTPException(404)
    return Response(_static(name), media_type=_STATIC[name], headers={"Cache-Control": "max-age=300"})
