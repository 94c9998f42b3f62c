"""Runs the server of a study until it is stopped."""

import sys
from pathlib import Path

from qscore.errors import UserError
from qscore.study.folder import load_study
from qscore.study.naming.folder import KIND, load_naming_study, study_kind
from qscore.study.tokens import Tokens

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def serve(folder: Path, *, host: str = "127.0.0.1", port: int = 8000, requests_per_second: float = 60) -> None:
    """Serves the study in `folder`, and prints the owner's link.

    Raises:
        UserError: the extra `study` is not installed.
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
    address = f"[{host}]" if ":" in host else host
    print(f"Owner's page: http://{address}:{port}/owner/{Tokens(folder).owner()}", flush=True)
    if host not in _LOOPBACK:
        print("Anyone who reaches this machine can reach the pages. Put HTTPS in front: links are keys.", flush=True)
    _allow_many_connections()
    # The links are secret: no access log. No "Server" line, since its version is nobody's business.
    # h11 limits the size of headers; httptools, which uvicorn would take where it is installed, does not.
    uvicorn.run(
        app,
        host=host,
        port=port,
        http="h11",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
    )


def _allow_many_connections() -> None:
    if sys.platform != "win32":
        import resource

        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        enough = 65_536 if most == resource.RLIM_INFINITY else min(most, 65_536)
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))
