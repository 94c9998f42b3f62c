"""What the search found and no made-up case of a target holds: one test for each, as small as it can be."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from qscore.application.build import build_trainer
from qscore.application.command_line import expand_shortcuts
from qscore.application.trusted import trusted
from qscore.arrays import read_arrays
from qscore.data.folder import image_folder
from qscore.data.reading import MAX_SIDE_PX, UNREADABLE, read_rgb, to_rgb
from qscore.encoders.loading import load_encoder
from qscore.encoders.reading import flatten, read_content, unsafe_objects
from qscore.errors import UserError
from qscore.files import parse_json
from qscore.interpretability.groupings import read_clusters
from qscore.interpretability.naming.records import read_named
from qscore.interpretability.naming.xnn import load_xnn
from qscore.score.storage import load_representations
from qscore.study.folder import load_study
from tests.bad_input.archives import npy_head, packed
from tests.bad_input.targets.checkpoints import huggingface
from tests.bad_input.targets.images import png, zero_rows
from tests.bad_input.targets.studies import study
from tests.interpretability.naming.exported import facts, record
from tests.test_configs import composed


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "[" * 100_000, "9" * 5000, '{"a": {"b": 0, "b": 0}}'])
def test_json_is_refused_that_readers_understand_differently(text: str) -> None:
    with pytest.raises(ValueError, match=r"twice|nested|digits"):
        parse_json(text)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("'descr': '|u1', 'fortran_order': False, 'shape': (3,), (", "npz file of plain arrays"),  # TokenError of numpy
        ("'descr': '|O', 'fortran_order': False, 'shape': (4,)", "Python objects"),
        ("'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)", "and has 4 bytes"),
        ("'descr': '|u1', 'fortran_order': False, 'shape': (2,)", "and has 4 bytes"),
    ],
)
def test_heads_of_arrays_are_not_believed(head: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(packed([("x.npy", npy_head(head) + bytes(4))]))
    with pytest.raises(UserError, match=said):
        read_arrays(tmp_path / "x.npz")


def test_what_stands_before_an_archive_is_not_skipped(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.arange(3))
    (tmp_path / "x.npz").write_bytes(b"\x80\x04" + (tmp_path / "x.npz").read_bytes())
    assert zipfile.is_zipfile(tmp_path / "x.npz")
    with pytest.raises(UserError, match="does not begin as an archive"):
        read_arrays(tmp_path / "x.npz")


def test_arrays_are_those_that_were_written(tmp_path: Path) -> None:
    written = {"a": np.arange(6).reshape(2, 3).T, "b": np.array(["ä", "b"]), "c": np.float32(2), "d": np.zeros((0, 3))}
    np.savez_compressed(tmp_path / "x.npz", **written)
    found = read_arrays(tmp_path / "x.npz")
    assert all(
        np.array_equal(found[name], array) and found[name].dtype == array.dtype for name, array in written.items()
    )
    assert list(read_arrays(tmp_path / "x.npz", ("b", "x"))) == ["b"]
    found["a"][:] = 0  # as of np.load, and as torch asks for


def test_large_images_are_read_in_strips_as_small_ones_are(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).integers(0, 255, (9, 7, 4), np.uint8)
    images = [Image.fromarray(values), Image.fromarray(values).convert("P"), Image.fromarray(values[..., 0])]
    images += [Image.fromarray(values[..., 0].astype(np.uint16) * 257), Image.fromarray(values).convert("LA")]
    images[1].info["transparency"] = 3
    whole = [np.asarray(to_rgb(image)) for image in images]
    monkeypatch.setattr("qscore.data.reading.STRIP_PIXELS", 16)
    assert all((np.asarray(to_rgb(image)) == found).all() for image, found in zip(images, whole, strict=True))


def test_images_that_are_too_long_are_unreadable(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(png(MAX_SIDE_PX + 1, 1, rows=zero_rows(MAX_SIDE_PX + 1, 1, 3)))
    with pytest.raises(UNREADABLE, match="on a side"):
        read_rgb(tmp_path / "x.png")


def test_a_dictionary_in_itself_is_refused() -> None:
    content: dict[str, Any] = {"a": torch.zeros(1)}
    content["b"] = content
    with pytest.raises(UserError, match="inside one another"):
        flatten(content)


def test_an_archive_that_torch_cannot_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pth").write_bytes(packed([("a/data.pkl", b"\x80\x02\xe4"), ("a/version", b"3")]))
    with pytest.raises(UserError, match=r"x\.pth"):
        read_content(tmp_path / "x.pth")
    assert unsafe_objects(tmp_path / "x.pth")


@pytest.mark.parametrize("changed", [{"pretrained_cfg": 1.5}, {"hidden_size": {}}, {"model_args": "x"}])
def test_settings_beside_weights_are_of_their_kind(changed: dict[str, Any], tmp_path: Path) -> None:
    huggingface(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **changed}))
    with pytest.raises(UserError, match=next(iter(changed))):
        load_encoder(tmp_path, architecture="resnet10")


@pytest.mark.parametrize("load", [load_representations, load_xnn])
def test_tensors_that_are_none_are_refused(load: Callable[[Path], object], tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"\xff" * 20)
    with pytest.raises(UserError, match="another kind of file"):
        load(tmp_path / "x.safetensors")


@pytest.mark.parametrize("text", ["id,cluster\na,1,2\n", 'id,cluster\n"a,1\n', "id,cluster\n,1\n"])
def test_rows_of_groups_are_whole(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(UserError):
        read_clusters(tmp_path / "x.csv")


def test_a_list_of_classes_is_text(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_bytes(b"\x80")
    with pytest.raises(UserError, match="UTF-8"):
        image_folder(str(tmp_path), classes=str(tmp_path / "classes.txt"))


@pytest.mark.parametrize("lost", ["annotator", "group", "concepts"])
def test_namings_that_lack_something_are_refused(lost: str) -> None:
    whole = record(1, [0, 0], ["wing"])
    with pytest.raises(UserError, match="annotator, group and concepts"):
        read_named([{name: value for name, value in whole.items() if name != lost}], facts([0, 1], [1, 2]))
    with pytest.raises(UserError, match="a name and members"):
        read_named([{**whole, "concepts": [3]}], facts([0, 1], [1, 2]))


@pytest.mark.parametrize(("name", "value"), [("group", 3), ("is_catch", "no"), ("references", "abc"), ("text", [])])
def test_trials_of_other_types_are_refused(name: str, value: object, tmp_path: Path) -> None:
    study(tmp_path)
    file = tmp_path / "study" / "trials.jsonl"
    first, *rest = file.read_text().splitlines()
    file.write_text("\n".join([json.dumps({**json.loads(first), name: value}), *rest]))
    with pytest.raises(UserError, match=f"line 1 of trials.jsonl: expected {name} as a"):
        load_study(tmp_path / "study")


def test_what_a_run_did_not_resolve_is_refused() -> None:
    with pytest.raises(UserError, match="would be called"):
        trusted({"data": {"source": "${oc.decode:'{_target_: os.system, command: ls}'}"}}, "run.json")


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "qscore.files.os.system",
        "qscore.files.write_text",
        "qscore.files.os",
        "lightly.transforms",
        "qscore.x.y",
        3,
        None,
    ],
)
def test_a_run_calls_nothing_but_our_own(target: object) -> None:
    with pytest.raises(UserError, match="would be called"):
        trusted({"data": [{"source": {"_target_": target}}]}, "run.json")


def test_what_configurations_name_is_trusted() -> None:
    for method in ("byol", "dino", "simclr"):
        cfg = composed(f"method={method}", "trainer=fsdp")
        del cfg.run_dir, cfg.sweep_dir
        from qscore.application.build import plain

        assert trusted(plain(cfg), "run.json")


@pytest.mark.parametrize("option", ["accelerator=x", "devices=-3", "log_every_n_steps=a", "strategy=x"])
def test_settings_of_a_trainer_are_refused_with_one_message(option: str, tmp_path: Path) -> None:
    from qscore.application.run_directory import RunDirectory

    cfg = composed(f"++trainer.{option}")
    with pytest.raises(UserError):
        build_trainer(cfg, RunDirectory(tmp_path), epochs=1, num_batches=1, loggers=[], callbacks=[])


@pytest.mark.parametrize("name", ["data", "concepts", "captions", "checkpoint", "run"])
def test_very_long_words_are_no_paths(name: str) -> None:
    assert expand_shortcuts([f"{name}={'x' * 3000}"], "train")
