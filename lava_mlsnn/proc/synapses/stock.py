"""From the synapses of a NetGraph to Lava's Processes: stock ones wherever they compute our integers."""

from __future__ import annotations

from functools import singledispatch
from typing import Any, NamedTuple

import numpy as np
from lava.proc.conv.process import Conv as StockConv
from lava.proc.dense.process import DelayDense as StockDelayDense
from lava.proc.dense.process import Dense as StockDense
from lava.utils.weightutils import SignMode

from lava_mlsnn.graph import synapses
from lava_mlsnn.graph.synapses import fits_8_bits, weight_exponent
from lava_mlsnn.helpers.check import Shape
from lava_mlsnn.proc.synapses.process import GroupedConv, Identity, Pool, Projection, WideDense
from lava_mlsnn.proc.timing import Resets

MESSAGE_BITS = 24
"""Any number above zero makes Lava's synapses keep the value of a spike."""

STOCK_GROUPS = 127
"""Lava's Conv keeps the number of groups in 8 signed bits."""

INT32 = 2.0**31
"""Above it, a sum leaves the 32 bits in which Lava's synapses compute."""


class Site(NamedTuple):
    """Where a synapse sits.

    Args:
        in_shape: (C, H, W) of the spikes.
        resets: of the layer that it belongs to.
        largest: bound of its sums.
        name: of its Process.
    """

    in_shape: Shape
    resets: Resets
    largest: float
    name: str


@singledispatch
def synapse_process(synapse: synapses.Synapse, site: Site) -> Any:
    """The Lava Process of a synapse, with ports ``s_in`` and ``a_out``."""
    return Projection(synapse=synapse, in_shape=site.in_shape, name=site.name, **site.resets.arguments)


@synapse_process.register
def _conv(synapse: synapses.Conv, site: Site) -> Any:
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
def _dense(synapse: synapses.Dense, site: Site) -> Any:
    if not fits_8_bits(synapse.weight):
        return WideDense(weights=synapse.weight, num_message_bits=MESSAGE_BITS, name=site.name)
    return StockDense(**_mixed(synapse.weight, site.largest), name=site.name)


@synapse_process.register
def _delay_dense(synapse: synapses.DelayDense, site: Site) -> Any:
    if site.resets.interval is not None or not fits_8_bits(synapse.weight):  # Lava's has no reset
        return Projection(synapse=synapse, in_shape=site.in_shape, name=site.name, **site.resets.arguments)
    delays = np.broadcast_to(synapse.delays, synapse.weight.shape).astype(int)
    return StockDelayDense(**_mixed(synapse.weight, site.largest), delays=delays, name=site.name)


def _mixed(weight: Any, largest: float) -> dict[str, Any]:
    """Arguments of Lava's dense synapses that make them compute with ``weight``.

    Weights of mixed sign lose their lowest bit there, so the mantissa goes one bit up and the exponent one down. Where
    the sum would not fit with that extra bit, the mantissa stays and is declared one bit wider, 9 bits.
    """
    exponent = weight_exponent(weight)
    up = 1 if 2 * largest < INT32 else 0
    return {
        "weights": (weight >> exponent) << up,
        "weight_exp": exponent - up,
        "num_weight_bits": 9 - up,
        "sign_mode": SignMode.MIXED,
        "num_message_bits": MESSAGE_BITS,
    }


@synapse_process.register
def _pool(synapse: synapses.Pool, site: Site) -> Any:
    return Pool(shape=site.in_shape[::-1], kernel=synapse.kernel[::-1], stride=synapse.stride[::-1], name=site.name)


@synapse_process.register
def _identity(synapse: synapses.Identity, site: Site) -> Any:
    return Identity(shape=site.in_shape[::-1], weight=synapse.weight, name=site.name)
