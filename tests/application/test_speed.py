import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from torch import nn

from qscore.application import speed
from qscore.application.speed import prepare_networks, settle_precision
from qscore.encoders import Encoder, load_encoder, save_encoder
from qscore.methods import BYOL, Optimization


def byol(encoder: Encoder) -> BYOL:
    optimization = Optimization(torch.optim.SGD, learning_rate=0.1)
    return BYOL(encoder, optimization, projection_dim=8, hidden_dim=16)


@pytest.mark.parametrize(("has_units", "expected"), [(True, "bf16-mixed"), (False, "32-true")])
def test_auto_precision_is_settled_by_the_processor(
    monkeypatch: pytest.MonkeyPatch, has_units: bool, expected: str
) -> None:
    monkeypatch.setattr(speed, "has_bf16_units", lambda device: has_units)
    cfg = OmegaConf.create(
        {"precision": "auto", "trainer": {"accelerator": "cpu", "precision": "${precision}"}}, flags={"struct": True}
    )
    settle_precision(cfg)
    assert cfg.trainer.precision == expected
    cfg.precision = "64-true"
    settle_precision(cfg)
    assert cfg.trainer.precision == "64-true"


def test_bf16_units_are_what_the_processor_says() -> None:
    flags = Path("/proc/cpuinfo")
    if not flags.is_file() or "flags" not in flags.read_text():
        pytest.skip("no list of the processor's features here")
    features = set(flags.read_text().partition("flags")[2].partition("\n")[0].split())
    assert speed.has_bf16_units(torch.device("cpu")) == bool(features & {"amx_bf16", "avx512_bf16"})


def test_channels_last_changes_the_layout_and_nothing_else(encoder: Encoder, tmp_path: Path) -> None:
    method = byol(encoder)
    plain = copy.deepcopy(method).eval()
    prepare_networks(OmegaConf.create({"channels_last": True}), method)
    for network in (method.encoder, method.teacher_encoder):
        kernels = [p for p in network.parameters() if p.ndim == 4]
        assert all(p.is_contiguous(memory_format=torch.channels_last) for p in kernels)
    images = torch.rand(4, 3, 28, 28)
    torch.testing.assert_close(method.eval().encoder(images), plain.encoder(images), atol=1e-5, rtol=1e-4)
    assert method.encoder.fingerprint() == plain.encoder.fingerprint()
    save_encoder(method.encoder, tmp_path)
    assert load_encoder(tmp_path).fingerprint() == plain.encoder.fingerprint()


class _Counting:
    def __init__(self) -> None:
        self.graphs = 0

    def __call__(self, graph: torch.fx.GraphModule, example_inputs: list[torch.Tensor]) -> Callable[..., object]:
        self.graphs += 1
        forward: Callable[..., object] = graph.forward
        return forward


def test_compiled_networks_compute_the_same_under_the_same_names(encoder: Encoder) -> None:
    method = byol(encoder)
    names, images = list(method.state_dict()), torch.rand(4, 3, 28, 28)
    expected = copy.deepcopy(method).eval().encoder(images)
    compiler = _Counting()
    cfg = OmegaConf.create({"compile": compiler}, flags={"allow_objects": True})
    prepare_networks(cfg, method)
    assert list(method.state_dict()) == names
    torch.testing.assert_close(method.eval().encoder(images), expected)
    assert compiler.graphs == 1
    seen: list[torch.Tensor] = []
    handle = method.encoder.register_forward_hook(lambda module, inputs, output: seen.append(output))
    method.encoder(images)
    handle.remove()
    assert len(seen) == 1
    assert isinstance(method.teacher_encoder, nn.Module)
    method.teacher_encoder(images)
    assert compiler.graphs == 2
    torch._dynamo.reset()
