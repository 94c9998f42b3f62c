"""What asks for no network must not wait for one to be importable."""

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

HEAVY = ("torch", "pytorch_lightning", "torchvision", "lightly", "wandb", "sklearn", "matplotlib")
WATCHED = """
import atexit, runpy, sys
atexit.register(lambda: print("LOADED", [name for name in {heavy} if name in sys.modules], file=sys.stderr))
sys.argv = {arguments}
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize(
    "arguments",
    [["train.py", "--help"], ["train.py", "--cfg", "job"], ["evaluate.py", "--help"], ["train.py", "lambada=1"]],
    ids=" ".join,
)
def test_help_settings_and_typing_mistakes_load_no_torch(arguments: list[str]) -> None:
    code = WATCHED.format(heavy=HEAVY, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == (2 if "lambada=1" in arguments else 0), done.stderr
    assert "LOADED []" in done.stderr


def test_importing_the_package_loads_no_torch() -> None:
    code = f"import sys, qscore, qscore.report; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "torch" not in done.stdout
