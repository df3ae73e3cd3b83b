r"""What a layer does, counted: operations and memory accesses per inference, before any of them has a price.

Notation of Lemaire et al. 2023: :math:`K = K_h K_w`, :math:`K_c = \lceil K_h/S_h \rceil \lceil K_w/S_w \rceil`,
:math:`n` the sites of a map, :math:`\theta_{in}, \theta_{out}` the events that enter and leave the layer during all T
timesteps. An event is a non-zero spike, whatever its value.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from numbers import Integral
from typing import Any

from ..helpers.check import integer
from .options import Options

KINDS = ("conv", "dense", "pool", "add", "barrier", "identity", "flatten")
"""Kinds of layers. "barrier" and "identity" (relays, residual connections) are extensions of the published model."""


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


@dataclass(frozen=True)
class Geometry:
    """Sizes of a layer; shapes are (C, H, W), (C,) or any tuple whose product is the number of sites.

    Args:
        kind: one of :data:`KINDS`.
        in_shape, out_shape: maps without padding.
        kernel, stride: (rows, columns) of convolution and pooling.
        groups: channel groups of a convolution.
        bias: whether there is a bias per output channel, or the number of biases.
        border: zero border around the output map that is counted with it (0: the map itself).

    Raises:
        ValueError: names the argument, its value and what is accepted.

    Example:
        >>> g = Geometry("conv", (3, 32, 32), (64, 16, 16), (3, 3), (2, 2))
        >>> g.weights, g.kernel_size, g.kernel_steps, g.dense_macs
        (1728, 9, 4, 442368)
    """

    kind: str
    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    groups: int = 1
    bias: bool | int = False
    border: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {self.kind!r}")
        object.__setattr__(self, "in_shape", _shape(self.in_shape, "in_shape"))
        object.__setattr__(self, "out_shape", _shape(self.out_shape, "out_shape"))
        for name, low in (("kernel", 1), ("stride", 1), ("border", 0)):
            object.__setattr__(self, name, _pair(getattr(self, name), name, low))
        object.__setattr__(self, "groups", integer(self.groups, "groups", 1))
        if self.kind not in ("conv", "pool"):
            object.__setattr__(self, "kernel", (1, 1))
            object.__setattr__(self, "stride", (1, 1))
        self._check()

    def _check(self) -> None:
        if self.kind in ("conv", "pool"):
            for name in ("in_shape", "out_shape"):
                if len(getattr(self, name)) != 3:
                    raise ValueError(f"{name} of a {self.kind} layer: expected (C, H, W), got {getattr(self, name)}")
        if self.groups > 1 and self.kind != "conv":
            raise ValueError(f"groups: only a conv layer has groups, got {self.groups} for {self.kind}")
        if self.in_shape[0] % self.groups or self.out_shape[0] % self.groups:
            raise ValueError(
                f"groups: expected a divisor of {self.in_shape[0]} and {self.out_shape[0]} channels, got {self.groups}"
            )
        if any(self.border) and len(self.out_shape) != 3:
            raise ValueError(f"border: expected an out_shape (C, H, W) with it, got {self.out_shape}")
        if self.kind in ("add", "barrier", "identity", "flatten") and self.n_in != self.n_out:
            raise ValueError(
                f"{self.kind}: expected as many output as input sites, got {self.in_shape} -> {self.out_shape}"
            )
        if self.kind == "pool" and self.in_shape[0] != self.out_shape[0]:
            raise ValueError(f"pool: expected the same channels in and out, got {self.in_shape} -> {self.out_shape}")

    @property
    def n_in(self) -> int:
        """Sites of the input map."""
        return math.prod(self.in_shape)

    @property
    def n_out(self) -> int:
        """Sites of the output map, with its border."""
        if not any(self.border):
            return math.prod(self.out_shape)
        channels, rows, columns = self.out_shape
        return channels * (rows + 2 * self.border[0]) * (columns + 2 * self.border[1])

    @property
    def c_in(self) -> int:
        """Input channels of the weight matrix: all sites for a dense layer."""
        return self.n_in if self.kind == "dense" else self.in_shape[0]

    @property
    def c_out(self) -> int:
        """Output channels of the weight matrix: all sites for a dense layer."""
        return self.n_out if self.kind == "dense" else self.out_shape[0]

    @property
    def kernel_size(self) -> int:
        """K, the positions of the kernel."""
        return math.prod(self.kernel)

    @property
    def kernel_steps(self) -> int:
        """Kc, the output positions that one input site reaches when the stride skips some."""
        return math.prod(math.ceil(k / s) for k, s in zip(self.kernel, self.stride, strict=True))

    @property
    def weights(self) -> int:
        """|W|, the number of weights (0 for layers without)."""
        if self.kind not in ("conv", "dense"):
            return 0
        return self.c_out * self.c_in * self.kernel_size // self.groups

    @property
    def biases(self) -> int:
        """|b|, the number of biases."""
        return self.c_out if self.bias is True else int(self.bias)

    @property
    def dense_macs(self) -> int:
        """M, the multiply-accumulates of the same layer in an ANN (Eq 1.1, 2.1), groups divided."""
        return self.n_out * self.c_in * self.kernel_size // self.groups

    def fanout(self, options: Options) -> tuple[float, float]:
        """Synapses per event: (those that are accumulated, those whose weight and potential are accessed)."""
        if self.kind in ("conv", "dense"):
            channels = self.c_out if options.grouped == "full" else self.c_out / self.groups
            return self.kernel_steps * channels, self.kernel_size * channels
        steps = float(self.kernel_steps)
        return steps, steps


def ann(g: Geometry, options: Options) -> Counts:
    """Counts of an ANN layer (Lemaire Eq 1.1 to 4, 6.1, 6.2, 11, 12); pooling and reshaping cost nothing."""
    if g.kind not in ("conv", "dense"):
        return Counts()
    macs = float(g.dense_macs * (g.groups if options.grouped == "full" else 1))
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
    macs = g.dense_macs * (g.groups if options.grouped == "full" else 1) * z1 / g.n_in
    return Counts(
        mac=macs,
        rd_in=z1,
        rd_weights=z1 * accesses,
        rd_pot=events * accesses,
        wr_pot=events * accesses,
        **_addressing(g, z1, options),
    )


def population(g: Geometry, events_out: float, steps: int, options: Options, *, analog: bool = False) -> Counts:
    """What the neurons do without being reached by events: update (bias) in every step, and reset where they fire.

    Neurons behind a convolution or a dense layer spend one ACC on each update; barrier neurons and relays, which have
    no bias, none. Behind an analog first layer the update is charged once per inference.
    """
    n = g.n_out
    per_step = steps if options.updates == "every_step" else 1
    updates = (1 if analog else steps) * n if g.kind in ("conv", "dense") or g.biases else 0
    return Counts(
        acc=updates + events_out,
        wr_out=events_out,
        rd_bias=per_step * n if g.biases else 0,
        rd_pot=per_step * n,
        wr_pot=per_step * n,
    )


def leak(n: int, steps: int, *, analog: bool = False) -> Counts:
    """The decay of leaky neurons: one MAC per neuron and step; behind an analog input one multiplication each."""
    return Counts(mul=n) if analog else Counts(mac=steps * n)


def _addressing(g: Geometry, events: float, options: Options) -> dict[str, Any]:
    if g.kind == "dense":
        per_event = g.n_out / g.n_in if options.fc_addressing == "qualia" else g.n_out
        return {"acc_addr": events * per_event}
    if g.kind == "conv":
        channels = g.fanout(options)[1] / g.kernel_size if options.conv_addressing == "lemaire" else 1.0
        return {"acc_addr": events * g.kernel_size * channels, "mac_addr": 2 * events}
    return {}


def _shape(value: Any, what: str) -> tuple[int, ...]:
    items = _items(value, what)
    if not items:
        raise ValueError(f"{what}: expected positive integers, got {value!r}")
    return tuple(integer(item, what, 1) for item in items)


def _pair(value: Any, what: str, low: int) -> tuple[int, int]:
    items = _items(value, what)
    if len(items) == 1:
        items *= 2
    if len(items) != 2:
        raise ValueError(f"{what}: expected (rows, columns) or one integer, got {value!r}")
    return integer(items[0], what, low), integer(items[1], what, low)


def _items(value: Any, what: str) -> tuple[Any, ...]:
    if isinstance(value, Integral):
        return (value,)
    try:
        return tuple(value)
    except TypeError:
        raise ValueError(f"{what}: expected integers, got {value!r}") from None
