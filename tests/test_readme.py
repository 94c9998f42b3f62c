"""What the README shows runs as it stands."""

import re

import pytest

from tests.conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", README, flags=re.S))
def test_python_blocks_run(block: str) -> None:
    names: dict[str, object] = {}
    exec(block, names)
    assert names["scores"].shape == (256,)  # type: ignore[attr-defined]
    assert names["loss"].item() >= 0  # type: ignore[attr-defined]


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


def test_pictures_of_the_readme_are_there() -> None:
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README, flags=re.S):
        assert (REPOSITORY / picture).is_file()
