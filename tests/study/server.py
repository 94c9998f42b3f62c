"""A real server in a process of its own, which tests may kill."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

from qscore.study.tokens import Tokens


class Server:
    """`python -m qscore.study serve` on a free port of this machine."""

    def __init__(self, study: Path) -> None:
        self._study = study
        self.log = study / "server.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "qscore.study", "serve", str(self._study), "--port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([*command, "--rate", "10000"], stdout=subprocess.DEVNULL, stderr=log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.url}/static/study.css", timeout=5).close()
                return
            except (URLError, ConnectionError, TimeoutError):
                time.sleep(0.05)
        raise TimeoutError("the server did not start")

    def kill(self) -> None:
        """Ends the process as a power cut of the program would: no handler runs."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def link(self, annotator: int) -> str:
        return f"{self.url}/s/{Tokens(self._study).annotator(annotator)}"

    def owner_link(self) -> str:
        return f"{self.url}/owner/{Tokens(self._study).owner()}"
