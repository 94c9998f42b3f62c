"""Bytes that are no HTTP, or half of it, against the real server: it stays alive, fails nowhere and tells nothing.

QSCORE_FUZZ_EXAMPLES=5000 looks for longer.
"""

import contextlib
import os
import re
import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qscore.study.store import Store
from tests.study.conftest import SECRET_GROUP, mixed_trials, write_study
from tests.study.server import Server

pytest.importorskip("uvicorn")
EXAMPLES = int(os.environ.get("QSCORE_FUZZ_EXAMPLES", "60"))
IMAGES = [f"opaque{i:04d}{'ab' * 6}.png" for i in range(12)]
HOST = b"Host: 127.0.0.1\r\n"
ONCE = HOST + b"Connection: close\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
MALFORMED = {
    "nothing": b"",
    "noise": bytes(range(256)) * 8,
    "encrypted": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
    "a newer protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an old protocol": b"GET /\r\n\r\n",
    "no version": b"GET /static/study.css HTTP/\r\n\r\n",
    "a path that is none": b"GET \xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
    "blanks in the path": b"GET / s / x HTTP/1.1\r\n" + HOST + b"\r\n",
    "a very long path": b"GET /" + b"s" * 200_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a very long header": b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n",
    "very many headers": b"GET / HTTP/1.1\r\n" + HOST + b"X: x\r\n" * 50_000 + b"\r\n",
    "a header over two lines": b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n z\r\n\r\n",
    "a zero in a header": b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\n" + HOST * 2 + b"\r\n",
    "a length that is none": b"POST /s/x/answer HTTP/1.1\r\n" + HOST + FORM + b"Content-Length: x\r\n\r\n",
    "a negative length": b"POST /s/x/answer HTTP/1.1\r\n" + HOST + FORM + b"Content-Length: -5\r\n\r\n",
    "two lengths": b"POST /s/x/answer HTTP/1.1\r\n" + HOST + FORM + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and pieces": b"POST / HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a piece of no size": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "a piece too large": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab",
    "an upgrade": b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "an expectation": b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n",
    "a tunnel": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a trace": b"TRACE / HTTP/1.1\r\n" + HOST + b"Cookie: secret\r\n\r\n",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, bytes]]:
    """The server, and a right answer as a browser sends it."""
    study = write_study(tmp_path_factory.mktemp("wire") / "study", mixed_trials(IMAGES), catch_every=2)
    server, store = Server(study.folder), Store(study)
    person = store.annotators.add("")
    store.annotators.consent(person)
    server.start()
    path = server.link(person).removeprefix(server.url).encode()
    page = exchange(server, b"GET " + path + b"/next HTTP/1.1\r\n" + ONCE + b"\r\n")
    assert b"Question 1" in page
    body = b"&".join(b"=".join(field) for field in re.findall(rb'name="(form|assignment)" value="([^"]+)"', page))
    body += b"&choice=left"
    head = b"POST " + path + b"/answer HTTP/1.1\r\n" + ONCE + FORM
    yield server, head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    server.kill()


def exchange(server: Server, sent: bytes, patience_s: float = 60) -> bytes:
    """Sends all, and returns what comes back until the server closes, or is silent for that long."""
    received = b""
    opened = socket.create_connection(("127.0.0.1", server.port), timeout=patience_s)
    with opened as connection, contextlib.suppress(ConnectionError, TimeoutError):  # it may refuse in the middle
        connection.sendall(sent)
        while piece := connection.recv(1 << 16):
            received += piece
    return received


def check(server: Server, received: bytes) -> None:
    statuses = re.findall(rb"HTTP/1\.1 (\d+)", received)
    assert all(status < b"500" for status in statuses)
    for secret in (SECRET_GROUP, "opaque", "Traceback", "uvicorn", "h11", str(server.log.parent)):
        assert secret.encode() not in received
    alive = exchange(server, b"GET /static/icon.svg HTTP/1.1\r\n" + ONCE + b"\r\n")
    assert alive.startswith(b"HTTP/1.1 200")
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "Exception" not in log


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_http_is_refused_and_nothing_fails(running: tuple[Server, bytes], name: str) -> None:
    received = exchange(running[0], MALFORMED[name], patience_s=0.3)
    assert b"HTTP/1.1 2" not in received
    check(running[0], received)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_change_of_a_request_makes_the_server_fail(running: tuple[Server, bytes], data: st.DataObject) -> None:
    server, sent = running
    for _ in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, len(sent)))
        end = data.draw(st.integers(start, min(len(sent), start + 20)))
        piece = st.sampled_from([b"\r\n", b"\r\n\r\n", b"\n", b"\x00", b" ", b":", b"%", b"\xff", b"A" * 70_000])
        sent = sent[:start] + data.draw(st.just(b"") | piece | st.binary(max_size=8)) + sent[end:]
    check(server, exchange(server, sent * data.draw(st.integers(1, 3)), patience_s=0.05))


def test_a_request_that_is_cut_anywhere_is_no_answer_and_a_whole_one_is(running: tuple[Server, bytes]) -> None:
    server, sent = running
    for end in range(0, len(sent), 11):
        received = exchange(server, sent[:end], patience_s=0.05)
        assert b" 303 " not in received
        check(server, received)
    assert b" 303 " in exchange(server, sent)


def test_requests_in_one_packet_are_answered_in_their_order(running: tuple[Server, bytes]) -> None:
    names = ["study.css", "study.js", "icon.svg", "none"] * 5
    sent = b"".join(b"GET /static/" + name.encode() + b" HTTP/1.1\r\n" + HOST + b"\r\n" for name in names)
    with socket.create_connection(("127.0.0.1", running[0].port), timeout=30) as connection:
        connection.sendall(sent)
        received = b""
        while len(re.findall(rb"HTTP/1\.1 \d+", received)) < len(names):
            received += connection.recv(1 << 16)
    kinds = re.findall(rb"content-type: text/(\w+)|content-type: image/(\w+)", received)
    assert [a or b for a, b in kinds] == [b"css", b"javascript", b"svg", b"html"] * 5


def test_many_who_never_finish_their_request_keep_nobody_waiting(running: tuple[Server, bytes]) -> None:
    server, sent = running
    with contextlib.ExitStack() as opened:
        for number in range(300):
            slow = opened.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            slow.sendall(sent[: 1 + number * len(sent) // 301])
        assert b" 303 " in exchange(server, sent)
    check(server, exchange(server, sent))
