"""The blocked search against one big sort."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from qscore.score import nearest as module
from qscore.score.nearest import neighbours


def sorted_whole(h: Tensor, bank: Tensor, k: int) -> tuple[Tensor, Tensor]:
    similarity = F.normalize(h, dim=1) @ F.normalize(bank, dim=1).T
    values, index = similarity.sort(dim=1, descending=True, stable=True)
    return values[:, :k], index[:, :k]


def axes(num: int, num_features: int, seed: int) -> Tensor:
    """Rows along the axes, some of them zero: similarities are exactly -1, 0 or 1, with many ties."""
    generator = torch.Generator().manual_seed(seed)
    sign = torch.randint(-1, 2, (num, 1), generator=generator).double()
    return torch.eye(num_features).double()[torch.randint(0, num_features, (num,), generator=generator)] * sign


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 90), st.integers(1, 40), st.integers(1, 60), st.integers(1, 30), st.data())
def test_ties_go_to_the_lower_position_whatever_the_blocks(
    num_members: int, k: int, block: int, queries: int, data: st.DataObject
) -> None:
    k = min(k, num_members)
    h, bank = axes(20, 3, data.draw(st.integers(0, 99))), axes(num_members, 3, data.draw(st.integers(0, 99)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block * 3)
        patch.setattr(module, "QUERIES", queries)
        patch.setattr(module, "GROUP", data.draw(st.integers(1, 5)))
        values, index = neighbours(h, bank, k)
    expected_values, expected_index = sorted_whole(h, bank, k)
    assert torch.equal(values, expected_values)
    assert torch.equal(index, expected_index)


@pytest.mark.parametrize("k", [1, 20, 200])
@pytest.mark.parametrize("num_members", [301, 20_011])
def test_neighbours_of_random_vectors_equal_one_big_sort(
    num_members: int, k: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = torch.Generator().manual_seed(k)
    h, bank = (torch.randn(n, 16, generator=generator, dtype=torch.float64) for n in (300, num_members))
    monkeypatch.setattr(module, "BLOCK", 7_000 * 16)
    values, index = neighbours(h, bank, k)
    expected_values, expected_index = sorted_whole(h, bank, k)
    torch.testing.assert_close(values, expected_values)
    assert torch.equal(index, expected_index)


def test_products_are_exact_and_the_callers_precision_stays() -> None:
    allowed = torch.get_float32_matmul_precision()
    h = torch.randn(50, 64, generator=torch.Generator().manual_seed(0))
    try:
        torch.set_float32_matmul_precision("medium")
        values, _ = neighbours(h, h, 1)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(allowed)
    torch.testing.assert_close(values, torch.ones_like(values), rtol=1e-6, atol=0)
    assert neighbours(h.bfloat16(), h.bfloat16(), 1)[0].dtype == torch.float32


@pytest.mark.parametrize("k", [0, 4])
def test_more_neighbours_than_members_are_refused(k: int) -> None:
    with pytest.raises(ValueError, match="3 members"):
        neighbours(torch.eye(3), torch.eye(3), k)
