"""Memory layouts: how a tensor (..., T) becomes a matrix (neurons, T) without a copy.

Two layouts are kept as they are: contiguous (time varies fastest) and time-major (time varies slowest, the rest dense
in any order, so also channels-last), which is what a block that folds time into the batch returns. Anything else is
copied to time-major once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

__all__ = ["Runs", "as_matrix", "as_vector", "laid_out", "matched", "overwritten", "runs", "time_slowest", "widened"]


@dataclass(frozen=True)
class Runs:
    """Where the values of a tensor (..., T) lie, for kernels: the neurons are runs of ``length`` neighbours.

    Neuron i of run r at timestep t has the address r ``apart`` + t ``step`` + i in the current, and
    (r T + t) ``length`` + i in all that a kernel writes.

    Attributes:
        neurons, length, steps, apart, step: as above; steps is T.
        strides: of what is written, in the axes of the current.
    """

    neurons: int
    length: int
    steps: int
    apart: int
    step: int
    strides: tuple[int, ...]

    @property
    def repeated(self) -> bool:
        """Whether all timesteps of the current are one in memory."""
        return self.step == 0

    @property
    def state_strides(self) -> tuple[int, ...]:
        """Strides of a membrane potential (...) in the order of the neurons."""
        return tuple(s if s < self.length else s // self.steps for s in self.strides[:-1])


def runs(x: torch.Tensor) -> Runs | None:
    """The runs of ``x``, or None if it leaves gaps in its memory.

    The time axis may lie anywhere, so also between batch and channels, as after a layer that folds time into the
    batch; and it may be one step repeated by ``expand``, if the first axis is the slowest.

    Shape:
        x: (..., T).

    >>> runs(torch.zeros(6, 2, 5).movedim(1, -1)).length
    5
    """
    if not x.numel():
        x = x.new_empty(x.shape)  # strides of an empty result may be anything
    steps = x.shape[-1]
    repeated = steps > 1 and x.stride(-1) == 0
    axes = sorted((x.stride(axis), size, axis) for axis, size in enumerate(x.shape) if size > 1)
    expected, length = 1, 0
    for stride, size, axis in axes[1:] if repeated else axes:
        if axis == x.ndim - 1:
            length = expected
        if stride != expected:
            return None
        expected *= size
    if repeated:
        if x.ndim < 2 or (x.shape[0] > 1 and x.stride(0) * x.shape[0] != expected):
            return None
        length = expected // x.shape[0]
        return Runs(expected, length, steps, length, 0, (length * steps, *x.stride()[1:-1], length))
    length = length or expected
    return Runs(x.numel() // steps, length, steps, length * steps, length, x.stride())


def laid_out(x: torch.Tensor) -> torch.Tensor:
    """``x`` itself where its layout is one of the two, else a time-major copy.

    Shape:
        x: (..., T); the result the same.
    """
    return x if x.is_contiguous() else time_slowest(x)


def time_slowest(x: torch.Tensor) -> torch.Tensor:
    """``x``, or a copy of it, with dense timesteps one after the other, in which the other axes keep their order.

    Shape:
        x: (..., T); the result the same.

    >>> time_slowest(torch.zeros(2, 3, 4, 4, 5).permute(0, 4, 2, 3, 1)).stride()
    (80, 1, 20, 5, 160)
    """
    if _time_major(x):
        return x
    axes = [x.ndim - 1, *sorted(range(x.ndim - 1), key=lambda axis: x.stride()[axis], reverse=True)]
    back = sorted(range(x.ndim), key=lambda place: axes[place])
    return x.permute(axes).contiguous().permute(back)


def widened(x: torch.Tensor) -> torch.Tensor:
    """``x`` in at least float32, itself if it is."""
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def as_matrix(x: torch.Tensor) -> torch.Tensor:
    """View of a laid out tensor as (neurons, T).

    >>> as_matrix(torch.zeros(2, 3, 4)).shape
    torch.Size([6, 4])
    """
    steps = x.shape[-1]
    if x.is_contiguous():
        return x.view(-1, steps)
    neurons = x.numel() // steps
    return x.as_strided((neurons, steps), (1, neurons))


def as_vector(v: torch.Tensor) -> torch.Tensor:
    """View of a dense tensor as one axis, in the order of its memory."""
    return v.as_strided((v.numel(),), (1,))


def matched(t: torch.Tensor, strides: Sequence[int]) -> torch.Tensor:
    """``t`` with these strides: itself, or a copy."""
    if all(size < 2 or have == want for size, have, want in zip(t.shape, t.stride(), strides, strict=True)):
        return t
    return torch.empty_strided(t.shape, tuple(strides), dtype=t.dtype, device=t.device).copy_(t)


def overwritten(x: torch.Tensor) -> torch.Tensor:
    """A tensor of its own on the memory of ``x``, whose old values autograd then knows to be lost.

    Raises:
        ValueError: if ``x`` is a leaf that requires a gradient.
    """
    if x.is_leaf and x.requires_grad:
        raise ValueError("inplace=True: expected no leaf that requires a gradient, as its values would be lost")
    torch.autograd.graph.increment_version(x)
    return torch.empty(0, dtype=x.dtype, device=x.device).set_(
        x.untyped_storage(), x.storage_offset(), x.shape, x.stride()
    )


def _time_major(x: torch.Tensor) -> bool:
    """Whether the time axis has the largest stride and the tensor fills its memory without gap or overlap."""
    expected = 1
    axes = sorted(
        (stride, size, axis) for axis, (stride, size) in enumerate(zip(x.stride(), x.shape, strict=True)) if size > 1
    )
    for stride, size, _ in axes:
        if stride != expected:
            return False
        expected *= size
    return x.shape[-1] == 1 or axes[-1][2] == x.ndim - 1
