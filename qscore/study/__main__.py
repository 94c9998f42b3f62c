"""`python -m qscore.study new TRIALS --images FOLDER --out STUDY`, then `serve STUDY`, `export STUDY`; `simulate`."""

import argparse
import sys
from pathlib import Path

from PIL import Image

from qscore.errors import UserError
from qscore.files import write_text
from qscore.study.export import answers, as_csv, as_jsonl
from qscore.study.folder import load_study
from qscore.study.making import make_study, read_forced_choice
from qscore.study.naming import commands as naming
from qscore.study.serving import serve
from qscore.study.simulate import simulate
from qscore.study.store import Store

TITLE = "Which images belong together?"


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except UserError as error:
        print(f"python -m qscore.study {options.command}: {error}", file=sys.stderr)
        return 2
    return 0


def _new(options: argparse.Namespace) -> None:
    if options.naming is not None:
        print(naming.new(options.naming, options.out, title=options.title, seed=options.seed))
        return
    if options.trials is None or options.images is None:
        raise UserError("expected TRIALS and --images FOLDER, or --naming MAPS for a study of activation maps.")

    def open_image(sample: str) -> Image.Image:
        try:
            return Image.open(options.images / sample)
        except OSError as error:
            raise UserError(f"the trials name {sample}, which is no image in {options.images}: {error}.") from error

    study = make_study(
        read_forced_choice(options.trials),
        open_image,
        options.out,
        title=options.title or TITLE,
        ratings=options.ratings,
        seed=options.seed,
    )
    print(f"{len(study.trials)} questions in {options.out}. Next: python -m qscore.study serve {options.out}")


def _serve(options: argparse.Namespace) -> None:
    serve(options.study, host=options.host, port=options.port, requests_per_second=options.rate)


def _export(options: argparse.Namespace) -> None:
    if naming.is_naming(options.study):
        records = naming.export(options.study, options.what)
    else:
        records = answers(Store(load_study(options.study)))
    is_table = options.out is not None and options.out.suffix == ".csv"
    text = as_csv(records) if is_table else as_jsonl(records)
    if options.out is None:
        sys.stdout.write(text)
    else:
        write_text(options.out, text)


def _simulate(options: argparse.Namespace) -> None:
    if naming.is_naming(options.study):
        if options.naming is None:
            raise UserError("expected --naming FILE, namings as `export` writes them.")
        print(naming.simulate(options.study, options.naming, again=options.again))
        return
    if options.accuracy is None or not 0 <= options.accuracy <= 1:
        raise UserError(
            f"expected an accuracy from 0 to 1; it is {options.accuracy}. 0.8: four answers in five are right."
        )
    store = Store(load_study(options.study))
    if store.annotators.all() and not options.again:
        raise UserError(
            "this study has annotators already, and simulated answers stay. Simulate on a copy, or say --again."
        )
    count = simulate(store, accuracy=options.accuracy, num_annotators=options.annotators, seed=options.seed)
    print(f"{count} answers of {options.annotators} simulated annotators")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m qscore.study", description="Ask people, in a browser.")
    commands = parser.add_subparsers(dest="command", required=True)

    making = commands.add_parser("new", help="make a study of a file of trials")
    making.add_argument(
        "trials", type=Path, nargs="?", metavar="TRIALS", help="file of qscore.interpretability.forced_choice"
    )
    making.add_argument("--images", type=Path, help="folder in which the trials' sample ids are files")
    making.add_argument("--naming", type=Path, metavar="MAPS", help="a folder of activation maps, to be named")
    making.add_argument("--out", type=Path, required=True, metavar="STUDY", help="folder for the study")
    making.add_argument("--title", help=f"on the first page (default: {TITLE} or, for names, {naming.TITLE})")
    making.add_argument("--ratings", action="store_true", help="also ask how well each description fits, 1 to 5")
    making.add_argument("--seed", type=int, default=0)
    making.set_defaults(run=_new)

    serving = commands.add_parser("serve", help="open the pages")
    serving.add_argument("study", type=Path, metavar="STUDY")
    serving.add_argument("--host", default="127.0.0.1", help="where to listen (default: this machine only)")
    serving.add_argument("--port", type=int, default=8000)
    serving.add_argument("--rate", type=float, default=60, help="requests a second of one annotator (default: 60)")
    serving.set_defaults(run=_serve)

    exporting = commands.add_parser("export", help="write the answers, with everything that was shown")
    exporting.add_argument("study", type=Path, metavar="STUDY")
    exporting.add_argument("--out", type=Path, help="FILE.jsonl or FILE.csv (default: JSON lines on the terminal)")
    exporting.add_argument("--actions", dest="what", action="store_const", const="actions", default="namings")
    exporting.add_argument("--names", dest="what", action="store_const", const="names", help="which mean the same")
    exporting.set_defaults(run=_export)

    simulating = commands.add_parser("simulate", help="answer as people of a known accuracy would")
    simulating.add_argument("study", type=Path, metavar="STUDY")
    simulating.add_argument("--accuracy", type=float, help="share of right answers, 0 to 1")
    simulating.add_argument("--naming", type=Path, metavar="FILE", help="namings to play, as `export` writes them")
    simulating.add_argument("--annotators", type=int, default=12)
    simulating.add_argument("--seed", type=int, default=0)
    simulating.add_argument("--again", action="store_true", help="also where there are annotators already")
    simulating.set_defaults(run=_simulate)
    return parser


if __name__ == "__main__":
    sys.exit(main())
