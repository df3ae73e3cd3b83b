"""Lava Processes of synapses that Lava's own cannot be: many groups, sum pools, wide weights, and any other kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.proc.conv.process import Conv
from lava.proc.dense.process import Dense
from numpy.typing import ArrayLike

from lava_mlsnn.graph.synapses import Synapse
from lava_mlsnn.helpers.check import Shape, positive_ints
from lava_mlsnn.proc.parameters import ParameterProcess, parameters_of
from lava_mlsnn.proc.ports import PortShape, port_shape
from lava_mlsnn.proc.timing import Resets


class Projection(ParameterProcess):
    """Any synapse of a NetGraph, which computes the kind's own reference, with its delays.

    Ports: ``s_in`` (W, H, C) and ``a_out`` (W', H', C'), or (C H W,) and (C',) for a synapse that makes a vector; one
    timestep later, plus the synapse's delays. Vars: its integer parameters (``weight`` and so on). Model: ``fixed_pt``.

    Args:
        synapse: the kind and its parameters, see :mod:`lava_mlsnn.graph.synapses`.
        in_shape: (C, H, W) of the spikes.
        reset_interval, reset_offset: spikes from before a step where ``time_step % reset_interval`` equals
            ``reset_offset % reset_interval`` at the output do not arrive in it or later; None for no resets.
        name: of the Process.

    Raises:
        ValueError: the synapse does not fit ``in_shape``.

    Example:
        >>> from lava_mlsnn.netx import DelayDense
        >>> late = Projection(synapse=DelayDense(np.ones((4, 6)), [[0] * 5 + [3]]), in_shape=(6, 1, 1))
        >>> late.s_in.shape, late.a_out.shape, late.weight.shape
        ((6,), (4,), (4, 6))
    """

    def __init__(
        self,
        *,
        synapse: Synapse,
        in_shape: Shape,
        reset_interval: int | None = None,
        reset_offset: int = 0,
        name: str | None = None,
    ) -> None:
        if not isinstance(synapse, Synapse):
            raise ValueError(f"synapse of a Projection: expected a synapse of a NetGraph, got {synapse!r}")
        in_shape = positive_ints(in_shape, "in_shape of a Projection", 3)  # type: ignore[assignment]
        out_shape = synapse.out_shape(in_shape)
        timing = Resets(reset_interval, reset_offset).arguments
        super().__init__(
            kind=type(synapse),
            in_shape=in_shape,
            out_shape=out_shape,
            name=name,
            **timing,
        )
        self.s_in = InPort(shape=port_shape(in_shape, bool(synapse.flat)))
        self.a_out = OutPort(shape=port_shape(out_shape, bool(synapse.flat)))
        self.declare_parameters(parameters_of(synapse))


class WideDense(Dense):
    """lava.proc.dense.Dense without its clipping to 9 and truncation to 8 bits, for weights that no chip can hold.

    Args:
        weights: integers (O, I), used as they are.
        num_message_bits: 0 for binary spikes, more for graded ones.
        name: of the Process.

    Ports: ``s_in``, ``a_out``, one timestep later. Model: ``fixed_pt``.
    """


class GroupedConv(Conv):
    """lava.proc.conv.Conv for more than 127 groups, which its own models keep in 8 bits, and for weights of any width.

    Arguments are the same. Models: ``fixed_pt``, ``floating_pt``.
    """


class Pool(Conv):
    """Sum pooling: a depthwise convolution of ones.

    Args:
        shape: of the spikes, (W, H, C).
        kernel, stride: (columns, rows).
        name: of the Process.

    Ports: ``s_in``, ``a_out`` (W', H', C), one timestep later, in 32 bits. Models: ``fixed_pt``, ``floating_pt``.
    """

    def __init__(
        self, *, shape: PortShape, kernel: tuple[int, int], stride: tuple[int, int], name: str | None = None
    ) -> None:
        channels = shape[-1]
        super().__init__(
            weight=np.ones((channels, *kernel, 1), np.int32),
            input_shape=shape,
            stride=stride,
            groups=channels,
            num_message_bits=24,
            name=name,
        )


class Identity(Conv):
    """One-to-one synapse, a = w z with one weight per channel: a depthwise 1 x 1 convolution.

    Args:
        shape: of the spikes, (W, H, C).
        weight: a scalar or one per channel.
        name: of the Process.

    Ports: ``s_in``, ``a_out``, one timestep later, in 32 bits. Models: ``fixed_pt``, ``floating_pt``.
    """

    def __init__(self, *, shape: PortShape, weight: ArrayLike = 1, name: str | None = None) -> None:
        channels = shape[-1]
        per_channel: Any = np.broadcast_to(np.asarray(weight), (channels,))
        super().__init__(
            weight=per_channel.reshape(channels, 1, 1, 1).copy(),
            input_shape=shape,
            groups=channels,
            num_message_bits=24,
            name=name,
        )
