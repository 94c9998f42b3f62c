"""What the commands of the pages find: images, tables, words."""

from pathlib import Path

import numpy as np
from PIL import Image

from qscore.data.catalogue import embedded_digits
from qscore.data.sources import ArrayImages


def images(folder: Path) -> None:
    train = embedded_digits().train
    assert isinstance(train, ArrayImages)
    assert train.labels is not None
    for i in range(0, 3750, 10):
        file = folder / str(int(train.labels[i])) / f"{i:04}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(train.images[i]).save(file)


def tables(home: Path) -> None:
    ids = [path.relative_to(home / "FOLDER").as_posix() for path in sorted((home / "FOLDER").rglob("*.png"))]
    words = "\n".join(f"{sample},{number % 2},{number % 3 == 0}" for number, sample in enumerate(ids))
    said = "\n".join(f'{sample},"A {["thin", "round"][number % 2]} {sample[0]}."' for number, sample in enumerate(ids))
    for name in ("words.csv", "concepts.csv", "FILE.csv"):
        (home / name).write_text(f"id,[stroke] thin,slanted\n{words}\n")
    (home / "said.csv").write_text(f"id,caption\n{said}\n")
    (home / "groups.csv").write_text("id,cluster\n" + "\n".join(f"{sample},{sample[0]}" for sample in ids))
    (home / "namings.csv").write_text("id,annotator,concept\n" + "\n".join(f"{sample},eva,thin" for sample in ids))
    (home / "people.csv").write_text((home / "namings.csv").read_text())
    (home / "my_models.py").write_text("def caption(images):\n    return [f'{i.width} px wide' for i in images]\n")
    (home / "policies.json").write_text("{}")


def stamps(file: Path) -> None:
    """Squares of a colour each, in the form of the stamps of docs/how-to/tuxpaint-study.md."""
    draw, colours = np.random.default_rng(0), ["red", "green", "blue"]
    pixels = np.full((360, 64, 64, 3), 255, np.uint8)
    for number, image in enumerate(pixels):
        image[8:56, 8 : 20 + number % 36] = draw.integers(0, 60, 3) + 180 * np.eye(3, dtype=int)[number % 3]
    names = [f"{colours[number % 3]}/{number}.png" for number in range(360)]
    captions = [f"A {colours[number % 3]} thing, {number % 7} across." for number in range(360)]
    np.savez(file, X=pixels, caption=captions, category=[name.partition("/")[0] for name in names], fname=names)
