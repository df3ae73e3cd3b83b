r"""What a layer does, counted: operations and memory accesses per inference, before any of them has a price.

Notation of Lemaire et al. 2023: :math:`K = K_h K_w`, :math:`K_c = \lceil K_h/S_h \rceil \lceil K_w/S_w \rceil`,
:math:`n` the sites of a map, :math:`\theta_{in}, \theta_{out}` the events that enter and leave the layer during all T
timesteps. An event is a non-zero spike, whatever its value.

What an event costs in a kernel is counted in two ways (``strided`` of :class:`~lava_mlsnn.energy.options.Options`):

* **exact**: an event reads the weights and touches the potentials of the output positions that it reaches, borders
  respected: the mean over the input sites. Two kernels of 3 x 3 on a map of 32 x 32 that differ in their stride only,
  1 and 2, reach 8.6 and 2.16 positions. An ANN multiplies the same pairs once each: it skips the zeros around the map.
* **published** (Lemaire et al., and the published code): an event accesses all K positions, whatever the stride, and
  accumulates at :math:`K_c` of them; an ANN multiplies the zeros around the map, too. Where a stride skips positions
  this charges a spiking layer accesses that cannot happen: at full activity about :math:`S_h S_w` times its ANN's.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from .geometry import Geometry
from .options import Options


@dataclass(frozen=True)
class Counts:
    """Operations and memory accesses of one layer and one inference.

    Args:
        acc: accumulations (ACC) in synapses and neurons, each event counted once whatever its levels.
        acc_synaptic: the part of ``acc`` that an event with N levels can repeat N times.
        mac, mul: multiply-accumulates, and multiplications alone.
        rd_in, wr_out: reads of input values or events, writes of output values or events.
        rd_weights, rd_bias, rd_pot, wr_pot: accesses to weights, biases and membrane potentials.
        acc_addr, mac_addr: ACC and MAC that compute addresses.
    """

    acc: float = 0.0
    acc_synaptic: float = 0.0
    mac: float = 0.0
    mul: float = 0.0
    rd_in: float = 0.0
    wr_out: float = 0.0
    rd_weights: float = 0.0
    rd_bias: float = 0.0
    rd_pot: float = 0.0
    wr_pot: float = 0.0
    acc_addr: float = 0.0
    mac_addr: float = 0.0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def to_dict(self) -> dict[str, float]:
        """Name of the count -> number."""
        return asdict(self)


def ann(g: Geometry, options: Options) -> Counts:
    """Counts of an ANN layer (Lemaire Eq 1.1 to 4, 6.1, 6.2, 11, 12); pooling and reshaping cost nothing."""
    if g.kind not in ("conv", "dense"):
        return Counts()
    macs = g.macs(options)
    if g.kind == "conv":
        reads, addresses = macs, g.n_in + g.n_out + g.c_out * g.kernel_size
    else:
        reads = float(g.n_in)
        addresses = g.n_in * g.n_out if options.fc_addressing == "qualia" else g.n_in + g.n_out
    return Counts(
        acc=g.n_out,
        mac=macs,
        rd_in=reads,
        wr_out=g.n_out,
        rd_weights=macs,
        rd_bias=g.n_out if g.biases else 0,
        acc_addr=addresses,
    )


def ann_add(g: Geometry, inputs: int) -> Counts:
    """An element-wise sum of ``inputs`` maps in an ANN: reads all, writes one, (inputs - 1) additions per site."""
    n = g.n_out
    return Counts(acc=(inputs - 1) * n, rd_in=inputs * n, wr_out=n, acc_addr=n)


def connection(g: Geometry, events: float, options: Options) -> Counts:
    """What the events of a source cause in one synapse: accumulations, weight and potential accesses, addressing."""
    synapses, accesses = g.fanout(options)
    return Counts(
        acc=events * synapses,
        acc_synaptic=events * synapses,
        rd_in=events,
        rd_weights=events * accesses if g.weights else 0.0,
        rd_pot=events * accesses,
        wr_pot=events * accesses,
        **_addressing(g, events, options),
    )


def analog_connection(g: Geometry, events: float, steps: int, options: Options) -> Counts:
    """An analog (non-binary) input in front of neurons: MACs of the z1 non-zero inputs of one timestep, charged once.

    Potentials keep the factor T: the current, computed once, is added in every step.
    """
    z1 = events / steps
    _, accesses = g.fanout(options)
    return Counts(
        mac=g.macs(options) * z1 / g.n_in,
        rd_in=z1,
        rd_weights=z1 * accesses,
        rd_pot=events * accesses,
        wr_pot=events * accesses,
        **_addressing(g, z1, options),
    )


def population(
    g: Geometry,
    events_out: float,
    steps: int,
    options: Options,
    *,
    analog: bool = False,
    words: int = 1,
    adds: int = 0,
) -> Counts:
    """What the neurons do without being reached by events: update (bias) in every step, and reset where they fire.

    Neurons behind a convolution or a dense layer spend one ACC on each update; barrier neurons and relays, which have
    no bias, none. Behind an analog first layer the update is charged once per inference. Neurons with more state than
    a membrane potential read and write ``words`` words in an update, and spend ``adds`` further ACC on it.
    """
    n = g.n_out
    per_step = steps if options.updates == "every_step" else 1
    updates = (1 if analog else steps) * n if g.kind in ("conv", "dense") or g.biases else 0
    return Counts(
        acc=updates + adds * steps * n + events_out,
        wr_out=events_out,
        rd_bias=per_step * n if g.biases else 0,
        rd_pot=words * per_step * n,
        wr_pot=words * per_step * n,
    )


def leak(n: int, steps: int, *, analog: bool = False) -> Counts:
    """The decay of leaky neurons: one MAC per neuron and step; behind an analog input one multiplication each."""
    return Counts(mul=n) if analog else Counts(mac=steps * n)


def _addressing(g: Geometry, events: float, options: Options) -> dict[str, Any]:
    if g.kind == "dense":
        per_event = g.n_out / g.n_in if options.fc_addressing == "qualia" else g.n_out
        return {"acc_addr": events * per_event}
    if g.kind == "conv":
        accesses = g.fanout(options)[1]
        per_event = accesses if options.conv_addressing == "lemaire" else accesses / g.channels(options)
        return {"acc_addr": events * per_event, "mac_addr": 2 * events}
    return {}
