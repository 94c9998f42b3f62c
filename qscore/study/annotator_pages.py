"""What an annotator sees: consent, one question after the other, thanks. The link is all they need."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from qscore.study.annotators import Annotator
from qscore.study.folder import Trial
from qscore.study.group_commit import GroupCommit
from qscore.study.images import served_image
from qscore.study.pages import page
from qscore.study.protection import Rates, read_form
from qscore.study.store import Assignment, Store
from qscore.study.tokens import Tokens

_CHOICES = {"images": ("left", "right"), "description": ("left", "right"), "likert": tuple("12345")}


class AnnotatorPages:
    """Everything under an annotator's link. What reads a few rows does so at once: a thread would take longer."""

    def __init__(self, store: Store, changes: GroupCommit, tokens: Tokens, *, rates: Rates, strangers: Rates) -> None:
        self._store, self._changes, self._tokens = store, changes, tokens
        self._rates, self._strangers = rates, strangers

    def routes(self) -> list[Route]:
        return [
            Route("/s/{token}", self.start),
            Route("/s/{token}/consent", self.consent, methods=["POST"]),
            Route("/s/{token}/next", self.next),
            Route("/s/{token}/answer", self.answer, methods=["POST"]),
            Route("/s/{token}/image/{assignment}/{slot}", self.image),
        ]

    async def start(self, request: Request) -> Response:
        """Shows the consent page; who agreed before goes on where they were."""
        annotator = self.annotator(request)
        if annotator.consented:
            return self._redirect(request)
        study = self._store.study
        form = self._tokens.form(_holder(annotator), "consent")
        return page("consent", study=study, link=_link(request), form=form)

    async def consent(self, request: Request) -> Response:
        """Keeps the consent."""
        annotator = self.annotator(request)
        self._check_form(await read_form(request), annotator, "consent")
        await self._changes.run(lambda: self._store.annotators.consent(annotator.number))
        return self._redirect(request)

    async def next(self, request: Request) -> Response:
        """Shows the question that is due, or thanks."""
        annotator = self.annotator(request)
        if not annotator.consented:
            return RedirectResponse(_link(request), 303)
        shown = await self._changes.run(lambda: self._store.next(annotator.number), durable=False)
        num_answered = self._store.num_answered(annotator.number)
        if not shown:
            later = await self._changes.run(lambda: self._store.has_more_later(annotator.number), durable=False)
            return page("thanks", study=self._store.study, num_answered=num_answered, later=later)
        return page(
            "rating" if shown[0].trial.condition == "likert" else "choice",
            study=self._store.study,
            trial=_shown(shown[0].trial),
            images=_image_links(request, shown[0]),
            preload=[link for one in shown[1:] for link in _image_links(request, one)],
            assignment=shown[0].id,
            form=self._tokens.form(_holder(annotator), shown[0].id),
            link=_link(request),
            number=num_answered + 1,
        )

    async def answer(self, request: Request) -> Response:
        """Keeps an answer. Sent twice, it is kept once."""
        annotator = self.annotator(request)
        fields = await read_form(request)
        assignment = fields.get("assignment", "")
        self._check_form(fields, annotator, assignment)
        trial = self._store.assigned(assignment, annotator.number)
        if trial is not None:
            choice, suits = _read_choice(fields, trial)
            ms = _read_ms(fields)
            kept = await self._changes.run(
                lambda: self._store.submit(assignment, annotator.number, choice, suits=suits, response_ms=ms)
            )
            if kept != "gone":
                return self._redirect(request)
        message = "This question waited too long and was given to someone else. Your other answers are kept."
        return page("refused", 409, message=message, back=_link(request) + "/next")

    async def image(self, request: Request) -> Response:
        """Serves an image of a question that this annotator was given."""
        annotator = self.annotator(request)
        trial = self._store.assigned(request.path_params["assignment"], annotator.number)
        slot = request.path_params["slot"]
        if trial is None or not annotator.consented or slot not in map(str, range(len(trial.images))):
            raise HTTPException(404, "There is no such image. Please open your link again.")
        data, media_type = served_image(self._store.study.image(trial.images[int(slot)]))
        return Response(data, media_type=media_type, headers={"Cache-Control": "private, max-age=3600, immutable"})

    def annotator(self, request: Request) -> Annotator:
        """Returns whose link it is, and refuses links that are forged, closed or used too often."""
        number = self._tokens.annotator_number(request.path_params["token"])
        annotator = None if number is None else self._store.annotators.get(number)
        if annotator is None:
            self._strangers.spend(request.client and request.client.host)
            raise HTTPException(404, "This link is not known. Please copy it again, whole.")
        self._rates.spend(annotator.number)
        if annotator.revoked or self._store.is_too_old(annotator):
            raise HTTPException(410, "This link has ended. Thank you; your answers are kept.")
        return annotator

    def _check_form(self, fields: dict[str, str], annotator: Annotator, form: str) -> None:
        if not self._tokens.is_form(fields.get("form", ""), _holder(annotator), form):
            raise HTTPException(403, "This form is not one of this page. Please open your link again.")

    def _redirect(self, request: Request) -> Response:
        return RedirectResponse(_link(request) + "/next", 303)


def _holder(annotator: Annotator) -> str:
    return f"annotator:{annotator.number}"


def _link(request: Request) -> str:
    return f"/s/{request.path_params['token']}"


def _image_links(request: Request, assignment: Assignment) -> list[str]:
    return [f"{_link(request)}/image/{assignment.id}/{slot}" for slot in range(len(assignment.trial.images))]


def _shown(trial: Trial) -> dict[str, Any]:
    """Returns what a page may know about a trial: nothing secret can slip into a template."""
    return {"condition": trial.condition, "text": trial.text, "num_references": len(trial.references)}


def _read_choice(fields: dict[str, str], trial: Trial) -> tuple[str, str | None]:
    choice, suits = fields.get("choice", ""), fields.get("suits")
    if choice not in _CHOICES[trial.condition] or (trial.condition == "likert" and suits not in ("yes", "no")):
        raise HTTPException(400, "No answer was chosen. Please go back and choose one.")
    return choice, suits if trial.condition == "likert" else None


def _read_ms(fields: dict[str, str]) -> int | None:
    text = fields.get("response_ms", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None
