"""The pages: what they say, what they never say, and what they refuse."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from starlette.testclient import TestClient

from qscore.study.app import make_app
from qscore.study.folder import Study
from qscore.study.store import Store
from qscore.study.tokens import Tokens
from tests.study.conftest import SECRET_GROUP, SECRETS, Clock, forced_choice, mixed_trials

FORM = re.compile(rb'name="(\w+)" value="([^"]*)"')


@dataclass
class Visitor:
    """A browser that remembers every byte it got."""

    client: TestClient
    study: Study
    store: Store
    tokens: Tokens
    seen: list[bytes] = field(default_factory=list)

    def get(self, path: str, **options: Any) -> Any:
        return self._kept(self.client.get(path, **options))

    def post(self, path: str, fields: dict[str, str], **options: Any) -> Any:
        return self._kept(self.client.post(path, data=fields, **options))

    def _kept(self, response: Any) -> Any:
        headers = b"\n".join(name + b": " + value for name, value in response.headers.raw)
        self.seen += [headers, response.content, str(response.url).encode()]
        return response

    def new_link(self, *, consented: bool = True) -> str:
        number = self.store.annotators.add("somebody")
        if consented:
            self.store.annotators.consent(number)
        return f"/s/{self.tokens.annotator(number)}"

    def fields(self, page: bytes) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in FORM.findall(page) if name != b"choice"}

    def num_answers(self) -> int:
        return int(self.store.database.rows("SELECT count(answered) FROM assignments")[0][0])


@pytest.fixture
def visit(make_study: Callable[..., Study], clock: Clock) -> Iterator[Callable[..., Visitor]]:
    clients = []

    def make(study: Study | None = None, **options: Any) -> Visitor:
        study = study or make_study()
        app = make_app(study, clock=clock, requests_per_second=10_000, **options)
        client = TestClient(app, base_url="http://127.0.0.1:8000")
        clients.append(client)
        return Visitor(client, study, Store(study, clock), Tokens(study.folder))

    yield make
    for client in clients:
        client.close()


def test_a_whole_study_is_taken_and_no_byte_tells_a_secret(
    make_study: Callable[..., Study], visit: Callable[..., Visitor]
) -> None:
    images = [f"opaque{i:04d}{'ab' * 6}.png" for i in range(12)]
    visitor = visit(make_study(mixed_trials(images), catch_every=2))
    link = visitor.new_link(consented=False)
    page = visitor.get(link)
    assert page.status_code == 200
    page = visitor.post(f"{link}/consent", visitor.fields(page.content))
    for _ in range(7):
        for image in re.findall(rb'/s/[^" ]+/image/[^" ]+', page.content):
            assert visitor.get(image.decode()).headers["content-type"] == "image/png"
        fields = visitor.fields(page.content)
        rating = b"/image/" in page.content and b"at least one" in page.content
        answer = {"choice": "4", "suits": "yes"} if rating else {"choice": "left"}
        page = visitor.post(f"{link}/answer", {**fields, **answer, "response_ms": "1234"})
        assert page.status_code == 200
    assert b"Thank you" in page.content
    assert visitor.num_answers() == 7
    everything = b"\n".join(visitor.seen).lower()
    secrets = [SECRET_GROUP, *SECRETS.values(), *images, *(trial.id for trial in visitor.study.trials.values())]
    secrets += [trial.query_id for trial in visitor.study.trials.values() if trial.query_id]
    secrets += ["catch", "correct", "cluster", str(visitor.study.folder), visitor.tokens.owner(), "uvicorn", "python"]
    assert [secret for secret in secrets if secret.lower().encode() in everything] == []


def test_a_page_is_the_same_whichever_side_is_right(
    make_study: Callable[..., Study], visit: Callable[..., Visitor]
) -> None:
    images = [f"opaque{i:04d}.png" for i in range(12)]
    pages = []
    for side in ("left", "right"):
        trials = [forced_choice(0, "images", images, correct=side, is_catch=False)]
        visitor = visit(make_study(trials, folder=side))
        link = visitor.new_link()
        page = visitor.get(f"{link}/next").text
        pages.append(re.sub(r"[A-Za-z0-9_-]{20,}", "TOKEN", page))
    assert pages[0] == pages[1]


def test_sending_twice_and_going_back_keep_one_answer(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    link = visitor.new_link()
    fields = visitor.fields(visitor.get(f"{link}/next").content)
    for choice in ("left", "left", "right"):
        assert visitor.post(f"{link}/answer", {**fields, "choice": choice}).status_code == 200
    rows = visitor.store.database.rows("SELECT choice FROM assignments WHERE answered IS NOT NULL")
    assert [row["choice"] for row in rows] == ["left"]


def test_pages_are_asked_again_on_back_and_images_are_kept(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    page = visitor.get(f"{visitor.new_link()}/next")
    assert page.headers["cache-control"] == "no-store"
    image = re.search(r'src="(/s/[^"]+/image/[^"]+)"', page.text)
    assert image is not None
    assert "immutable" in visitor.get(image[1]).headers["cache-control"]


def test_the_images_of_the_next_question_are_those_announced(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    link = visitor.new_link()
    page = visitor.get(f"{link}/next")
    announced = re.search(r'data-preload="([^"]+)"', page.text)
    assert announced is not None
    following = visitor.post(f"{link}/answer", {**visitor.fields(page.content), "choice": "left"})
    assert announced[1].split() == re.findall(r'src="(/s/[^"]+)"', following.text)


def test_metadata_of_images_does_not_pass(visit: Callable[..., Visitor], make_study: Callable[..., Study]) -> None:
    names = [f"photo{i:04d}.{kind}" for i, kind in enumerate(("png", "jpg") * 6)]
    study = make_study([forced_choice(0, "images", names)])
    exif, text = Image.Exif(), PngInfo()
    exif[0x010E] = "zebra folder 417"
    text.add_text("path", "zebra folder 417")
    noise = Image.effect_noise((40, 40), 60).convert("RGB")
    for name in names:
        options: dict[str, Any] = {"pnginfo": text} if name.endswith("png") else {"comment": b"zebra folder 417"}
        noise.save(study.folder / "images" / name, exif=exif, **options)
    visitor = visit(study)
    page = visitor.get(f"{visitor.new_link()}/next")
    for link in re.findall(r'src="(/s/[^"]+)"', page.text):
        data = visitor.get(link).content
        assert b"zebra" not in data
        (study.folder / "served").write_bytes(data)
        with Image.open(study.folder / "served") as served:
            served.load()
            assert not served.getexif()
            original = names[int(link.rpartition("/")[2])]
            with Image.open(study.folder / "images" / original) as kept:
                assert list(served.tobytes()) == list(kept.tobytes())


@pytest.mark.parametrize(
    "token", ["1-forged", "1-" + "A" * 27, "01-x", "-", "9" * 40, "%00", "..%2f..%2fsecret", "²-x"]
)
def test_forged_links_are_refused_with_a_page(visit: Callable[..., Visitor], token: str) -> None:
    visitor = visit()
    visitor.new_link()
    for path in (f"/s/{token}", f"/s/{token}/next", f"/owner/{token}"):
        response = visitor.get(path)
        assert response.status_code == 404
        assert "<h1>" in response.text


def test_one_annotators_token_opens_neither_the_owners_page_nor_anothers_images(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    mine, yours = visitor.new_link(), visitor.new_link()
    page = visitor.get(f"{yours}/next")
    assignment = visitor.fields(page.content)["assignment"]
    assert visitor.get(mine.replace("/s/", "/owner/")).status_code == 404
    assert visitor.get(f"{yours}/image/{assignment}/0").status_code == 200
    assert visitor.get(f"{mine}/image/{assignment}/0").status_code == 404
    stolen = visitor.post(f"{mine}/answer", {**visitor.fields(page.content), "choice": "left"})
    assert stolen.status_code == 403
    assert visitor.num_answers() == 0


def test_links_end(visit: Callable[..., Visitor], clock: Clock) -> None:
    visitor = visit()
    link, closed = visitor.new_link(), visitor.new_link()
    visitor.store.annotators.revoke(2)
    assert [visitor.get(f"{one}/next").status_code for one in (link, closed)] == [200, 410]
    clock.now += 91 * 86_400
    assert visitor.get(f"{link}/next").status_code == 410


@pytest.mark.parametrize(
    "path",
    [
        "image/{a}/12",
        "image/{a}/-1",
        "image/{a}/00",
        "image/{a}/²",
        "image/{a}/..%2f..%2fsecret",
        "image/x/0",
        "image/%00/0",
    ],
)
def test_no_address_leads_to_another_file(visit: Callable[..., Visitor], path: str) -> None:
    visitor = visit()
    link = visitor.new_link()
    assignment = visitor.fields(visitor.get(f"{link}/next").content)["assignment"]
    assert visitor.get(f"{link}/{path.format(a=assignment)}").status_code == 404


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/..%2fapp.py", "/static/owner.html.jinja", "/", "/docs"])
def test_no_other_static_file_is_served(visit: Callable[..., Visitor], path: str) -> None:
    visitor = visit()
    assert visitor.get(path).status_code == 404
    assert visitor.get("/static/study.css").headers["content-type"].startswith("text/css")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"choice": "up"}, 400),
        ({"choice": ""}, 400),
        ({"form": "forged"}, 403),
        ({"assignment": "other"}, 403),
        ({"response_ms": "-1e9"}, 200),
        ({"response_ms": "9" * 3000}, 200),
        ({"padding": "x" * 5000}, 413),
        ({f"field{i}": "" for i in range(20)}, 400),
    ],
)
def test_malformed_answers_are_refused(visit: Callable[..., Visitor], change: dict[str, str], status: int) -> None:
    visitor = visit()
    link = visitor.new_link()
    fields = visitor.fields(visitor.get(f"{link}/next").content)
    assert visitor.post(f"{link}/answer", {**fields, "choice": "left", **change}).status_code == status
    assert visitor.num_answers() == (status == 200)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[", "Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content-Type": "application/json"}, 415),
    ],
)
def test_only_our_own_pages_send_forms(visit: Callable[..., Visitor], headers: dict[str, str], status: int) -> None:
    visitor = visit()
    link = visitor.new_link()
    fields = visitor.fields(visitor.get(f"{link}/next").content)
    response = visitor.post(f"{link}/answer", {**fields, "choice": "left"}, headers=headers)
    assert response.status_code == status
    assert visitor.num_answers() == (status == 200)


def test_an_answer_whose_place_was_given_away_gets_a_clear_page(
    make_study: Callable[..., Study], visit: Callable[..., Visitor], clock: Clock
) -> None:
    images = [f"opaque{i:04d}.png" for i in range(12)]
    visitor = visit(make_study([forced_choice(0, "images", images)], answers_per_trial=1, reservation_minutes=1))
    slow, quick = visitor.new_link(), visitor.new_link()
    fields = visitor.fields(visitor.get(f"{slow}/next").content)
    clock.now += 61
    visitor.get(f"{quick}/next")
    response = visitor.post(f"{slow}/answer", {**fields, "choice": "left"})
    assert response.status_code == 409
    assert f'href="{slow}/next"' in response.text


def test_security_headers_are_on_every_response(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    for path in ("/", "/static/study.js", visitor.new_link(), "/owner/x"):
        headers = visitor.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
    assert "<script>" not in visitor.get(visitor.new_link()).text


def test_strangers_and_hasty_annotators_are_slowed(make_study: Callable[..., Study], clock: Clock) -> None:
    study = make_study()
    client = TestClient(make_app(study, clock=clock, requests_per_second=0.001))
    store, tokens = Store(study, clock), Tokens(study.folder)
    link = f"/s/{tokens.annotator(store.annotators.add(''))}"
    assert {client.get("/s/1-x").status_code for _ in range(40)} == {404, 429}
    assert {client.get(link).status_code for _ in range(410)} == {200, 429}


def test_the_owner_sees_progress_agreement_and_makes_links(visit: Callable[..., Visitor]) -> None:
    visitor = visit(agreement=lambda answers: {"Krippendorff's alpha": f"of {len(answers)}"})
    page = f"/owner/{visitor.tokens.owner()}"
    form = visitor.fields(visitor.get(page).content)["form"]
    made = visitor.post(f"{page}/add", {"form": form, "name": "<b>Ada</b>\x00" + "x" * 200})
    assert "&lt;b&gt;Ada&lt;/b&gt;x" in made.text
    link = re.search(r'value="http://127.0.0.1:8000(/s/[^"]+)"', made.text)
    assert link is not None
    consent = visitor.fields(visitor.get(link[1]).content)
    question = visitor.post(f"{link[1]}/consent", consent)
    visitor.post(f"{link[1]}/answer", {**visitor.fields(question.content), "choice": "left"})
    assert "of 1" in visitor.get(page).text
    assert visitor.post(f"{page}/close", {"form": form, "number": "1"}).status_code == 200
    assert visitor.get(link[1]).status_code == 410
    for number in ("x", "", "²", "9" * 30):
        assert visitor.post(f"{page}/close", {"form": form, "number": number}).status_code == 400
    assert visitor.post(f"{page}/add", {"form": "forged", "name": "x"}).status_code == 403


def test_a_broken_image_is_refused_before_anyone_sees_it(make_study: Callable[..., Study]) -> None:
    study = make_study()
    file = next((study.folder / "images").glob("*"))
    for data in (b"GIF89a", file.read_bytes()[:40], b"\xff\xd8\xff\xe0", b""):
        file.write_bytes(data)
        with pytest.raises(ValueError, match="Make the study again"):
            make_app(study)


def test_two_servers_that_start_at_once_share_one_secret(tmp_path: Path) -> None:
    assert Tokens(tmp_path).owner() == Tokens(tmp_path).owner()
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
    assert Tokens(tmp_path).owner() != Tokens(tmp_path.parent).owner()


def test_a_failure_of_ours_shows_a_page_and_no_detail(make_study: Callable[..., Study]) -> None:
    def broken(_: list[dict[str, Any]]) -> dict[str, str]:
        raise RuntimeError(SECRET_GROUP)

    study = make_study()
    store = Store(study)
    person = store.annotators.add("")
    store.submit(store.next(person)[0].id, person, "left")
    client = TestClient(make_app(study, agreement=broken), raise_server_exceptions=False)
    response = client.get(f"/owner/{Tokens(study.folder).owner()}")
    assert response.status_code == 500
    assert "Please open your link again" in response.text
    assert SECRET_GROUP not in response.text
    assert "content-security-policy" in response.headers
