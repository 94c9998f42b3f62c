"""What crops and blurs have in common: new pixels are weighted sums of old ones, along rows and along columns."""

import torch
from jaxtyping import Float
from torch import Tensor


def mixed(
    images: Float[Tensor, "sample channel height width"],
    rows: Float[Tensor, "sample out_height height"],
    columns: Float[Tensor, "sample out_width width"],
) -> Float[Tensor, "sample channel out_height out_width"]:
    """Returns each image with its rows mixed by one matrix of its own and its columns by another, within [0, 1]."""
    num, channels, height, width = images.shape
    by_columns = torch.bmm(images.reshape(num, channels * height, width), columns.transpose(1, 2))
    return torch.matmul(rows[:, None], by_columns.view(num, channels, height, columns.shape[1])).clamp_(0, 1)
