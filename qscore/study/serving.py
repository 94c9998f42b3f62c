"""Runs the server of a study until it is stopped."""

import errno
import socket
import sys
from contextlib import suppress
from pathlib import Path

from qscore.errors import UserError
from qscore.study.folder import load_study
from qscore.study.naming.folder import KIND, load_naming_study, study_kind
from qscore.study.tokens import Tokens

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


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
        app = make_naming_app(load_naming_study(folder), requests_per_second=requests_per_second)
    else:
        app = make_app(load_study(folder), agreement=agreement, requests_per_second=requests_per_second)
    listening = _listening(host, port)
    address = f"[{host}]" if ":" in host else host
    print(f"Owner's page: http://{address}:{listening.getsockname()[1]}/owner/{Tokens(folder).owner()}", flush=True)
    if host not in _LOOPBACK:
        print("Anyone who reaches this machine can reach the pages. Put HTTPS in front: links are keys.", flush=True)
    _allow_many_connections()
    # The links are secret: no access log. No "Server" line, since its version is nobody's business.
    # h11 limits the size of headers; httptools, which uvicorn would take where it is installed, does not.
    config = uvicorn.Config(
        app, http="h11", ws="none", lifespan="off", log_level="warning", access_log=False, server_header=False
    )
    with listening, suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    """Takes the port, before anybody is told of it.

    Raises:
        UserError: another program has it, or it cannot be had.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        is_used = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        why = "another program listens there already" if is_used else str(error)
        raise UserError(
            f"Expected to listen on port {port} of {host}, got: {why}. Choose another one with --port, such as "
            f"--port {port + 1 if port < 65_535 else 8000}."
        ) from error


def _allow_many_connections() -> None:
    if sys.platform != "win32":
        import resource

        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        enough = 65_536 if most == resource.RLIM_INFINITY else min(most, 65_536)
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))
