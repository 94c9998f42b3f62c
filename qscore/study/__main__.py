"""`python -m qscore.study new WHAT --out STUDY`, then `serve`, `export` and `report STUDY`; `simulate STUDY`."""

import argparse
import sys

from qscore.errors import UserError
from qscore.study.commands import export, new, report, serve, simulate

_COMMANDS = (new, serve, export, report, simulate)


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except UserError as error:
        print(f"python -m qscore.study {options.command}: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m qscore.study", description="Ask people, in a browser.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command in _COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
