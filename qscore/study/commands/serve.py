"""`serve STUDY`: opens the pages."""

import argparse
from pathlib import Path
from typing import Any

from qscore.study.serving import serve


def add(commands: Any) -> None:
    """Adds the command and its options."""
    parser = commands.add_parser("serve", help="open the pages")
    parser.add_argument("study", type=Path, metavar="STUDY")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: this machine only)")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--rate", type=float, default=60, help="requests a second of one annotator (default: 60)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    serve(options.study, host=options.host, port=options.port, requests_per_second=options.rate)
