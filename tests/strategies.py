"""Hypothesis strategies of small random networks and their inputs, shared by the tests of every engine.

Sizes are kept tiny (a few channels, at most 7 x 7 sites) so that one example costs milliseconds, and every choice
shrinks towards the plainest one: one convolution or dense layer, one step, binary spikes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from lava_mlsnn.graph.neurons import NEURONS
from lava_mlsnn.netx import (
    INPUT,
    LIF,
    Barrier,
    Connection,
    Conv,
    CubaLIF,
    DelayDense,
    Delta,
    Dense,
    Identity,
    Injection,
    Input,
    Late,
    Layer,
    MultiLevel,
    NetGraph,
    Neuron,
    Pool,
    Readout,
    Relay,
    Rescale,
    Resonator,
    Scheduled,
    Sigma,
    SigmaDelta,
    SoftLIF,
    Staircase,
    Synapse,
    Unflatten,
)

KINDS = (
    "multilevel",
    "barrier",
    "relay",
    "scheduled",
    "staircase",
    "soft_lif",
    "rescale",
    "cuba_lif",
    "lif",
    "delta",
    "sigma_delta",
    "sigma",
)
"""Neurons that hidden layers may have; a graph's last layer may also be a readout."""

Shape = tuple[int, int, int]


@dataclass
class Options:
    """What random graphs may hold; engines or files that know less narrow it.

    ``late`` adds what few files know: dense synapses with delays, neurons that pass on a step later, resonators, and
    vectors that become maps. ``gated_only`` keeps to our own layers, those that wait for their input.
    """

    kinds: tuple[str, ...] = KINDS
    max_layers: int = 5
    max_steps: int = 4
    recurrent: bool = True
    injection: bool = True
    large: bool = True
    gated_only: bool = False
    late: bool = False

    def __post_init__(self) -> None:
        if self.gated_only:
            self.kinds = tuple(kind for kind in self.kinds if NEURONS[kind].gated)
            self.injection = False


@dataclass
class _Net:
    """A graph under construction: what has been drawn so far."""

    shapes: dict[str, Shape]
    steps: int = 1
    layers: list[Layer] = field(default_factory=list)

    def like(self, shape: Shape) -> list[str]:
        return [name for name, other in self.shapes.items() if other == shape]

    def add(self, layer: Layer) -> None:
        self.layers.append(layer)
        self.shapes[layer.name] = layer.shape


def _ints(draw: Any, shape: tuple[int, ...], low: int, high: int) -> np.ndarray:
    """Random integers: a seed for large arrays (hypothesis would take seconds), zeros among them."""
    seed = draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    return rng.integers(low, high + 1, size=shape) * (rng.random(shape) < 0.9)


def _weights(draw: Any, shape: tuple[int, ...], large: bool) -> np.ndarray:
    bound = draw(st.sampled_from((3, 127, 1)))
    exponent = draw(st.sampled_from((0, 0, 0, 1, 3)))
    if large and draw(st.integers(0, 19)) == 19:  # what stock files may hold and 8 bits cannot, up to overflow
        bound = draw(st.sampled_from((200, 1001, 2**17, 2**26)))
    return _ints(draw, shape, -bound, bound) << exponent


@st.composite
def convs(draw: Any, in_shape: Shape, large: bool = True) -> Conv:
    """A convolution that fits ``in_shape``; every other one keeps the shape, so that residual sums find partners."""
    channels, *size = in_shape
    if draw(st.booleans()):
        return Conv(_weights(draw, (channels, channels, 3, 3), large), padding=1)
    groups = draw(st.sampled_from([g for g in (1, 1, 2, 3, 4) if channels % g == 0]))
    out = groups * draw(st.integers(1, 6 // groups + 1))
    padding = [draw(st.integers(0, 2)) for _ in size]
    dilation, kernel = [], []
    for n, p in zip(size, padding, strict=True):
        room = n + 2 * p
        k = draw(st.integers(1, min(3, room)))
        kernel.append(k)
        dilation.append(
            draw(st.integers(1, max(1, min(3, (room - 1) // (k - 1))))) if k > 1 else draw(st.integers(1, 2))
        )
    stride = [draw(st.integers(1, 3)) for _ in size]
    weight = _weights(draw, (out, channels // groups, *kernel), large)
    return Conv(weight, tuple(stride), tuple(padding), tuple(dilation), groups)


@st.composite
def delayed(draw: Any, weight: np.ndarray) -> DelayDense:
    """Dense weights with delays per output, per input or per synapse."""
    rows, columns = draw(st.sampled_from(((1, 0), (0, 1), (1, 1))))
    shape = (weight.shape[0] if rows else 1, weight.shape[1] if columns else 1)
    return DelayDense(weight, _ints(draw, shape, 0, draw(st.sampled_from((1, 3, 9)))))


@st.composite
def synapses(draw: Any, in_shape: Shape, large: bool = True, late: bool = False) -> Synapse:
    """Any synapse that fits ``in_shape``, with delays or into other maps only if ``late``."""
    kinds = ("dense", "conv", "conv", "conv", "pool", "identity", "delay_dense", "unflatten")
    kind = draw(st.sampled_from(kinds if late else kinds[:6]))
    if kind in ("dense", "delay_dense"):
        features = draw(st.sampled_from((1, 3, 8, 20)))
        dense = Dense(_weights(draw, (features, int(np.prod(in_shape))), large))
        return dense if kind == "dense" else draw(delayed(dense.weight))
    if kind == "conv":
        return draw(convs(in_shape, large))
    if kind == "unflatten":
        sites = int(np.prod(in_shape))
        sizes = [(h, w) for h in range(1, 8) for w in range(1, 8) if sites % (h * w) == 0 and sites // (h * w) <= 30]
        return Unflatten(*draw(st.sampled_from(sizes or [in_shape[1:]])))
    if kind == "pool":
        kernel = tuple(draw(st.integers(1, min(3, n))) for n in in_shape[1:])
        return Pool(kernel, tuple(draw(st.integers(1, 3)) for _ in kernel))
    weight = draw(st.sampled_from((1, 2, -3, "channels")))
    return Identity(_ints(draw, in_shape[:1], -8, 8) if weight == "channels" else np.array(weight))


@st.composite
def stepwise(draw: Any, channels: int, steps: int, kind: str) -> Neuron:
    """A neuron whose scale and offset may differ from step to step; scales around one, down to zero, of both signs."""
    shift = np.abs(_ints(draw, (channels,), 0, draw(st.sampled_from((6, 0, 15, 31)))))
    high = draw(st.sampled_from((127, 1, 2**15 - 1)))
    scale = _ints(draw, (channels, draw(st.sampled_from((1, steps)))), -high // 4, high)
    offset = _ints(draw, (channels, draw(st.sampled_from((1, steps)))), -20, draw(st.sampled_from((40, 2**20))))
    if kind == "rescale":
        return Rescale(scale, shift, offset, draw(st.sampled_from((127, 1, 2**15))))
    threshold = draw(st.sampled_from((1, 8, 100, "channel")))
    threshold = 1 + np.abs(_ints(draw, (channels,), 0, 60)) if threshold == "channel" else threshold
    keep, spike, strict = (st.sampled_from(found) for found in ((516, 0, 1, 4096), (1, 16), (1, 0)))
    return SoftLIF(scale, shift, offset, threshold, draw(keep), draw(spike), draw(strict))


@st.composite
def cuba_lifs(draw: Any, channels: int) -> CubaLIF:
    """The general LIF in its variants: leaks of one value or one per channel, resets, floors."""

    def some(low: int, high: int) -> Any:
        return _ints(draw, draw(st.sampled_from(((), (channels,)))), low, high)

    hard, bits = draw(st.booleans()), draw(st.sampled_from((1, 12, 23)))
    return CubaLIF(
        1 + np.abs(some(0, draw(st.sampled_from((4, 100))))),
        draw(st.sampled_from((2, 0, 1))),
        np.abs(some(0, min(1 << bits, 2**23 - 1))),
        dv_bits=bits,
        gain=draw(st.sampled_from((1, 3))),
        levels=draw(st.sampled_from((1, 2, 255))),
        strict=draw(st.booleans()),
        hard=hard,
        reset=draw(st.sampled_from(("same", "next") if hard else ("same", "next", "owed"))),
        v_reset=some(-5, 5),
        drive=some(-3, 9),
        floor=draw(st.sampled_from((-(2**31), -10, 0))),
        leaks_input=draw(st.booleans()),
    )


@st.composite
def resonators(draw: Any, channels: int) -> Resonator:
    """Fast and slow ones, damped and growing, with one pair of factors or one per channel."""
    factors = [_ints(draw, (channels,), -4200, 4200) for _ in range(2)]
    if draw(st.booleans()):
        factors = [draw(st.sampled_from((0, 1, 700, 4000, -3000, 2**15 - 1))) for _ in range(2)]
    return Resonator(draw(st.sampled_from((0, 1, 20, 300))), *factors, draw(st.booleans()))


@st.composite
def neurons(draw: Any, channels: int, kinds: tuple[str, ...] = KINDS, steps: int = 1) -> Neuron:
    """A neuron of one of ``kinds``, with thresholds near the currents of small networks so that it does fire."""
    kind = draw(st.sampled_from(kinds))
    if kind in ("soft_lif", "rescale"):
        return draw(stepwise(channels, steps, kind))
    if kind == "cuba_lif":
        return draw(cuba_lifs(channels))
    levels = draw(st.sampled_from((1, 4, 2, 3, 10, 255)))
    if kind in ("scheduled", "staircase"):
        rows, columns = draw(st.sampled_from((1, channels))), steps if kind == "scheduled" else min(levels, 10)
        table = 1 + np.abs(_ints(draw, (rows, columns), 0, draw(st.sampled_from((4, 100, 2**20)))))
        if kind == "staircase":
            return Staircase(np.sort(table, axis=1))
        shape = (draw(st.sampled_from((1, channels))), steps)
        return Scheduled(levels, table, draw(st.sampled_from((0, _ints(draw, shape, -60, 60)))))
    if kind == "multilevel":
        if draw(st.booleans()):
            return MultiLevel(levels, draw(st.sampled_from((1, 8, 7, 64, 100, 2**20 + 1))))
        return MultiLevel(levels, 1 + np.abs(_ints(draw, (channels,), 0, draw(st.sampled_from((4, 100))))))
    if kind == "barrier":
        return Barrier(levels)
    if kind == "lif":
        du, dv = draw(st.sampled_from(((4095, 4096), (4095, 0), (1024, 128), (-1, 4096), (0, 1))))
        return LIF(draw(st.sampled_from((0, 1, 10, 64, 500))), du, dv, draw(st.sampled_from((6, 0, 7))))
    if kind in ("delta", "sigma_delta"):
        vth, exponents = draw(st.sampled_from((0, 1, 3, 20))), draw(st.sampled_from(((6, 6), (0, 0), (0, 6), (2, 3))))
        model = draw(st.sampled_from(("released", "corrected")))
        return (Delta if kind == "delta" else SigmaDelta)(vth, *exponents, model)
    return {"relay": Relay, "sigma": Sigma, "late": Late}[kind]()


@st.composite
def biases(draw: Any, shape: Shape, neuron: Neuron) -> np.ndarray | None:
    """None, one per channel or one per neuron."""
    if isinstance(neuron, (Barrier, Delta, Late, Sigma, SoftLIF, Rescale)):
        return None
    kind = draw(st.sampled_from((None, "channel", "neuron")))
    bound = draw(st.sampled_from((2, 60)))
    return None if kind is None else _ints(draw, shape[:1] if kind == "channel" else shape, -bound, bound)


def _sources(draw: Any, net: _Net) -> tuple[str, ...]:
    """One source, mostly the newest; where others have its shape, often a residual sum with them."""
    names = list(net.shapes)
    main = names[-1] if draw(st.integers(0, 3)) < 3 else draw(st.sampled_from(names))
    others = [name for name in net.like(net.shapes[main]) if name != main]
    if others and draw(st.integers(0, 2)):
        extra = draw(st.lists(st.sampled_from(others), min_size=1, max_size=2, unique=True))
        return (main, *extra)
    return (main,)


def _second(draw: Any, net: _Net, shape: Shape, options: Options) -> Connection | None:
    """A second connection into a layer of ``shape``: identity, dense, or a 1 x 1 convolution of fitting stride."""
    found: list[Connection] = []
    for name, (channels, height, width) in net.shapes.items():
        if (channels, height, width) == shape:
            found.append(Connection(name, Identity(np.array(draw(st.sampled_from((1, 4)))))))
        elif shape[1:] == (1, 1):
            found.append(Connection(name, Dense(_weights(draw, (shape[0], channels * height * width), options.large))))
        elif shape[1:] == (-(-height // 2), -(-width // 2)):
            weight = _weights(draw, (shape[0], channels, 1, 1), options.large)
            found.append(Connection(name, Conv(weight, stride=2)))
    return draw(st.sampled_from(found)) if found else None


def _recurrent(draw: Any, name: str, shape: Shape, options: Options) -> Connection:
    if shape[1:] == (1, 1):
        weight = _weights(draw, (shape[0], shape[0]), options.large)
        return Connection(name, draw(delayed(weight)) if options.late and draw(st.booleans()) else Dense(weight))
    weight = _weights(draw, (shape[0], shape[0], 3, 3), options.large)
    return Connection(name, Conv(weight, padding=1))


def _layer(draw: Any, net: _Net, name: str, options: Options) -> Layer:
    sources = _sources(draw, net)
    in_shape = net.shapes[sources[0]]
    synapse = draw(synapses(in_shape, options.large, options.late))
    shape = synapse.out_shape(in_shape)
    connections = [Connection(sources, synapse)]
    if options.late and not options.gated_only and shape[0] % 2 == 0 and draw(st.integers(0, 5)) == 5:
        shape = (shape[0] // 2, *shape[1:])
        return Layer(name, tuple(connections), shape, draw(resonators(shape[0])))
    if draw(st.integers(0, 3)) == 3:
        second = _second(draw, net, shape, options)
        connections += [second] if second else []
    kinds = (*options.kinds, "late") if options.late and not options.gated_only else options.kinds
    neuron = draw(neurons(shape[0], kinds, net.steps))
    if options.recurrent and draw(st.integers(0, 7)) == 7:
        connections.append(_recurrent(draw, name, shape, options))
    return Layer(name, tuple(connections), shape, neuron, draw(biases(shape, neuron)))


@st.composite
def graphs(draw: Any, options: Options | None = None) -> NetGraph:
    """A random NetGraph, of every kind of layer and connection that ``options`` allow."""
    options = options or Options()
    shape = (draw(st.integers(1, 4)), draw(st.integers(1, 7)), draw(st.integers(1, 7)))
    bits = draw(st.sampled_from((8, 1, 4)))
    signed = draw(st.integers(0, 4)) == 4
    net = _Net({INPUT: shape}, draw(st.integers(1, options.max_steps)))
    if options.injection and draw(st.integers(0, 5)) == 5:
        kinds = tuple(kind for kind in options.kinds if kind != "barrier")
        neuron = draw(neurons(shape[0], kinds, net.steps))
        net.add(Layer("encoder", (Connection(INPUT, Injection()),), shape, neuron, draw(biases(shape, neuron))))
        del net.shapes[INPUT]  # in stock files nothing but the encoder reads the input
    for i in range(draw(st.integers(1, options.max_layers))):
        net.add(_layer(draw, net, f"layer{i}", options))
    if draw(st.booleans()):
        net.add(_readout(draw, net, options))
    return NetGraph(Input(shape, bits=bits, signed=signed), tuple(net.layers), net.steps)


def _readout(draw: Any, net: _Net, options: Options) -> Layer:
    source = list(net.shapes)[-1]
    weight = _weights(draw, (draw(st.sampled_from((2, 10))), int(np.prod(net.shapes[source]))), options.large)
    neuron = Readout(scale=0.5)
    shape = (weight.shape[0], 1, 1)
    return Layer("readout", (Connection(source, Dense(weight)),), shape, neuron, draw(biases(shape, neuron)))


@st.composite
def images(draw: Any, graph: NetGraph, samples: int | None = None) -> np.ndarray:
    """Input for ``graph``: int (N, C, H, W) or (N, C, H, W, T), from empty to full, up to the widest value."""
    count = draw(st.integers(1, 3)) if samples is None else samples
    shape = (count, *graph.input.shape)
    if draw(st.booleans()):
        shape = (*shape, graph.timesteps)
    bound = graph.input.bound
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    values = rng.integers(-bound if graph.input.signed else 0, bound + (not graph.input.signed), size=shape)
    return values * (rng.random(shape) < draw(st.sampled_from((1.0, 0.5, 0.1, 0.0))))


@st.composite
def cases(draw: Any, options: Options | None = None, samples: int | None = None) -> tuple[NetGraph, np.ndarray]:
    """A graph and images for it."""
    graph = draw(graphs(options))
    return graph, draw(images(graph, samples))
