"""Names the maps of digits as someone would who only looks where the marks are, as lines of JSON for `simulate`.

python docs/study/name_digits.py RUN/representations/maps-... namings.jsonl
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image

PLACES = {(0, 0): "top left", (0, 1): "top right", (1, 0): "bottom left", (1, 1): "bottom right"}
ALL_OVER = 0.3  # mean brightness from which a mark says nothing


def seen(file: Path) -> str:
    """Where a mark is brightest, or "" where it is all over the image."""
    heat = np.asarray(Image.open(file), float) / 255
    rows, columns = heat.shape
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    return "" if heat.mean() > ALL_OVER else PLACES[int(row >= rows / 2), int(column >= columns / 2)]


def main(maps: Path, out: Path) -> None:
    """Writes a naming of every group, and says how much."""
    groups: dict[str, dict[str, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for line in (maps / "maps.jsonl").read_text().splitlines():
        row = json.loads(line)
        groups[row["group"]][seen(maps / row["map_file"])].append(row)
    records = []
    for group, places in groups.items():
        noise = [row["activation_id"] for row in places.pop("", [])]
        large = {name: rows for name, rows in places.items() if len({row["image"] for row in rows}) >= 3}
        concepts = [
            {"name": name, "members": [row["activation_id"] for row in rows]} for name, rows in sorted(large.items())
        ]
        records.append({"annotator": "by place", "group": group, "concepts": concepts, "discarded": noise})
    out.write_text("".join(json.dumps(record) + "\n" for record in records))
    print(f"{sum(len(record['concepts']) for record in records)} concepts in {out}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
