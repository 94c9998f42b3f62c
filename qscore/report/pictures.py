"""Figures as files beside a page, and inside of it."""

import base64
import io
from pathlib import Path

from matplotlib.figure import Figure

from qscore.files import written_whole


def write_figure(figure: Figure, path: Path) -> Path:
    """Writes a figure as a PNG file, whole or not at all; returns the path."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    with written_whole(path) as temporary:
        temporary.write_bytes(buffer.getvalue())
    return path


def inline(picture: Path) -> str:
    """Returns a picture as a data URL."""
    return f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"
