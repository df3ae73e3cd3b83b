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
    columns, rows, _ = out.shape
    total = np.zeros_like(out)
    for x in range(kernel[0]):
        for y in range(kernel[1]):
            last_x, last_y = x + stride[0] * (columns - 1), y + stride[1] * (rows - 1)
            total += spikes[x : last_x + 1 : stride[0], y : last_y + 1 : stride[1]]
    return total


@implements(proc=GroupedConv, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyGroupedConvModelFixed(FixedModel):
    """Lava's convolution in integers."""

    def clamp_precision(self, x: NDArray[Any]) -> Any:
        """Wrap to the dendritic accumulator."""
        return utils.signed_clamp(x, bits=ACCUMULATOR_BITS)


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
