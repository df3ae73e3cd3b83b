r"""Energy of a layer by the model of Lemaire et al. 2023, extended to multi-level spikes ([Castagnetti2025], sec. 5.3).

Digital hardware in 45 nm with one local SRAM per memory: a layer pays for potentials, weights, biases, its input and
output queues, its operations and its address computations. Per inference, summed over all T timesteps, first of the ANN
(Eq 1.1 to 4, 6, 11, 12), then of an SNN with :math:`\theta_{in}` events in:

* potentials: none in an ANN; :math:`2 (\theta_{in} C_{out} K + T n_{out}) E(n_{out})` in an SNN.
* weights: :math:`M E(|W|)`; :math:`\theta_{in} C_{out} K E(|W|)`.
* bias: :math:`n_{out} E(|b|)`; :math:`T n_{out} E(|b|)`.
* io: :math:`M E(n_{in}) + n_{out} E(n_{out})`; :math:`(\theta_{in} + \theta_{out}) E(F)`.
* synaptic: :math:`M e_{MAC} + n_{out} e_{ACC}`;
  :math:`N \theta_{in} K_c C_{out} e_{ACC} + (T n_{out} + \theta_{out}) e_{ACC}`, leaky: :math:`+ T n_{out} e_{MAC}`.
* addressing: :math:`(n_{in} + n_{out} + C_{out} K) e_{ACC}`; :math:`\theta_{in} (2 e_{MAC} + K e_{ACC})`.

with :math:`M = n_{out} C_{in} K` and E the energy of an SRAM access (:mod:`~lava_mlsnn.energy.sram`). A dense layer has
K = 1, reads its input :math:`N_{in}` times and computes addresses as ``fc_addressing`` of
:class:`~lava_mlsnn.energy.options.Options` says. ``synaptic`` is the row "Synaptic Operations" of the paper's tables:
all ACC and MAC that are not addressing, the neurons' own included.

Warning:
    Deviations from the published texts, each an option where it matters:

    * T multiplies the bias reads and the neurons' accesses (``updates``); Lemaire et al. count them once.
    * A dense layer accumulates :math:`\theta_{in} N_{out}` times; the printed extra
      factor :math:`N_{in}` is a slip.
    * The bias ACC is charged with and without bias, as in the published code.
    * Groups divide the fan-out (``grouped``); the published code ignores them.
    * The table is the published counting, which :func:`layer` follows unless told otherwise. Networks are counted
      exactly by default (``strided``): :math:`C_{out} K` and :math:`K_c C_{out}` become the synapses that an event
      reaches, K in the addressing the positions, M the pairs of sites that a weight joins.
    * An ANN sum is priced per element; the published code adds the dimensions up instead of multiplying them.
    * Barrier neurons and relays have no published formula: an identity synapse priced like any other (extension).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..helpers.check import finite, flag, integer
from . import counts as count
from .counts import Counts
from .geometry import Geometry
from .options import Options, resolve

TERMS = ("potentials", "weights", "bias", "io", "synaptic", "addressing")
"""The terms of the model, in the order of Tables 3 and 4 of [Castagnetti2025]."""

EXTENSIONS = ("barrier", "identity")


@dataclass(frozen=True)
class LayerEnergy:
    """Joules of one layer and one inference, per term.

    ``memory`` sums the first four, ``total`` everything. ``counts`` says what was priced; ``extension`` marks a formula
    that no publication gives.

    Example:
        >>> t = layer("dense", 784, 128)
        >>> t.total == t.memory + t.synaptic + t.addressing
        True
    """

    potentials: float = 0.0
    weights: float = 0.0
    bias: float = 0.0
    io: float = 0.0
    synaptic: float = 0.0
    addressing: float = 0.0
    counts: Counts = field(default_factory=Counts)
    extension: bool = False

    @property
    def memory(self) -> float:
        """Joules of all memory accesses."""
        return self.potentials + self.weights + self.bias + self.io

    @property
    def total(self) -> float:
        """Joules of the layer."""
        return self.memory + self.synaptic + self.addressing

    @property
    def terms(self) -> dict[str, float]:
        """Term -> joules."""
        return {name: getattr(self, name) for name in TERMS}

    def __add__(self, other: LayerEnergy) -> LayerEnergy:
        return LayerEnergy(
            **{name: getattr(self, name) + getattr(other, name) for name in TERMS},
            counts=self.counts + other.counts,
            extension=self.extension or other.extension,
        )


def layer(
    kind: str,
    in_shape: Any,
    out_shape: Any,
    kernel: Any = (3, 3),
    stride: Any = (1, 1),
    groups: int = 1,
    bias: bool = True,
    events_in: float | None = None,
    events_out: float | None = None,
    steps: int = 1,
    levels: int = 1,
    leaky: bool = False,
    analog_input: bool = False,
    bits: int | None = None,
    fifo: int | None = None,
    *,
    inputs: int = 2,
    border: Any = 0,
    padding: Any = None,
    dilation: Any = 1,
    options: Options | str | None = None,
    **changes: Any,
) -> LayerEnergy:
    r"""Energy of one layer: an ANN layer when both event counts are None, else a layer of spiking neurons.

    Args:
        kind: "conv", "dense", "pool", "add", "barrier" (a barrier neuron on a residual sum), "identity" (a relay),
            "flatten".
        in_shape, out_shape: (C, H, W) without padding; a dense layer takes any shape, or an int.
        kernel, stride: (rows, columns) or one int; convolution and pooling only, ignored elsewhere.
        groups: channel groups of a convolution.
        bias: whether the layer has a bias per output channel.
        events_in: :math:`\theta_{in}`, non-zero spikes that enter during one inference, all T steps together (mean over
            samples). Several sources are added.
        events_out: :math:`\theta_{out}`, non-zero spikes that the layer's neurons emit; None beside a given
            ``events_in``: no neuron, 0.
        steps: T.
        levels: N, the largest value of an incoming spike; each of its synaptic operations is charged N ACC (the worst
            case of [Castagnetti2025]).
        leaky: the neurons decay (LIF).
        analog_input: the incoming values are not spikes (an image). With ``events_in=None`` and ``events_out`` given,
            every input is non-zero.
        bits, fifo: width of a word, depth of an event queue; None: what ``options`` says (16, 1000).
        inputs: maps that an ANN "add" or "barrier" sums.
        border: rows and columns of zeros around the output map that are counted with it (Tables 3 and 4 of
        [Castagnetti2025]).
        padding: zeros on each side of the input; None: the fewest with which the kernel gives ``out_shape``. It and
            ``dilation`` matter to the exact counting alone.
        dilation: distance between the taps of the kernel.
        options: :class:`~lava_mlsnn.energy.options.Options`, or the name of a preset; None: "qualia", the published
            code, with its counting (``strided="exact"`` among the changes counts exactly).
        changes: single options, such as ``sram="piecewise"``.

    Returns:
        LayerEnergy: ``.potentials .weights .bias .io .synaptic .addressing .memory .total`` in joules, ``.counts``.

    Raises:
        ValueError: names the argument, its value and what is accepted.

    Source:
        Lemaire et al., ICONIP 2022 (LNCS 2023), Eq 1.1 to 16.3, as implemented in qualia-plugin-snn 2.6.0;
        [Castagnetti2025], section 5.3, for N > 1.

    Example:
        >>> shapes = dict(in_shape=(64, 32, 32), out_shape=(64, 32, 32), kernel=(3, 3))
        >>> snn = layer("conv", events_in=6000, events_out=5000, levels=4, **shapes)
        >>> f"{snn.total * 1e6:.1f} uJ, {snn.total / layer('conv', **shapes).total:.3f} of the ANN"
        '243.8 uJ, 0.136 of the ANN'
        >>> half = dict(in_shape=(64, 32, 32), out_shape=(64, 16, 16), kernel=(3, 3), stride=2, events_in=6000)
        >>> [layer("conv", **half, strided=counting).counts.rd_weights for counting in ("published", "exact")]
        [3456000.0, 828375.0]
    """
    named = {name: value for name, value in (("bits", bits), ("fifo", fifo)) if value is not None}
    options = resolve("qualia" if options is None else options, **named, **changes)
    bias, leaky, analog_input = flag(bias, "bias"), flag(leaky, "leaky"), flag(analog_input, "analog_input")
    g = Geometry(
        kind, in_shape, out_shape, kernel, stride, groups, bias and kind in ("conv", "dense"), border, padding, dilation
    )
    steps, levels, inputs = integer(steps, "steps", 1), integer(levels, "levels", 1), integer(inputs, "inputs", 1)
    if events_in is None and events_out is not None:
        if not analog_input:
            raise ValueError(f"events_in: expected a number beside events_out={events_out}, got None")
        events_in = float(g.n_in * steps)
    if events_in is None:
        return ann_layer(g, options, inputs)
    events_in = finite(events_in, "events_in", low=0)
    events_out = 0.0 if events_out is None else finite(events_out, "events_out", low=0)
    analog = analog_input and g.kind in ("conv", "dense")
    if analog and options.first_layer == "ann":
        return ann_layer(g, options, inputs)
    if g.kind in ("add", "flatten") or (g.kind == "pool" and options.pool == "free"):
        return LayerEnergy()
    synapse = connection(g, events_in, steps, levels, options, analog=analog)
    neurons = population(g, events_out, steps, options, leaky=leaky, analog=analog)
    return synapse + neurons


def ann_layer(g: Geometry, options: Options, inputs: int = 2) -> LayerEnergy:
    """Energy of a layer of an ANN; a barrier neuron's counterpart is the sum that it stands on."""
    if g.kind in ("add", "barrier"):
        return price(count.ann_add(g, inputs), g, options, queued=False)
    return price(count.ann(g, options), g, options, queued=False)


def connection(
    g: Geometry, events: float, steps: int, levels: float, options: Options, *, analog: bool = False
) -> LayerEnergy:
    """Energy that the events of one source cause in one synapse; ``analog``: they are values, not spikes."""
    if analog:
        return price(count.analog_connection(g, events, steps, options), g, options)
    return price(count.connection(g, events, options), g, options, levels)


def population(
    g: Geometry,
    events_out: float,
    steps: int,
    options: Options,
    *,
    leaky: bool,
    analog: bool = False,
    words: int = 1,
    adds: int = 0,
) -> LayerEnergy:
    """Energy of a layer's neurons apart from what single events cause: updates, bias, leak, resets, output events.

    ``words``, ``adds``: of :func:`lava_mlsnn.energy.counts.population`.
    """
    done = count.population(g, events_out, steps, options, analog=analog, words=words, adds=adds)
    if leaky:
        done = done + count.leak(g.n_out, steps, analog=analog)
    return price(done, g, options)


def price(done: Counts, g: Geometry, options: Options, levels: float = 1, *, queued: bool = True) -> LayerEnergy:
    """Joules of counted work.

    Args:
        levels: ACC that one synaptic operation is charged.
        queued: whether input and output pass through event queues (SNN) or are read from and written to maps (ANN).
    """
    e = options.operations
    weights, biases = _parameter_memories(g, options)
    source, target = (options.fifo, options.fifo) if queued else (g.n_in, g.n_out)
    addressing_levels = levels if options.addressing == "table" else 1
    return LayerEnergy(
        potentials=(done.rd_pot + done.wr_pot) * options.access(g.n_out),
        weights=done.rd_weights * options.access(weights),
        bias=done.rd_bias * options.access(biases),
        io=done.rd_in * options.access(source) + done.wr_out * options.access(target),
        synaptic=(done.acc + (levels - 1) * done.acc_synaptic) * e.add + done.mac * e.mac + done.mul * e.mul,
        addressing=done.mac_addr * e.mac + addressing_levels * done.acc_addr * e.add,
        counts=done,
        extension=g.kind in EXTENSIONS or g.kind == "pool",
    )


def total(layers: Iterable[LayerEnergy]) -> LayerEnergy:
    """Sum over layers, per term."""
    return sum(layers, LayerEnergy())


def _parameter_memories(g: Geometry, options: Options) -> tuple[float, float]:
    """Words of the memories that weights and biases are read from."""
    rule = options.weight_memory
    if rule == "with_bias":
        return g.weights + g.biases, g.weights + g.biases
    per_group = {"layer": g.weights, "filter": g.c_in * g.kernel_size, "filter_out": g.c_out * g.kernel_size}[rule]
    return (per_group if rule == "layer" else per_group / g.groups), g.biases
