"""What the README shows runs as it stands."""

import re
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.docs.blocks import PYTHON
from tests.docs.conftest import play

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_a_score_for_each_image_and_a_term_for_the_loss(tmp_path: Path) -> None:
    names = play(REPOSITORY / "README.md", tmp_path, PYTHON).names
    assert names["scores"].shape == (256,)
    assert names["loss"].item() >= 0


def test_the_two_commands_are_those_of_the_makefile() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for command in re.findall(r"^make (\w+) +#", README, flags=re.M):
        assert re.search(rf"^{command}:", makefile, flags=re.M)


def test_every_data_set_and_method_of_the_readme_has_its_yaml() -> None:
    for group, sentence in (("data", r"`data=` takes (.*?), a folder"), ("method", r"`method=` takes (.*?), each")):
        listed = re.search(sentence, README, flags=re.S)
        assert listed
        files = {path.stem for path in (REPOSITORY / "conf" / group).glob("*.yaml")}
        assert set(re.findall(r"`(\w+)`", listed[1])) == files - {"folder", "npz"}
