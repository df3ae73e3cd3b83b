"""From the synapses and neurons of a NetGraph to Lava's Processes, stock ones wherever they compute our integers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from lava.proc.conv.process import Conv as StockConv
from lava.proc.dense.process import DelayDense as StockDelayDense
from lava.proc.dense.process import Dense as StockDense
from lava.utils.weightutils import SignMode

from lava_mlsnn import netx
from lava_mlsnn.helpers.check import Shape
from lava_mlsnn.proc.conv.process import GroupedConv, Identity, Pool
from lava_mlsnn.proc.dense.process import ResetDelayDense, WideDense
from lava_mlsnn.proc.timing import Timing

MESSAGE_BITS = 24
"""Any number above zero makes Lava's synapses keep the value of a spike."""

STOCK_GROUPS = 127
"""Lava's Conv keeps the number of groups in 8 signed bits."""

INT32 = 2.0**31
"""Above it, a sum leaves the 32 bits in which Lava's synapses compute."""


@dataclass(frozen=True)
class Site:
    """Where a synapse sits.

    Args:
        in_shape: (C, H, W) of the spikes.
        timing: of the layer that it belongs to.
        largest: bound of its sums.
        name: of its Process.
    """

    in_shape: Shape
    timing: Timing
    largest: float
    name: str


@singledispatch
def synapse_process(synapse: netx.Synapse, site: Site) -> Any:
    """The Lava Process of a synapse, with ports ``s_in`` and ``a_out``."""
    raise TypeError(f"no Process for a synapse of type {type(synapse).__name__}")


@synapse_process.register
def _conv(synapse: netx.Conv, site: Site) -> Any:
    stock = synapse.groups <= STOCK_GROUPS and site.largest < INT32
    process = StockConv if stock else GroupedConv
    return process(
        weight=np.ascontiguousarray(synapse.weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1)),
        input_shape=site.in_shape[::-1],
        stride=synapse.stride[::-1],
        padding=synapse.padding[::-1],
        dilation=synapse.dilation[::-1],
        groups=synapse.groups,
        num_message_bits=MESSAGE_BITS,
        name=site.name,
    )


@synapse_process.register
def _dense(synapse: netx.Dense, site: Site) -> Any:
    if not netx.fits_8_bits(synapse.weight):
        return WideDense(weights=synapse.weight, num_message_bits=MESSAGE_BITS, name=site.name)
    return StockDense(**_mixed(synapse.weight, site.largest), name=site.name)


@synapse_process.register
def _delay_dense(synapse: netx.DelayDense, site: Site) -> Any:
    if site.timing.reset_interval is not None or not netx.fits_8_bits(synapse.weight):
        return ResetDelayDense(weights=synapse.weight, delays=synapse.delays, name=site.name, **site.timing.reset)
    delays = np.broadcast_to(synapse.delays, synapse.weight.shape).astype(int)
    return StockDelayDense(**_mixed(synapse.weight, site.largest), delays=delays, name=site.name)


def _mixed(weight: Any, largest: float) -> dict[str, Any]:
    """Arguments of Lava's dense synapses that make them compute with ``weight``.

    Weights of mixed sign lose their lowest bit there, so the mantissa goes one bit up and the exponent one down. Where
    the sum's bit on top would not fit, the mantissa stays and is declared as wide as it then has to be, 9 bits.
    """
    exponent = netx.weight_exponent(weight)
    up = 1 if 2 * largest < INT32 else 0
    return {
        "weights": (weight >> exponent) << up,
        "weight_exp": exponent - up,
        "num_weight_bits": 9 - up,
        "sign_mode": SignMode.MIXED,
        "num_message_bits": MESSAGE_BITS,
    }


@synapse_process.register
def _pool(synapse: netx.Pool, site: Site) -> Any:
    return Pool(shape=site.in_shape[::-1], kernel=synapse.kernel[::-1], stride=synapse.stride[::-1], name=site.name)


@synapse_process.register
def _identity(synapse: netx.Identity, site: Site) -> Any:
    return Identity(shape=site.in_shape[::-1], weight=synapse.weight, name=site.name)
