"""Explanation networks: a class score from a handful of features, in place of the hundreds that the network has.

After Qi, Khorram and Li, Embedding Deep Networks into Visual Explanations, arXiv 1709.05360, as Hamidi-Haines et al.
use it in sections 3.2 and 3.5: one for each class, on a layer of the network, x = relu(E h + b), score = v x + d.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import written_whole

MIN_ACTIVE_SHARE = 0.01


@dataclass(frozen=True)
class XNN:
    """An explanation network for each class, with as many X-features.

    Attributes:
        embedding: E.
        bias: b.
        coefficients: v; a negative one is evidence against the class.
        intercepts: d.
    """

    embedding: Float[Tensor, "class x feature"]
    bias: Float[Tensor, "class x"]
    coefficients: Float[Tensor, "class x"]
    intercepts: Float[Tensor, " class"]

    def features(self, h: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample class x"]:
        """Returns the X-features of every class, >= 0."""
        flat = h @ self.embedding.flatten(0, 1).T
        return (flat.view(len(h), *self.bias.shape) + self.bias).relu()

    def scores(self, h: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample class"]:
        """Returns what stands for the network's class scores."""
        return (self.features(h) * self.coefficients).sum(2) + self.intercepts

    def contributions(
        self, h: Float[Tensor, "sample feature"], classes: Int[Tensor, " sample"]
    ) -> Float[np.ndarray, "sample x"]:
        """Returns the terms v_k x_k of the score of one class for each sample."""
        terms = self.features(h)[torch.arange(len(h)), classes] * self.coefficients[classes]
        return np.asarray(terms.double().cpu().numpy())

    def excitation(
        self, classes: Int[Tensor, " sample"], x_features: Int[Tensor, " sample"], *, signed: bool = False
    ) -> Float[Tensor, "sample feature"]:
        """Returns the weights with which maps start from one X-feature of a class for each sample.

        Excitation Backprop through x = relu(E h + b) gives h_j the share E+_kj h_j / (E+ h)_k: that of weights E+_k.
        The gradient of an active x is E_k itself: signed.
        """
        rows = self.embedding[classes, x_features]
        return rows if signed else rows.clamp(min=0)

    def save(self, path: Path) -> None:
        """Writes a safetensors file."""
        with written_whole(path) as temporary:
            save_file({field.name: getattr(self, field.name).contiguous().cpu() for field in fields(self)}, temporary)


def load_xnn(path: Path) -> XNN:
    """Reads what `XNN.save` wrote.

    Raises:
        UserFileNotFoundError: If it is not there.
        UserError: If it is another file.
    """
    if not path.is_file():
        raise UserFileNotFoundError(f"Expected an explanation network, found none at {path}; make one by fit_xnn.")
    try:
        found: Mapping[str, Tensor] = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"Expected an explanation network in {path}, got another kind of file: {error}.") from error
    if found.keys() != {field.name for field in fields(XNN)}:
        raise UserError(f"Expected the weights of an explanation network in {path}, got {', '.join(sorted(found))}.")
    network = XNN(**found)
    ranks = tuple(tensor.ndim for tensor in found.values() if tensor.dtype == torch.float32)
    shape = tuple(network.embedding.shape[:2])
    if len(ranks) < 4 or not shape == tuple(network.bias.shape) == tuple(network.coefficients.shape):
        raise UserError(f"Expected parts of one explanation network in {path}, got others; make it again by fit_xnn.")
    return network


def pull_away(x: Float[Tensor, "sample class x"], live: Tensor) -> Float[Tensor, " class"]:
    """Returns the mean squared cosine, over samples, between any two live X-features of a class.

    The pull-away term of Zhao, Mathieu and LeCun (2017). A dead feature is at right angles to all others, so it must
    not count: features would be killed to lower the term.

    >>> x = torch.tensor([[[1.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]]])
    >>> pull_away(x, torch.tensor([[True, True, False]]))
    tensor([0.5000])
    """
    unit = x / x.norm(dim=0, keepdim=True).clamp(min=1e-6)
    squares = torch.einsum("nci,ncj->cij", unit, unit).square() * (live[:, :, None] & live[:, None, :])
    num = live.sum(1)
    off = squares.sum((1, 2)) - squares.diagonal(dim1=1, dim2=2).sum(1)
    return off / (num * (num - 1)).clamp(min=1)
