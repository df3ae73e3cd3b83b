"""What compiled code reads and writes: a record per node, connection and event list, and the arrays that hold them.

The fields of a record are 64-bit integers, ``link.channels`` in compiled code and ``link["channels"]`` in Python. A
*place* is an index into one of the flat arrays, whose name is given with it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


def _record(*names: str, **others: type) -> np.dtype[Any]:
    return np.dtype([*((name, np.int64) for name in names), *others.items()], align=True)


NODE = _record(
    "kernel",  # index in neurons.KERNELS
    "parameters",  # its first row in Tables.parameters
    "per_neuron",  # whether parameters are laid out for every neuron rather than for every channel
    "gated",
    "spiking",
    "depth",  # timesteps behind the input; 0 where all layers work on the same step
    "channels",
    "sites",
    "size",
    "currents",  # that each of its neurons takes
    "first_link",  # its connections
    "end_link",
    "state",  # place in work: the arrays of the state
    "state_size",  # how far apart these lie: size, or a chunk where no state outlives the step
    "slots",  # event lists that it keeps: one for each timestep that some layer looks back, and one
    "first_slot",
    "lists",  # place in work: the first of these lists, see event_lists
    "bytes_suffice",  # whether what it sends fits bytes and all its readers have a path that reads nothing else
)
"""The input, which is node 0, or a layer."""

LINK = _record(
    "kernel",  # index in synapses.KERNELS
    "first_source",
    "end_source",
    "delays",  # place in constants: the delays of the synapse itself, ascending from 0
    "delay_count",  # 1 for a synapse without
    "wide",  # whether weights are int32
    "weight",  # place in weights or in wide_weights
    "row",  # weights of one input channel (of a flat kernel: input neuron)
    "exponent",  # of the weights
    "current_bits",  # at which the current wraps
    "counted",  # whether overflows are reported
    "flat",  # whether the kernel reads neurons by their number, whatever their site
    "channels",  # of the sources
    "height",
    "width",
    "out_channels",
    "out_height",
    "out_width",
    "kernel_height",
    "kernel_width",
    "in_group",  # input channels of a group
    "out_group",
    "rows_count",  # places in constants, and steps: see synapses.arrangement.Table
    "rows_tap",
    "rows_out",
    "rows_tap_step",
    "rows_out_step",
    "columns_count",
    "columns_length",
    "columns_tap",
    "columns_out",
    "columns_tap_step",
    "columns_out_step",
    "dense",  # whether the dense path can do it; what follows is for that path
    "stride_rows",
    "stride_columns",
    "padding_rows",
    "padding_columns",
    "dilation_rows",
    "dilation_columns",
    "padded_height",
    "padded_width",
    "order",  # place in constants: where each column of the kernel is stored
    "most",  # largest event that the dense path in bytes can take, 0 for none; what follows is for that path
    "packed",  # place in weights
    "corners",  # place in constants: the first byte of the padded input that each output sees
    bound=np.float64,  # largest sum of absolute weights that one output neuron can see
)
"""A connection."""

SOURCE = _record(
    "node",
    "lag",  # how many steps back it is read
)
"""One of a connection's sources."""

PARAMETER = _record(
    "start",  # place in constants
    "rows",  # how many there are: one per step, or all for one neuron
    "stride",  # from one to the next
)
"""Where a neuron's kernel finds one of its parameters."""

SLOT = _record("count", "max", "min", "sum", "listed", "before")
"""What is known of the values of an event list; ``sum`` is that of the absolute values, ``before`` the last count."""

CONTROL = _record(
    "step",  # the last timestep that has been computed
    "steps",  # how many to compute in a call
    "restart",  # whether every call begins at step 1
    "interval",  # between resets; 0 for none
    "offset",  # phase of the resets
    "period",  # timesteps of a sample, T
    "latency",  # depth of the deepest layer
    "samples",  # out: complete samples counted
    "current",  # places in work. The sum of all synapses; zero between layers
    "scratch",  # accumulator of one synapse; zero between synapses
    "merged",  # dense sum of several sources; zero between connections
    "merged_events",  # its event list
    "spikes",  # what a chunk of neurons sends, dense
)
"""What :class:`~.engine.Engine` asks of the compiled function, and where all layers share memory."""


class Tables(NamedTuple):
    """What is constant in a run; the engines of several threads share it."""

    weights: Any  # int8
    wide_weights: Any  # int32
    constants: Any  # int32
    parameters: Any  # PARAMETER
    nodes: Any  # NODE
    links: Any  # LINK
    sources: Any  # SOURCE


class Memory(NamedTuple):
    """What an engine computes in."""

    work: Any  # int32
    wide: Any  # int64 accumulators
    image: Any  # float32, the padded input of the dense path
    bytes: Any  # uint8, that of the dense path in bytes
    slots: Any  # SLOT; the last one is the list of a sum of sources
    control: Any  # CONTROL, one
    dense_from: Any  # float64 (2, 4), see transmit.dense_from


class Counts(NamedTuple):
    """What is counted, each int64 and in this order: events, values and overflows per node, events per connection."""

    now: Any  # (n,), the last step
    depths: Any  # (n,), of the layer that is counted
    ring: Any  # (latency + 1, n), the last steps
    sample: Any  # (T, n), of the sample that is leaving the network
    totals: Any  # (T, n), of all complete samples
