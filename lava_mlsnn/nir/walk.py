"""From the nodes of a NIR graph to layers, in order."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from ..graph.graph import INPUT, Input, Layer
from ..graph.neurons import MAX_LEVELS
from ..graph.size import LARGEST
from ..helpers.check import Shape
from . import file as nir_file
from . import fit as nir_fit
from .cuba import leaky_readout
from .dialects import Dialect
from .fit import Drive, Fit, Term
from .linear import flattens, linear
from .map import Floats, Map, identity, require_values
from .neuron import Point, decay, filtered, point, spread
from .spiking import spiking

OFF = 1e-3
"""Distance of a membrane from the library's, in thresholds, that is worth a warning."""

LINEAR = ("Conv1d", "Conv2d", "Affine", "Linear", "SumPool2d", "AvgPool2d", "Scale")
SPIKING = ("IF", "LIF", "CubaLIF", "Threshold")
INTEGRATORS = ("I", "LI")
KNOWN = ("Input", "Output", "Flatten", "Delay", *LINEAR, *SPIKING, *INTEGRATORS)


@dataclass(frozen=True, eq=False)
class Signal:
    """What a layer sends: see :class:`~lava_mlsnn.nir.fit.Term`. ``flat`` where a Flatten has passed it."""

    source: str
    unit: float
    low: float
    high: float
    values: Floats
    flat: bool = False
    delay: Floats | None = None

    @property
    def shape(self) -> Shape:
        c, h, w = self.values.shape[2:]
        return c, h, w


class Walker:
    """Makes the layers, node by node."""

    def __init__(
        self, graph: Any, steps: int, bits: int, registers: int | None, dialect: Dialect, largest: int = LARGEST
    ) -> None:
        order = nir_file.order(graph)
        self.nodes, self.reads, self.loops = graph.nodes, order.reads, order.loops
        self.steps, self.bits, self.registers, self.dialect = steps, bits, registers, dialect
        self.largest, self.images = largest, 0
        self.layers: list[Layer] = []
        self.names: dict[str, str] = {}
        self.relays: dict[str, Signal] = {}
        self.out: dict[str, list[Signal | Drive]] = {}
        self.off: dict[str, float] = {}

    def run(self, source: Input, values: Floats, unit: float) -> list[Layer]:
        low, high = (-source.bound, source.bound - 1) if source.signed else (0, source.bound)
        signal = Signal(INPUT, unit, low, high, values)
        self.images = values.shape[1]
        read = {name for names in self.reads.values() for name in names}
        for name, node in self.nodes.items():
            if type(node).__name__ not in KNOWN:
                raise ValueError(
                    f"NIR node {name!r}: a {type(node).__name__} has no counterpart: expected {', '.join(KNOWN)}"
                )
        for name, sources in self.reads.items():
            kind = type(self.nodes[name]).__name__
            if (kind != "Input") != bool(sources) or (kind != "Output" and name not in read):
                raise ValueError(f"NIR node {name!r} ({kind}) is not on a way from the input to the output")
            if kind == "Input":
                self.out[name] = [replace(signal, flat=_is_flat(name, self.nodes[name], source.shape))]
            else:
                self.out[name] = _STEPS[kind](self, name, [item for s in sources for item in self.out[s]])
        self.warn_of_distances()
        return self.layers

    def warn_of_distances(self) -> None:
        """How far membranes can be from those of the library."""
        worst = max(self.off, key=self.off.__getitem__, default="")
        if worst and self.off[worst] > OFF:
            warnings.warn(
                f"NIR node {worst!r}: leaks and states are rounded: a membrane can be off by {self.off[worst]:.2g} of "
                f"its threshold after {self.steps} steps, and a spike that is decided by less can differ",
                stacklevel=4,
            )

    def layer(self, name: str) -> str:
        """The layer's name for a node's: printable, without "/", and nobody else's."""
        if name not in self.names:
            text = "".join(c if c.isprintable() and c != "/" else "_" for c in name) or "_"
            while text == INPUT or text in self.names.values():
                text += "_"
            self.names[name] = text
        return self.names[name]

    def signal(self, item: Signal | Drive) -> Signal:
        """What an item sends to a linear node: currents without a neuron are relayed as integers."""
        if isinstance(item, Signal):
            return item
        if item.name not in self.relays:
            layer, unit, bound = nir_fit.relay(item, self.bits)
            self.layers.append(layer)
            self.relays[item.name] = Signal(layer.name, unit, -bound, bound, item.current)
        return replace(self.relays[item.name], flat=item.flat)

    def drive(self, name: str, items: list[Signal | Drive]) -> Drive:
        """All that arrives at a neuron or at the output."""
        terms: list[Term] = []
        shapes = {item.shape for item in items}
        if len(shapes) > 1:
            raise ValueError(f"NIR node {name!r} sums inputs of different shapes: {sorted(shapes)}")
        (shape,) = shapes
        bias = np.zeros(shape)
        for item in items:
            if isinstance(item, Drive):
                terms += item.terms
                bias = bias + item.bias
            else:
                terms += _terms(identity(shape[0]), [item], name)
        return Drive(self.layer(name), tuple(terms), bias, any(item.flat for item in items))

    def flatten(self, name: str, items: list[Signal | Drive]) -> list[Signal | Drive]:
        for item in items:
            if not flattens(self.nodes[name], item.shape):
                node = self.nodes[name]
                raise ValueError(
                    f"NIR node {name!r}: a Flatten of axes {node.start_dim} .. {node.end_dim} of {item.shape}: "
                    "expected all of them"
                )
        return [replace(item, flat=True) for item in items]

    def linear(self, name: str, items: list[Signal | Drive]) -> list[Signal | Drive]:
        signals = [self.signal(item) for item in items]
        first = signals[0]
        if any(s.shape != first.shape for s in signals):
            raise ValueError(f"NIR node {name!r} sums inputs of different shapes: {sorted({s.shape for s in signals})}")
        m, bias = linear(name, self.nodes[name], first.shape, first.flat, self.largest)
        try:
            shape = m.out_shape(first.shape)
        except ValueError as error:
            raise ValueError(f"NIR node {name!r}: {error}") from None
        padded = prod((first.shape[0], *(n + 2 * p for n, p in zip(first.shape[1:], m.padding, strict=True))))
        require_values(max(prod(shape), padded) * self.images, self.steps, self.largest, f"NIR node {name!r}")
        real = spread(f"NIR node {name!r}: bias", bias, shape)
        return [Drive(self.layer(name), _terms(m, signals, name), real, m.kind == "identity" and first.flat)]

    def delay(self, name: str, items: list[Signal | Drive]) -> list[Signal | Drive]:
        """Spikes that a dense node or neurons read late."""
        signals = [self.signal(item) for item in items]
        shape = signals[0].shape
        late = spread(f"NIR node {name!r}: delay", self.nodes[name].delay, shape)
        steps = np.rint(late / (self.dialect.dt if self.dialect.tau_unit == 1 else 1 / self.dialect.tau_unit))
        if np.any(late < 0):
            raise ValueError(f"NIR node {name!r}: delay = {late.min():g}: expected 0 or more")
        if shape[1:] != (1, 1) and not all(s.flat for s in signals) and np.any(steps):
            raise ValueError(
                f"NIR node {name!r}: a delay of maps {shape}: synapses with delays are dense, expected a vector"
            )
        before = [np.zeros(shape) if s.delay is None else s.delay for s in signals]
        return [replace(s, delay=steps + d) for s, d in zip(signals, before, strict=True)]

    def spiking(self, name: str, items: list[Signal | Drive]) -> list[Signal | Drive]:
        loops = self.loops.get(name, [])
        neurons: Point | None = None
        if items and (not loops) and isinstance(items[0], Drive) and items[0].filter is not None:
            neurons, items = self.behind_filter(name, items)
        drive = self.drive(name, items)
        node = self.nodes[name]
        if neurons is None:
            neurons = point(name, node, drive.shape, self.dialect, self.steps, bool(loops))
        drive = self.with_loops(name, drive, neurons, loops)
        run = neurons.run(drive.current, drive.recurrent if loops else None)
        if loops:
            before = np.concatenate([np.zeros_like(run.spikes[:1]), run.spikes[:-1]])
            drive = replace(
                drive, terms=tuple(replace(term, values=before) if term.late else term for term in drive.terms)
            )
        try:
            layer, off = spiking(drive, neurons, self.bits, self.steps, run, self.registers)
        except ValueError as error:
            raise error if str(error).startswith("NIR node") else ValueError(f"NIR node {name!r}: {error}") from None
        self.layers.append(layer)
        self.off[name] = off
        if not run.spikes.any():
            warnings.warn(
                f"NIR node {name!r} never spikes on the calibration images: do dt = {self.dialect.dt:g} and the scale "
                "of the input fit the file?",
                stacklevel=4,
            )
        return [Signal(drive.name, 1.0, 0, layer.neuron.largest_spike or 1, run.spikes, drive.flat)]

    def behind_filter(self, name: str, items: list[Signal | Drive]) -> tuple[Point, list[Signal | Drive]]:
        """Neurons that read one leaky integrator, which becomes the filter of their current."""
        node, (first, *others) = self.nodes[name], items
        assert isinstance(first, Drive) and first.filter is not None
        if others or type(node).__name__ not in ("IF", "LIF"):
            raise ValueError(f"NIR node {name!r}: expected an IF or LIF that reads nothing but the leaky integrator")
        found = point(name, node, first.shape, self.dialect, self.steps)
        return filtered(found, *first.filter), [replace(first, filter=None)]

    def with_loops(self, name: str, drive: Drive, neurons: Point, loops: list[str]) -> Drive:
        """The drive with what neurons send themselves, one step back."""
        most = float(MAX_LEVELS if neurons.levels is None else min(neurons.levels, MAX_LEVELS))
        own = Signal(drive.name, 1.0, 0, most, np.zeros((self.steps, 1, *drive.shape)), drive.flat)
        for loop in loops:
            found = self.drive(name, [own]) if loop == name else self.linear(loop, [own])[0]
            assert isinstance(found, Drive)
            if found.shape != drive.shape:
                raise ValueError(f"NIR node {loop!r} gives {found.shape}, the neurons that it reads are {drive.shape}")
            late = tuple(replace(term, late=True) for term in found.terms)
            drive = replace(drive, terms=drive.terms + late, bias=drive.bias + found.bias)
        return drive

    def integrator(self, name: str, items: list[Signal | Drive]) -> list[Signal | Drive]:
        drive, node, dialect = self.drive(name, items), self.nodes[name], self.dialect
        readers = [reader for reader, names in self.reads.items() if name in names]
        kinds = {type(self.nodes[reader]).__name__ for reader in readers}
        resistance = spread(f"NIR node {name!r}: r", node.r, drive.shape, wide=True)
        if type(node).__name__ == "I":
            leak, gain = np.zeros(drive.shape), dialect.integrator_gain(resistance)
        else:
            leak = decay(name, "tau", node, drive.shape, dialect)
            gain = dialect.gain_of("readout_gain", resistance, leak)
            drive = self.towards_leak(name, node, drive, leak, gain)
        if gain.min() <= 0:
            raise ValueError(f"NIR node {name!r}: expected positive gains, got {gain.min():g} .. {gain.max():g}")
        if kinds <= {"IF", "LIF"} and type(node).__name__ == "LI":
            return [replace(drive, filter=(leak, gain))]
        if kinds != {"Output"} or len(readers) != 1:
            raise ValueError(
                f"NIR node {name!r}: an integrator is expected at the end, or before an IF or LIF; {readers} read it"
            )
        if np.ptp(gain) > 1e-6 * gain.max():
            raise ValueError(f"NIR node {name!r}: expected one gain, got {gain.min():g} .. {gain.max():g}")
        first = float(gain.flat[0])
        if self.steps == 1 or not np.any(leak):
            self.layers.append(nir_fit.readout(drive, self.bits, self.steps, first))
        else:
            self.layers.append(leaky_readout(Fit(drive, self.bits), leak, first, self.steps, self.registers))
        return [Signal(drive.name, 1.0, 0, 0, drive.current)]

    def towards_leak(self, name: str, node: Any, drive: Drive, leak: Floats, gain: Floats) -> Drive:
        """A drive with what draws a leaky integrator toward v_leak, if it starts from zero."""
        rest = spread(f"NIR node {name!r}: v_leak", node.v_leak, drive.shape)
        if not np.any(rest):
            return drive
        if self.dialect.start == "leak":
            if np.ptp(rest):
                raise ValueError(f"NIR node {name!r}: a readout that starts at different v_leak: expected one value")
            warnings.warn(f"NIR node {name!r}: the readout is relative to v_leak = {rest.flat[0]:g}", stacklevel=5)
            return drive
        return replace(drive, bias=drive.bias + leak * rest / gain)

    def output(self, name: str, items: list[Signal | Drive]) -> list[Signal | Drive]:
        if len(items) == 1 and isinstance(items[0], Drive):
            self.layers.append(nir_fit.readout(items[0], self.bits, self.steps, None))
        elif len(items) > 1 or items[0].source != self.layers[-1].name:  # type: ignore[union-attr]
            self.layers.append(nir_fit.readout(self.drive(name, items), self.bits, self.steps, None))
        return []


_STEPS: dict[str, Callable[[Walker, str, list[Signal | Drive]], list[Signal | Drive]]] = {
    "Delay": Walker.delay,
    "Flatten": Walker.flatten,
    "Output": Walker.output,
    **dict.fromkeys(LINEAR, Walker.linear),
    **dict.fromkeys(SPIKING, Walker.spiking),
    **dict.fromkeys(INTEGRATORS, Walker.integrator),
}


def _terms(m: Map, signals: list[Signal], name: str) -> tuple[Term, ...]:
    """One term for all sources of one unit and delay, whose integer spikes are summed before the synapse."""
    terms = []
    for unit, delay in dict.fromkeys((s.unit, None if s.delay is None else s.delay.tobytes()) for s in signals):
        same = [s for s in signals if s.unit == unit and (None if s.delay is None else s.delay.tobytes()) == delay]
        names = tuple(s.source for s in same)
        low, high, values = (sum(parts) for parts in zip(*[(s.low, s.high, s.values) for s in same], strict=True))
        late = same[0].delay
        through = m if late is None or not np.any(late) else m.late(late, f"NIR node {name!r}")
        terms.append(Term(through, names, unit, low, high, np.asarray(values)))
    return tuple(terms)


def _is_flat(name: str, node: Any, shape: Shape) -> bool:
    """Whether the file's input is a vector; ValueError if it is not the calibration images'."""
    declared = node.input_type.get("input") if isinstance(node.input_type, dict) else None
    if declared is None:
        return shape[1:] == (1, 1)
    sizes = tuple(int(n) for n in np.atleast_1d(declared))
    if shape[1] == 1 and sizes[-2:] == (shape[0], shape[2]):
        return False  # Conv1d's (C, L)
    if sizes[-3:] != shape and not (len(sizes) <= 2 and sizes[-1] == np.prod(shape)):
        raise ValueError(f"NIR node {name!r}: the file's input is {sizes}, the calibration images are {shape}")
    return sizes[-3:] != shape
