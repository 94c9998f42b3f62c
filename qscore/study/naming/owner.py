"""The owner's page of a naming study: how far everyone is, a link for everyone, and who may confirm names."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from qscore.study.annotators import Annotator
from qscore.study.group_commit import GroupCommit
from qscore.study.naming.folder import Group
from qscore.study.naming.relations import Relations
from qscore.study.naming.store import NamingStore
from qscore.study.owner import OwnerPages
from qscore.study.pages import page
from qscore.study.tokens import Tokens


class NamingOwnerPages:
    """Everything under the owner's link but the page of names."""

    def __init__(
        self, store: NamingStore, changes: GroupCommit, tokens: Tokens, *, owner: OwnerPages, relations: Relations
    ) -> None:
        self._store, self._changes, self._tokens = store, changes, tokens
        self._owner, self._relations = owner, relations

    def routes(self) -> list[Route]:
        return [
            Route("/owner/{token}", self.show),
            Route("/owner/{token}/add", self._owner.add, methods=["POST"]),
            Route("/owner/{token}/close", self._owner.close, methods=["POST"]),
            Route("/owner/{token}/judge", self.judge, methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """Shows who named how much of each group, and the links."""
        token = self._owner.checked_token(request)
        annotators, judges = self._store.annotators.all(), self._relations.judges()
        work = {(one.number, key): self._work(one, group) for one in annotators for key, group in self._groups()}
        people = [
            {
                "annotator": one,
                "link": f"{str(request.base_url).rstrip('/')}/s/{self._tokens.annotator(one.number)}",
                "num_done": sum(work[one.number, key]["done"] for key, _ in self._groups()),
                "num_begun": sum(work[one.number, key]["begun"] for key, _ in self._groups()),
                "too_old": self._store.desk.is_too_old(one),
                "judges": one.number in judges,
            }
            for one in annotators
        ]
        rows = [_row(group, [work[one.number, key] for one in annotators]) for key, group in self._groups()]
        pairs, confirmed = self._relations.pairs(), self._relations.confirmed(None)
        return page(
            "naming_owner",
            study=self._store.study.frame,
            progress=rows,
            people=people,
            num_groups=len(rows),
            num_pairs=len(pairs),
            num_confirmed=sum(pair.key in confirmed for pair in pairs),
            chooses=self._store.study.policies.confirmed_by == "annotators",
            link=f"/owner/{token}",
            form=self._tokens.form("owner", "owner"),
        )

    async def judge(self, request: Request) -> Response:
        """Lets an annotator confirm names."""
        number = (await self._owner.fields(request)).get("number", "")
        allowed = self._store.study.policies.confirmed_by == "annotators"
        if not allowed or not (number.isascii() and number.isdigit() and len(number) < 10):
            raise HTTPException(400, "There is no such annotator, or the study lets nobody but you confirm names.")
        await self._changes.run(lambda: self._relations.choose_judge(int(number)))
        return RedirectResponse(f"/owner/{request.path_params['token']}", 303)

    def _groups(self) -> list[tuple[str, Group]]:
        return list(self._store.study.groups.items())

    def _work(self, annotator: Annotator, group: Group) -> dict[str, Any]:
        history = self._store.history(annotator.number, group.key)
        named = len(history.present.placed) - len(history.present.discarded)
        return {"begun": bool(history.past or history.future), "done": history.done, "named": named}


def _row(group: Group, work: list[dict[str, Any]]) -> dict[str, Any]:
    begun = [one for one in work if one["begun"]]
    share = sum(one["named"] for one in begun) / (len(begun) * len(group.activations)) if begun else None
    done = sum(one["done"] for one in work)
    return {"title": group.title, "maps": len(group.activations), "begun": len(begun), "done": done, "named": share}
