"""Runs the server of a study until it is stopped."""

import errno
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from qscore.errors import UserError
from qscore.study.folder import load_study
from qscore.study.naming.folder import KIND, load_naming_study, study_kind
from qscore.study.tokens import Tokens

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_FIRST_FREE_PORT = 1024  # those below need rights
_LAST_PORT = 65_535
_NOT_HERE = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


def serve(folder: Path, *, host: str = "127.0.0.1", port: int = 8000, requests_per_second: float = 60) -> None:
    """Serves the study in `folder`, and prints the owner's link.

    Raises:
        UserError: the extra `study` is not installed, or nothing can listen there.
    """
    try:
        import uvicorn

        from qscore.study.agreement import agreement
        from qscore.study.app import make_app
        from qscore.study.naming.app import make_naming_app
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise UserError(f"The pages need {error.name}. Install them with: pip install 'qscore[study]'") from error
    if study_kind(folder) == KIND:
        make = partial(make_naming_app, load_naming_study(folder), requests_per_second=requests_per_second)
    else:
        make = partial(make_app, load_study(folder), agreement=agreement, requests_per_second=requests_per_second)
    with _listening(host, port) as sockets:
        app = make()  # makes the secret of the links too: a study counts as served from here on
        address = f"[{host}]" if ":" in host else host
        port = sockets[0].getsockname()[1]
        print(f"Owner's page: http://{address}:{port}/owner/{Tokens(folder).owner()}", flush=True)
        if host not in _LOOPBACK:
            print(
                "Anyone who reaches this machine can reach the pages. Put HTTPS in front: links are keys.", flush=True
            )
        _allow_many_connections()
        # The links are secret: no access log. No "Server" line, since its version is nobody's business.
        # h11 limits the size of headers; httptools, which uvicorn would take where it is installed, does not.
        config = uvicorn.Config(
            app, http="h11", ws="none", lifespan="off", log_level="warning", access_log=False, server_header=False
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=sockets)


@contextmanager
def _listening(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Takes the port on each address of a host, before anybody is told of it; 0 takes the same free one on all.

    An address that this machine does not have, such as `::1` of localhost without IPv6, is left out beside another.

    Raises:
        UserError: there is no such port, another program has it, or it cannot be had.
    """
    if not 0 <= port <= _LAST_PORT:  # the C library would take another one, 65536 less
        raise UserError(f"Expected a port from 0, which is any free one, to {_LAST_PORT}, got --port {port}.")
    sockets: list[socket.socket] = []
    absent: list[OSError] = []
    with ExitStack() as closing:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            for family, (name, _, *scope) in dict.fromkeys((family, address) for family, _, _, _, address in found):
                try:
                    taken = socket.create_server((name, port, *scope), family=family, backlog=2048)
                except OSError as error:
                    if error.errno not in _NOT_HERE:
                        raise
                    absent.append(error)
                    continue
                sockets.append(closing.enter_context(taken))
                port = taken.getsockname()[1]
            if not sockets:
                raise absent[0]
        except (OSError, UnicodeError) as error:
            raise _refused(host, port, error) from error
        yield sockets


def _refused(host: str, port: int, error: OSError | UnicodeError) -> UserError:
    number = error.errno if isinstance(error, OSError) else None
    why = "another program listens there already" if number == errno.EADDRINUSE else str(error)
    advice = "Choose an address of this machine with --host, such as --host 127.0.0.1."
    if number in (errno.EADDRINUSE, errno.EACCES):
        other = port + 1 if _FIRST_FREE_PORT <= port < _LAST_PORT else 8000
        advice = f"Choose another port, such as --port {other}."
    return UserError(f"Expected to listen on port {port} of {host}, got: {why}. {advice}")


def _allow_many_connections() -> None:
    if sys.platform != "win32":
        import resource

        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        enough = 65_536 if most == resource.RLIM_INFINITY else min(most, 65_536)
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))
