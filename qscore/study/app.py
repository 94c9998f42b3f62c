"""The server of one study."""

import time
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from qscore.study.annotator_pages import AnnotatorPages
from qscore.study.folder import Study
from qscore.study.group_commit import GroupCommit
from qscore.study.images import check_images
from qscore.study.owner import Agreement, OwnerPages
from qscore.study.pages import page, static
from qscore.study.protection import Rates, SecurityHeaders
from qscore.study.store import Store
from qscore.study.tokens import Tokens


def make_app(
    study: Study,
    *,
    agreement: Agreement | None = None,
    clock: Callable[[], float] = time.time,
    requests_per_second: float = 60,
) -> ASGIApp:
    """Returns the server of a study.

    Args:
        study: what is asked.
        agreement: names and values for the owner's page, of the answers so far (`export.answers`).
        clock: seconds since 1970.
        requests_per_second: of one annotator in the long run (a page with its images takes 13); 400 may come at once.
    """
    check_images(study)
    store, tokens = Store(study, clock), Tokens(study.folder)
    strangers = Rates(per_second=1, burst=30)
    changes = GroupCommit(store.database)
    rates = Rates(requests_per_second, burst=400)
    annotators = AnnotatorPages(store, changes, tokens, rates=rates, strangers=strangers)
    owner = OwnerPages(store, changes, tokens, strangers=strangers, agreement=agreement)
    return guarded([*annotators.routes(), *owner.routes()])


def guarded(routes: Sequence[Route]) -> ASGIApp:
    """Returns the server of some pages, with the files that they load, pages for refusals, and the security headers."""
    pages = Starlette(
        routes=[*routes, Route("/static/{name}", static)],
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )
    pages.router.redirect_slashes = False  # its redirects repeat the Host that a request claims
    return SecurityHeaders(pages)  # around everything, our own failures included


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known = {
        "Not Found": "There is no such page. Please copy your link again, whole.",
        "Method Not Allowed": "This page is no form. Please open your link again.",
    }
    message = known.get(error.detail, error.detail)
    return page("refused", error.status_code, dict(error.headers or {}), message=message, back=None)


async def _failed(request: Request, error: Exception) -> Response:
    message = (
        "Something went wrong here, and it was not you. What you had answered before is kept. "
        "Please open your link again."
    )
    return page("refused", 500, message=message, back=None)
