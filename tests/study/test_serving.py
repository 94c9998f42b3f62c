"""Where the server listens, and what it says when it cannot: nothing counts as served then, and no port stays taken."""

import errno
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qscore.study.__main__ import main
from tests.study.conftest import write_study

uvicorn = pytest.importorskip("uvicorn")
NOBODYS, NOBODYS_6 = "192.0.2.1", "2001:db8::1"  # addresses for documentation (RFC 5737, 3849): no machine has them


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study").folder


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of 127.0.0.1 where another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@pytest.fixture(autouse=True)
def never_serving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has a server that should have refused to start fail its test, which it would hold up for good."""
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: pytest.fail("it serves"))


def named(*addresses: str) -> Callable[..., list[Any]]:
    """A look-up of a name that has these addresses."""

    def look_up(host: str, port: int, **_: object) -> list[Any]:
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (socket.AF_INET6, 1, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, 1, 6, "", (address, port))
            for address in addresses
        ]

    return look_up


@pytest.mark.parametrize("first", ["127.0.0.1", "127.0.0.2", NOBODYS_6, "::1"])
def test_every_address_of_a_name_is_listened_on_at_one_port(
    first: str, study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[socket.socket] = []
    ports: list[int] = []

    def run(_: object, sockets: list[socket.socket]) -> None:
        seen.extend(sockets)
        ports.append(sockets[0].getsockname()[1])
        for address in ("127.0.0.1", "127.0.0.2"):
            with socket.socket() as visitor:
                visitor.connect((address, ports[0]))

    def create(address: Any, family: int, **options: Any) -> socket.socket:
        if address[0] == "::1":
            raise OSError(errno.EAFNOSUPPORT, "a kernel without IPv6")
        return create_server(address, family=family, **options)

    create_server = socket.create_server
    monkeypatch.setattr(socket, "create_server", create)
    monkeypatch.setattr(uvicorn.Server, "run", run)
    monkeypatch.setattr(socket, "getaddrinfo", named(first, "127.0.0.1", "127.0.0.2"))
    assert main(["serve", str(study), "--host", "localhost", "--port", "0"]) == 0
    assert f"http://localhost:{ports[0]}/owner/" in capsys.readouterr().out
    assert [one.fileno() for one in seen] == [-1, -1]


def test_a_port_of_another_program_is_told_before_any_link_is_made(
    study: Path, taken: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", named("127.0.0.2", "127.0.0.1"))
    before = sorted(study.rglob("*"))
    assert main(["serve", str(study), "--host", "localhost", "--port", str(taken)]) == 2
    output = capsys.readouterr()
    assert f"port {taken} of localhost, got: another program listens there already" in output.err
    assert f"--port {taken + 1}." in output.err
    assert "--host" not in output.err
    assert not output.out
    assert sorted(study.rglob("*")) == before
    socket.create_server(("127.0.0.2", taken)).close()  # which was taken first, and is free again
    assert main(["simulate", str(study), "--accuracy", "1", "--annotators", "1"]) == 0


@pytest.mark.parametrize(
    ("addresses", "cause"),
    [
        ([], "Name or service not known"),
        ([NOBODYS], "assign requested address"),
        ([NOBODYS_6, NOBODYS], "got: [Errno "),
    ],
)
def test_a_host_that_is_not_here_is_told_as_one(
    addresses: list[str], cause: str, study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", named(*addresses))
    assert main(["serve", str(study), "--host", "some.name"]) == 2
    said = capsys.readouterr().err
    assert cause in said
    assert "--host 127.0.0.1" in said
    assert "--port" not in said


@pytest.mark.parametrize("port", [-5, -65_000, 65_536, 70_000, 10**20])
def test_a_port_that_there_is_not_is_refused(port: int, study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", str(study), "--port", str(port)]) == 2
    assert f"from 0, which is any free one, to 65535, got --port {port}." in capsys.readouterr().err


@pytest.mark.parametrize(("port", "other"), [(80, 8000), (1023, 8000), (1024, 1025), (65_535, 8000)])
def test_a_port_that_needs_rights_has_one_beside_it_that_does_not(
    port: int, other: int, study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    assert main(["serve", str(study), "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert "Permission denied" in said
    assert f"--port {other}." in said
