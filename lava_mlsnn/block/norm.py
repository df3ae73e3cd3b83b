"""Batch norms of spiking networks: one per timestep (BNTT) and one that knows the threshold (tdBN)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..helpers.check import choice, finite, integer

NORMS = ("bntt", "tdbn", "bn", "none")


class BNTT(nn.Module):
    """Batch norm through time: every timestep has its own statistics, weight and bias.

    Kim and Panda 2020; [VicenteSola2022], sec. 3.2.2. A sample with fewer timesteps uses the first norms, which is how
    a network stops early ([VicenteSola2022], Table 16).

    Args:
        channels: C.
        steps: T.
        bias: whether there is one besides the weight; [VicenteSola2022] counts parameters without it.
        eps, momentum: of the batch norms.

    Shape:
        (N, C, ..., T') -> the same, T' <= T. Parameters and statistics are (T, C).

    Raises:
        ValueError: more timesteps than norms, or another number of channels.

    Example:
        >>> norm = BNTT(8, steps=4)
        >>> norm(torch.rand(16, 8, 5, 5, 4)).shape, sum(p.numel() for p in norm.parameters())
        (torch.Size([16, 8, 5, 5, 4]), 32)
    """

    def __init__(self, channels: int, steps: int, bias: bool = False, eps: float = 1e-4, momentum: float = 0.1) -> None:
        super().__init__()
        self.channels, self.steps = integer(channels, "channels", 1), integer(steps, "steps", 1)
        self.eps, self.momentum = eps, momentum
        shape = self.steps, self.channels
        self.weight = nn.Parameter(torch.ones(shape))
        self.bias = nn.Parameter(torch.zeros(shape)) if bias else None
        self.running_mean: Tensor
        self.running_var: Tensor
        self.register_buffer("running_mean", torch.zeros(shape))
        self.register_buffer("running_var", torch.ones(shape))

    def forward(self, x: Tensor) -> Tensor:
        steps = x.shape[-1]
        if x.ndim < 3 or x.shape[1] != self.channels or not 1 <= steps <= self.steps:
            raise ValueError(
                f"input of shape {tuple(x.shape)}: expected (N, {self.channels}, ..., T) with T of 1 .. {self.steps}"
            )
        y = F.batch_norm(
            x.movedim(-1, 1).flatten(1, 2),
            self.running_mean[:steps].view(-1),
            self.running_var[:steps].view(-1),
            self.weight[:steps].reshape(-1),
            None if self.bias is None else self.bias[:steps].reshape(-1),
            self.training,
            self.momentum,
            self.eps,
        )
        return y.unflatten(1, (steps, self.channels)).movedim(1, -1)

    def affine(self) -> tuple[Tensor, Tensor]:
        """Gain and shift of the evaluation mode, (C, T) each."""
        gain = self.weight * torch.rsqrt(self.running_var + self.eps)
        shift = -self.running_mean * gain
        return gain.T, (shift if self.bias is None else shift + self.bias).T

    def extra_repr(self) -> str:
        return f"{self.channels}, steps={self.steps}, bias={self.bias is not None}, eps={self.eps}"


class TdBN(nn.BatchNorm2d):
    """Threshold-dependent batch norm over all timesteps together (Zheng et al. 2021): the weight starts at alpha Vth.

    Args:
        channels: C.
        threshold: Vth of the neuron that follows.
        alpha: 1 for a layer that no residual path joins.
        eps, momentum: of the batch norm.

    Shape:
        (N T, C, H, W) -> the same: time is folded into the batch, as blocks do.

    Example:
        >>> round(TdBN(4, threshold=0.5)(torch.randn(99, 4, 3, 3)).std().item(), 2)
        0.5
    """

    def __init__(
        self, channels: int, threshold: float = 1.0, alpha: float = 1.0, eps: float = 1e-4, momentum: float = 0.1
    ) -> None:
        super().__init__(channels, eps=eps, momentum=momentum)
        gain = finite(alpha, "alpha", positive=True) * finite(threshold, "threshold", positive=True)
        nn.init.constant_(self.weight, gain)


Norm = BNTT | nn.BatchNorm2d | nn.BatchNorm1d

NORM_LAYERS = (BNTT, nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)
"""Of any network: their parameters are none that weight decay acts on."""


def make_norm(name: str, channels: int, steps: int, bias: bool, threshold: float) -> Norm | None:
    """The norm called ``name``, one of :data:`NORMS`; ``bias`` is that of BNTT, the others have one.

    Raises:
        ValueError: another name.
    """
    if name == "bntt":
        return BNTT(channels, steps, bias)
    if name == "tdbn":
        return TdBN(channels, threshold)
    if name == "bn":
        return nn.BatchNorm2d(channels, eps=1e-4, momentum=0.1)
    choice(name, "norm", NORMS)
    return None


def affine(norm: nn.Module | None, channels: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Gain and shift, (C, T) or (C, 1), of a norm's evaluation mode.

    Raises:
        ValueError: another norm, or one without running statistics.
    """
    if norm is None:
        return like.new_ones(channels, 1), like.new_zeros(channels, 1)
    if isinstance(norm, BNTT):
        return norm.affine()
    if not isinstance(norm, (nn.BatchNorm1d, nn.BatchNorm2d)):
        raise ValueError(f"norm {type(norm).__name__}: expected BNTT, nn.BatchNorm1d or nn.BatchNorm2d")
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("a batch norm without running statistics cannot be folded: expected track_running_stats")
    gain = torch.rsqrt(norm.running_var + norm.eps) * (1 if norm.weight is None else norm.weight)
    shift = -norm.running_mean * gain + (0 if norm.bias is None else norm.bias)
    return gain[:, None], shift[:, None]
