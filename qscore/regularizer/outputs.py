"""The encoder in somebody's module, and what it returns read as representations."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from qscore.errors import UserError

Select = Callable[[Any], Tensor]


class RepresentationsOf(nn.Module):
    """An encoder whose outputs are read as representations.

    Args:
        encoder: Images to anything.
        select: What the encoder returns to (sample, feature); None where it returns that by itself.
    """

    def __init__(self, encoder: nn.Module, select: Select | None = None) -> None:
        super().__init__()
        self.encoder, self.select = encoder, select

    def forward(self, images: Tensor) -> Tensor:
        dtype = next(self.encoder.parameters()).dtype  # bf16-true and its like convert the weights; batches follow
        return read_representations(self.encoder(images.to(dtype)), self.select)


def find_encoder(module: Any, path: str) -> nn.Module:
    """Returns the submodule at a dotted path.

    Raises:
        UserError: If there is none, or none that could be an encoder.
    """
    try:
        encoder: nn.Module = module.get_submodule(path)
    except AttributeError as error:
        known = ", ".join(name for name, _ in module.named_children())
        raise UserError(
            f"Expected a submodule '{path}' in {type(module).__name__}, which has: {known}. "
            "Name the trained encoder with QScoreRegularizer(encoder=...)."
        ) from error
    if next(encoder.parameters(), None) is None:
        raise UserError(
            f"Expected '{path}' to be the encoder, from images to representations, got a {type(encoder).__name__} "
            "without parameters. Name the encoder, and what to take of its output with "
            "QScoreRegularizer(encoder=..., representations=...)."
        )
    return encoder


def read_representations(output: Any, select: Select | None = None) -> Tensor:
    """Returns the output of an encoder as (sample, feature).

    A pooled map of 1 x 1 positions is flattened. A larger one is refused rather than pooled: (sample, channel, height,
    width) and (sample, height, width, channel) look alike, and flattened, every position would be a feature.

    Args:
        output: What the encoder returned.
        select: Applied to it first, where given.

    Raises:
        UserError: If that is not one vector for each sample.

    >>> import torch
    >>> read_representations(torch.zeros(8, 512, 1, 1)).shape
    torch.Size([8, 512])
    >>> read_representations({"tokens": torch.zeros(8, 5, 32)}, lambda output: output["tokens"][:, 0]).shape
    torch.Size([8, 32])
    """
    h = output if select is None else select(output)
    if isinstance(h, Tensor) and h.ndim >= 2 and sum(size > 1 for size in h.shape[1:]) <= 1:
        return h.flatten(1)
    source = "the encoder" if select is None else "representations="
    raise UserError(
        f"Expected {source} to return one vector for each sample, (sample, feature), got {_described(h)}. Say where "
        f"they are: QScoreRegularizer(representations=lambda output: {_suggested(h)})."
    )


def _described(h: Any) -> str:
    if isinstance(h, Tensor):
        return f"a tensor of shape {tuple(h.shape)}"
    if isinstance(h, Mapping):
        return f"a {type(h).__name__} with {', '.join(map(str, h))}"
    return f"a {type(h).__name__} of {len(h)}" if isinstance(h, (list, tuple)) else f"a {type(h).__name__}"


def _suggested(h: Any) -> str:
    if isinstance(h, Tensor):
        return {4: "output.mean((2, 3))", 3: "output[:, 0]"}.get(h.ndim, "output.flatten(1)")
    if isinstance(h, Mapping):
        return f'output["{next(iter(h), "NAME")}"]'
    return "output[0]" if isinstance(h, (list, tuple)) else "output.NAME"
