"""The pages of a naming study: what they say, what they never say, and what they refuse."""

import asyncio
import contextlib
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient

from qscore.study.naming import folding
from qscore.study.naming.app import make_naming_app
from qscore.study.naming.folder import NamingStudy
from qscore.study.naming.pages import MAX_ACTION_BYTES
from qscore.study.naming.relations import Relations
from qscore.study.naming.state import History, step
from qscore.study.naming.store import NamingStore
from qscore.study.tokens import Tokens
from tests.study.conftest import Clock
from tests.study.naming.conftest import SECRETS

FIELD = re.compile(r'name="(\w+)" value="([^"]*)"')


class Visitor:
    """A browser that remembers every byte it got."""

    def __init__(self, client: TestClient, study: NamingStudy, store: NamingStore) -> None:
        self.client, self.study, self.store = client, study, store
        self.tokens = Tokens(study.frame.folder)
        self.seen: list[bytes] = []

    def request(self, method: str, path: str, **options: Any) -> Any:
        response = self.client.request(method, path, **options)
        headers = b"\n".join(name + b": " + value for name, value in response.headers.raw)
        self.seen += [headers, response.content, str(response.url).encode()]
        return response

    def get(self, path: str) -> Any:
        return self.request("GET", path)

    def new_link(self, *, consented: bool = True) -> str:
        number = self.store.annotators.add("somebody")
        if consented:
            self.store.annotators.consent(number)
        return f"/s/{self.tokens.annotator(number)}"

    def fields(self, page: Any) -> dict[str, str]:
        return dict(FIELD.findall(page.text))

    def open_group(self, link: str, which: int = 0) -> tuple[str, dict[str, Any]]:
        """The address of a group's page and what its script gets."""
        address = re.findall(rf'href="({link}/group/\w+)"', self.get(f"{link}/next").text)[which]
        page = self.get(address)
        found = re.search(r'id="content">(.*?)</script>', page.text)
        assert found is not None
        return address, json.loads(found[1])

    def act(self, address: str, content: dict[str, Any], number: int, action: object, **changes: Any) -> Any:
        sent = {"form": content["form"], "number": number, "client_id": f"client-id-{number}", "action": action}
        return self.request("POST", f"{address}/act", json={**sent, **changes})


@pytest.fixture
def visit(make_naming: Callable[..., NamingStudy], clock: Clock) -> Iterator[Callable[..., Visitor]]:
    clients = []

    def make(study: NamingStudy | None = None) -> Visitor:
        study = study or make_naming()
        app = make_naming_app(study, clock=clock, requests_per_second=10_000)
        clients.append(TestClient(app, base_url="http://127.0.0.1:8000"))
        return Visitor(clients[-1], study, NamingStore(study, clock))

    yield make
    for client in clients:
        client.close()


def create(name: str, members: list[str]) -> dict[str, Any]:
    return {"do": "create", "name": name, "members": members}


def test_a_whole_session_is_kept_and_no_byte_tells_a_secret(
    make_naming: Callable[..., NamingStudy], visit: Callable[..., Visitor]
) -> None:
    visitor = visit(make_naming(9, 6))
    stranger = visitor.new_link()
    address, content = visitor.open_group(stranger)
    visitor.act(address, content, 1, create("zebra-of-another", [key for key, _ in content["maps"]]))
    visitor.seen.clear()
    link = visitor.new_link(consented=False)
    consent = visitor.get(link)
    visitor.request("POST", f"{link}/consent", data=visitor.fields(consent))
    for which in (0, 1):
        address, content = visitor.open_group(link, which)
        keys = [key for key, _ in content["maps"]]
        for key, image in content["maps"]:
            for layer in (f"image/{image}", f"map/{key}"):
                assert visitor.get(f"{address}/{layer}").headers["content-type"] == "image/png"
        actions = [create("wing", keys[:4]), {"do": "move", "members": keys[4:5], "to": "discarded"}, {"do": "undo"}]
        for number, action in enumerate([*actions, {"do": "redo"}, {"do": "done", "done": True}], 1):
            assert visitor.act(address, content, number, action).json() == {"outcome": "kept", "message": ""}
        assert visitor.act(address, content, 1, {"do": "undo"}, client_id="another-id").status_code == 409
        assert len(visitor.get(f"{address}/log").json()["actions"]) == 5
    assert "Thank you" in visitor.get(f"{link}/next").text
    everything = b"\n".join(visitor.seen).lower()
    files = [
        name for group in visitor.study.groups.values() for one in group.activations for name in (one.image, one.map)
    ]
    secrets = [*SECRETS, *files, "zebra-of-another", "layer4", "score", str(visitor.study.frame.folder)]
    secrets += [visitor.tokens.owner(), "uvicorn", "python", "cluster", "feature"]
    assert [secret for secret in secrets if secret.lower().encode() in everything] == []


def test_maps_of_one_image_share_its_address_and_the_heat_is_clear_where_the_map_is_zero(
    visit: Callable[..., Visitor],
) -> None:
    visitor = visit()
    address, content = visitor.open_group(visitor.new_link())
    assert len({image for _, image in content["maps"]}) * 3 == len(content["maps"])
    data = visitor.get(f"{address}/map/{content['maps'][0][0]}").content
    with Image.open(io.BytesIO(data)) as heat:
        alpha = heat.convert("RGBA").getchannel("A")
    assert alpha.size == (96, 96)
    assert alpha.getextrema()[0] == 0
    assert alpha.getextrema()[1] > 150


def test_orders_differ_between_annotators_and_stay_for_one(
    make_naming: Callable[..., NamingStudy], visit: Callable[..., Visitor]
) -> None:
    visitor = visit(make_naming(30))
    links = [visitor.new_link(), visitor.new_link()]
    first, second, again = (visitor.open_group(link)[1]["maps"] for link in (*links, links[0]))
    assert first == again != second
    assert sorted(first) == sorted(second)


def test_nobody_acts_or_looks_for_another(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    mine, yours = visitor.new_link(), visitor.new_link()
    address, content = visitor.open_group(yours)
    group = address.rpartition("/")[2]
    assert visitor.act(f"{mine}/group/{group}", content, 1, create("wing", [])).status_code == 403
    assert visitor.act(address, content, 1, create("wing", []), form="forged").status_code == 403
    for path in ("names", "names/x/image/y", f"names/{group}/image/{content['maps'][0][0]}"):
        assert visitor.get(f"{yours}/{path}").status_code == 404
    assert visitor.store.log(2, group) == []
    silent = visitor.new_link(consented=False)
    for path in ("", "/log", f"/map/{content['maps'][0][0]}"):
        assert visitor.get(f"{silent}/group/{group}{path}").status_code == 404


@pytest.mark.parametrize(
    ("changes", "options", "status"),
    [
        ({"number": "1"}, {}, 400),
        ({"number": True}, {}, 400),
        ({"number": 10**30}, {}, 409),
        ({"client_id": "short"}, {}, 400),
        ({"client_id": "\ud800" * 9}, {}, 400),
        ({"action": create("\ud800", [])}, {}, 409),
        ({"client_id": ["x"] * 9}, {}, 400),
        ({"form": None}, {}, 403),
        ({"action": create("x" * MAX_ACTION_BYTES, [])}, {}, 413),
        ({"action": create("  ", [])}, {}, 409),
        ({"action": {"do": "fly"}}, {}, 409),
        ({}, {"Sec-Fetch-Site": "cross-site"}, 403),
        ({}, {"Origin": "http://evil.example"}, 403),
        ({}, {"Content-Type": "text/plain"}, 415),
        ({}, {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_malformed_and_foreign_actions_are_refused(
    visit: Callable[..., Visitor], changes: dict[str, Any], options: dict[str, str], status: int
) -> None:
    visitor = visit()
    address, content = visitor.open_group(visitor.new_link())
    sent = {"form": content["form"], "number": 1, "client_id": "client-id", "action": create("wing", []), **changes}
    headers = {"Content-Type": "application/json", **options}
    response = visitor.request("POST", f"{address}/act", content=json.dumps(sent), headers=headers)
    assert response.status_code == status
    assert len(visitor.store.log(1, address.rpartition("/")[2])) == (status == 200)


def test_what_another_server_kept_is_folded_while_others_are_served(
    visit: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = visit()
    address, content = visitor.open_group(visitor.new_link())
    for number in (1, 2):
        reply = visitor.store.append(1, address.split("/")[-1], number, f"client-{number}", create(f"n{number}", []))
        assert reply.outcome == "kept"
    where: dict[int, bool] = {}

    def watched(history: History, number: int, *rest: Any) -> History:
        with contextlib.suppress(RuntimeError):
            where[number] = asyncio.get_running_loop() is None
        where.setdefault(number, True)
        return step(history, number, *rest)

    monkeypatch.setattr(folding, "step", watched)
    assert visitor.act(address, content, 3, create("n3", [])).status_code == 200
    assert where == {1: True, 2: True}, "folded in a thread without a loop"


def test_a_name_is_shown_as_text_and_cannot_end_the_script(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    link = visitor.new_link()
    address, content = visitor.open_group(link)
    name = '</script><img src=x onerror="1">&amp;'
    assert visitor.act(address, content, 1, create(name, [])).status_code == 200
    assert visitor.open_group(link)[1]["actions"][0]["name"] == name
    assert "<img src=x" not in visitor.get(address).text


def test_the_owner_sees_progress_confirms_names_and_chooses_who_may(
    make_naming: Callable[..., NamingStudy], visit: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = visit(make_naming(9, confirmed_by="annotators"))
    owner = f"/owner/{visitor.tokens.owner()}"
    links = [visitor.new_link(), visitor.new_link()]
    for link, name in zip(links, ("wing", "left <wing>"), strict=True):
        address, content = visitor.open_group(link)
        keys = sorted(key for key, _ in content["maps"])
        visitor.act(address, content, 1, create(name, keys[:6]))
        visitor.act(address, content, 2, {"do": "done", "done": True})
    page = visitor.get(owner)
    assert "67 %" in page.text
    assert "0 of 1 pairs" in page.text
    question = visitor.get(f"{owner}/names")
    assert "left &lt;wing&gt;" in question.text
    for image in re.findall(r'src="(/owner/[^"]+)"', question.text):
        assert visitor.get(image).status_code == 200
    fields = {**visitor.fields(question), "name_a": "left <wing>"}
    assert visitor.request("POST", f"{owner}/names/answer", data={**fields, "choice": "same"}).status_code == 400
    assert visitor.request("POST", f"{owner}/names/answer", data={**fields, "name_a": "x"}).status_code == 409
    assert visitor.request("POST", f"{owner}/names/answer", data={**fields, "form": "x"}).status_code == 403
    done = visitor.request("POST", f"{owner}/names/answer", data={**fields, "choice": "subset"})
    assert "All 1 pairs" in done.text
    assert "1 of 1 pairs" in visitor.get(owner).text
    assert "checked" in visitor.get(f"{owner}/names?pair=1").text
    assert visitor.get(f"{links[0]}/names").status_code == 404, "not chosen"
    visitor.request("POST", f"{owner}/judge", data={**visitor.fields(visitor.get(owner)), "number": "1"})
    own = [image.replace(owner, links[0]) for image in re.findall(r'src="(/owner/[^"]+)"', question.text)]
    assert visitor.get(own[0]).status_code == 404, "not looked"
    assert visitor.get(f"{links[0]}/names").status_code == 200
    with monkeypatch.context() as patch:
        for folds_or_writes in ("may_judge", "look"):
            patch.delattr(Relations, folds_or_writes)
        assert {visitor.get(image).status_code for image in own} == {200}
    address, content = visitor.open_group(links[0])
    assert content["closed"]
    assert visitor.act(address, content, 3, {"do": "undo"}).status_code == 403
    assert visitor.get(links[0].replace("/s/", "/owner/") + "/names").status_code == 404


@pytest.fixture
def fuzzed(visit: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch) -> tuple[Visitor, str, dict[str, Any]]:
    monkeypatch.setattr("qscore.study.protection.Rates.spend", lambda *_: None)
    visitor = visit()
    return (visitor, *visitor.open_group(visitor.new_link()))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_request_makes_the_server_fail(fuzzed: tuple[Visitor, str, dict[str, Any]], data: st.DataObject) -> None:
    from urllib.parse import quote

    visitor, address, content = fuzzed
    ends = ["", "/act", "/act", "/act", "/log", f"/map/{content['maps'][0][0]}", "/../../names"]
    path = address + data.draw(st.sampled_from(ends))
    if data.draw(st.booleans()):
        parts = path.split("/")
        parts[data.draw(st.integers(1, len(parts) - 1))] = data.draw(st.text(max_size=20))
        path = "/".join(parts)
    keys = ["form", "number", "client_id", "action"]
    body = {"form": content["form"], "number": 1, "client_id": "client-id", "action": {"do": "undo"}}
    body |= data.draw(st.dictionaries(st.sampled_from(keys), JSON, max_size=3))
    raw = data.draw(st.none() | st.binary(max_size=60))
    sent = json.dumps(body).encode() if raw is None else raw
    method = data.draw(st.sampled_from(["GET", "POST", "POST", "PUT", "HEAD"]))
    headers = {"Content-Type": "application/json"}
    response = visitor.client.request(method, quote(path, safe="/"), content=sent, headers=headers)
    assert response.status_code < 500
    assert not [secret for secret in SECRETS if secret.encode() in response.content]
