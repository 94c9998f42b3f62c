"""The server of one naming study."""

import time
from collections.abc import Callable

from starlette.types import ASGIApp

from qscore.study.annotator_pages import AnnotatorPages
from qscore.study.app import guarded
from qscore.study.group_commit import GroupCommit
from qscore.study.images import served_image
from qscore.study.naming.confirm_pages import ConfirmPages
from qscore.study.naming.folder import NamingStudy
from qscore.study.naming.owner import NamingOwnerPages
from qscore.study.naming.pages import NamingPages
from qscore.study.naming.relations import Relations
from qscore.study.naming.store import NamingStore
from qscore.study.owner import OwnerPages
from qscore.study.protection import Rates
from qscore.study.tokens import Tokens


def make_naming_app(
    study: NamingStudy, *, clock: Callable[[], float] = time.time, requests_per_second: float = 60
) -> ASGIApp:
    """Returns the server of a naming study.

    Args:
        study: what is named.
        clock: seconds since 1970.
        requests_per_second: of one annotator in the long run; all images of the largest group may come at once.
    """
    for group in study.groups.values():
        for activation in group.activations:
            served_image(study.frame.image(activation.image))  # a broken one is refused before anyone sees it
            served_image(study.frame.image(activation.map))
    store, tokens, strangers = NamingStore(study, clock), Tokens(study.frame.folder), Rates(per_second=1, burst=30)
    burst = 400 + 4 * max(len(group.activations) for group in study.groups.values())
    changes, relations, rates = GroupCommit(store.database), Relations(store), Rates(requests_per_second, burst=burst)
    entrance = AnnotatorPages(store.desk, changes, tokens, rates=rates, strangers=strangers)
    owner = OwnerPages(store.desk, changes, tokens, strangers=strangers, agreement=None)
    pages = (
        NamingPages(store, changes, tokens, entrance=entrance, relations=relations),
        NamingOwnerPages(store, changes, tokens, owner=owner, relations=relations),
        ConfirmPages(store, changes, tokens, entrance=entrance, owner=owner, relations=relations),
    )
    return guarded([route for each in pages for route in each.routes()])
