"""The owner's page: how far the study is, whether people agree so far, and a link for everyone who takes part."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from qscore.study.export import answers
from qscore.study.group_commit import GroupCommit
from qscore.study.pages import page
from qscore.study.protection import Rates, read_form
from qscore.study.store import Store
from qscore.study.tokens import Tokens

Agreement = Callable[[list[dict[str, Any]]], Mapping[str, str]]
_MAX_NAME = 80

_PROGRESS = """SELECT condition, count(*) AS trials, sum(answered) AS answers, sum(wanted) AS wanted,
  sum(answered = wanted) AS complete FROM trials WHERE NOT is_catch GROUP BY block ORDER BY block"""
_WORK = """SELECT annotator, count(answered) AS answers, max(answered) AS latest FROM assignments GROUP BY annotator"""


class OwnerPages:
    """Everything under the owner's link. It shows agreement between people, never how often they were right."""

    def __init__(
        self, store: Store, changes: GroupCommit, tokens: Tokens, *, strangers: Rates, agreement: Agreement | None
    ) -> None:
        self._store, self._changes, self._tokens = store, changes, tokens
        self._strangers, self._agreement = strangers, agreement

    def routes(self) -> list[Route]:
        return [
            Route("/owner/{token}", self.show),
            Route("/owner/{token}/add", self.add, methods=["POST"]),
            Route("/owner/{token}/close", self.close, methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """Shows progress, agreement and links."""
        token = self.checked_token(request)
        records = answers(self._store)
        excluded = {record["annotator"] for record in records if record["excluded"]}
        work = {row["annotator"]: row for row in self._store.database.rows(_WORK)}
        people = [
            {
                "annotator": annotator,
                "link": f"{str(request.base_url).rstrip('/')}/s/{self._tokens.annotator(annotator.number)}",
                "num_answers": work[annotator.number]["answers"] if annotator.number in work else 0,
                "excluded": annotator.number in excluded,
                "too_old": self._store.is_too_old(annotator),
            }
            for annotator in self._store.annotators.all()
        ]
        return page(
            "owner",
            study=self._store.study,
            progress=self._store.database.rows(_PROGRESS),
            agreement=self._agreement(records) if self._agreement is not None and records else {},
            people=people,
            link=f"/owner/{token}",
            form=self._tokens.form("owner", "owner"),
        )

    async def add(self, request: Request) -> Response:
        """Makes one more link."""
        fields = await self.fields(request)
        name = "".join(letter for letter in fields.get("name", "") if letter.isprintable()).strip()[:_MAX_NAME]
        await self._changes.run(lambda: self._store.annotators.add(name))
        return RedirectResponse(f"/owner/{request.path_params['token']}", 303)

    async def close(self, request: Request) -> Response:
        """Closes a link."""
        number = (await self.fields(request)).get("number", "")
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            raise HTTPException(400, "There is no such link. Please open the owner's page again.")
        await self._changes.run(lambda: self._store.annotators.revoke(int(number)))
        return RedirectResponse(f"/owner/{request.path_params['token']}", 303)

    async def fields(self, request: Request) -> dict[str, str]:
        """Returns the fields of a form of the owner's page."""
        self.checked_token(request)
        fields = await read_form(request)
        if not self._tokens.is_form(fields.get("form", ""), "owner", "owner"):
            raise HTTPException(403, "This form is not one of this page. Please open your link again.")
        return fields

    def checked_token(self, request: Request) -> str:
        """Returns the owner's token, and refuses any other."""
        token = str(request.path_params["token"])
        if not self._tokens.is_owner(token):
            self._strangers.spend(request.client and request.client.host)
            raise HTTPException(404, "This link is not known. Please copy it again, whole.")
        return token
