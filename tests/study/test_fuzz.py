"""Every form and address under attack: what a request may never do, whatever it is.

QSCORE_FUZZ_EXAMPLES=5000 looks for longer.
"""

import os
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote_from_bytes, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qscore.study.protection import MAX_FORM_BYTES
from tests.study.asgi import FORM, Request, World, check
from tests.study.conftest import Clock, mixed_trials, write_study

EXAMPLES = int(os.environ.get("QSCORE_FUZZ_EXAMPLES", "120"))
PEOPLE = ("ada", "bob", "new", "closed", "old")
IMAGES = [f"opaque{i:04d}{'ab' * 6}.png" for i in range(12)]
CHOICES = {"images": ("left", "right"), "description": ("left", "right"), "likert": tuple("12345")}

# {name} stands for what only the server knows: see `known`.
HOSTILE = [
    *[
        "",
        ".",
        "..",
        "%2e%2e",
        "..%2f..%2fsecret",
        "%2fetc%2fpasswd",
        "%00",
        "a%00b",
        "%0d%0aX-Evil:%201",
        "%ff%fe",
        "%",
    ],
    *[
        "%zz",
        "%C2%B2",
        "%F0%9F%92%A9",
        "%EF%BC%91-x",
        "1-forged",
        "01-x",
        "-",
        "1-",
        "1-" + "A" * 27,
        "9" * 40,
        "A" * 8000,
    ],
    *[
        "'%20OR%201=1--",
        "%7B%7B7*7%7D%7D",
        "<script>",
        "secret",
        "study.json",
        "answers.sqlite",
        "study.css%00",
        "next;x=1",
    ],
    *["{ada}x", "{ada}%20", "%20{ada}", "2-{owner}", "{owner}=", "-1", "00", "1e3", "+1", "2147483648"],
]
PARTS = [*(f"{{{name}}}" for name in (*PEOPLE, "owner", "shown", "later", "theirs")), "s", "owner", "static"]
PARTS += ["next", "consent", "answer", "image", "add", "close", "0", "9", "11", "12", "study.css", "owner.html.jinja"]
FIELDS = {
    "form": ["{form}", "{form_later}", "{form_theirs}", "{consent}", "{form_owner}"],
    "assignment": ["{shown}", "{later}", "{theirs}"],
    "choice": ["left", "right", "3"],
    "suits": ["yes", "no"],
    "response_ms": ["12", "-1", "²", "9" * 12],
    "name": ["Ada", "<b>", "x" * 90],
    "number": ["1", "2", "99"],
}
ANSWER = [("form", "{form}"), ("assignment", "{shown}"), ("choice", "left"), ("response_ms", "7")]
OWNER = ("form", "{form_owner}")
SENT: list[tuple[str, str, list[tuple[str, str]]]] = [
    *[("POST", "/s/{ada}/answer", ANSWER)] * 3,
    ("POST", "/s/{new}/consent", [("form", "{consent}")]),
    ("POST", "/owner/{owner}/add", [OWNER, ("name", "Eve")]),
    ("POST", "/owner/{owner}/close", [OWNER, ("number", "2")]),
    *(("GET", path, []) for path in ("/s/{new}", "/s/{ada}", "/s/{ada}/next", "/owner/{owner}", "/static/study.js")),
    *(("GET", f"/s/{{ada}}/image/{shown}/0", []) for shown in ("{shown}", "{later}", "{theirs}")),
]
VALUES = st.text(max_size=40) | st.sampled_from(["", "\x00", "\ud7ff", "NaN", "__class__", "x" * 5000])
ADDED_HEADERS = st.sampled_from(
    [
        *(
            (b"origin", value)
            for value in (b"http://127.0.0.1:8000", b"null", b"http://[", b"http://evil.example", b"\xff")
        ),
        *(
            (b"host", value)
            for value in (b"127.0.0.1:8000", b"evil.example", b"[", b"a b", b"", b"\xff", b"x:99999999")
        ),
        *((b"sec-fetch-site", value) for value in (b"same-origin", b"cross-site", b"none", b"")),
        *((b"content-length", value) for value in (b"0", b"-1", b"99999999999999", b"x", "²".encode("latin-1"))),
        *(
            (b"content-type", value)
            for value in (FORM, b"multipart/form-data; boundary=x", b"application/json", b"\xff;=")
        ),
        *((b"cookie", value) for value in (b"a=b; a=c", b"\xff=\x01", b"=" * 3000)),
        *(
            (b"x-forwarded-for", b"1.1.1.1"),
            (b"x-forwarded-proto", b"javascript"),
            (b"x-forwarded-host", b"evil.example"),
        ),
        *(
            (b"range", b"bytes=0-1"),
            (b"if-none-match", b"*"),
            (b"transfer-encoding", b"chunked"),
            (b"accept", b"image/*"),
        ),
        *((b"x-http-method-override", b"DELETE"), (b"authorization", b"Basic eA=="), (b"accept-encoding", b"gzip, br")),
    ]
)


RAW = st.binary(max_size=20).map(quote_from_bytes) | st.text("!$&'()*+,;=:@.~-_%/", max_size=12)


@st.composite
def targets(draw: st.DrawFn, target: str) -> bytes:
    segments = target[1:].split("/")
    if draw(st.booleans()):
        position = draw(st.integers(0, len(segments) - 1))
        segments[position] = draw(st.sampled_from(PARTS))
    for _ in range(draw(st.sampled_from([0, 1, 1, 2]))):
        position = draw(st.integers(0, len(segments)))
        segments[position : position + draw(st.integers(0, 1))] = [draw(st.sampled_from(HOSTILE) | RAW)]
    prefix = draw(st.sampled_from([*["/"] * 12, "//", "/./", "/static/../", "http://evil.example/", "*", "/%2e%2e/"]))
    return (prefix + "/".join(segments) + draw(st.sampled_from([*[""] * 8, "/", "?", "?a=%ff&token={owner}"]))).encode()


def encoded(fields: list[tuple[str, str]]) -> bytes:
    return urlencode(fields, safe="{}", errors="replace").encode()


@st.composite
def bodies(draw: st.DrawFn, fields: list[tuple[str, str]]) -> bytes:
    if draw(st.integers(0, 3)) == 0:
        multipart = b'--x\r\nContent-Disposition: form-data; name="form"\r\n\r\n{form}\r\n--x--\r\n'
        known = [multipart, b'{"form": "{form}"}', b"\xff" * 9, b"&" * 4000, b"=&=&%&%zz", b"a" * 100_000, b"form"]
        return draw(st.binary(max_size=80) | st.sampled_from(known))
    changed = list(fields)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 6, 20]))):
        name = draw(st.sampled_from(sorted(FIELDS)) | st.text(max_size=5))
        value = draw(st.sampled_from(FIELDS.get(name, [""])) | VALUES)
        position = draw(st.integers(0, len(changed)))
        changed[position : position + draw(st.integers(0, 1))] = [(name, value)]
    return encoded(changed)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """What a page sends, with up to all of its parts changed."""
    method, target, fields = draw(st.sampled_from(SENT))
    changed = draw(st.sets(st.sampled_from(["method", "target", "headers", "body", "end"]), max_size=5))
    if "method" in changed:
        method = draw(st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"]))
    headers = [(b"content-type", FORM)] if fields else []
    if "headers" in changed:
        headers = [*draw(st.lists(ADDED_HEADERS, max_size=3)), *headers[draw(st.integers(0, 1)) :]]
    body = draw(bodies(fields)) if "body" in changed else encoded(fields)
    body = body if method == "POST" else b""
    cut = draw(st.integers(0, len(body)))
    chosen = draw(targets(target)) if "target" in changed else target.encode()
    return Request(method, chosen, tuple(headers), (body[:cut], body[cut:]), hangs_up="end" in changed)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    study = write_study(tmp_path_factory.mktemp("fuzz") / "study", mixed_trials(IMAGES), catch_every=2)
    made = World(study, Clock())
    yield made
    made.close()


def began(world: World, num_answered: int) -> dict[str, str]:
    """Everybody as on the first day, Ada after some answers; returns what `{name}` stands for."""
    with world.store.database.writing(durable=False) as db:
        for table in ("assignments", "annotators", "sqlite_sequence"):
            db.execute(f"DELETE FROM {table}")
        db.execute("UPDATE trials SET answered = 0")
    world.clock.now = Clock().now - 91 * 86_400
    world.people = {name: world.store.annotators.add(name) for name in PEOPLE}
    with world.store.database.writing(durable=False) as db:
        db.execute("UPDATE annotators SET created = ? WHERE name <> 'old'", (Clock().now,))
    world.clock.now = Clock().now
    for name in ("ada", "bob", "closed", "old"):
        world.store.annotators.consent(world.people[name])
    world.store.annotators.revoke(world.people["closed"])
    world.restart()
    for _ in range(num_answered):
        world.store.submit(world.store.next(world.people["ada"])[0].id, world.people["ada"], "left")
    ids = [one.id for name in ("ada", "bob") for one in (world.store.next(world.people[name]) * 2)[:2]]
    known = {"shown": ids[0], "later": ids[1], "theirs": ids[2], "owner": world.tokens.owner()}
    forms = {"form": ("ada", ids[0]), "form_later": ("ada", ids[1]), "form_theirs": ("bob", ids[2])}
    forms |= {"consent": ("new", "consent")}
    known |= {name: world.tokens.form(f"annotator:{world.people[who]}", of) for name, (who, of) in forms.items()}
    return known | {name: world.token(name) for name in PEOPLE} | {"form_owner": world.tokens.form("owner", "owner")}


def filled(request: Request, known: dict[str, str]) -> Request:
    def fill(text: bytes) -> bytes:
        for name, value in known.items():
            text = text.replace(b"{" + name.encode() + b"}", value.encode())
        return text

    target = fill(request.target).replace(b"{", b"%7B").replace(b"}", b"%7D")
    body = fill(b"".join(request.body))
    cut = min(len(request.body[0]), len(body))
    return Request(request.method, target, request.headers, (body[:cut], body[cut:]), request.hangs_up)


def right_answer(world: World, request: Request) -> str | None:
    """The assignment that a request answers as the page of it would."""
    try:
        fields = dict(parse_qsl(b"".join(request.body).decode(), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        return None
    for person in ("ada", "bob"):
        trial = world.store.assigned(fields.get("assignment", ""), world.people[person])
        form = world.tokens.form(f"annotator:{world.people[person]}", fields.get("assignment", ""))
        if trial and request.method == "POST" and request.path == f"/s/{world.token(person)}/answer":
            suits = trial.condition != "likert" or fields.get("suits") in ("yes", "no")
            if fields.get("form") == form and fields.get("choice") in CHOICES[trial.condition] and suits:
                return fields["assignment"]
    return None


def answered(world: World) -> set[str]:
    return {row[0] for row in world.store.database.rows("SELECT id FROM assignments WHERE answered IS NOT NULL")}


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(attack=st.lists(requests(), min_size=1, max_size=6), num_answered=st.integers(0, 6))
def test_no_request_fails_or_tells_a_secret_and_only_right_answers_are_kept(
    world: World, monkeypatch: pytest.MonkeyPatch, attack: list[Request], num_answered: int
) -> None:
    monkeypatch.setattr("qscore.study.protection.Rates.spend", lambda *_: None)
    known = began(world, num_answered)
    for template in attack:
        request, before = filled(template, known), answered(world)
        right = right_answer(world, request)
        reply = world.ask(request)
        if reply.status or not request.hangs_up:
            check(world, request, reply)
        size, after = len(b"".join(request.body)), answered(world)
        assert after - before <= {right}
        assert before <= after
        assert size <= MAX_FORM_BYTES or reply.status not in (200, 303)
        if reply.status == 200 and b"image/" in dict(reply.headers)[b"content-type"] and "/image/" in request.path:
            _, _, token, _, assignment, _ = request.path.split("/")
            owners = world.store.database.rows("SELECT annotator FROM assignments WHERE id = ?", (assignment,))
            assert [world.tokens.annotator(row[0]) for row in owners] == [token]
        if right and request.headers == ((b"content-type", FORM),) and not request.hangs_up:
            assert right in after or size > MAX_FORM_BYTES or b"".join(request.body).count(b"&") > 15
