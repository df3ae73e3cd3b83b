"""CPU ProcessModels of sum pools, one-to-one synapses and convolutions with many groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.conv import utils
from lava.proc.conv.models import AbstractPyConvModel
from lava.proc.conv.process import Conv
from numpy.typing import NDArray

from lava_mlsnn.proc.conv.process import GroupedConv, Identity, Pool

ACCUMULATOR_BITS = 24


class FixedModel(AbstractPyConvModel):
    """Types of Lava's convolution in integers, but for the number of groups."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    a_buf: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    weight: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=8)
    groups: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32)


class FloatModel(AbstractPyConvModel):
    """Types of Lava's convolution in floats, but for the number of groups."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float, precision=24)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)
    a_buf: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    weight: NDArray[np.float64] = LavaPyType(np.ndarray, float)
    groups: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32)


def sum_windows(spikes: NDArray[Any], out: NDArray[Any], kernel: NDArray[Any], stride: NDArray[Any]) -> NDArray[Any]:
    """Sums over the windows of a pool: spikes (W, H, C) -> (W', H', C) of the shape and type of ``out``.

    Example:
        >>> sum_windows(np.ones((4, 4, 3)), np.zeros((2, 2, 3)), np.array([2, 2]), np.array([2, 2])).sum().item()
        48.0
    """
    total = np.zeros_like(out)
    for x in range(kernel[0]):
        for y in range(kernel[1]):
            total += _tap(spikes, (x, y), out.shape, stride)
    return total


def _tap(spikes: NDArray[Any], start: tuple[int, int], shape: tuple[int, ...], stride: NDArray[Any]) -> NDArray[Any]:
    """What one place of a kernel sees of ``spikes`` (W, H, C): (W', H', C). Lava keeps strides in 8 bits."""
    (x, y), (step_x, step_y) = start, map(int, stride)
    return spikes[x : x + step_x * (shape[0] - 1) + 1 : step_x, y : y + step_y * (shape[1] - 1) + 1 : step_y]


class MatmulConvModel(FixedModel):
    """Lava's fixed-point convolution as one matrix product per kernel tap, exact up to 2**53 before it wraps.

    Lava's own loops over pairs of channels in Python: 8 seconds for a step of a VGG16 at 32 x 32.
    """

    taps: NDArray[np.float64] | None = None

    def run_spk(self) -> None:
        """One timestep: send the current of the step before, then receive."""
        self.a_out.send(self.a_buf)
        spikes = self.s_in.recv()
        if not self.num_message_bits.item():
            spikes = spikes.astype(bool)
        if self.taps is None:
            self.taps = taps_of(self.weight, int(self.groups[0]))
        total = convolve(spikes, self.taps, self.a_buf.shape, self.stride, self.padding, self.dilation)
        self.a_buf = utils.signed_clamp(total.astype(np.int64), bits=ACCUMULATOR_BITS).astype(np.int32)

    def on_var_update(self) -> None:
        """Somebody set a Var: read the weights again."""
        self.taps = None


def taps_of(weight: NDArray[Any], groups: int) -> NDArray[np.float64]:
    """Weights (O, Kx, Ky, I / groups) of Lava's convolution -> matrices (Kx, Ky, groups, I / groups, O / groups)."""
    out_channels, columns, rows, in_group = weight.shape
    by_group = weight[:, ::-1, ::-1].reshape(groups, out_channels // groups, columns, rows, in_group)
    return np.ascontiguousarray(by_group.transpose(2, 3, 0, 4, 1), dtype=np.float64)


def convolve(
    spikes: NDArray[Any],
    taps: NDArray[np.float64],
    shape: tuple[int, ...],
    stride: NDArray[Any],
    padding: NDArray[Any],
    dilation: NDArray[Any],
) -> NDArray[np.float64]:
    """Spikes (W, H, I) -> sums of ``shape`` (W', H', O), for matrices of :func:`taps_of`.

    Example:
        >>> one = np.array([1, 1])
        >>> convolve(np.ones((3, 3, 1)), taps_of(np.ones((2, 3, 3, 1)), 1), (3, 3, 2), one, one, one)[0, 0]
        array([4., 4.])
    """
    columns, rows, out_channels = shape
    groups = taps.shape[2]
    padded = np.pad(spikes.astype(np.float64), ((padding[0],) * 2, (padding[1],) * 2, (0, 0)))
    total = np.zeros((groups, columns * rows, out_channels // groups))
    for i in range(taps.shape[0]):
        for j in range(taps.shape[1]):
            seen = _tap(padded, (i * int(dilation[0]), j * int(dilation[1])), shape, stride)
            total += seen.reshape(columns * rows, groups, -1).transpose(1, 0, 2) @ taps[i, j]
    return total.transpose(1, 0, 2).reshape(shape)


@implements(proc=Conv, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyConvModelMatmul(MatmulConvModel):
    """A faster model of lava.proc.conv.Conv; :class:`lava_mlsnn.proc.SimCfg` chooses it."""


@implements(proc=GroupedConv, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyGroupedConvModelFixed(MatmulConvModel):
    """Convolution of any number of groups in integers."""


@implements(proc=GroupedConv, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyGroupedConvModelFloat(FloatModel):
    """Lava's convolution in floats."""


@implements(proc=Pool, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyPoolModelFixed(FixedModel):
    """Sum pool of integers."""

    def run_spk(self) -> None:
        """One timestep: send the current of the step before, then receive."""
        self.a_out.send(self.a_buf)
        self.a_buf = sum_windows(self.s_in.recv(), self.a_buf, self.kernel_size, self.stride)


@implements(proc=Pool, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyPoolModelFloat(FloatModel):
    """Sum pool of floats."""

    def run_spk(self) -> None:
        """One timestep: send the current of the step before, then receive."""
        self.a_out.send(self.a_buf)
        self.a_buf = sum_windows(self.s_in.recv(), self.a_buf, self.kernel_size, self.stride)


@implements(proc=Identity, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyIdentityModelFixed(FixedModel):
    """One-to-one synapse of integers."""

    def run_spk(self) -> None:
        """One timestep: send the current of the step before, then receive."""
        self.a_out.send(self.a_buf)
        self.a_buf = (self.s_in.recv() * self.weight.reshape(-1)).astype(np.int32)


@implements(proc=Identity, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PyIdentityModelFloat(FloatModel):
    """One-to-one synapse of floats."""

    def run_spk(self) -> None:
        """One timestep: send the current of the step before, then receive."""
        self.a_out.send(self.a_buf)
        self.a_buf = self.s_in.recv() * self.weight.reshape(-1)
