"""Where this package lies, and so where its configurations are and what its commands are called."""

import sys
from pathlib import Path

PACKAGE = Path(__file__).parent
CONFIGS = "conf"


def is_checkout() -> bool:
    """Whether the code runs from a clone, with `conf/`, `train.py` and `evaluate.py` beside the package."""
    return not (PACKAGE / CONFIGS).is_dir()


def config_dir() -> Path:
    """Returns the folder of the configurations: inside an installed package, beside the package of a clone."""
    return (PACKAGE.parent if is_checkout() else PACKAGE) / CONFIGS


def command(name: str) -> str:
    """Returns what a user types to run "train" or "evaluate" here: a script of the clone, or an installed command."""
    installed = f"qscore-{name}"
    is_used = Path(sys.argv[0]).name.startswith("qscore-")
    return installed if is_used or not is_checkout() else f"python {name}.py"
