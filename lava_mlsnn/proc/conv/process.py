"""Lava Processes of the convolutions that Lava's own cannot do: sum pools, one-to-one synapses, many groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.proc.conv.process import Conv
from numpy.typing import ArrayLike

from lava_mlsnn.proc.layout import PortShape


class GroupedConv(Conv):
    """lava.proc.conv.Conv for more than 127 groups, which its own models keep in 8 bits, and for weights of any width.

    Arguments are the same.

    Models: ``fixed_pt``, ``floating_pt``.
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
