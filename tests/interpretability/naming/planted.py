"""Small networks whose maps are known: one learns to find planted patches, one has every kind of convolution."""

from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from qscore.encoders import Encoder

SIZE_PX, PATCH_PX = 24, 5


def small_encoder() -> Encoder:
    """Untrained, with BatchNorm statistics and parameters as if it were trained."""
    torch.manual_seed(0)
    encoder = Encoder("resnet10", stem="cifar", width=0.125)
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
            nn.init.normal_(module.running_mean, 0, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return encoder


def every_convolution() -> nn.Sequential:
    """Strided, grouped and dilated convolutions, both poolings, and linear layers; float64, biases large."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 12, 3, padding=2, dilation=2, groups=4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(12, 6, (1, 3)),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(36, 10),
        nn.ReLU(),
        nn.Linear(10, 5),
        nn.ReLU(),
    ).double()
    for module in network:
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.normal_(module.bias, 0.1, 0.3)
    return network


def planted_patches(num: int, *, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Noise with one of three patterns in it: images, where the patch is (sample, row, column), which pattern."""
    generator = np.random.default_rng(seed)
    stripes = np.indices((PATCH_PX, PATCH_PX)).astype(float)
    patterns = np.stack([stripes[0] % 2, stripes[1] % 2, (stripes[0] + stripes[1]) % 2])
    images = generator.uniform(0, 0.2, (num, 1, SIZE_PX, SIZE_PX))
    masks, labels = np.zeros((num, SIZE_PX, SIZE_PX)), generator.integers(0, 3, num)
    for i, (row, column) in enumerate(generator.integers(0, SIZE_PX - PATCH_PX + 1, (num, 2))):
        where = np.s_[row : row + PATCH_PX, column : column + PATCH_PX]
        images[i, 0][where] = patterns[labels[i]]
        masks[i][where] = 1
    return torch.tensor(images).float(), torch.tensor(masks).float(), torch.tensor(labels)


@cache
def patch_finder() -> tuple[nn.Sequential, Tensor]:
    """An encoder that learned to tell the patterns apart, and the weights (class, feature) of its classifier."""
    torch.manual_seed(0)
    encoder = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    classifier = nn.Linear(16, 3)
    images, _, labels = planted_patches(600, seed=0)
    optimizer = torch.optim.Adam([*encoder.parameters(), *classifier.parameters()], lr=0.01)
    for step in range(300):
        rows = torch.arange(50) + 50 * (step % 12)
        h = encoder(images[rows])
        loss = nn.functional.cross_entropy(classifier(h), labels[rows]) + 0.3 * h.mean()  # nothing for the noise
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return encoder.eval(), classifier.weight.detach()
