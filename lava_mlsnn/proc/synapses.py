"""From the synapses and neurons of a NetGraph to Lava's Processes, stock ones wherever they compute our integers."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from lava.proc.conv.process import Conv as StockConv
from lava.proc.dense.process import DelayDense as StockDelayDense
from lava.proc.dense.process import Dense as StockDense
from lava.utils.weightutils import SignMode

from lava_mlsnn import netx
from lava_mlsnn.netx.spec import Shape
from lava_mlsnn.proc.conv.process import GroupedConv, Identity, Pool
from lava_mlsnn.proc.dense.process import ResetDelayDense, WideDense
from lava_mlsnn.proc.timing import Timing

MESSAGE_BITS = 24
"""Any number above zero makes Lava's synapses keep the value of a spike."""

STOCK_GROUPS = 127
"""Lava's Conv keeps the number of groups in 8 signed bits."""

STOCK_WEIGHT = 2**15
"""Above it, sums may leave the 32 bits through which Lava's Conv takes them from floats. No chip has such weights."""


@singledispatch
def synapse_process(synapse: netx.Synapse, in_shape: Shape, timing: Timing, name: str) -> Any:
    """The Lava Process of a synapse, with ports ``s_in`` and ``a_out``.

    Args:
        synapse: its parameters.
        in_shape: (C, H, W) of the spikes.
        timing: of the layer that it belongs to.
        name: of the Process.
    """
    raise TypeError(f"no Process for a synapse of type {type(synapse).__name__}")


@synapse_process.register
def _conv(synapse: netx.Conv, in_shape: Shape, timing: Timing, name: str) -> Any:
    stock = synapse.groups <= STOCK_GROUPS and np.abs(synapse.weight.astype(np.int64)).max() <= STOCK_WEIGHT
    process = StockConv if stock else GroupedConv
    return process(
        weight=np.ascontiguousarray(synapse.weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1)),
        input_shape=in_shape[::-1],
        stride=synapse.stride[::-1],
        padding=synapse.padding[::-1],
        dilation=synapse.dilation[::-1],
        groups=synapse.groups,
        num_message_bits=MESSAGE_BITS,
        name=name,
    )


@synapse_process.register
def _dense(synapse: netx.Dense, in_shape: Shape, timing: Timing, name: str) -> Any:
    if not netx.fits_8_bits(synapse.weight):
        return WideDense(weights=synapse.weight, num_message_bits=MESSAGE_BITS, name=name)
    return StockDense(**_mixed(synapse.weight), name=name)


@synapse_process.register
def _delay_dense(synapse: netx.DelayDense, in_shape: Shape, timing: Timing, name: str) -> Any:
    if timing.reset_interval is not None or not netx.fits_8_bits(synapse.weight):
        return ResetDelayDense(weights=synapse.weight, delays=synapse.delays, name=name, **timing.reset)
    delays = np.broadcast_to(synapse.delays, synapse.weight.shape).astype(int)
    return StockDelayDense(**_mixed(synapse.weight), delays=delays, name=name)


def _mixed(weight: Any) -> dict[str, Any]:
    """Arguments of Lava's dense synapses that make them compute with ``weight``.

    Weights of mixed sign lose their lowest bit there, so the mantissa goes one bit up and the exponent one down.
    """
    exponent = netx.weight_exponent(weight)
    return {
        "weights": (weight >> exponent) << 1,
        "weight_exp": exponent - 1,
        "num_weight_bits": 8,
        "sign_mode": SignMode.MIXED,
        "num_message_bits": MESSAGE_BITS,
    }


@synapse_process.register
def _pool(synapse: netx.Pool, in_shape: Shape, timing: Timing, name: str) -> Any:
    return Pool(shape=in_shape[::-1], kernel=synapse.kernel[::-1], stride=synapse.stride[::-1], name=name)


@synapse_process.register
def _identity(synapse: netx.Identity, in_shape: Shape, timing: Timing, name: str) -> Any:
    return Identity(shape=in_shape[::-1], weight=synapse.weight, name=name)
