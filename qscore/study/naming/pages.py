"""What an annotator of a naming study sees: consent, the groups, the page of a group, thanks."""

import json
import re
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from qscore.study.annotator_pages import AnnotatorPages
from qscore.study.annotators import Annotator
from qscore.study.group_commit import GroupCommit
from qscore.study.images import served_image
from qscore.study.naming.folder import Group
from qscore.study.naming.relations import Relations
from qscore.study.naming.store import NamingStore
from qscore.study.pages import page
from qscore.study.protection import read_json
from qscore.study.tokens import Tokens

MAX_ACTION_BYTES = 128 * 1024  # all maps of a group of 8000 moved at once
_CLIENT_ID = re.compile(r"[0-9A-Za-z-]{8,40}")
_STATUS = {"kept": 200, "repeated": 200, "stale": 409, "refused": 409, "closed": 403}


class NamingPages:
    """Everything under an annotator's link but the names of others."""

    def __init__(
        self,
        store: NamingStore,
        changes: GroupCommit,
        tokens: Tokens,
        *,
        entrance: AnnotatorPages,
        relations: Relations,
    ) -> None:
        self._store, self._changes, self._tokens = store, changes, tokens
        self._entrance, self._relations = entrance, relations

    def routes(self) -> list[Route]:
        group = "/s/{token}/group/{group}"
        return [
            Route("/s/{token}", self._entrance.start),
            Route("/s/{token}/consent", self._entrance.consent, methods=["POST"]),
            Route("/s/{token}/next", self.groups),
            Route(group, self.group),
            Route(f"{group}/log", self.log),
            Route(f"{group}/act", self.act, methods=["POST"]),
            Route(f"{group}/{{layer}}/{{key}}", self.image),
        ]

    def groups(self, request: Request) -> Response:
        """Shows the groups and how far each is; thanks when all are done."""
        annotator = self._entrance.annotator(request)
        link = f"/s/{request.path_params['token']}"
        if not annotator.consented:
            return RedirectResponse(link, 303)
        rows = [self._progress(annotator, group) for group in self._store.groups(annotator.number)]
        judges = self._relations.may_judge(annotator.number)
        return page("naming_groups", study=self._store.study.frame, link=link, rows=rows, judges=judges)

    async def group(self, request: Request) -> Response:
        """Shows the naming page of a group."""
        annotator, group = self._checked(request)
        if not await self._changes.run(lambda: self._store.open(annotator.number, group.key), durable=False):
            raise HTTPException(410, "Enough people name this group already. Please choose another one.")
        return await run_in_threadpool(self._page, request, annotator, group)

    def _page(self, request: Request, annotator: Annotator, group: Group) -> Response:
        images, order = group.image_keys, group.shuffled(self._store.study.frame.seed, annotator.number)
        content = {
            "form": self._tokens.form(f"annotator:{annotator.number}", f"group:{group.key}"),
            "maps": [[key, images[key]] for key in order],
            "closed": self._store.is_closed(annotator.number),
            **self._log(annotator, group),
        }
        link = f"/s/{request.path_params['token']}"
        study = self._store.study.frame
        return page("naming", study=study, link=link, group=group.key, title=group.title, content=json.dumps(content))

    def log(self, request: Request) -> Response:
        """Returns the annotator's own actions in a group."""
        return JSONResponse(self._log(*self._checked(request)))

    async def act(self, request: Request) -> Response:
        """Keeps an action. Sent twice, it is kept once; where the page is behind, it gets the actions that it lacks."""
        annotator, group = self._checked(request)
        sent = await read_json(request, MAX_ACTION_BYTES)
        form, number, client_id = sent.get("form"), sent.get("number"), sent.get("client_id")
        holder = f"annotator:{annotator.number}"
        if not isinstance(form, str) or not self._tokens.is_form(form, holder, f"group:{group.key}"):
            raise HTTPException(403, "This is not sent by this page. Please open your link again.")
        if type(number) is not int or not isinstance(client_id, str) or not _CLIENT_ID.fullmatch(client_id):
            raise HTTPException(400, "What was sent cannot be read. Please open your link again.")
        arguments = (annotator.number, group.key, number, client_id, sent.get("action"))
        if not self._store.is_folded(annotator.number, group.key):  # nobody else waits for it
            await run_in_threadpool(self._store.history, annotator.number, group.key)
        reply = await self._changes.run(lambda: self._store.append(*arguments))
        content: dict[str, Any] = {"outcome": reply.outcome, "message": reply.message}
        if _STATUS[reply.outcome] != 200:
            content |= await run_in_threadpool(self._log, annotator, group)
        return JSONResponse(content, _STATUS[reply.outcome])

    async def image(self, request: Request) -> Response:
        """Serves an original or a layer of heat; too short a task for a thread of its own."""
        return layer_response(self._store, self._checked(request)[1], request)

    def _checked(self, request: Request) -> tuple[Annotator, Group]:
        annotator = self._entrance.annotator(request)
        group = self._store.study.groups.get(request.path_params["group"])
        if group is None or not annotator.consented or not self._store.has_place(annotator.number, group.key):
            raise HTTPException(404, "There is no such page for you. Please open your link again.")
        return annotator, group

    def _log(self, annotator: Annotator, group: Group) -> dict[str, Any]:
        return {"actions": [entry["action"] for entry in self._store.log(annotator.number, group.key)]}

    def _progress(self, annotator: Annotator, group: Group) -> dict[str, Any]:
        history = self._store.history(annotator.number, group.key)
        total, discarded = len(group.activations), len(history.present.discarded)
        named = len(history.present.placed) - discarded
        counts = {"named": named, "discarded": discarded, "left": total - named - discarded, "total": total}
        concepts = len(history.present.concepts)
        return {"key": group.key, "title": group.title, "done": history.done, "concepts": concepts, **counts}


def layer_response(store: NamingStore, group: Group, request: Request) -> Response:
    """Returns an original ("image") or a layer of heat ("map") of a group."""
    layer, activation = request.path_params["layer"], group.by_key.get(request.path_params["key"])
    if activation is None or layer not in ("image", "map"):
        raise HTTPException(404, "There is no such image. Please open your link again.")
    data, media_type = served_image(store.study.frame.image(activation.image if layer == "image" else activation.map))
    return Response(data, media_type=media_type, headers={"Cache-Control": "private, max-age=3600, immutable"})
