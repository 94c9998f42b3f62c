"""The page that asks which names mean the same: one pair after the other, for the owner and those whom they choose."""

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from qscore.study.annotator_pages import AnnotatorPages
from qscore.study.group_commit import GroupCommit
from qscore.study.naming.pages import layer_response
from qscore.study.naming.relations import RELATIONS, NamePair, Relations
from qscore.study.naming.store import NamingStore
from qscore.study.owner import OwnerPages
from qscore.study.pages import page
from qscore.study.protection import read_form
from qscore.study.tokens import Tokens

_MAX_SHOWN = 24  # images of each name


class ConfirmPages:
    """The only pages that show names of other people."""

    def __init__(
        self,
        store: NamingStore,
        changes: GroupCommit,
        tokens: Tokens,
        *,
        entrance: AnnotatorPages,
        owner: OwnerPages,
        relations: Relations,
    ) -> None:
        self._store, self._changes, self._tokens, self._relations = store, changes, tokens, relations
        self._entrance, self._owner = entrance, owner

    def routes(self) -> list[Route]:
        paths = ("/s/{token}/names", "/owner/{token}/names")
        return [
            *(Route(path, self.show) for path in paths),
            *(Route(f"{path}/answer", self.answer, methods=["POST"]) for path in paths),
            *(Route(f"{path}/{{group}}/{{layer}}/{{key}}", self.image) for path in paths),
        ]

    async def show(self, request: Request) -> Response:
        """Shows the first pair without an answer, or the one that `?pair=` asks for again."""
        judge = await self._judge(request, looks=True)
        return await run_in_threadpool(self._page, request, judge)

    def _page(self, request: Request, judge: int | None) -> Response:
        pairs, confirmed = self._relations.pairs(), self._relations.confirmed(judge)
        asked = [number for number, pair in enumerate(pairs) if pair.key not in confirmed]
        wanted = request.query_params.get("pair", "")
        known = wanted.isascii() and wanted.isdigit() and len(wanted) < 7 and 1 <= int(wanted) <= len(pairs)
        number = int(wanted) - 1 if known else asked[0] if asked else None
        return page(
            "naming_names",
            study=self._store.study.frame,
            link=_link(request),
            back=_link(request).removesuffix("/names") + ("/next" if judge is not None else ""),
            form=self._tokens.form(_holder(judge), "names"),
            pair=None if number is None else pairs[number],
            shown=[] if number is None else _shown(self._store, pairs[number], _link(request)),
            answer=None if number is None else confirmed.get(pairs[number].key),
            number=0 if number is None else number + 1,
            total=len(pairs),
            left=len(asked),
        )

    async def answer(self, request: Request) -> Response:
        """Keeps what was said of a pair."""
        judge = await self._judge(request)
        fields = await read_form(request)
        if not self._tokens.is_form(fields.get("form", ""), _holder(judge), "names"):
            raise HTTPException(403, "This form is not one of this page. Please open your link again.")
        key = (fields.get("group", ""), fields.get("name_a", ""), fields.get("name_b", ""))
        pairs = await run_in_threadpool(self._relations.pairs)
        # The names, not the number: others may have named on, and the numbers moved.
        pair = next((pair for pair in pairs if (pair.group, pair.name_a, pair.name_b) == key), None)
        if pair is None:
            message = "These two names do not meet any more, since someone went on naming."
            return page("refused", 409, message=message, back=_link(request))
        if fields.get("choice") not in RELATIONS:
            raise HTTPException(400, "Please go back and choose an answer.")
        await self._changes.run(lambda: self._relations.confirm(judge, pair, fields["choice"]))
        return RedirectResponse(_link(request), 303)

    async def image(self, request: Request) -> Response:
        """Serves an image of a pair, to whom the page was shown."""
        await self._judge(request)
        group = self._store.study.groups.get(request.path_params["group"])
        if group is None:
            raise HTTPException(404, "There is no such image. Please open your link again.")
        return layer_response(self._store, group, request)

    async def _judge(self, request: Request, *, looks: bool = False) -> int | None:
        """Returns the annotator who asks, or None for the owner; refuses everyone else.

        Who `looks` at the names had to finish everything, and from then on names no more: that stays, and is all that
        images and answers need.
        """
        if request.url.path.startswith("/owner/"):
            self._owner.checked_token(request)
            return None
        annotator = self._entrance.annotator(request)
        has_looked = self._store.is_closed(annotator.number)
        may = has_looked or (looks and await run_in_threadpool(self._relations.may_judge, annotator.number))
        if not annotator.consented or not may:
            raise HTTPException(404, "There is no such page for you. Please open your link again.")
        if not has_looked:
            await self._changes.run(lambda: self._relations.look(annotator.number))
        return annotator.number


def _holder(judge: int | None) -> str:
    return "owner" if judge is None else f"annotator:{judge}"


def _link(request: Request) -> str:
    return "/".join(request.url.path.split("/")[:3]) + "/names"


def _shown(store: NamingStore, pair: NamePair, link: str) -> list[tuple[str, int, list[tuple[str, str]]]]:
    """Returns for each name its text, the number of its maps, and links of originals and heat; shared ones first."""
    images, shared = store.study.groups[pair.group].image_keys, pair.members_a & pair.members_b
    sides = []
    for name, members in ((pair.name_a, pair.members_a), (pair.name_b, pair.members_b)):
        keys = sorted(members, key=lambda key: (key not in shared, key))[:_MAX_SHOWN]
        start = f"{link}/{pair.group}"
        sides.append((name, len(members), [(f"{start}/image/{images[key]}", f"{start}/map/{key}") for key in keys]))
    return sides
