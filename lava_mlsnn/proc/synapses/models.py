"""CPU ProcessModels of synapses. Each sends the current of the step before, then receives: one timestep of delay."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.proc.conv import utils
from lava.proc.conv.models import AbstractPyConvModel
from lava.proc.conv.process import Conv
from numpy.typing import NDArray

from lava_mlsnn.graph.fixed import wrap
from lava_mlsnn.graph.synapses import Synapse
from lava_mlsnn.lava_compat.declare import DynamicMembers, cpu_model
from lava_mlsnn.proc.parameters import current_parameters, integer_var
from lava_mlsnn.proc.ports import from_port, port_shape, to_port
from lava_mlsnn.proc.synapses.process import GroupedConv, Identity, Pool, Projection, WideDense
from lava_mlsnn.proc.timing import Resets

ACCUMULATOR_BITS = 24
"""Lava's Conv wraps its sums to so many bits."""

EXACT = 2.0**53
"""Below this, float64 holds every sum of integers."""


@cpu_model(Projection)
class PyProjectionModelFixed(PyLoihiProcessModel, metaclass=DynamicMembers):
    """Any synapse in integers: its reference, applied to the spikes of as many steps as it has delays."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    member = staticmethod(integer_var)
    _parts: tuple[tuple[int, Synapse], ...] | None = None

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._kind: type[Synapse] = proc_params["kind"]
        self._in_shape, self._out_shape = proc_params["in_shape"], proc_params["out_shape"]
        self._port = port_shape(self._out_shape, self._kind.flat is True)
        self._resets = Resets.of_process(proc_params)
        self._current: NDArray[np.int32] = np.zeros(self._out_shape, np.int32)
        self._past: deque[NDArray[np.int32]] = deque()

    def run_spk(self) -> None:
        """One timestep."""
        self.a_out.send(to_port(self._current, self._port))
        if self._parts is None:
            synapse = self._kind(**current_parameters(self))
            self._parts, self._past = synapse.parts(), deque(self._past, maxlen=1 + max(synapse.ages))
        if self._resets.at(self.time_step + 1):
            self._past.clear()
        self._past.appendleft(from_port(self.s_in.recv(), self._in_shape, self._kind.flat is True))
        arrived = (part.accumulate(self._past[age]) for age, part in self._parts if age < len(self._past))
        self._current = wrap(sum(arrived, np.zeros(self._out_shape, np.int64)), self._kind.current_bits)

    def on_var_update(self) -> None:
        """A Var was set: read the parameters again."""
        self._parts = None


@cpu_model(WideDense)
class PyWideDenseModel(PyLoihiProcessModel):
    """Matrix times vector in 32 bits."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    a_buff: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    weights: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32, precision=24)
    num_message_bits: NDArray[np.int64] = LavaPyType(np.ndarray, int, precision=5)

    def run_spk(self) -> None:
        """One timestep."""
        self.a_out.send(self.a_buff)
        spikes = self.s_in.recv()
        if not self.num_message_bits.item():
            spikes = spikes.astype(bool)
        self.a_buff = self.weights.dot(spikes).astype(np.int32)


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


class MatmulConvModel(FixedModel):
    """Lava's fixed-point convolution as one matrix product per kernel tap: of floats where these are exact.

    Lava's own loops over pairs of channels in Python: 8 seconds for a step of a VGG16 at 32 x 32.
    """

    taps: NDArray[Any] | None = None
    gain = 0.0

    def run_spk(self) -> None:
        """One timestep."""
        self.a_out.send(self.a_buf)
        spikes = self.s_in.recv()
        if not self.num_message_bits.item():
            spikes = spikes.astype(bool)
        if self.taps is None:
            self.taps = taps_of(self.weight, int(self.groups[0]))
            self.gain = float(np.abs(self.taps).sum(axis=(0, 1, 3)).max())
        # Sums in 64 bits wrap as those of the engine do, but numpy multiplies integers slowly.
        exact = self.gain * np.abs(spikes.astype(np.float64)).max(initial=0) < EXACT
        taps = self.taps if exact else self.taps.astype(np.int64)
        total = convolve(spikes, taps, self.a_buf.shape, self.stride, self.padding, self.dilation)
        self.a_buf = utils.signed_clamp(total.astype(np.int64), bits=ACCUMULATOR_BITS).astype(np.int32)

    def on_var_update(self) -> None:
        """A Var was set: read the weights again."""
        self.taps = None


@cpu_model(Conv)
class PyConvModelMatmul(MatmulConvModel):
    """A faster model of lava.proc.conv.Conv; :class:`lava_mlsnn.proc.SimCfg` chooses it."""


@cpu_model(GroupedConv)
class PyGroupedConvModelFixed(MatmulConvModel):
    """Convolution of any number of groups in integers."""


@cpu_model(GroupedConv, "floating_pt")
class PyGroupedConvModelFloat(FloatModel):
    """Lava's convolution in floats."""


class _PoolModel(AbstractPyConvModel):
    """Sum pool."""

    a_buf: Any

    def run_spk(self) -> None:
        """One timestep."""
        self.a_out.send(self.a_buf)
        self.a_buf = sum_windows(self.s_in.recv(), self.a_buf, self.kernel_size, self.stride)


@cpu_model(Pool)
class PyPoolModelFixed(_PoolModel, FixedModel):
    """Sum pool of integers."""


@cpu_model(Pool, "floating_pt")
class PyPoolModelFloat(_PoolModel, FloatModel):
    """Sum pool of floats."""


class _IdentityModel(AbstractPyConvModel):
    """One-to-one synapse."""

    a_buf: Any

    def run_spk(self) -> None:
        """One timestep."""
        self.a_out.send(self.a_buf)
        self.a_buf = (self.s_in.recv() * self.weight.reshape(-1)).astype(self.a_buf.dtype)


@cpu_model(Identity)
class PyIdentityModelFixed(_IdentityModel, FixedModel):
    """One-to-one synapse of integers."""


@cpu_model(Identity, "floating_pt")
class PyIdentityModelFloat(_IdentityModel, FloatModel):
    """One-to-one synapse of floats."""


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


def taps_of(weight: NDArray[Any], groups: int) -> NDArray[np.float64]:
    """Weights (O, Kx, Ky, I / groups) of Lava's convolution -> matrices (Kx, Ky, groups, I / groups, O / groups)."""
    out_channels, columns, rows, in_group = weight.shape
    by_group = weight[:, ::-1, ::-1].reshape(groups, out_channels // groups, columns, rows, in_group)
    return np.ascontiguousarray(by_group.transpose(2, 3, 0, 4, 1), dtype=np.float64)


def convolve(
    spikes: NDArray[Any],
    taps: NDArray[Any],
    shape: tuple[int, ...],
    stride: NDArray[Any],
    padding: NDArray[Any],
    dilation: NDArray[Any],
) -> NDArray[Any]:
    """Spikes (W, H, I) -> sums of ``shape`` (W', H', O), for matrices of :func:`taps_of`, in their type.

    Example:
        >>> one = np.array([1, 1])
        >>> convolve(np.ones((3, 3, 1)), taps_of(np.ones((2, 3, 3, 1)), 1), (3, 3, 2), one, one, one)[0, 0]
        array([4., 4.])
    """
    columns, rows, out_channels = shape
    groups = taps.shape[2]
    padded = np.pad(spikes.astype(taps.dtype), ((padding[0],) * 2, (padding[1],) * 2, (0, 0)))
    total = np.zeros((groups, columns * rows, out_channels // groups), taps.dtype)
    for i in range(taps.shape[0]):
        for j in range(taps.shape[1]):
            seen = _tap(padded, (i * int(dilation[0]), j * int(dilation[1])), shape, stride)
            total += seen.reshape(columns * rows, groups, -1).transpose(1, 0, 2) @ taps[i, j]
    return total.transpose(1, 0, 2).reshape(shape)
