"""BatchNorm over the global batch: torch's SyncBatchNorm on GPUs, and one of our own on CPUs, which torch's refuses."""

from typing import Any

import torch
from pytorch_lightning.plugins.layer_sync import LayerSync, TorchSyncBatchNorm
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from qscore.processes import num_processes, sum_over_processes


class BatchNormSync(LayerSync):
    """`sync_batchnorm: true` on any device: every BatchNorm of a module, teachers' too, while it is trained."""

    def __init__(self) -> None:
        self._on_gpus = TorchSyncBatchNorm()

    def apply(self, model: Any) -> Any:
        on_cpus = model.trainer.strategy.root_device.type == "cpu"
        return synchronized(model) if on_cpus else self._on_gpus.apply(model)

    def revert(self, model: Any) -> Any:
        return self._on_gpus.revert(unsynchronized(model))


class GlobalBatchNorm(_BatchNorm):
    """BatchNorm whose mean and variance in training are those of the batches of all processes together.

    It shares parameters and running statistics with the layer that it replaces. In training with one process, and in
    evaluation, it is that layer. Mean and variance take one exchange each: a variance out of a sum of squares would
    lose the digits that one process keeps.

    Args:
        replaced: The layer.
    """

    def __init__(self, replaced: _BatchNorm) -> None:
        super().__init__(
            replaced.num_features, replaced.eps, replaced.momentum, replaced.affine, replaced.track_running_stats
        )
        self._replaced = (replaced,)  # a tuple, so that it is no child
        self._parameters, self._buffers = dict(replaced._parameters), dict(replaced._buffers)
        self.training = replaced.training

    def forward(self, input: Tensor) -> Tensor:
        uses_batch = self.training or self.running_mean is None
        if not uses_batch or num_processes() == 1:
            return super().forward(input)
        over = [0, *range(2, input.ndim)]
        shape = [1, -1] + [1] * (input.ndim - 2)
        values = input if input.dtype == torch.float64 else input.float()
        count = sum_over_processes(values.new_tensor(float(input.numel() // input.shape[1])))
        mean = sum_over_processes(values.sum(over)) / count
        centred = values - mean.view(shape)
        variance = sum_over_processes(centred.square().sum(over)) / count
        if self.training:
            self._remember(mean.detach(), variance.detach() * count / (count - 1))
        normalised = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            normalised = normalised * self.weight.view(shape) + self.bias.view(shape)
        return normalised.to(input.dtype)

    def replaced(self) -> _BatchNorm:
        """Returns the layer of before, with the parameters and statistics of now."""
        (layer,) = self._replaced
        layer._parameters.update(self._parameters)
        layer._buffers.update(self._buffers)
        layer.training, layer.momentum = self.training, self.momentum
        return layer

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)

    def _check_input_dim(self, input: Tensor) -> None:
        """The layer that was replaced is of 1, 2 or 3 dimensions; this one of any."""


def synchronized(module: nn.Module) -> nn.Module:
    """Returns a module with a `GlobalBatchNorm` in the place of every BatchNorm."""
    return _exchanged(module, lambda m: GlobalBatchNorm(m) if isinstance(m, _BatchNorm) else m)


def unsynchronized(module: nn.Module) -> nn.Module:
    """Undoes `synchronized`."""
    return _exchanged(module, lambda m: m.replaced() if isinstance(m, GlobalBatchNorm) else m)


def _exchanged(module: nn.Module, exchange: Any) -> nn.Module:
    for name, child in module._modules.items():
        module._modules[name] = None if child is None else _exchanged(child, exchange)
    exchanged: nn.Module = exchange(module)
    return exchanged
