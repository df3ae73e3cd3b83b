"""NIR to NetGraph: networks of other libraries, quantised with calibration data."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import numpy as np

from ..graph.graph import INPUT, Input, Layer, NetGraph
from ..graph.neurons import Readout
from ..helpers.check import Shape, finite, integer
from . import file as nir_file
from . import fit as nir_fit
from .fit import Drive, Term
from .linear import flattens, linear
from .map import Floats, identity
from .neuron import point, spread

DT = 1e-4
"""Seconds of a timestep in files of snnTorch and SpikingJelly."""

RESETS = ("hard", "soft")
LINEAR = ("Conv2d", "Affine", "Linear", "SumPool2d", "AvgPool2d", "Scale")
SPIKING = ("IF", "LIF", "CubaLIF", "Threshold")
INTEGRATORS = ("I", "LI")
KNOWN = ("Input", "Output", "Flatten", *LINEAR, *SPIKING, *INTEGRATORS)


def from_nir(
    path: str | PathLike[str],
    calibration_images: Any,
    *,
    weight_bits: int = 8,
    timesteps: int | None = None,
    input_scale: float | None = None,
    input_bits: int = 8,
    dt: float = DT,
    reset: str = "hard",
    labels: Sequence[str] = (),
) -> NetGraph:
    """Read a network of another library from a NIR file into the integers that the engine and Lava compute.

    Conv2d, Linear, Affine, Scale, SumPool2d, AvgPool2d and Flatten; IF, LIF, CubaLIF and Threshold; I, or LI at T = 1,
    at the end. Each is stepped by ``dt`` (forward Euler, current before membrane), edges that meet are summed, and a
    spike takes no time, as in the simulators that write NIR. A linear node that ends the network becomes its readout.

    **Exact**: sums, averages and wires; weights that are ``weight_bits`` signed bits times a power of two; at T = 1,
    thresholds and biases of any value; the fire condition v > threshold, which is NIR's (a library that fires at
    v >= threshold differs where v hits it exactly).

    **Approximated**: other weights are rounded to ``weight_bits`` times a power of two per synapse, the one that gives
    the smaller squared error of the currents on the calibration images. At T > 1, also biases, to the scale of the
    current (up to 2**6 finer than the weights, as registers allow), thresholds of leaky neurons likewise, decays to
    1 / 4096, and leaky states to Lava's 24 bits, which truncate toward zero. Thresholds that differ between channels
    are made equal by scaling the weights. Parameters within 1e-6 of an integer are taken for it, as float32 is.

    **Not in the file**: NIR knows no soft reset. snnTorch (by default), sinabs and others write networks that subtract
    the threshold as if they reset to zero: give ``reset="soft"`` for IF neurons of such networks at T > 1; they then
    fire at v >= threshold. At T = 1 resets do not matter.

    Args:
        path: the file.
        calibration_images: (N, C, H, W) or (N, C, H, W, T), integers, or real numbers that ``input_scale`` divides.
            They fix the input's shape and sign, and the scales of the weights.
        weight_bits: 2 .. 8.
        timesteps: T; NIR does not say. Only files of :func:`to_nir` need none.
        input_scale: real value of one integer input unit; 1 / 255 for 8-bit pixels of networks trained on 0 .. 1,
            the default; 1 for files of :func:`to_nir`.
        input_bits: width of the integer input.
        dt: seconds of a timestep; 1e-4 for snnTorch and SpikingJelly, 1 for sinabs.
        reset: "hard", as NIR defines, or "soft".
        labels: class names.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not NIR, or holds what has no counterpart: names node and value.
        ImportError: the package nir is missing.

    Warns:
        UserWarning: a layer that never spikes on the calibration images; weights that lose bits to a narrow register.
    """
    graph = nir_file.read(path)
    notes = nir_file.own_notes(graph)
    steps = timesteps if timesteps is not None else notes.get("timesteps")
    if steps is None:
        raise ValueError("timesteps: a NIR file does not say how many steps a sample takes: give timesteps=T")
    steps = integer(steps, "timesteps", 1, 2**31 - 1)
    bits = integer(weight_bits, "weight_bits", 2, 8)
    if reset not in RESETS:
        raise ValueError(f"reset: expected one of {RESETS}, got {reset!r}")
    unit = finite((1.0 if notes else 1 / 255) if input_scale is None else input_scale, "input_scale", positive=True)
    source, values = _input(calibration_images, unit, integer(input_bits, "input_bits", 1, 24), steps)
    reader = _Reader(graph, steps, bits, finite(dt, "dt", positive=True), reset)
    layers = reader.run(source, values, unit)
    found = tuple(labels) or tuple(notes.get("labels", ()))
    return _restore(NetGraph(source, tuple(layers), steps, found), notes)


def _restore(graph: NetGraph, notes: dict[str, Any]) -> NetGraph:
    """What NIR has no place for, from a file of ours: the meaning of the input and of the output."""
    layers = list(graph.layers)
    if "readout_scale" in notes and isinstance(layers[-1].neuron, Readout):
        layers[-1] = replace(layers[-1], neuron=Readout(notes["readout_scale"]))
    source = Input(**notes["input"]) if "input" in notes else graph.input
    return replace(graph, input=source, layers=tuple(layers))


def _input(images: Any, unit: float, bits: int, steps: int) -> tuple[Input, Floats]:
    """The network's input, and the calibration images in real numbers, (T, N, C, H, W)."""
    array = np.asarray(images)
    if array.ndim not in (4, 5) or 0 in array.shape or array.dtype.kind not in "iuf":
        raise ValueError(
            f"calibration_images: expected numbers (N, C, H, W) or (N, C, H, W, T), got {array.dtype} {array.shape}"
        )
    if array.ndim == 5 and array.shape[4] != steps:
        raise ValueError(f"calibration_images: expected {steps} timesteps, got shape {array.shape}")
    whole = np.rint(array / unit) if array.dtype.kind == "f" else array.astype(np.float64)
    signed = bool(whole.min() < 0)
    channels, height, width = array.shape[1:4]
    source = Input((channels, height, width), unit, bits, signed)
    if not np.all(np.isfinite(whole)) or np.abs(whole).max() > source.bound:
        raise ValueError(
            f"calibration_images: values {whole.min():g} .. {whole.max():g} in units of {unit:g} do not fit "
            f"input_bits = {bits}"
        )
    frames = whole[..., None].repeat(steps, axis=-1) if array.ndim == 4 else whole
    return source, np.moveaxis(frames, -1, 0) * unit


@dataclass(frozen=True, eq=False)
class _Signal:
    """What a layer sends: see :class:`~lava_mlsnn.nir.fit.Term`. ``flat`` where a Flatten has passed it."""

    source: str
    unit: float
    low: float
    high: float
    values: Floats
    flat: bool = False

    @property
    def shape(self) -> Shape:
        c, h, w = self.values.shape[2:]
        return c, h, w


class _Reader:
    """Walks the nodes in order and makes the layers."""

    def __init__(self, graph: Any, steps: int, bits: int, dt: float, reset: str) -> None:
        self.nodes, self.reads = graph.nodes, nir_file.sources(graph)
        self.steps, self.bits, self.dt, self.reset = steps, bits, dt, reset
        self.layers: list[Layer] = []
        self.names: dict[str, str] = {}
        self.relays: dict[str, _Signal] = {}
        self.out: dict[str, list[_Signal | Drive]] = {}

    def run(self, source: Input, values: Floats, unit: float) -> list[Layer]:
        low, high = (-source.bound, source.bound - 1) if source.signed else (0, source.bound)
        signal = _Signal(INPUT, unit, low, high, values)
        read = {name for names in self.reads.values() for name in names}
        for name, sources in self.reads.items():
            kind = type(self.nodes[name]).__name__
            if kind not in KNOWN:
                raise ValueError(f"NIR node {name!r}: a {kind} has no counterpart: expected {', '.join(KNOWN)}")
            if (kind != "Input") != bool(sources) or (kind != "Output" and name not in read):
                raise ValueError(f"NIR node {name!r} ({kind}) is not on a way from the input to the output")
            if kind == "Input":
                self.out[name] = [replace(signal, flat=_is_flat(name, self.nodes[name], source.shape))]
            else:
                self.out[name] = _STEPS[kind](self, name, [item for s in sources for item in self.out[s]])
        return self.layers

    def layer(self, name: str) -> str:
        """The layer's name for a node's: printable, without "/", and nobody else's."""
        if name not in self.names:
            text = "".join(c if c.isprintable() and c != "/" else "_" for c in name) or "_"
            while text == INPUT or text in self.names.values():
                text += "_"
            self.names[name] = text
        return self.names[name]

    def signal(self, item: _Signal | Drive) -> _Signal:
        """What an item sends to a linear node: currents without a neuron are relayed as integers."""
        if isinstance(item, _Signal):
            return item
        if item.name not in self.relays:
            layer, unit, bound = nir_fit.relay(item, self.bits)
            self.layers.append(layer)
            self.relays[item.name] = _Signal(layer.name, unit, -bound, bound, item.current)
        return replace(self.relays[item.name], flat=item.flat)

    def drive(self, name: str, items: list[_Signal | Drive]) -> Drive:
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
                terms += _terms(identity(shape[0]), [item])
        return Drive(self.layer(name), tuple(terms), bias, any(item.flat for item in items))

    def flatten(self, name: str, items: list[_Signal | Drive]) -> list[_Signal | Drive]:
        for item in items:
            if not flattens(self.nodes[name], item.shape):
                node = self.nodes[name]
                raise ValueError(
                    f"NIR node {name!r}: a Flatten of axes {node.start_dim} .. {node.end_dim} of {item.shape}: "
                    "expected all of them"
                )
        return [replace(item, flat=True) for item in items]

    def linear(self, name: str, items: list[_Signal | Drive]) -> list[_Signal | Drive]:
        signals = [self.signal(item) for item in items]
        first = signals[0]
        if any(s.shape != first.shape for s in signals):
            raise ValueError(f"NIR node {name!r} sums inputs of different shapes: {sorted({s.shape for s in signals})}")
        m, bias = linear(name, self.nodes[name], first.shape, first.flat)
        try:
            shape = m.out_shape(first.shape)
        except ValueError as error:
            raise ValueError(f"NIR node {name!r}: {error}") from None
        real = spread(f"NIR node {name!r}: bias", bias, shape)
        return [Drive(self.layer(name), _terms(m, signals), real, m.kind == "identity" and first.flat)]

    def spiking(self, name: str, items: list[_Signal | Drive]) -> list[_Signal | Drive]:
        drive = self.drive(name, items)
        neurons = point(name, self.nodes[name], drive.shape, self.dt, self.steps, self.reset)
        try:
            self.layers.append(nir_fit.spiking(drive, neurons, self.bits, self.steps))
        except ValueError as error:
            raise ValueError(f"NIR node {name!r}: {error}") from None
        spikes = neurons.run(drive.current)
        if not spikes.any():
            warnings.warn(
                f"NIR node {name!r} never spikes on the calibration images: do dt = {self.dt:g} and the scale of the "
                "input fit the file?",
                stacklevel=4,
            )
        return [_Signal(drive.name, 1.0, 0, 1, spikes, drive.flat)]

    def integrator(self, name: str, items: list[_Signal | Drive]) -> list[_Signal | Drive]:
        drive, node = self.drive(name, items), self.nodes[name]
        gain = spread(f"NIR node {name!r}: r", node.r, drive.shape) * self.dt
        if type(node).__name__ == "LI":
            if self.steps > 1 or np.any(node.v_leak != 0):
                raise ValueError(
                    f"NIR node {name!r}: a leaky integrator at T = {self.steps}: expected T = 1, v_leak = 0"
                )
            gain = gain / spread(f"NIR node {name!r}: tau", node.tau, drive.shape)
        if np.ptp(gain) > 1e-6 * np.abs(gain).max() or gain.min() <= 0:
            raise ValueError(f"NIR node {name!r}: expected one positive gain, got {gain.min():g} .. {gain.max():g}")
        readers = [reader for reader, names in self.reads.items() if name in names]
        if [type(self.nodes[reader]).__name__ for reader in readers] != ["Output"]:
            raise ValueError(f"NIR node {name!r}: an integrator is expected at the end only, {readers} read it")
        self.layers.append(nir_fit.readout(drive, self.bits, self.steps, float(gain.flat[0])))
        return [_Signal(drive.name, 1.0, 0, 0, drive.current)]

    def output(self, name: str, items: list[_Signal | Drive]) -> list[_Signal | Drive]:
        if len(items) == 1 and isinstance(items[0], Drive):
            self.layers.append(nir_fit.readout(items[0], self.bits, self.steps, None))
        elif len(items) > 1 or items[0].source != self.layers[-1].name:  # type: ignore[union-attr]
            self.layers.append(nir_fit.readout(self.drive(name, items), self.bits, self.steps, None))
        return []


_STEPS: dict[str, Callable[[_Reader, str, list[_Signal | Drive]], list[_Signal | Drive]]] = {
    "Flatten": _Reader.flatten,
    "Output": _Reader.output,
    **dict.fromkeys(LINEAR, _Reader.linear),
    **dict.fromkeys(SPIKING, _Reader.spiking),
    **dict.fromkeys(INTEGRATORS, _Reader.integrator),
}


def _terms(m: Any, signals: list[_Signal]) -> tuple[Term, ...]:
    """One term for all sources of one unit, whose integer spikes are summed before the synapse."""
    terms = []
    for unit in dict.fromkeys(s.unit for s in signals):
        same = [s for s in signals if s.unit == unit]
        names = tuple(s.source for s in same)
        low, high, values = (sum(parts) for parts in zip(*[(s.low, s.high, s.values) for s in same], strict=True))
        terms.append(Term(m, names, unit, low, high, np.asarray(values)))
    return tuple(terms)


def _is_flat(name: str, node: Any, shape: Shape) -> bool:
    """Whether the file's input is a vector; ValueError if it is not the calibration images'."""
    declared = node.input_type.get("input") if isinstance(node.input_type, dict) else None
    if declared is None:
        return shape[1:] == (1, 1)
    sizes = tuple(int(n) for n in np.atleast_1d(declared))
    if sizes[-3:] != shape and not (len(sizes) <= 2 and sizes[-1] == np.prod(shape)):
        raise ValueError(f"NIR node {name!r}: the file's input is {sizes}, the calibration images are {shape}")
    return sizes[-3:] != shape
