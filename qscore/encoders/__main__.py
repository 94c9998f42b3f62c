"""`python -m qscore.encoders inspect FILE` and `export RUN --to torchvision|timm|huggingface|onnx`."""

import argparse
import dataclasses
import sys
from pathlib import Path

from qscore.encoders.checkpoints import LoadOptions
from qscore.encoders.inspection import inspect_checkpoint
from qscore.encoders.targets import TARGETS, export_encoder
from qscore.errors import UserError

MISTAKE, NOT_WHOLE = 2, 1


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; returns 0, 1 for a checkpoint that is not whole, or 2 for a mistake."""
    parser = argparse.ArgumentParser(prog="python -m qscore.encoders", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    inspect = commands.add_parser("inspect", help="say what a checkpoint is, what is in it, and what would be taken")
    inspect.add_argument("file", type=Path, metavar="FILE")
    export = commands.add_parser("export", help="write an encoder the way another library reads it")
    export.add_argument("source", type=Path, metavar="RUN", help="a run directory, or any checkpoint")
    export.add_argument("--to", required=True, choices=sorted(TARGETS))
    export.add_argument("--out", type=Path, help="folder to write to (default: RUN/export-TARGET)")
    for command in (inspect, export):
        command.add_argument("--trust", action="store_true", default=None, help="let the file run code on opening")
        for name in ("layout", "role", "architecture", "stem", "pooling", "normalization"):
            command.add_argument(f"--{name}", help=f"as checkpoint.{name} of train.py")
    options = vars(parser.parse_args(arguments))
    known = {field.name for field in dataclasses.fields(LoadOptions)}
    given = {name: value for name, value in options.items() if name in known and value is not None}
    try:
        if options["command"] == "inspect":
            text, is_whole = inspect_checkpoint(options["file"], LoadOptions(**given))
            print(text)
            return 0 if is_whole else NOT_WHOLE
        print(export_encoder(options["source"], options["to"], options["out"], **given))
    except UserError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return MISTAKE
    return 0


if __name__ == "__main__":
    sys.exit(main())
