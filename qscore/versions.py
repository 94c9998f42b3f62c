"""What the numbers of a run were computed with; apart, so that a command that only looks at a run loads no numpy."""

import importlib.metadata
import platform

PACKAGES = ("torch", "torchvision", "pytorch-lightning", "lightly", "torchmetrics", "scikit-learn", "numpy")


def versions() -> dict[str, str]:
    """Returns the versions of Python, of this package and of the packages that decide the numbers."""
    found = {name: importlib.metadata.version(name) for name in ("qscore", *PACKAGES)}
    return {"python": platform.python_version(), **found}
